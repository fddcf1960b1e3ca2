"""The networks as they are trained and asked without us: eager float32, contiguous (NCHW), PyTorch as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.models.heads.losses import loss_of
from seedqueue.models.heads.predicting import BATCH
from seedqueue.models.heads.spec import TrainingSpec

if TYPE_CHECKING:
    import torch

Pixels = NDArray[np.uint8]
Targets = NDArray[np.bool_]


class PlainLoop:
    """A network of `networks.build` under a loop of its own; the optimiser is made once, as a loop does."""

    def __init__(self, network: torch.nn.Module, spec: TrainingSpec) -> None:
        import torch

        self._network, self._spec = network, spec
        self._optimiser = torch.optim.AdamW(network.parameters(), lr=spec.rate, weight_decay=spec.weight_decay)

    def epoch(self, inputs: Pixels, targets: Targets) -> None:
        """One pass: the same batches' size, loss and augmentation as ours."""
        import torch

        pixels, wanted = torch.from_numpy(inputs), torch.from_numpy(targets)
        loss_function, drawn = loss_of(self._spec, wanted, "cpu"), torch.Generator().manual_seed(0)
        self._network.train()
        for rows in torch.split(torch.randperm(len(pixels)), self._spec.batch):
            masks = wanted[rows] if self._spec.task == "masks" else None
            shown, moved = self._spec.augmentation(pixels[rows], masks, drawn)
            loss = loss_function(self._network(shown), wanted[rows] if moved is None else moved)
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()

    def infer(self, inputs: Pixels) -> Any:
        """The logits of all images, in batches as large as ours."""
        import torch

        self._network.eval()
        pixels = torch.from_numpy(inputs)
        with torch.inference_mode():
            return torch.cat([self._network(batch.float()) for batch in torch.split(pixels, BATCH)])
