"""Embedders that are a PyTorch module behind the usual preprocessing: one size, one colour, mean and deviation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from seedqueue.models.embedder import Embedder, Floats, Input, fingerprint
from seedqueue.models.findings import Findings
from seedqueue.models.runtime import Runtime

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Look:
    """What a network is shown.

    The whole image is stretched to `side` x `side`: cutting out the centre, as many of the models'
    own scripts do, would lose what lies at the edge. Colour is "L" or "RGB" (grey repeated). Then
    (value / 255 - mean) / deviation, a channel each.
    """

    side: int
    colour: Literal["L", "RGB"]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    resampling: Image.Resampling = Image.Resampling.BILINEAR

    def prepare(self, image: Image.Image) -> Input:
        """uint8 (channels, side, side); the rest of the arithmetic is part of the network."""
        small = image.convert(self.colour).resize((self.side, self.side), self.resampling)
        pixels = np.asarray(small, dtype=np.uint8).reshape(self.side, self.side, len(self.mean))
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))


class VisionEmbedder(Embedder):
    """A PyTorch module of pictures as an embedder.

    module: normalised float32 (n, channels, side, side) to (n, d). weights: the SHA-256 of its file.
    preprocessing: raised by the family whenever `look` or the module's own reading of its input changes.
    findings: loads the network's own classifier.
    """

    def __init__(
        self,
        name: str,
        module: "torch.nn.Module",
        look: Look,
        *,
        weights: str,
        preprocessing: int,
        runtime: Runtime,
        findings: Callable[[], Findings] | None = None,
    ) -> None:
        import torch

        self._findings = findings

        self.name = name
        self.look = look
        self.fingerprint = fingerprint(name=name, weights=weights, preprocessing=preprocessing, arithmetic="float32")
        network = normalised(module.eval().float(), look)
        example = np.zeros((1, len(look.mean), look.side, look.side), dtype=np.uint8)
        with torch.inference_mode():
            self.dimension = int(network(torch.from_numpy(example)).shape[1])
        self._network = runtime.of_module(network, example, self.fingerprint)

    def prepare(self, image: Image.Image) -> Input:
        """uint8 (channels, side, side)."""
        return self.look.prepare(image)

    def findings(self) -> Findings | None:
        """The network's own classifier, loaded now."""
        return self._findings() if self._findings else None

    def embed(self, inputs: Input) -> Floats:
        """uint8 (n, channels, side, side) to float32 (n, d)."""
        return self._network(inputs)


def normalised(module: "torch.nn.Module", look: Look) -> "torch.nn.Module":
    """The module preceded by the look's arithmetic: takes uint8."""
    import torch

    class Normalised(torch.nn.Module):
        mean: torch.Tensor
        deviation: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.module = module
            self.register_buffer("mean", 255 * torch.tensor(look.mean).reshape(1, -1, 1, 1))
            self.register_buffer("deviation", 255 * torch.tensor(look.deviation).reshape(1, -1, 1, 1))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            embeddings: torch.Tensor = self.module((pixels.float() - self.mean) / self.deviation)
            return embeddings

    return Normalised()
