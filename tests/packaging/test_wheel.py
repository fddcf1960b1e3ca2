"""A built wheel, installed elsewhere, has every module, every other file and the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("backend", "experiments", "models", "selectors")
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", *FOLDERS)
LEFT_OUT = shutil.ignore_patterns("__pycache__")

# Imports every named module. The editable install's finder stands aside: the wheel's modules have to be there.
IMPORT_ALL = """
import importlib, sys
sys.meta_path = [f for f in sys.meta_path if "editable" not in str(f).lower()]
sys.path_hooks = [h for h in sys.path_hooks if "editable" not in str(h).lower()]
sys.path_importer_cache.clear()
folder, *names = sys.argv[1:]
for name in names:
    module = importlib.import_module(name)
    assert module.__file__.startswith(folder), module.__file__
print(len(names))
"""


def pip(*arguments: str | Path) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, arguments), *quiet],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def importable() -> list[str]:
    """Every module but those that run something when imported."""
    files = (file.relative_to(ROOT) for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
    names = {".".join(("seedqueue", *file.with_suffix("").parts)) for file in files if file.stem != "__main__"}
    return sorted(name.removesuffix(".__init__") for name in names)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: setuptools leaves its build folder in the source."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / name, source / name)
    pip("wheel", "--no-build-isolation", "--wheel-dir", out, source)
    (built,) = out.glob("seedqueue-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--target", folder, wheel)
    return folder


def test_the_wheel_has_every_file_of_the_folders(wheel: Path) -> None:
    files = (file for folder in FOLDERS for file in (ROOT / folder).rglob("*"))
    wanted = {
        f"seedqueue/{file.relative_to(ROOT).as_posix()}"
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    }
    with zipfile.ZipFile(wheel) as opened:
        found = {name for name in opened.namelist() if name.startswith("seedqueue/")}
    assert found == wanted


def test_every_module_of_the_wheel_imports(installed: Path, tmp_path: Path) -> None:
    names = importable()
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(installed), *names],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) == len(names) > 30


def test_the_command_is_there_and_runs(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, installed / "bin" / "seedqueue", "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "seed" in done.stdout
