"""What a person sees of learning in the terminal."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from pools import CLASSES, MASKS, version

from seedqueue.backend import learn_screen, waking
from seedqueue.backend.agreement import Agreement, agreement_of
from seedqueue.backend.annotations import Problem
from seedqueue.backend.context import Context
from seedqueue.backend.learning import Curve, Overview, Told
from seedqueue.backend.learning_errors import TrainingFailed
from seedqueue.backend.settings import Settings
from seedqueue.models.metrics.learning_curve import Point, advice

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def context(redis_url: str, tmp_path: Path) -> Iterator[Context]:
    url = f"http://{uuid.uuid4().hex}"
    with Context(Settings(label_studio_url=url, redis_url=redis_url, home=tmp_path / "home")) as opened:
        yield opened


def shown(capture: Capture) -> str:
    """What was printed, whatever the terminal's width has done to it."""
    return " ".join(capture.readouterr().out.split())


def nobody() -> Agreement:
    return agreement_of([], CLASSES, False, MASKS.mask_classes)


def test_no_version_yet(capsys: Capture) -> None:
    learn_screen.show_versions(3, [])
    assert "project 3 has no version yet" in shown(capsys)


def test_versions_with_figures_without_and_unaudited(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    figures = [
        {"name": "macro AUPRC", "value": 0.71234, "low": 0.6, "high": 0.8, "reason": ""},
        {"name": "DSC", "value": 0.5, "low": None, "high": None, "reason": "one group"},
        {"name": "DSC", "value": None, "low": None, "high": None, "reason": "no class"},
    ]
    audited = [
        version(n, primary=f, held_out="audit slice", audit=(5, 6), verdict=f"why {n}", promoted=n == 3)
        for n, f in enumerate(figures, 1)
    ]
    learn_screen.show_versions(1, [*audited, version(4, verdict="unaudited: none")])
    text = shown(capsys)
    for part in (
        "macro AUPRC 0.712 (0.600 to 0.800)",
        "DSC 0.500",
        "DSC - (no class)",
        "2 of the audit slice",
        "linear-3 yes",
        "why 2",
        "unaudited unaudited: none",
    ):
        assert part in text


def test_brackets_in_a_verdict_are_no_markup(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    learn_screen.show_versions(1, [version(1, verdict="[bold]worse[/bold]")])
    assert "[bold]worse[/bold]" in shown(capsys)


def test_learning_with_its_curve_problems_and_progress(capsys: Capture) -> None:
    points = tuple(Point(labels, value, value - 0.1, value + 0.1, f"linear-{labels}") for labels, value in [(20, 0.5)])
    curve = Curve("classes", "AUPRC", "audit slice", 60, points, advice(points, None, 30.0))
    problems = tuple(Problem(task, 7, "an empty mask") for task in range(30))
    told = Told(
        serving=(version(2),),
        progress={"head": "vgg11", "epoch": 3, "epochs": 40, "seconds_left": 600.0},
        last={"outcome": "trained", "message": "linear-2 learnt from 20 tasks"},
        audit=150,
    )
    learn_screen.show_learning(
        1, told, Overview((curve,), nobody(), problems, 30.0, ("The control 'x' is not learnt.",))
    )
    text = shown(capsys)
    for part in (
        "linear-2 serves · audit slice: 150 tasks",
        "training vgg11, epoch 3 of 40, 10 min left",
        "last training trained: linear-2 learnt from 20 tasks",
        "linear-20 20 labels AUPRC 0.500 (0.400 to 0.600)",
        curve.advice.sentence.split(".")[0],
        "not learnt from: task 0, annotation 7: an empty mask",
        "more: GET /api/projects/1/learning",
        "The control 'x' is not learnt.",
    ):
        assert part in text
    assert text.count("not learnt from") == learn_screen.PROBLEMS_SHOWN


def test_learning_before_anything_is_learnt(capsys: Capture) -> None:
    learn_screen.show_learning(1, Told((), None, None, 0), Overview((), nobody(), (), None, ()))
    assert "nothing yet serves · audit slice: none: what versions say of themselves is unaudited" in shown(capsys)


def test_figures_of_few_images_carry_their_caution(capsys: Capture) -> None:
    figures = {"classes": [{"name": "cat", "caution": "3 positive images"}, {"name": "dog", "caution": ""}]}
    told = Told((version(2, figures=figures),), None, None, 40)
    learn_screen.show_learning(1, told, Overview((), nobody(), (), None, ()))
    text = shown(capsys)
    assert "caution: linear-2, cat: 3 positive images" in text
    assert text.count("caution") == 1


def test_the_lines_of_status(capsys: Capture) -> None:
    learn_screen.show_summary(Told((), None, None, 0))
    learn_screen.show_summary(Told((version(1),), {"head": "linear"}, None, 0))
    learn_screen.show_summary(Told((version(1),), None, {"outcome": "failed", "message": "no labels"}, 0))
    text = shown(capsys)
    for part in ("none yet", "linear-1 (unaudited)", "training linear", "last training failed: no labels"):
        assert part in text


def test_who_does_not_wait_is_told_where_to_look(context: Context, capsys: Capture) -> None:
    learn_screen.follow(context, 1, None, wait=False)
    assert "seedqueue learning --project 1" in shown(capsys)


def ends(context: Context, outcome: str) -> Thread:
    """A training that shows its progress once and then ends."""

    def work() -> None:
        context.broker.note(waking.progress_name(1), {"head": "vgg11", "epoch": 1, "epochs": 2}, 60)
        context.broker.forget(waking.progress_name(1))
        context.records.append("learning", 1, 0, {"outcome": outcome, "message": "the last word"})

    thread = Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("outcome", ["trained", "failed"])
def test_a_training_is_followed_to_its_end(context: Context, capsys: Capture, outcome: str) -> None:
    context.records.append("learning", 1, 0, {"outcome": "failed", "message": "earlier"})
    before = {"outcome": "failed", "message": "earlier"}
    thread = ends(context, outcome)
    if outcome == "failed":
        with pytest.raises(TrainingFailed, match="the last word"):
            learn_screen.follow(context, 1, before, wait=True)
    else:
        learn_screen.follow(context, 1, before, wait=True)
        assert "the last word" in shown(capsys)
    thread.join()
