"""What a label table says of an image, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass

from seedqueue.experiments.datasets.masks import MaskSource


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """One image of a table.

    file: a POSIX path or a bare file name, as the table gives it; labels: its findings, () where it is known to have
    none ("No Finding" is kept as a label where the table says so), None: not known; mask: None: not known; group: the
    patient, "" where not known; split: "train", "val", "test" or "".
    """

    file: str
    labels: tuple[str, ...] | None
    mask: MaskSource | None = None
    group: str = ""
    split: str = ""


@dataclass(frozen=True)
class LabelTable:
    """The images of a table, each once, in the table's order. format: in words, for the report."""

    images: tuple[LabelledImage, ...]
    format: str
