"""What a network's own classifier says of an image, computed from its embedding: weak labels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seedqueue.models.embedder import Floats


@dataclass(frozen=True, eq=False)
class Findings:
    """A linear classifier on an embedder's embeddings.

    names: s findings. weight: float32 (s, d). bias: float32 (s,). threshold: float32 (s,), the
    probability from which the classifier's authors call a finding present.
    """

    names: tuple[str, ...]
    weight: Floats
    bias: Floats
    threshold: Floats

    def scores(self, embeddings: Floats) -> Floats:
        """(n, s) in 0..1 from (n, d): probabilities scaled so that 0.5 is each finding's threshold.

        As torchxrayvision's `op_norm`: linear below the threshold and above it.
        """
        logit = (embeddings @ self.weight.T + self.bias).astype(np.float64)
        probability = 1 / (1 + np.exp(-np.clip(logit, -60, 60)))
        below = probability / (2 * self.threshold)
        above = 1 - (1 - probability) / (2 * (1 - self.threshold))
        return np.where(probability < self.threshold, below, above).astype(np.float32)

    def strongest(self, embeddings: Floats) -> npt.NDArray[np.bool_]:
        """(n, s): the one finding of each image that is furthest above its threshold; none where none is."""
        scores = self.scores(embeddings)
        best = scores.argmax(axis=1)
        found = np.zeros(scores.shape, dtype=bool)
        found[np.arange(len(scores)), best] = scores.max(axis=1) > 0.5
        return found
