"""How long a run waits, and for what."""

import time

import pytest

from seedqueue.backend import patience
from seedqueue.backend.broker import Broker
from seedqueue.backend.errors import Busy, LabelStudioRefused, LabelStudioUnreachable, TokenRefused
from seedqueue.backend.tables import HomeNotWritable

DOWN = LabelStudioUnreachable("http://ls", "refused")


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (DOWN, True),
        (LabelStudioRefused("http://ls", 503, ""), True),
        (LabelStudioRefused("http://ls", 429, ""), True),
        (HomeNotWritable("/home", "no space left"), True),
        (Busy("publish-1", 300), True),
        (LabelStudioRefused("http://ls", 403, ""), False),
        (TokenRefused("http://ls", ""), False),
        (ValueError("odd"), False),
    ],
)
def test_what_passes(error: Exception, passing: bool, broker: Broker) -> None:
    assert patience.is_passing(error) is passing
    assert (patience.pause(broker, "1-1", error) is not None) is passing


def test_pauses_grow_with_what_was_waited_and_end(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    now, began = time.time(), []
    for waited in (0, 4, 50, 3000):
        monkeypatch.setattr(time, "time", lambda waited=waited: now + waited)
        began.append(patience.pause(broker, "1-1", DOWN))
    assert began == [1, 2, 25, 30]
    assert "refused" in patience.reason(broker, "1-1")
    monkeypatch.setattr(time, "time", lambda: now + 4000)
    pauses = [patience.pause(broker, "1-1", DOWN) for _ in range(20)]
    assert pauses[0] == 30  # a clock that has jumped an hour ends nothing
    assert pauses[-1] is None
    patience.over(broker, "1-1")
    assert patience.reason(broker, "1-1") == ""
    assert patience.pause(broker, "1-1", DOWN) == 1
