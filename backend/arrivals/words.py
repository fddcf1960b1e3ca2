"""A look at new images in plain sentences and tables."""

from __future__ import annotations

from seedqueue.backend.arrivals.drift import LEAST_ROWS, LEVEL, Test
from seedqueue.backend.arrivals.fields import percent
from seedqueue.backend.arrivals.novelty import EXPECTED, LEAST_REFERENCE, QUANTILE
from seedqueue.backend.arrivals.report import Report

FAR_SHOWN = 10
COMPONENTS_SHOWN = 3
UNREADABLE_SHOWN = 20


def summary(found: Report) -> list[str]:
    """What a person reads first, a line each."""
    after = f"task {found.cut.after} ({found.cut.why})"
    labelled = f"{found.labelled} of the new ones are" if found.labelled else "none of the new ones is"
    return [
        f"project {found.project}: {found.new} new tasks after {after}, {found.old} old ones; {labelled} labelled",
        *_unreadable(found),
        _novelty(found),
        _drift(found),
        *_untested(found),
        *_audit(found),
    ]


def advice(found: Report) -> str:
    """What to do next, "" where there is nothing to say."""
    p, measured = f"--project {found.project}", found.novelty
    if found.holds is False:
        return (
            f"label some of the new images, they are not like what the estimate is of: seedqueue arrivals {p} --seed 40"
        )
    if measured is not None and measured.low > EXPECTED:
        return f"begin with the new images that are unlike all labelled ones: seedqueue arrivals {p} --seed 40"
    if found.drifted and not found.fresh:
        return f"see whether the audit estimate still holds: seedqueue arrivals {p} --audit 50"
    return ""


def table(found: Report) -> list[tuple[str, str, str, str]]:
    """The tests to show: name, size, adjusted p, the difference in words: of the components those that drifted most."""
    others = [one for one in found.tests if one.kind != "component"]
    shown = [*others, *[one for one in found.drifted if one.kind == "component"][:COMPONENTS_SHOWN]]
    return [(one.name, _size(one), _p(one.adjusted), one.said) for one in shown]


def _size(one: Test) -> str:
    interval = f" ({one.low:.2f} to {one.high:.2f})" if one.low is not None and one.high is not None else ""
    return f"{one.size:.2f}{interval}"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _unreadable(found: Report) -> list[str]:
    if not found.unreadable:
        return []
    many = len(found.unreadable) > 1
    told = f"{len(found.unreadable)} new images cannot be read and are" if many else "1 new image cannot be read and is"
    lines = [f"  {told} in none of the figures below:"]
    lines += [
        f"    task {one.task}, {one.uri or 'no image'}: {one.reason}" for one in found.unreadable[:UNREADABLE_SHOWN]
    ]
    if len(found.unreadable) > UNREADABLE_SHOWN:
        lines.append(f"    ... and {len(found.unreadable) - UNREADABLE_SHOWN} more")
    return lines


def _novelty(found: Report) -> str:
    measured = found.novelty
    if measured is None:
        return f"  novelty: cannot be said with fewer than {LEAST_REFERENCE} readable old images, or without a new one"
    return (
        f"  novelty: {len(found.far)} of {len(measured.rows)} new images, {percent(measured.share)} "
        f"({percent(measured.low)} to {percent(measured.high)}), lie farther from {found.nearest_to} than "
        f"{percent(QUANTILE)} of the old images do; by chance {percent(EXPECTED)} would"
    )


def _drift(found: Report) -> str:
    count = len(found.tests)
    if not count:
        return f"  drift: cannot be said with fewer than {LEAST_ROWS} images in either part"
    by = f"one image of each {found.patients}" if found.patients else "each image taken for a patient of its own"
    if not found.drifted:
        return f"  drift: none found by {count} tests ({by}; Holm's correction, level {LEVEL})"
    components = sum(one.kind == "component" for one in found.drifted)
    named = [one.name for one in found.drifted if one.kind != "component"]
    if components:
        named.append(f"{components} of the principal components")
    return f"  drift: {', '.join(named)} ({count} tests, {by}; Holm's correction, level {LEVEL})"


def _untested(found: Report) -> list[str]:
    return [f"  not compared: {name}, {why}" for name, why in found.untested]


def _audit(found: Report) -> list[str]:
    if not found.fresh:
        return [
            "  audit: no fresh slice of the new images, so nothing says if the estimate holds for them (--audit 50)"
        ]
    if not found.holding:
        why = "no version serves, or there is no earlier audit slice: nothing to compare"
        return [f"  audit: a fresh slice of {found.fresh} tasks; {why}"]
    return [f"  audit, {one.version}: {one.sentence}" for one in found.holding]
