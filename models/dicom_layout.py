"""How the pixels of a DICOM file lie: sizes, bits and colour model, as the header says it."""

from dataclasses import dataclass

from seedqueue.models.dicom_header import Header, whole
from seedqueue.models.errors import UnreadableImage

_LONGEST_MODEL = 16  # by the standard


@dataclass(frozen=True)
class Layout:
    """How the pixels lie: sizes, bits, and the colour model (photometric interpretation)."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str
    planar: int
    frames: int

    @property
    def frame_bytes(self) -> int:
        """Of one uncompressed frame, rounded up to whole bytes."""
        bits = self.rows * self.columns * self.samples * self.bits_allocated
        return -(-(bits * 2 // 3 if self.photometric == "YBR_FULL_422" else bits) // 8)


def read_layout(header: Header) -> Layout:
    """What the header says of the pixels. Raises UnreadableImage where it does not say it."""
    elements = header.elements
    samples = whole(elements, "SamplesPerPixel", 1)
    allocated = whole(elements, "BitsAllocated")
    given = str(elements.get("PhotometricInterpretation") or "").strip().upper()
    if len(given) > _LONGEST_MODEL or not given.isprintable():
        raise UnreadableImage("damaged DICOM (no PhotometricInterpretation)")
    return Layout(
        rows=whole(elements, "Rows"),
        columns=whole(elements, "Columns"),
        samples=samples,
        bits_allocated=allocated,
        bits_stored=whole(elements, "BitsStored", allocated),
        signed=whole(elements, "PixelRepresentation", 0) == 1,
        photometric=given or ("MONOCHROME2" if samples == 1 else "RGB"),
        planar=whole(elements, "PlanarConfiguration", 0),
        frames=max(1, whole(elements, "NumberOfFrames", 1)),
    )
