from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from seedqueue.backend.people.suspects import Doubted, Labelled, doubted

NAMES = ("a", "b", "c")


def labelled(truth: np.ndarray, seen: np.ndarray, groups: np.ndarray | None = None) -> Labelled:
    """What was labelled, bool (n, classes), of images that show `seen`."""
    rng = np.random.default_rng(0)
    signal = np.repeat(seen, 4, axis=1) * 3.0
    vectors = (signal + rng.normal(size=signal.shape)).astype(np.float32)
    rows = np.arange(len(truth)) if groups is None else groups
    tasks = tuple(range(500, 500 + len(truth)))
    return Labelled(tasks, vectors, truth, rows, vectors.mean(axis=0), vectors.std(axis=0))


def test_planted_errors_of_a_single_choice_are_suspected_and_the_right_class_suggested() -> None:
    seen = np.eye(3, dtype=bool)[np.arange(60) % 3]
    truth, wrong = seen.copy(), [3, 17, 40, 41]
    truth[wrong] = np.roll(truth[wrong], 1, axis=1)
    found = doubted(labelled(truth, seen), NAMES, "single")
    suspected = {one.task - 500 for one in found.suspects}
    assert suspected <= set(wrong)
    assert len(suspected) >= len(wrong) - 1  # as many as the noise rate says, and that is an estimate
    for one in found.suspects:
        row = one.task - 500
        assert (one.given, one.suggested) == (NAMES[truth[row].argmax()], NAMES[seen[row].argmax()])
    scores = [one.score for one in found.suspects]
    assert scores == sorted(scores)
    assert (found.looked_at, found.reason, found.left_out) == (60, "", ())


def test_planted_errors_of_several_choices_are_turned_in_the_suggestion() -> None:
    seen = np.random.default_rng(1).random((80, 3)) < 0.4
    truth, wrong = seen.copy(), [3, 17, 40, 41]
    truth[wrong, 1] ^= True
    found = doubted(labelled(truth, seen), NAMES, "multi")
    assert set(wrong) <= {one.task - 500 for one in found.suspects}
    assert len(found.suspects) <= len(wrong) + 2
    for one in found.suspects:
        if one.task - 500 in wrong:
            names = " + ".join(name for name, there in zip(NAMES, seen[one.task - 500], strict=True) if there)
            assert one.suggested == (names or "nothing")


def test_rare_classes_are_left_out_by_name() -> None:
    truth = np.eye(3, dtype=bool)[[0] * 20 + [1] * 20 + [2] * 4]
    found = doubted(labelled(truth, truth), NAMES, "single")
    assert found == Doubted((), 40, "", ("c",))


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ((9, 10, 0), "20 labels are needed, and there are 19"),
        ((30, 4, 0), "2 classes with 5 labels each are needed, and 1 have so many"),
    ],
)
def test_too_few_labels_are_told(counts: tuple[int, ...], reason: str) -> None:
    truth = np.eye(3, dtype=bool)[np.repeat([0, 1, 2], counts)]
    assert doubted(labelled(truth, truth), NAMES, "single").reason == reason


def test_one_patient_alone_cannot_be_cross_validated() -> None:
    truth = np.eye(2, dtype=bool)[np.arange(30) % 2]
    found = doubted(labelled(truth, truth, np.zeros(30, dtype=np.int64)), NAMES[:2], "single")
    assert found.reason == "all labelled images are of one patient or study"


def test_the_command_line_starts_without_cleanlab() -> None:
    code = "import sys, seedqueue.backend.cli; print(sorted({'cleanlab', 'sklearn'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
