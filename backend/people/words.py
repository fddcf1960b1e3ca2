"""What a person sees of agreement and pace in the terminal: sentences and tables, in their order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.box import SIMPLE
from rich.table import Table

from seedqueue.backend.milestones import Measured, Overlap
from seedqueue.backend.people.agreeing import DISAGREEMENTS, SUSPECTS, Report
from seedqueue.backend.people.careless import Apart
from seedqueue.backend.people.figures import Figures, Pair
from seedqueue.backend.people.suspects import LEAST_OF_CLASS, Doubted
from seedqueue.backend.people.working import GONE_DAYS, Pace, PersonPace, Projection

SHOWN = 20
MOST_ROWS = 60  # of pairs by class: more is no table that anybody reads
Part = str | Table


def of_overlap(project: int, overlap: Overlap, people: int) -> Iterator[Part]:
    """people: users of Label Studio."""
    if not overlap.tasks:
        yield f"project {project}: every task is read by one annotator"
        return
    yield (
        f"project {project}: {len(overlap.tasks)} tasks are read by {overlap.annotators} annotators each: the first "
        f"{overlap.first} of the queue and {overlap.share:.0%} of the others, drawn at random"
    )
    yield f"  {len(overlap.tasks) * (overlap.annotators - 1)} readings more than if each task were read once"
    if people < overlap.annotators:
        yield (
            f"  Label Studio has {people} users: tasks read in common stay unfinished until {overlap.annotators} "
            "people have read them"
        )


def of_agreement(report: Report) -> Iterator[Part]:
    yield (
        f"project {report.project}: {report.shared} of {report.annotated} annotated tasks were read by two or more of "
        f"{len(report.names)} annotators{_aside(report.adjudicators)}"
    )
    if report.figures:
        yield from _figures(report.figures, report.names)
        for measure, one in report.flagged:
            yield _flag(report.names[one.annotator], measure, one)
        if report.figures.apart and not report.flagged:
            yield "nobody agrees less with the others than these among themselves, beyond chance"
    yield from report.notes
    if report.shared:
        yield from _disagreements(report)
    yield from _suspects(report.doubted, report.listed)


def _aside(adjudicators: int) -> str:
    return f" ({adjudicators} more only set ground truths and do not count)" if adjudicators else ""


def _figures(figures: Figures, names: Sequence[str]) -> Iterator[Part]:
    kappa = "Fleiss' kappa" if len(names) > 2 else "Cohen's kappa"
    table = Table("all annotators", "tasks", "agreement (95 % interval)", box=SIMPLE)
    for one in (*figures.overall, *figures.by_class):
        name = {"kappa": kappa, "DSC": "mean DSC"}.get(one.name, one.name)
        table.add_row(name, str(one.n), measured(one))
    yield table
    measures = [one.name for one in figures.overall]
    table = Table("pair", "tasks", *measures, box=SIMPLE)
    for name, pair in _by_name(figures, names):
        table.add_row(name, str(pair.tasks), *map(measured, pair.overall))
    yield table
    yield from _pairs_by_class(figures, names)
    table = Table("one against the others' majority", "tasks", *measures, box=SIMPLE)
    for person in sorted(figures.people, key=lambda person: names[person.annotator]):
        table.add_row(names[person.annotator], str(person.tasks), *map(measured, person.overall))
    yield table


def _pairs_by_class(figures: Figures, names: Sequence[str]) -> Iterator[Part]:
    rows = sum(len(pair.by_class) for pair in figures.pairs)
    if len(figures.pairs) < 2 or _two_classes(figures):  # the figures are those of the tables before
        return
    if rows > MOST_ROWS:
        yield f"({rows} figures of pairs by class are not shown)"
        return
    table = Table("pair by class", *(one.name for one in figures.by_class), box=SIMPLE)
    for name, pair in _by_name(figures, names):
        table.add_row(name, *map(measured, pair.by_class))
    yield table


def _two_classes(figures: Figures) -> bool:
    """Of a choice between two, each class says what both say."""
    return len(figures.overall) == 1 and all(
        one.value == pair.overall[0].value for pair in figures.pairs for one in pair.by_class
    )


def _by_name(figures: Figures, names: Sequence[str]) -> list[tuple[str, Pair]]:
    """In the order of the names, which of letters tells nothing."""
    both = [(sorted((names[pair.one], names[pair.other])), pair) for pair in figures.pairs]
    both.sort(key=lambda one: one[0])
    return [(f"{first} - {second.removeprefix('annotator ')}", pair) for (first, second), pair in both]


def _flag(name: str, measure: str, one: Apart) -> str:
    return (
        f"!! {name} stands out: {measure} {one.with_others:.2f} with the others, who have {one.among_others:.2f} among "
        f"themselves. That is {one.difference:.2f} less (95 % interval, for all annotators together: {one.low:.2f} to "
        f"{one.high:.2f})"
    )


def measured(one: Measured) -> str:
    if one.value is None:
        return "not defined"
    return f"{one.value:.2f}" + ("" if one.low is None else f" ({one.low:.2f} to {one.high:.2f})")


def _disagreements(report: Report) -> Iterator[Part]:
    found = report.disagreements
    settled = f"; {report.settled} are settled by a ground truth" if report.settled else ""
    yield f"{len(found)} tasks read in common divide their annotators{settled}"
    if found:
        table = Table("task", "said", "agreement", title="disagreements, the worst first", box=SIMPLE)
        for one in found[:SHOWN]:
            table.add_row(str(one.task), one.said, f"{one.agreement:.2f}")
        yield table
    yield from _listed(DISAGREEMENTS, len(found), report.listed)


def _suspects(doubted: Doubted, listed: Mapping[str, int]) -> Iterator[Part]:
    if doubted.left_out:
        names = ", ".join(doubted.left_out)
        few = f"fewer than {LEAST_OF_CLASS}"
        yield f"not looked at for label errors, with {few} labels, or {few} tasks without it: {names}"
    if doubted.reason:
        yield f"no suspected label errors: {doubted.reason}"
        return
    found = doubted.suspects
    yield f"{len(found)} of {doubted.looked_at} labels look wrong; each is for a person to look at, nothing was changed"
    if found:
        table = Table("task", "label", "suggested", "support", title="suspected label errors", box=SIMPLE)
        for one in found[:SHOWN]:
            table.add_row(str(one.task), one.given, one.suggested, f"{one.score:.2f}")
        yield table
    yield from _listed(SUSPECTS, len(found), listed)


def _listed(title: str, found: int, listed: Mapping[str, int]) -> Iterator[Part]:
    if found > SHOWN:
        yield f"... and {found - SHOWN} more"
    if listed.get(title):
        which = "all of them" if listed[title] == found else f"the worst {listed[title]} of them"
        yield f'{which} stand in the Data Manager\'s tab "{title}"'


def of_pace(project: int, pace: Pace, names: Mapping[str, str]) -> Iterator[Part]:
    yield f"project {project}: {pace.labels} labels, {pace.skips} skips, {_seconds(pace.seconds)} a label (median)"
    table = Table("annotator", "labels", "skips", "seconds a label", "labels a day", "last", "", box=SIMPLE)
    for one in sorted(pace.people, key=lambda person: names[person.annotator]):
        table.add_row(*_person(one, names))
    yield table
    if any(one.gone for one in pace.people):
        yield f"who has not labelled for {GONE_DAYS} days is not counted on: the pace is that of the others"
    if pace.reason:
        yield f"no date for the end: {pace.reason}"
        return
    yield (
        f"{pace.per_day:.1f} labels a day (95 %: {pace.low:.1f} to {pace.high:.1f}) in the last {pace.days} whole "
        "days, days off included"
    )
    for end in pace.projections:
        yield _projection(end)


def _person(one: PersonPace, names: Mapping[str, str]) -> list[str]:
    last = "stopped" if one.gone else ""
    return [
        names[one.annotator],
        str(one.labels),
        str(one.skips),
        _seconds(one.seconds),
        f"{one.per_day:.1f}",
        f"{one.last:%Y-%m-%d}",
        last,
    ]


def _projection(end: Projection) -> str:
    if not end.left:
        return f"{end.what} is done"
    if end.day is None:
        return f"{end.what}: {end.left} readings are left, and no end is in sight at this pace"
    latest = f"{end.latest:%Y-%m-%d}" if end.latest else "not in sight"
    return (
        f"{end.what}: {end.left} readings are left; done about {end.day:%Y-%m-%d} at this pace "
        f"(95 %: {end.earliest:%Y-%m-%d} to {latest})"
    )


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f} s"
