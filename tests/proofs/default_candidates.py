"""What was tried as a seed queue in docs/experiments/11-default.md and is no registered selector.

A candidate takes a split and a budget and gives rows of its training part, in order. It sees no label.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from default_pools import Floats, Rows, Split
from default_similarities import (
    Similarity,
    Weight,
    components,
    cosine,
    density,
    density_rank,
    diffused,
    distances,
    embedders,
    gaussian_local,
    gaussian_quantile,
    less_hubs,
    power,
    several_views,
    squared_components,
    together,
)

from seedqueue.selectors.choosing import select
from seedqueue.selectors.greedy import farthest_first, greedy_cover

LONGEST = 100


@dataclass(frozen=True)
class Candidate:
    """greedy: a prefix of the longest queue is the smaller queue, so one is enough."""

    name: str
    queue: Callable[[Split, int], Rows]
    greedy: bool = True

    def queues(self, split: Split, budgets: tuple[int, ...]) -> list[Rows]:
        if self.greedy:
            longest = self.queue(split, max(budgets))
            return [longest[:budget] for budget in budgets]
        return [self.queue(split, budget) for budget in budgets]


def registered(name: str, greedy: bool = False) -> Candidate:
    return Candidate(name, lambda split, budget: select(name, split.embeddings, budget, seed=split.number).rows, greedy)


def cover(similarity: Floats, count: int, weight: Floats | None = None, first: Rows | None = None) -> Rows:
    """Greedy facility location. similarity: (n, n), the rows are summed over; weight: (n,); first: begins the queue."""
    weight = np.ones(len(similarity), dtype=np.float32) if weight is None else weight
    chosen = [] if first is None else list(first)
    best = similarity[:, chosen].max(axis=1) if chosen else np.full(len(similarity), similarity.min())
    while len(chosen) < count:
        gain = weight @ np.maximum(similarity - best[:, None], 0)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        best = np.maximum(best, similarity[:, chosen[-1]])
    return np.asarray(chosen, dtype=np.int64)


def facility(name: str, similarity: Similarity, weight: Weight | None = None) -> Candidate:
    return Candidate(name, lambda split, budget: cover(similarity(split), budget, weight and weight(split)))


def diverse_last(share: float) -> Candidate:
    """`share` of the budget by facility location, the rest by what is farthest."""

    def queue(split: Split, budget: int) -> Rows:
        rows = cover(split.cosine, math.ceil(share * budget))
        more = farthest_first(split.unit, rows, budget - len(rows), lambda row: True)
        return np.concatenate([rows, more])

    return Candidate(f"facility location {share:.0%}, then farthest", queue, greedy=False)


def random_last(share: float, weight: Weight | None = None) -> Candidate:
    """`share` of the budget by facility location, the rest at random."""

    def queue(split: Split, budget: int) -> Rows:
        rows = cover(split.cosine, math.ceil(share * budget), weight and weight(split))
        return _with_random(split, rows, budget)

    begun = "weighted by density" if weight else "facility location"
    return Candidate(f"{begun} {share:.0%}, then random", queue, greedy=False)


def random_beyond(count: int, weight: Weight | None = None) -> Candidate:
    """So many by facility location, then random ones."""

    def queue(split: Split, budget: int) -> Rows:
        rows = cover(split.cosine, min(count, budget), weight and weight(split))
        return _with_random(split, rows, budget)

    begun = "weighted by density" if weight else "facility location"
    return Candidate(f"{begun} to {count}, then random", queue)


def _with_random(split: Split, rows: Rows, budget: int) -> Rows:
    order = np.random.default_rng((7, split.number)).permutation(len(split))
    return np.concatenate([rows, order[~np.isin(order, rows)][: budget - len(rows)]])


def half_kmeans(first: str) -> Candidate:
    other = "kmeans" if first == "facility-location" else "facility-location"

    def queue(split: Split, budget: int) -> Rows:
        rows = select(first, split.embeddings, budget // 2, seed=split.number).rows
        more = select(other, split.embeddings, budget - len(rows), labelled=rows, seed=split.number).rows
        return np.concatenate([rows, more])

    return Candidate(f"half {first}, half {other}", queue, greedy=False)


def saturated(split: Split, budget: int) -> Rows:
    """Lin & Bilmes 2011: the sum of similarities to the chosen, up to the share that so large a queue would have."""
    near = power(1)(split)
    most = near.sum(axis=1) * budget / len(split)
    total, chosen = np.zeros(len(split), dtype=np.float32), list[int]()
    while len(chosen) < budget:
        gain = np.minimum(total[:, None] + near, most[:, None]).sum(axis=0)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        total += near[:, chosen[-1]]
    return np.asarray(chosen)


def twice(split: Split, budget: int) -> Rows:
    """Facility location with the two nearest of the chosen counted."""
    best, chosen = np.full((len(split), 2), -1, dtype=np.float32), list[int]()
    while len(chosen) < budget:
        gain = np.maximum(split.cosine - best[:, 1:], 0)  # what a new one adds to the sum of the two largest
        gain = gain.sum(axis=0)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        three = np.column_stack([best, split.cosine[:, chosen[-1]]])
        best = -np.sort(-three, axis=1)[:, :2]
    return np.asarray(chosen)


def adaptive(split: Split, budget: int) -> Rows:
    """MaxHerding whose bandwidth is the mean distance to the nearest of so long a queue by facility location."""
    distance = distances(split)
    bandwidth = distance[:, cover(split.cosine, budget)].min(axis=1).mean()
    return cover(np.exp(-np.square(distance / bandwidth)), budget)


def adaptive_ball(split: Split, budget: int) -> Rows:
    """ProbCover with the radius at which the balls of so long a queue by facility location cover three quarters."""
    distance = distances(split)
    radius = np.quantile(distance[:, cover(split.cosine, budget)].min(axis=1), 0.75)
    within = (distance <= radius).astype(np.float32)
    return cover(within + 1e-4 * split.cosine, budget)


def designed(similarity: Similarity, ridge: float) -> Callable[[Split, int], Rows]:
    """Transductive experimental design (Yu, Bi & Tresp 2006): least variance of ridge regression over the pool."""

    def queue(split: Split, budget: int) -> Rows:
        kernel, chosen = similarity(split).astype(np.float64), list[int]()
        while len(chosen) < budget:
            gain = np.square(kernel).sum(axis=0) / (np.diag(kernel) + ridge)
            gain[chosen] = -np.inf
            chosen.append(row := int(gain.argmax()))
            kernel = kernel - np.outer(kernel[:, row], kernel[row]) / (kernel[row, row] + ridge)
        return np.asarray(chosen)

    return queue


def herded(similarity: Similarity, weight: Weight | None = None) -> Callable[[Split, int], Rows]:
    """Greedy least maximum mean discrepancy: the queue is to look like the pool (Chen, Welling & Smola 2010)."""

    def queue(split: Split, budget: int) -> Rows:
        kernel, chosen = similarity(split), list[int]()
        mean, total = np.average(kernel, axis=0, weights=weight and weight(split)), np.zeros(len(split))
        while len(chosen) < budget:
            gain = mean - (total + np.diag(kernel) / 2) / (len(chosen) + 1)
            gain[chosen] = -np.inf
            chosen.append(int(gain.argmax()))
            total += kernel[chosen[-1]]
        return np.asarray(chosen)

    return queue


def among_densest(share: float) -> Callable[[Split, int], Rows]:
    """Facility location that takes no row of the less dense part of the pool."""

    def queue(split: Split, budget: int) -> Rows:
        dense = np.sort(np.argsort(-density(1)(split), kind="stable")[: math.ceil(share * len(split))])
        nothing = np.empty(0, dtype=np.int64)
        return greedy_cover(split.unit, dense, budget, covered=nothing, take=lambda row: True, seed=0)

    return queue


def mean_rank(split: Split, budget: int) -> Rows:
    """The mean place of an image in the queues of four representations."""
    places = []
    for count in (32, 64, 128, None):
        view = split.view(count)
        queue = cover(view @ view.T, 2 * LONGEST)
        place = np.full(len(split), 3 * LONGEST)
        place[queue] = np.arange(len(queue))
        places.append(place)
    return np.argsort(np.mean(places, axis=0), kind="stable")[:budget]


def most_stable(split: Split, budget: int) -> Rows:
    """Of three selectors the one whose queue from half the pool covers the other half best, five times."""
    names, rng = ("kmeans", "facility-location", "repdiv"), np.random.default_rng((3, split.number))
    covered = np.zeros(len(names))
    for _ in range(5):
        order = rng.permutation(len(split))
        half, rest = order[: len(order) // 2], order[len(order) // 2 :]
        for at, name in enumerate(names):
            rows = half[select(name, split.embeddings[half], budget, seed=split.number).rows]
            covered[at] += split.cosine[np.ix_(rest, rows)].max(axis=1).mean()
    return select(names[int(covered.argmax())], split.embeddings, budget, seed=split.number).rows


CANDIDATES = (
    registered("kmeans"),
    registered("facility-location", greedy=True),
    registered("maxherding", greedy=True),
    registered("repdiv"),
    registered("typiclust"),
    registered("agglomerative"),
    registered("probcover", greedy=True),
    registered("density-coverage", greedy=True),
    diverse_last(0.9),
    diverse_last(0.8),
    random_last(0.75),
    random_last(0.5),
    random_beyond(20),
    random_beyond(40),
    half_kmeans("facility-location"),
    half_kmeans("kmeans"),
    *(facility(f"facility location, {count} components", components(count)) for count in (8, 16, 32, 64, 128)),
    *(facility(f"facility location, cosine to the power {p}", power(p)) for p in (1, 2, 4)),
    *(facility(f"Gaussian, bandwidth at quantile {q}", gaussian_quantile(q)) for q in (0.01, 0.1, 0.25, 0.5)),
    facility("Gaussian, bandwidth by the seventh neighbour", gaussian_local),
    facility("facility location without hubs", less_hubs),
    facility("facility location over five numbers of components", several_views),
    facility("facility location, squeezenet and hog", embedders("hog")),
    facility("facility location, squeezenet and pixels", embedders("pixels")),
    facility("facility location, squeezenet, hog and pixels", embedders("hog", "pixels")),
    facility("K-means ensemble", together),
    facility("diffusion", diffused),
    *(facility(f"weighted by density to the power {p}", cosine, density(p)) for p in (-1, 2)),
    *(facility(f"weighted by density to the power {p}", cosine, density(p)) for p in (0.5, 1.5, 3)),
    *(facility(f"weighted by density among the nearest {n}", cosine, density(1, n)) for n in (5, 10, 50)),
    *(facility(f"weighted by density, {c} components", components(c), density(1)) for c in (32, 64, 128)),
    facility("weighted by density, cosine to the power 2", power(2), density(1)),
    facility("weighted by density, Gaussian, bandwidth at quantile 0.5", gaussian_quantile(0.5), density(1)),
    facility("weighted by density, squeezenet and pixels", embedders("pixels"), density(1)),
    facility("weighted by density, squeezenet and hog", embedders("hog"), density(1)),
    random_last(0.75, density(1)),
    random_beyond(20, density(1)),
    random_beyond(40, density(1)),
    facility("weighted by density, squeezenet, hog and pixels", embedders("hog", "pixels"), density(1)),
    facility("weighted by density, five numbers of components", several_views, density(1)),
    facility("weighted by density, cosine to the power 2, 128 components", squared_components(128), density(1)),
    facility("weighted by the rank of density", cosine, density_rank),
    *(Candidate(f"facility location among the densest {share:.0%}", among_densest(share)) for share in (0.5, 0.8)),
    Candidate("herding weighted by density, cosine squared", herded(power(2), density(1))),
    Candidate("saturated coverage", saturated, greedy=False),
    Candidate("the two nearest counted", twice),
    Candidate("Gaussian, bandwidth by the budget", adaptive, greedy=False),
    Candidate("balls, radius by the budget", adaptive_ball, greedy=False),
    *(Candidate(f"experimental design, ridge {r}", designed(cosine, r)) for r in (0.01, 0.1, 1, 10)),
    *(Candidate(f"experimental design, Gaussian, ridge {r}", designed(gaussian_quantile(0.5), r)) for r in (0.1, 1)),
    Candidate("herding, cosine squared", herded(power(2))),
    Candidate("herding, cosine", herded(power(1))),
    Candidate("herding, cosine cubed", herded(power(3))),
    Candidate("herding, cosine squared, 64 components", herded(squared_components(64))),
    Candidate("herding, Gaussian", herded(gaussian_quantile(0.25))),
    Candidate("mean place over four representations", mean_rank),
    Candidate("chosen by held-out coverage", most_stable, greedy=False),
)
