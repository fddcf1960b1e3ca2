"""What every embedder is: an image to one input, inputs to embeddings."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from seedqueue.models.findings import Findings

Floats = npt.NDArray[np.float32]
Input = npt.NDArray[Any]


class Embedder(ABC):
    """A loaded model, ready to embed. Loading happens in the constructor, once.

    name: `family` or `family:variant`, in full.
    dimension: d, the length of an embedding.
    fingerprint: hexadecimal; equal exactly where embeddings are comparable, on any machine.
    """

    name: str
    dimension: int
    fingerprint: str

    def findings(self) -> "Findings | None":
        """The network's own classifier on these embeddings, where it has one."""
        return None

    @abstractmethod
    def prepare(self, image: Image.Image) -> Input:
        """One model input from an image of mode "RGB" or "L": always one shape and dtype. Safe in threads."""

    @abstractmethod
    def embed(self, inputs: Input) -> Floats:
        """Embeddings float32 (n, d) of n stacked inputs.

        A row does not depend on the others of its batch beyond floating-point noise.
        """


def fingerprint(*, name: str, weights: str | None, preprocessing: int, arithmetic: str) -> str:
    """16 hexadecimal digits of a SHA-256 over all that changes an embedding.

    weights: the SHA-256 of the weights file, None without one. preprocessing: the number an
    embedder raises whenever its `prepare` changes. arithmetic: "float32" for all that passes the
    accuracy gate (`seedqueue.models.gate`), so that runtimes share what they have embedded.
    """
    parts = (name, weights or "no weights", f"preprocessing {preprocessing}", arithmetic)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def embed_images(embedder: Embedder, images: Iterable[Image.Image], batch: int = 32) -> Floats:
    """Embeddings float32 (n, d) of the images in order; holds `batch` inputs at a time."""
    parts = [embedder.embed(np.stack([embedder.prepare(image) for image in group])) for group in _groups(images, batch)]
    return np.concatenate([np.empty((0, embedder.dimension), dtype=np.float32), *parts])


def _groups(images: Iterable[Image.Image], size: int) -> Iterator[list[Image.Image]]:
    remaining = iter(images)
    while group := list(islice(remaining, size)):
        yield group
