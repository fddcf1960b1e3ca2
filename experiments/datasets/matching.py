"""Which image of a folder each entry of a table is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from seedqueue.experiments.datasets.labelled import LabelledImage, LabelTable

# UIDs hold dots: only what is known to be a suffix is taken off.
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jp2", ".dcm", ".dicom")

Item = TypeVar("Item")


def matched(table: LabelTable, names: Sequence[str]) -> list[LabelledImage | None]:
    """The table's entry on each image of a folder, None where it has none.

    names: POSIX paths within the folder. By the whole path; else by the file's name, else by that without its suffix
    (NIH's and SIIM-ACR's images are handed round as PNG, JPEG and DICOM), where only one of the folder and only one
    of the table is called so. An entry is about one image.
    """
    found: dict[str, LabelledImage] = {}
    for called in (str, _name, _stem):  # what agrees in the one agrees in the next: no later match contradicts a first
        theirs = _alone({image: called(image.file) for image in table.images})
        mine = _alone({name: called(name) for name in names})
        found |= {name: theirs[word] for word, name in mine.items() if word in theirs}
    return [found.get(name) for name in names]


def _alone(words: Mapping[Item, str]) -> dict[str, Item]:
    """What alone is of its word, by the word."""
    often = Counter(words.values())
    return {word: item for item, word in words.items() if often[word] == 1}


def _name(file: str) -> str:
    return PurePosixPath(file).name


def _stem(file: str) -> str:
    name = _name(file)
    return next((name[: -len(each)] for each in SUFFIXES if name.lower().endswith(each)), name)
