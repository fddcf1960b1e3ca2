"""The sentences of the learning curve, for people who label."""

from seedqueue.models.metrics.figure import Difference

NO_AUDIT = (
    "Nothing can be said honestly about what more labels bring: no version was measured on an audit slice, and "
    "figures from the queue's own labels are of images chosen on purpose."
)
NO_SPREAD = "The measured versions have no interval, so how sure this is cannot be said."
VERDICT = {
    "stop": "That is too little to label on for: stopping is reasonable.",
    "go on": "Going on pays.",
    "cannot tell": "Whether going on pays cannot be told yet.",
}


def brought(recent: Difference | None, labels: int, metric: str) -> str:
    """What the last labels brought."""
    if recent is None or recent.value is None:
        return (
            f"What the last {_labels(labels)} brought is not known: no two versions were compared on the audit slice."
        )
    if recent.low is None or recent.high is None:
        why = recent.reason or "no interval"
        return f"The last {_labels(labels)} brought {signed(recent.value)} {metric} ({why})."
    within = f"95 % interval {signed(recent.low)} to {signed(recent.high)}"
    return f"The last {_labels(labels)} brought {signed(recent.value)} {metric} ({within})."


def too_few(stages: int, least: int, more: int) -> str:
    """stages: different numbers of labels at which a version was measured."""
    measured = "1 stage" if stages == 1 else f"{stages} stages"
    return f"What {more} more bring cannot be said: versions were measured at {measured}, {least} are needed."


def expected(gain: float, low: float | None, high: float | None, more: int, metric: str, seconds: float | None) -> str:
    """What more labels likely bring, and how long they take."""
    unit = f" {metric}" if metric and low is None else ""
    within = "" if low is None or high is None else f" ({signed(low)} to {signed(high)})"
    pace = "" if seconds is None else f", about {duration(seconds)} at the measured pace"
    spread = f" {NO_SPREAD}" if low is None else ""
    return f"{more} more likely bring {signed(gain)}{unit}{within}{pace}.{spread}"


def signed(value: float) -> str:
    """A difference with two decimals and its sign, 0 without one."""
    rounded = f"{value:+.2f}"
    return "0" if float(rounded) == 0 else rounded


def duration(seconds: float) -> str:
    """A time in the unit that people would use."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 90 * 60 else f"{seconds / 3600:.1f} hours"


def _labels(count: int) -> str:
    return "label" if count == 1 else f"{count} labels"
