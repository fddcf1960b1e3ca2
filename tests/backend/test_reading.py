"""The confusion matrix and the worst cases of a version on held-out tasks, for classes and for masks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from pools import CLASSES, MASKS, embedded, example, freeze, gathered, published, store, trained, version

from seedqueue.backend import learning
from seedqueue.backend.context import Context
from seedqueue.backend.examples import Example
from seedqueue.backend.judging import Predicted
from seedqueue.backend.reading import WORST, Reading, reading
from seedqueue.backend.settings import Settings
from seedqueue.backend.versions import ModelVersion
from seedqueue.models.metrics.masks import ImageFigures

PAGE = "http://label-studio/projects/1"
SINGLE = version(1)
A, B, C = CLASSES


def says(**rows: tuple[float, ...]) -> Predicted:
    """Probabilities by task: `t1=...` is task 1."""
    return Predicted({int(name[1:]): row for name, row in rows.items()}, {})


def read(predicted: Predicted, *examples: Example, of: ModelVersion = SINGLE) -> Reading:
    return reading(of, predicted, examples, CLASSES, PAGE)


def test_truth_is_a_row_and_prediction_a_column() -> None:
    right, wrong, also_wrong = (0.1, 0.8, 0.1), (0.2, 0.1, 0.7), (0.6, 0.3, 0.1)
    found = read(says(t1=right, t4=right, t7=wrong, t2=also_wrong), *map(example, (1, 2, 4, 7)))
    assert (found.family, found.version, found.classes, found.judged_on) == ("classes", "linear-1", CLASSES, 4)
    assert found.confusion == [[0, 0, 0], [0, 2, 1], [1, 0, 0]]


def test_the_surest_mistake_comes_first_with_its_link() -> None:
    found = read(says(t1=(0.6, 0.3, 0.1), t2=(0.1, 0.8, 0.1), t3=(0.9, 0.05, 0.05)), *map(example, (1, 2, 3)))
    assert [(one.task, one.truth, one.predicted, one.score) for one in found.worst] == [(2, C, B, 0.8), (1, B, A, 0.6)]
    assert found.worst[0].url == "http://label-studio/projects/1/data?task=2"


def test_only_labelled_held_out_tasks_of_which_something_was_said_count() -> None:
    found = read(says(t1=(0.9, 0.1, 0.0), t5=(0.9, 0.1, 0.0)), example(1), example(2))
    assert (found.judged_on, [one.task for one in found.worst]) == (1, [1])


def test_no_more_than_twelve_cases() -> None:
    tasks = range(1, 61, 3)
    found = read(says(**{f"t{task}": (1 - task / 100, task / 100, 0.0) for task in tasks}), *map(example, tasks))
    assert len(found.worst) == WORST < len(tasks)
    assert [one.task for one in found.worst] == list(tasks)[:WORST]


def test_nothing_held_out_is_a_matrix_of_zeros() -> None:
    found = read(says())
    assert (found.confusion, found.worst, found.judged_on) == ([[0, 0, 0]] * 3, (), 0)


def test_classes_that_the_config_gained_or_moved_are_told_by_name() -> None:
    now = ("new", C, A, B)
    shows_b, shows_new = (example(1, classes=row) for row in ((False, False, False, True), (True, False, False, False)))
    predicted = says(t1=(0.1, 0.8, 0.1), t2=(0.1, 0.8, 0.1))
    found = reading(SINGLE, predicted, [shows_b, Example(**{**vars(shows_new), "task": 2})], now, PAGE)
    assert (found.judged_on, found.worst) == (1, ())
    assert found.confusion == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_several_classes_have_no_matrix_and_are_called_at_their_thresholds() -> None:
    several = version(1, kind="multi", threshold=(0.5, 0.5, 0.2))
    shows = {1: (True, False, False), 2: (False, False, True), 3: (False, False, False)}
    examples = [example(task, classes=row) for task, row in shows.items()]
    predicted = says(t1=(0.9, 0.6, 0.1), t2=(0.1, 0.1, 0.3), t3=(0.1, 0.1, 0.9))
    found = read(predicted, *examples, of=several)
    assert found.confusion is None
    told = [(one.task, one.truth, one.predicted, one.score) for one in found.worst]
    assert told == [(3, "nothing", C, 0.9), (1, A, f"{A}, {B}", 0.6)]
    missed = read(says(t1=(0.05, 0.1, 0.1)), examples[0], of=several)
    assert [(one.truth, one.predicted, one.score) for one in missed.worst] == [(A, "nothing", 0.95)]


def test_masks_by_their_lowest_overlap() -> None:
    def drawn(dsc: float) -> ImageFigures:
        return ImageFigures(dsc, 1, 1, 1, False, None, "pixels")

    missed, alarm = (ImageFigures(0.0, None, None, 9, True, None, "mm"), ImageFigures(*[None] * 5, True, "mm"))
    silent = ImageFigures(*[None] * 5, False, "mm")
    rows = {1: (drawn(0.9), drawn(0.4)), 2: (missed, silent), 3: (silent, alarm), 4: (silent, silent)}
    rows |= {5: (drawn(1.0), silent), 6: (drawn(0.2), drawn(0.9))}
    examples = [example(task, labelling=MASKS) for task in rows]
    found = reading(version(2, "unet-vgg11"), Predicted({}, rows), examples, MASKS.mask_classes, PAGE)
    assert (found.family, found.version, found.confusion, found.judged_on) == ("masks", "unet-vgg11-2", None, 6)
    assert [(one.task, one.truth, one.predicted, one.score) for one in found.worst] == [
        (2, "a", "nothing", 0.0),
        (3, "nothing", "b", 0.0),
        (6, "a, b", "a, b", 0.2),
        (1, "a, b", "a, b", 0.4),
    ]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A home with 60 tasks, a third of which is held out."""
    settings = Settings(
        home=tmp_path / "home",
        label_studio_url="http://127.0.0.1:1",
        label_studio_public_url="https://studio.example",
        label_studio_api_key="a" * 40,
    )
    with Context(settings) as opened:
        store(opened, embedded(60, noise=1.5))
        yield opened


def test_what_serves_is_read_on_what_its_curve_is_measured_on(context: Context) -> None:
    run, held_out = published(context), [example(task) for task in range(41, 61)]
    freeze(context, range(41, 61))
    found = gathered(map(example, range(1, 41)), held_out)
    made = trained(context, run, found)
    [told] = learning._readings(context, 1, found)
    assert (told.version, told.judged_on) == (made.name, 20)
    assert told.confusion is not None
    assert [sum(row) for row in told.confusion] == [sum(one.task % 3 == at for one in held_out) for at in range(3)]
    wrong = 20 - sum(told.confusion[at][at] for at in range(3))
    assert 0 < wrong == len(told.worst) <= WORST
    assert all(one.url == f"https://studio.example/projects/1/data?task={one.task}" for one in told.worst)
    json.dumps(asdict(told), allow_nan=False)
    assert list(learning._readings(context, 2, found)) == []
