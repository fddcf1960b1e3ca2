"""DICOM's ways from stored values to shown ones: modality, VOI and palette tables, rescaling, windows.

pydicom's apply_* work on every pixel in float64, and as of 3.0.2 its apply_voi folds values above 255
back to 0 where the table's entries have 8 bits.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from seedqueue.models import grey
from seedqueue.models.dicom_header import Header, numbers
from seedqueue.models.errors import UnreadableImage

_COLOURS = ("Red", "Green", "Blue")


def modality(header: Header) -> grey.Step | None:
    """The modality LUT or the rescaling; None where values mean what is stored."""
    elements = header.elements
    if sequence := elements.get("ModalityLUTSequence"):
        first, entries, _ = _entries(sequence[0], "LUTDescriptor", "LUTData", header.little_endian)
        return grey.table(first, entries)
    slope, intercept = (_first(numbers(elements, f"Rescale{part}")) for part in ("Slope", "Intercept"))
    if slope is None or intercept is None or slope == 0 or (slope, intercept) == (1, 0):
        return None
    return lambda values: values * slope + intercept


def voi(header: Header) -> grey.Step | None:
    """The first VOI LUT, else the first window, onto 0 to 255; None where neither is usable."""
    elements = header.elements
    if sequence := elements.get("VOILUTSequence"):
        first, entries, bits = _entries(sequence[0], "LUTDescriptor", "LUTData", header.little_endian)
        top = max(2**bits - 1, int(entries.max()))
        return grey.table(first, entries * (255.0 / top))
    center, width = (_first(numbers(elements, f"Window{part}")) for part in ("Center", "Width"))
    function = str(elements.get("VOILUTFunction") or "LINEAR").strip().upper()
    function = function if function in ("LINEAR_EXACT", "SIGMOID") else "LINEAR"
    least = 1 if function == "LINEAR" else np.finfo(float).tiny
    if center is None or width is None or width < least:
        return None
    return grey.window(center, width, function)


def palette(header: Header, pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """RGB (rows, columns, 3) of the indices `pixels`."""
    if "RedPaletteColorLookupTableData" not in header.elements:
        raise UnreadableImage("a DICOM without its palette, or with one in segments, which is not supported")
    shown = []
    for colour in _COLOURS:
        keyword = f"{colour}PaletteColorLookupTable"
        first, entries, bits = _entries(header.elements, f"{keyword}Descriptor", f"{keyword}Data", header.little_endian)
        # Entries of 16 bits that hold 8 are a known mistake.
        deep = bits > 8 and entries.max() > 255
        shown.append(grey.apply(grey.table(first, entries >> (bits - 8) if deep else entries), pixels))
    return np.stack(shown, axis=-1)


def _entries(
    elements: Dataset, descriptor: str, data: str, little_endian: bool
) -> tuple[int, npt.NDArray[np.int64], int]:
    """A table's first input value, its entries, and the bits of an entry. Raises ValueError for an empty one."""
    count, first, bits = (int(each) for each in _words(elements[descriptor].value, little_endian))
    entries = _words(elements[data].value, little_endian)
    count = count % 65536 or 65536
    if bits == 8 and len(entries) < count <= 2 * len(entries):
        # Two entries of 8 bits in each word.
        entries = entries.astype("<u2" if little_endian else ">u2").view(np.uint8).astype(np.int64)
    if not len(entries) or not 1 <= bits <= 16:
        raise ValueError(f"a table of {len(entries)} entries of {bits} bits")
    return first, entries[:count], bits


def _words(value: Any, little_endian: bool) -> npt.NDArray[np.int64]:
    if value is None:
        return np.empty(0, dtype=np.int64)
    if isinstance(value, bytes):
        return np.frombuffer(value, dtype="<u2" if little_endian else ">u2").astype(np.int64)
    return np.atleast_1d(np.asarray(value, dtype=np.int64))


def _first(given: Sequence[float]) -> float | None:
    return given[0] if given and np.isfinite(given[0]) else None
