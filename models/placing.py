"""Files on their way into the weights folder: each appears there whole and checked, and its SHA-256 is recorded."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from seedqueue.models import weights


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder within the weights folder, so that moving out of it is atomic; gone afterwards with all in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".arriving-") as place:
        yield Path(place)


def place(folder: Path, arrived: Path, name: str) -> Path:
    """Move a checked file to its name in the folder, over what may be there."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return arrived.replace(target)


def record(folder: Path, digests: Mapping[str, str]) -> None:
    """Write {file: SHA-256} into the folder's SHA256SUMS, whose other lines stay; sorted."""
    known = weights.listed(folder)
    if digests.items() <= known.items():
        return
    lines = (f"{digest}  {name}\n" for name, digest in sorted({**known, **digests}.items()))
    with scratch(folder) as where:
        new = where / weights.CHECKSUMS
        new.write_text("".join(lines), encoding="utf-8")
        place(folder, new, weights.CHECKSUMS)
