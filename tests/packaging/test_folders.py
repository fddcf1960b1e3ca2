"""The packaging trap: our folders' names must not shadow the standard library where the repo is the cwd."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("backend", "experiments", "models", "selectors")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def modules() -> list[Path]:
    return sorted(file.relative_to(ROOT) for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))


def mapped() -> dict[str, str]:
    """Package name to folder, as setup.cfg has it."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    lines = parser["options"]["package_dir"].strip().splitlines()
    return dict(map(str.strip, line.split("=")) for line in lines)  # type: ignore[misc]


def test_environments_can_be_made_in_the_repository(tmp_path: Path) -> None:
    done = run("-m", "venv", "--without-pip", tmp_path / "x")
    assert done.returncode == 0, done.stderr


def test_the_standard_library_works_in_the_repository() -> None:
    done = run("-c", "import subprocess, asyncio, selectors; print(selectors.DefaultSelector.__name__)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("Selector")


def test_pytest_runs_in_the_repository() -> None:
    done = run("-m", "pytest", "--version")
    assert done.returncode == 0, done.stderr


def test_selectors_is_no_regular_package_and_seedqueue_no_folder() -> None:
    assert not (ROOT / "selectors" / "__init__.py").exists()
    assert not (ROOT / "seedqueue").exists()


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    taken = sys.stdlib_module_names
    assert [str(file) for file in modules() if file.stem in taken] == []


def test_every_folder_with_modules_is_a_package_of_the_wheel() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    listed = parser["options"]["packages"].split()
    folders = {file.parent.as_posix() for file in modules()}
    assert set(mapped().values()) == folders
    assert set(mapped()) == set(listed)
    for name, folder in mapped().items():
        assert name == "seedqueue." + folder.replace("/", ".")


@pytest.mark.parametrize("folder", FOLDERS)
def test_static_tools_find_every_folder(folder: str) -> None:
    link = ROOT / ".typing" / "seedqueue" / folder
    assert link.is_symlink()
    assert link.resolve() == ROOT / folder
