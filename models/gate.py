"""The accuracy gate: faster arithmetic is used only where it gives the same embeddings.

Raw cosine says nothing here: embeddings of one modality share most of their direction, and every
variant reaches 0.9999. What a selector sees are the differences between images, so both sides are
centred first.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# The lowest mean-centred cosine of any image of the sample at which two arithmetics count as the same.
LEAST_COSINE = 0.999

# Fewer images than this have too unsure a mean to judge by.
LEAST_IMAGES = 16


@dataclass(frozen=True)
class Verdict:
    """What the gate found for one model on one machine.

    network: the embedder's fingerprint. arithmetic: such as "bfloat16". machine: processor and library.
    cosine: the lowest of the sample. images: the sample's size.
    """

    network: str
    arithmetic: str
    machine: str
    cosine: float
    images: int
    passed: bool


def centred_cosine(reference: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Cosine (n,) between the rows of two (n, d), each centred by its own mean row.

    1 where both centred rows are zero, 0 where only one is or where a value is not finite.
    """
    a, b = (np.asarray(each, dtype=np.float64) for each in (reference, other))
    with np.errstate(invalid="ignore", over="ignore"):
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        products = np.einsum("ij,ij->i", a, b)
    usable = np.isfinite(lengths) & (lengths > 0)
    cosine = np.divide(products, lengths, out=np.zeros(len(a)), where=usable)
    return np.where((a == 0).all(axis=1) & (b == 0).all(axis=1), 1.0, cosine)


def judge(network: str, arithmetic: str, machine: str, reference: Floats, other: Floats) -> Verdict:
    """Whether `other` (n, d) may stand for `reference`: each row's centred cosine at least LEAST_COSINE."""
    cosine = float(centred_cosine(reference, other).min())
    return Verdict(network, arithmetic, machine, cosine, len(reference), cosine >= LEAST_COSINE)


class Verdicts:
    """Verdicts as small JSON files of a folder, so that the gate runs once per model and machine.

    Where the folder cannot be written they last as long as the process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._found: dict[tuple[str, str, str], Verdict] = {}

    def find(self, network: str, arithmetic: str, machine: str) -> Verdict | None:
        """The verdict on this model, arithmetic and machine, if one was recorded."""
        key = (network, arithmetic, machine)
        if key not in self._found and self._folder is not None:
            for file in sorted(self._folder.glob(f"{network}-{arithmetic}-*.json")):
                if (verdict := _read(file)) is not None and verdict.machine == machine:
                    self._found[key] = verdict
        return self._found.get(key)

    def add(self, verdict: Verdict) -> Verdict:
        """Record a verdict; the first one stands where two processes judged at once."""
        key = (verdict.network, verdict.arithmetic, verdict.machine)
        if self._folder is not None:
            _write(self._folder, verdict)
        return self.find(*key) or self._found.setdefault(key, verdict)


def _read(file: Path) -> Verdict | None:
    try:
        return Verdict(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(folder: Path, verdict: Verdict) -> None:
    machine = hashlib.sha256(verdict.machine.encode()).hexdigest()[:8]
    file = folder / f"{verdict.network}-{verdict.arithmetic}-{machine}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=folder, prefix=".verdict-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            json.dump(asdict(verdict), written, indent=1)
        try:
            os.link(part, file)  # fails where another process was first
        finally:
            os.unlink(part)
    except OSError:
        return  # a read-only folder of weights is usual in containers
