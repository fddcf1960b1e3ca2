"""The arithmetic of the map: nearest rows, uncertainty."""

import numpy as np
import pytest

from seedqueue.backend import drawing
from seedqueue.backend.drawing import nearest, shown
from seedqueue.backend.map_words import named, uncertainty
from seedqueue.backend.pool import PoolTask

UNIT = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], dtype=np.float32)


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_the_nearest_row_is_never_the_row_itself(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "CHUNK", chunk)
    found, cosine = nearest(UNIT, np.array([0, 2]))
    assert found.tolist() == [2, 0, 0, 2]
    assert cosine.tolist() == pytest.approx([0, 0.8, 0, 0])


def test_nothing_to_be_near_to() -> None:
    found, cosine = nearest(UNIT, np.array([], dtype=np.int64))
    assert found.tolist() == [-1] * 4
    assert np.isnan(cosine).all()
    found, cosine = nearest(UNIT, np.array([1]))
    assert (found.tolist(), np.isnan(cosine).tolist()) == ([1, -1, 1, 1], [False, True, False, False])


def test_uncertainty_of_one_choice_is_entropy_as_a_share_of_the_greatest() -> None:
    said = np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0]])
    assert uncertainty(said, "single") == pytest.approx([0, 1, np.log(2) / np.log(3)], abs=1e-6)


def test_uncertainty_of_several_labels_is_their_mean() -> None:
    assert uncertainty(np.array([[1.0, 0.5], [0, 0]]), "multi") == pytest.approx([0.5, 0], abs=1e-6)


def test_the_words_of_classes() -> None:
    assert named(["a", "b", "c"], [True, False, True]) == "a, c"
    assert named(["a"], [False]) == "none"


def test_a_map_of_a_larger_pool_holds_the_queue_and_the_labelled_first() -> None:
    pool = [PoolTask(task, f"/{task}.png", labelled=task in (7, 9)) for task in range(50)]
    part = shown(pool, {40, 41}, 10)
    assert {one.task for one in part[:2]} == {40, 41}
    assert {one.task for one in part[2:4]} == {7, 9}
    assert len({one.task for one in part}) == 10
    assert shown(pool, {40, 41}, 10) == part
    assert shown(pool, set(), 50) == pool
