"""Signals of every kind for a pool of any size: what every selector of the contract tests is given."""

import numpy as np

from seedqueue.selectors.signals import Signals


def all_signals(n: int, seed: int = 0, classes: int = 3, draws: int = 5) -> Signals:
    """Random, but never ambiguous: weak labels (n, 2), probabilities (n, classes), draws of them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), size=n)
    disturbed = probabilities * rng.uniform(0.3, 1, size=(draws, n, classes))
    return Signals(
        weak_labels=rng.random((n, 2)) < [0.1, 0.4],
        probabilities=probabilities,
        dropout_probabilities=disturbed / disturbed.sum(axis=-1, keepdims=True),
        pixel_entropy=rng.random(n),
        pixel_disagreement=rng.random(n),
    )
