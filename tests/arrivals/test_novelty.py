"""Novel images: a planted cluster is found, 5 % are without one, and nobody is near to himself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.arrivals import novelty as measuring
from seedqueue.backend.arrivals.novelty import Novelty, distance_to_others, novelty, share_with_interval
from seedqueue.selectors.representation import to_unit_length

D = 16


def pool(n: int, seed: int, patients: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors of n images; with patients their images lie near each other."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(patients, size=n) if patients else np.arange(n)
    rows = rng.standard_normal((n, D))
    if patients:
        rows = 3 * rng.standard_normal((patients, D))[groups] + rows
    return to_unit_length(rows.astype(np.float32)), groups.astype(np.int64)


def measured(found: Novelty | None) -> Novelty:
    assert found is not None
    return found


def test_without_a_new_kind_about_5_percent_are_novel() -> None:
    shares, held = [], 0
    for repeat in range(30):
        rows, groups = pool(600, 100 + repeat)
        found = measured(novelty(rows, np.arange(400), np.arange(400, 600), np.arange(0, 400, 10), groups, 0))
        shares.append(found.share)
        held += found.low <= 0.05 <= found.high
    assert 0.035 < np.mean(shares) < 0.065
    assert held >= 26


def test_images_of_known_patients_are_not_the_yardstick_for_those_of_new_ones() -> None:
    """Old images have labelled ones of their own patients at hand, new patients have none: that is not novel."""
    rows, groups = pool(600, 1, patients=120)
    old, new = np.flatnonzero(groups < 100), np.flatnonzero(groups >= 100)
    labelled = old[::3]
    assert measured(novelty(rows, old, new, labelled, groups, 0)).share < 0.15
    assert measured(novelty(rows, old, new, labelled, np.arange(600), 0)).low > 0.1


def test_a_planted_cluster_is_novel_and_the_farthest_come_first() -> None:
    rows, groups = pool(560, 2)
    rows[500:530] = to_unit_length(rows[500:530] * 0.2 + np.eye(D, dtype=np.float32)[0] * 9)
    labelled = np.flatnonzero(rows[:500, 0] < 0.2)[:50]
    found = measured(novelty(rows, np.arange(500), np.arange(500, 560), labelled, groups, 0))
    assert set(range(500, 530)) <= set(found.novel.tolist())
    assert found.low > 0.05
    assert found.share == len(found.novel) / 60
    distance = dict(zip(found.rows.tolist(), found.distance.tolist(), strict=True))
    far = [distance[row] for row in found.novel.tolist()]
    assert far == sorted(far, reverse=True)
    assert min(far) > found.threshold


def test_what_is_labelled_is_novel_no_more() -> None:
    rows, groups = pool(300, 3)
    points = np.concatenate([np.arange(0, 200, 5), np.arange(200, 260)])
    found = measured(novelty(rows, np.arange(200), np.arange(200, 300), points, groups, 0))
    assert found.rows.tolist() == list(range(260, 300))


def test_distances_are_those_to_the_nearest_of_another_group() -> None:
    rows, groups = pool(90, 4, patients=12)
    points = np.arange(0, 90, 2)
    found = distance_to_others(rows, np.arange(90), points, groups)
    for row in range(90):
        others = [point for point in points.tolist() if groups[point] != groups[row]]
        assert abs(found[row] - min(np.linalg.norm(rows[row] - rows[other]) for other in others)) < 1e-3
    assert np.isinf(distance_to_others(rows, np.arange(90), points, np.zeros(90, dtype=np.int64))).all()


def test_points_beyond_one_block_count_too() -> None:
    rows, groups = pool(measuring._POINTS + 200, 5)
    points = np.arange(len(rows) - 100)
    nearest = distance_to_others(rows, np.arange(len(rows) - 5, len(rows)), points, groups)
    whole = np.linalg.norm(rows[-5:, None] - rows[points], axis=2).min(axis=1)
    np.testing.assert_allclose(nearest, whole, atol=1e-3)


def test_too_few_old_images_say_nothing() -> None:
    rows, groups = pool(40, 6)
    assert novelty(rows, np.arange(19), np.arange(19, 40), np.arange(5), groups, 0) is None
    assert novelty(rows, np.arange(40), np.arange(0), np.arange(5), groups, 0) is None


def test_intervals_of_shares() -> None:
    alone = np.arange(100)
    share, low, high = share_with_interval(alone < 10, alone, 0)
    assert (share, round(low, 3), round(high, 3)) == (0.1, 0.055, 0.174)  # Wilson's, from Newcombe 1998's formula
    assert share_with_interval(alone < 0, alone, 0)[1] == 0
    patients = alone // 20
    wide = share_with_interval(patients == 0, patients, 0)
    assert wide[2] - wide[1] > 3 * (share_with_interval(alone < 20, alone, 0)[2] - 0.2)
    assert share_with_interval(alone < 0, patients, 0)[2] > 0.3  # five patients, not a hundred images
