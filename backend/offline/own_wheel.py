"""The wheel of seedqueue itself: built from the checkout that it is installed from, else packed from what is here."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

FOLDERS = ("backend", "experiments", "models", "selectors")
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
# What pip adds to a wheel's files while it installs them.
INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"})
EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip's: the same files give the same wheel

Pip = Callable[[Sequence[str]], None]


def write(distribution: metadata.Distribution, folder: Path, pip: Pip) -> None:
    """Put the wheel into the folder. pip: runs `pip` with such arguments."""
    source = checkout(distribution)
    if source is None:
        pack(distribution, folder)
    else:
        build(source, folder, pip)


def checkout(distribution: metadata.Distribution) -> Path | None:
    """The folder that it is installed from in editable mode; None where it is installed as a copy."""
    told = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not told.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(told["url"]).path))


def build(source: Path, folder: Path, pip: Pip) -> None:
    """Build it from a copy: setuptools leaves its traces in the source."""
    with tempfile.TemporaryDirectory(prefix="seedqueue-wheel-") as work:
        for name in SOURCES:
            shutil.copy(source / name, work)
        for name in FOLDERS:
            shutil.copytree(source / name, Path(work) / name, ignore=shutil.ignore_patterns("__pycache__"))
        isolated = [] if _needs_isolation() else ["--no-build-isolation"]
        pip(["wheel", "--no-deps", *isolated, "--wheel-dir", str(folder), work])


def pack(distribution: metadata.Distribution, folder: Path) -> Path:
    """Put the installed files into a wheel again; the same files make the same bytes."""
    text = distribution.read_text("WHEEL") or ""
    tag = next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Tag:"))
    path = folder / f"{distribution.name.replace('-', '_')}-{distribution.version}-{tag}.whl"
    rows: list[tuple[str, str, int | str]] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name in sorted(_own_files(distribution)):
            content = Path(str(distribution.locate_file(name))).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append((name, f"sha256={digest}", len(content)))
            wheel.writestr(zipfile.ZipInfo(name, EARLIEST), content, zipfile.ZIP_DEFLATED)
        record = f"{_info(distribution)}/RECORD"
        listed = io.StringIO()
        csv.writer(listed, lineterminator="\n").writerows([*rows, (record, "", "")])
        wheel.writestr(zipfile.ZipInfo(record, EARLIEST), listed.getvalue())
    return path


def _own_files(distribution: metadata.Distribution) -> list[str]:
    """Without the commands, which are made anew, and what is compiled."""
    info = _info(distribution)
    listed = [file.as_posix() for file in distribution.files or ()]
    return [
        name
        for name in listed
        if not name.startswith(("..", "/"))
        and "__pycache__" not in name
        and not (name.startswith(f"{info}/") and name.rpartition("/")[2] in INSTALLERS)
    ]


def _info(distribution: metadata.Distribution) -> str:
    return next(file.parts[0] for file in distribution.files or () if file.parts[0].endswith(".dist-info"))


def _needs_isolation() -> bool:
    """Whether pip has to fetch setuptools for a build: ours is too old or missing."""
    try:
        return int(metadata.version("setuptools").partition(".")[0]) < 77
    except (metadata.PackageNotFoundError, ValueError):
        return True
