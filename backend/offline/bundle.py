"""Everything for a machine without a network in one folder: wheels, weights, container images, their checksums."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedqueue.backend.offline import checksums, closure, installing, own_wheel, wheelhouse
from seedqueue.backend.offline.errors import BundleExists, ImageUnusable, NoLabelStudio
from seedqueue.backend.offline.installing import IMAGES, LABEL_STUDIO_WHEELS, REQUIREMENTS, WHEELS
from seedqueue.backend.offline.readme import readme
from seedqueue.backend.offline.weight_files import WeightFile
from seedqueue.backend.offline.wheelhouse import Advance


@dataclass(frozen=True)
class Wanted:
    """What goes into a bundle. label_studio: the folder of its virtual environment, None for a bundle without."""

    extras: Sequence[str] = ()
    weights: Sequence[WeightFile] = ()
    images: Sequence[Path] = ()
    label_studio: Path | None = None


@dataclass(frozen=True)
class Made:
    folder: Path
    packages: int
    files: int
    size: int  # bytes


def make(out: Path, wanted: Wanted, advance: Advance) -> Made:
    """Make the bundle; the folder appears once it is whole.

    Raises `BundleExists`, `PackageMissing`, `ExtraUnknown`, `WheelsMissing`, `NoPip`, `ImageUnusable`, `NoLabelStudio`.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BundleExists(out)
    check_images(wanted.images)
    ours = closure.ours()
    closure.check_extras(ours, wanted.extras)
    packages = closure.closure(closure.OURS, wanted.extras)
    studio = _label_studio(wanted.label_studio) if wanted.label_studio else None
    partial = out.with_name(f"{out.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _fill_wheels(partial / WHEELS, packages, advance)
        if studio:
            wheelhouse.gather(studio[1].values(), partial / LABEL_STUDIO_WHEELS, advance, studio[0])
            wheelhouse.write_requirements(studio[1].values(), partial / LABEL_STUDIO_WHEELS / REQUIREMENTS)
        _fill_files(partial, wanted)
        _write_texts(partial, ours.version, wanted)
        files = checksums.write(partial)
        os.replace(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Made(out, len(packages) + len(studio[1] if studio else ()), files, size)


def check_images(images: Collection[Path]) -> None:
    """Raises `ImageUnusable`."""
    names = [path.name for path in images]
    for path in images:
        if not path.is_file():
            raise ImageUnusable(path, "there is no such file")
        if not tarfile.is_tarfile(path):
            raise ImageUnusable(path, "it is no tar archive")
        if names.count(path.name) > 1:
            raise ImageUnusable(path, "another one has the same name")


def _fill_wheels(folder: Path, packages: dict[str, closure.Package], advance: Advance) -> None:
    folder.mkdir()
    others = [package for name, package in packages.items() if name != closure.OURS]
    wheelhouse.gather(others, folder, advance)
    own_wheel.write(closure.ours(), folder, lambda arguments: wheelhouse.pip(arguments, 1))
    wheelhouse.write_requirements(packages.values(), folder / REQUIREMENTS)


def _label_studio(venv: Path) -> tuple[Path, dict[str, closure.Package]]:
    """Its Python and its packages. Raises `NoLabelStudio`."""
    python, found = venv / "bin" / "python", sorted(venv.glob("lib/python*/site-packages"))
    if not python.exists() or not found:
        raise NoLabelStudio(venv, "it has no bin/python and no site-packages")
    here = installing.machine()["Python"].rpartition(" ")[2]
    if found[0].parent.name != f"python{here}":
        raise NoLabelStudio(
            venv, f"it is of {found[0].parent.name}, and this is Python {here}: both are installed by one"
        )
    find = closure.within(found[0])
    return python, closure.closure("label-studio", (), find)


def _fill_files(folder: Path, wanted: Wanted) -> None:
    for file in wanted.weights:
        target = folder / installing.WEIGHTS / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.path, target)
    if wanted.weights:
        checksums.write(folder / installing.WEIGHTS)
    for image in wanted.images:
        (folder / IMAGES).mkdir(exist_ok=True)
        shutil.copyfile(image, folder / IMAGES / image.name)


def _write_texts(folder: Path, version: str, wanted: Wanted) -> None:
    manifest = {
        "seedqueue": version,
        **installing.machine(),
        "extras": sorted(wanted.extras),
        "weights": [{"file": file.name, "of": file.of, "licence": file.licence} for file in wanted.weights],
        "images": sorted(image.name for image in wanted.images),
        "label_studio": wanted.label_studio is not None,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / installing.MANIFEST).write_text(text, encoding="utf-8")
    (folder / "README.md").write_text(readme(manifest), encoding="utf-8")
    shutil.copyfile(installing.__file__, folder / "install.py")
