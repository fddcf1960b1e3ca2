"""Weights that a person has downloaded, copied to where the embedder looks for them."""

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from seedqueue.models import placing, weights
from seedqueue.models.errors import WeightsNotAdded
from seedqueue.models.weights import WeightsFile, WeightsSource

# A file of the source, the name it is to have, and where it is now.
Match = tuple[WeightsFile, str, Path]


def add(folder: Path, source: WeightsSource, path: Path) -> tuple[Path, ...]:
    """Copy the weights from a file, or from a folder that holds them, and record their SHA-256.

    All are copied and checked against their published SHA-256 before the first is put in place. A
    line for them in SHA256SUMS is replaced. Raises WeightsNotAdded, WeightsCorrupt, WeightsFolderUnusable.
    """
    with weights.usable(folder):
        matches = _matches(source, path)
        _check_order(folder, matches)
        with placing.scratch(folder) as where:
            digests = {name: _copied(file, name, found, where) for file, name, found in matches}
            placed = [placing.place(folder, where / name, name) for name in digests]
        placing.record(folder, digests)
    return tuple(placed)


def _check_order(folder: Path, matches: list[Match]) -> None:
    """Raises WeightsNotAdded where a file of the folder would still be taken in place of the new one."""
    for file, name, path in matches:
        there = weights.find(folder, file)
        if there and file.names.index(there.relative_to(folder).as_posix()) < file.names.index(name):
            raise WeightsNotAdded(path, f"would not be used while {there} is there: take that away first")


def _copied(file: WeightsFile, name: str, path: Path, where: Path) -> str:
    """Copy one file under its future name and check it; returns its SHA-256. Raises WeightsCorrupt."""
    copy = where / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)
    actual = weights.sha256_file(copy)
    mend = "nothing was added; download it again, or name the embedder whose weights these are"
    weights.check(path, actual, weights.published(name, file.sha256), mend)
    return actual


def _matches(source: WeightsSource, path: Path) -> list[Match]:
    if path.is_file():
        return [_of_file(source, path)]
    if path.is_dir():
        return _of_folder(source, path)
    raise WeightsNotAdded(path, "does not exist")


def _of_file(source: WeightsSource, path: Path) -> Match:
    """The one file that must be there, under the accepted name that the given one has, else one of its kind."""
    needed = [file for file in source.files if not file.optional]
    if len(needed) != 1:
        names = ", ".join(file.name for file in needed)
        raise WeightsNotAdded(path, f"is one file, and {len(needed)} are needed: give the folder that holds {names}")
    of_kind = [name for name in needed[0].names if PurePosixPath(name).suffix == path.suffix]
    if not of_kind:
        raise WeightsNotAdded(path, f"is of another kind than what is read: {', '.join(needed[0].names)}")
    same = [name for name in of_kind if PurePosixPath(name).name == path.name]
    return needed[0], [*same, *of_kind][0], path


def _of_folder(source: WeightsSource, path: Path) -> list[Match]:
    """The files by their names, or by what is left of them without their first one, two ... folders."""
    depth = max(len(PurePosixPath(name).parts) for file in source.files for name in file.names)
    tries = [list(_cut(source, path, cut)) for cut in range(depth)]
    best = max(tries, key=len)  # the first, where several find as many
    missing = {file.name for file in source.files if not file.optional} - {file.name for file, _, _ in best}
    if missing:
        raise WeightsNotAdded(path, f"does not hold {', '.join(sorted(missing))}, nor these without their folders")
    if len({found for _, _, found in best}) < len(best):
        raise WeightsNotAdded(path, "holds the files of one of the needed folders: give the folder that holds them all")
    return best


def _cut(source: WeightsSource, path: Path, cut: int) -> Iterator[Match]:
    for file in source.files:
        tails = ((name, PurePosixPath(name).parts[cut:]) for name in file.names)
        there = ((name, path.joinpath(*tail)) for name, tail in tails if tail)
        match = next(((name, found) for name, found in there if found.is_file()), None)
        if match:
            yield file, *match
