"""What more labels bring: the line by hand, its cap and its interval, and the sentences people read."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedqueue.models.metrics.figure import Difference
from seedqueue.models.metrics.learning_curve import Advice, Point, advice
from seedqueue.models.metrics.learning_words import duration, signed

RECENT = Difference(0.03, -0.01, 0.07, 150, 120)


def curve(slope: float, labels: tuple[int, ...] = (20, 40, 60, 80), half: float | None = 0.02) -> list[Point]:
    """Points on the line 0.5 + slope log(labels / 20), with intervals of +- half."""
    values = [0.5 + slope * np.log(each / 20) for each in labels]
    return [
        Point(n, value, None if half is None else value - half, None if half is None else value + half, f"v{n}")
        for n, value in zip(labels, values, strict=True)
    ]


def test_the_gain_is_the_rise_of_the_line() -> None:
    found = advice(curve(0.1), RECENT, 36.0)
    assert found.gain == pytest.approx(0.1 * np.log(100 / 80))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.gain < found.high
    assert found.seconds == 720


def test_the_line_is_that_of_least_squares_whatever_the_order() -> None:
    points = [Point(n, value, None, None, "") for n, value in ((30, 0.5), (50, 0.62), (70, 0.61), (90, 0.7))]
    slope = np.polyfit(np.log([30, 50, 70, 90]), [0.5, 0.62, 0.61, 0.7], 1)[0]
    assert advice(points[::-1], None, None, more=10).gain == pytest.approx(slope * np.log(100 / 90))


def test_the_interval_is_that_of_the_slopes_deviation() -> None:
    found = advice(curve(0.2, half=0.0196), RECENT, None)
    x = np.log([20, 40, 60, 80])
    deviation = 0.01 / np.sqrt(np.square(x - x.mean()).sum()) * np.log(100 / 80)
    assert found.gain is not None
    assert found.low == pytest.approx(found.gain - 1.96 * deviation, abs=deviation / 8)
    assert found.high == pytest.approx(found.gain + 1.96 * deviation, abs=deviation / 8)


def test_points_off_the_line_widen_the_interval_beyond_their_own() -> None:
    zigzag = [
        Point(n, value, value - 1e-6, value + 1e-6, "") for n, value in ((20, 0.5), (40, 0.7), (60, 0.5), (80, 0.7))
    ]
    found = advice(zigzag, RECENT, None)
    assert found.high is not None
    assert found.low is not None
    assert found.high - found.low > 0.03


def test_the_gain_is_neither_below_nothing_nor_above_what_is_left() -> None:
    falling = advice(curve(-0.05), RECENT, None)
    assert (falling.gain, falling.low) == (0, 0)
    nearly = [Point(n, value, value - 0.05, value + 0.05, "") for n, value in ((5, 0.2), (10, 0.6), (20, 0.99))]
    found = advice(nearly, RECENT, None, more=200)
    assert found.gain == pytest.approx(0.01)
    assert found.high == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        (curve(0.3), "go on"),
        (curve(0.0, half=0.005), "stop"),
        (curve(0.02), "cannot tell"),
        (curve(0.0, half=None), "cannot tell"),
        (curve(0.3)[:2], "cannot tell"),
        ([], "cannot tell"),
    ],
)
def test_the_verdict_is_by_where_the_interval_lies(points: list[Point], verdict: str) -> None:
    found = advice(points, RECENT, None)
    assert found.verdict == verdict
    if found.high is not None and found.low is not None:
        assert (found.high < 0.005) == (verdict == "stop")
        assert (found.low > 0.005) == (verdict == "go on")


def test_the_sentence_says_both_and_the_time() -> None:
    found = advice(curve(0.06), RECENT, 36.0)
    assert found.sentence == (
        "The last 20 labels brought +0.03 AUPRC (95 % interval -0.01 to +0.07). "
        "20 more likely bring +0.01 (+0.01 to +0.02), about 12 minutes at the measured pace. "
        "Going on pays."
    )
    other = advice(curve(0.0, half=0.005), RECENT, None, more=10, recent_labels=25, metric="DSC")
    assert other.sentence == (
        "The last 25 labels brought +0.03 DSC (95 % interval -0.01 to +0.07). 10 more likely bring 0 (0 to 0). "
        "That is too little to label on for: stopping is reasonable."
    )


def test_without_an_audit_slice_nothing_is_said_and_why() -> None:
    found = advice([], RECENT, 36.0)
    assert found == Advice("cannot tell", None, None, None, None, 20, 720, found.sentence, found.reason)
    assert found.sentence.startswith("Nothing can be said honestly")
    assert "no version was measured on an audit slice" in found.reason


def test_too_few_points_say_what_is_known() -> None:
    # Three versions, two numbers of labels: no line.
    points = [*curve(0.1, (20, 40)), Point(40, 0.6, 0.5, 0.7, "again")]
    found = advice(points, RECENT, None)
    assert found.gain is None
    assert found.recent == RECENT
    assert found.sentence.startswith("The last 20 labels brought +0.03 AUPRC")
    assert found.sentence.endswith("versions were measured at 2 stages, 3 are needed.")


def test_what_was_not_compared_is_said() -> None:
    assert advice(curve(0.1), None, None).sentence.startswith("What the last 20 labels brought is not known")
    alone = Difference(0.1, None, None, 10, 1, "all images are of one group: no interval")
    assert "brought +0.10 AUPRC (all images are of one group: no interval)" in advice(curve(0.1), alone, None).sentence
    assert "no interval" in advice(curve(0.1, half=None), RECENT, None).reason


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, "5 seconds"), (720, "12 minutes"), (3600, "60 minutes"), (9000, "2.5 hours")]
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_differences_have_their_sign_and_0_has_none() -> None:
    assert [signed(each) for each in (0.034, -0.034, 0.004, -0.004, 0.0)] == ["+0.03", "-0.03", "0", "0", "0"]


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.floats(0, 1), st.one_of(st.none(), st.floats(0, 0.3))), min_size=0, max_size=6
    ),
    st.integers(1, 50),
)
def test_equal_arguments_give_equal_numbers(rows: list[tuple[int, float, float | None]], more: int) -> None:
    points = [Point(n, v, None if h is None else v - h, None if h is None else v + h, "") for n, v, h in rows]
    found = advice(points, None, 10.0, more)
    assert json.dumps(asdict(found), allow_nan=False) == json.dumps(asdict(advice(points, None, 10.0, more)))
    if found.gain is not None:
        last = max((each for each in points if each.labels), key=lambda each: each.labels)
        assert 0 <= found.gain <= 1 - min(each.value for each in points if each.labels == last.labels) + 1e-12
    if found.low is not None and found.high is not None:
        assert found.low <= found.high
