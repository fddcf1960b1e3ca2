"""From a project's annotations to training examples: who counts, what they said, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seedqueue.backend.agreement import Agreement, Rated, agreement_of
from seedqueue.backend.examples import Drawn, Example
from seedqueue.backend.field_values import group_of, value_of
from seedqueue.backend.label_config import KINDS, PATH_SEPARATOR, Control, Labelling
from seedqueue.backend.regions import REGION_KINDS, Region, read_regions
from seedqueue.backend.spacings import FIELD, spacing_of

Json = Mapping[str, Any]
Classes = tuple[bool, ...]


@dataclass(frozen=True)
class Problem:
    """Something that is not among the examples, and why; annotation: None where it is the task as a whole."""

    task: int
    annotation: int | None
    reason: str


@dataclass(frozen=True)
class Gathered:
    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]
    agreement: Agreement


@dataclass(frozen=True)
class Said:
    """One annotation, read. annotator: the person's number in Label Studio, as text."""

    annotation: int
    annotator: str
    at: datetime
    updated: str
    ground_truth: bool
    seconds: float | None
    classes: Classes | None
    regions: tuple[Region, ...] | None

    @property
    def counts(self) -> bool:
        return self.classes is not None or self.regions is not None

    @property
    def rated(self) -> Rated:
        return Rated(self.annotator, self.classes, self.regions)


def nobody(annotation: int) -> str:
    """The annotator of an annotation without an author: each is another one."""
    return f"annotation {annotation}"


def author_of(annotation: Json) -> str | None:
    """The number in Label Studio of the person who made it, as text; None where nobody is named."""
    by = annotation.get("completed_by")
    return None if by is None else str(by.get("id") if isinstance(by, Mapping) else by)


def examples_from(tasks: Iterable[Json], labelling: Labelling, group_field: str = "") -> Gathered:
    """The examples of Label Studio tasks `{id, data, annotations: [...]}`, at most one a task.

    Skipped annotations are dropped; of one annotator the newest counts; a ground truth counts alone
    (the newest, if several). Annotators are combined by majority: of single choices the most frequent, in a
    tie the one of the earliest annotation; of multiple choices and of pixels what at least half
    have. Without a known choice there is no classification. No region is a mask with nothing in it, since
    the annotator saw the image; but where regions cannot be read, or all have labels that left the
    config or enclose nothing, the annotation has no masks: they would teach that nothing is there.

    group_field: the field of task data with the patient or study; a task without it is its own group.
    """
    examples: list[Example] = []
    problems: list[Problem] = []
    rated: list[list[Rated]] = []
    for task in tasks:
        number = int(task["id"])
        said = one_of_each(said_of(task, labelling, problems), truths=True)
        uri = value_of(task.get("data") or {}, labelling.image_key)
        if said and not (isinstance(uri, str) and uri):
            reason = f"it has no image in the field {labelling.image_key!r} of its data: is it deleted?"
            problems.append(Problem(number, None, reason))
            continue
        rated.append([one.rated for one in said])
        truths = [one for one in said if one.ground_truth]
        counted = [one for one in truths[-1:] or said if one.counts]
        if counted:
            group = group_of(task.get("data"), group_field, number)
            spacing = spacing_of(str((task.get("data") or {}).get(FIELD, "")))
            examples.append(_example(number, str(uri), group, counted, labelling, spacing))
    multiple = labelling.classification_kind == "multi"
    agreement = agreement_of(rated, labelling.classes, multiple, labelling.mask_classes)
    return Gathered(tuple(examples), tuple(problems), agreement)


def said_of(task: Json, labelling: Labelling, problems: list[Problem]) -> list[Said]:
    """What the task's annotations say, in their order of time; what is wrong with them is added to `problems`.

    Skipped ones are not among them; of one annotator there may be several.
    """
    found: list[Said] = []
    number = int(task["id"])
    for annotation in task.get("annotations") or ():
        if annotation.get("was_cancelled"):
            continue
        owner = annotation.get("task")
        if owner not in (None, number):
            reason = f"it belongs to task {owner}, which is not the one that holds it: is that deleted?"
            problems.append(Problem(number, int(annotation["id"]), reason))
            continue
        said, reasons = _read(annotation, labelling)
        problems += [Problem(number, said.annotation, reason) for reason in reasons]
        found.append(said)
    return sorted(found, key=lambda one: (one.at, one.annotation))


def one_of_each(said: Iterable[Said], truths: bool) -> list[Said]:
    """Of each annotator the newest, in their order of time.

    truths: whether somebody's ground truths go before what is none, or behind it.
    """
    ordered = sorted(said, key=lambda one: (one.ground_truth == truths, one.at, one.annotation))
    kept = {one.annotator: one for one in ordered}
    return sorted(kept.values(), key=lambda one: (one.at, one.annotation))


def _read(annotation: Json, labelling: Labelling) -> tuple[Said, list[str]]:
    number, at = int(annotation["id"]), annotation.get("updated_at")
    result = [item for item in annotation.get("result") or () if isinstance(item, Mapping)]
    classes, reasons = _classes(result, labelling.classification)
    regions, more = _regions(result, labelling)
    seconds = annotation.get("lead_time")
    said = Said(
        annotation=number,
        annotator=author_of(annotation) or nobody(number),
        at=moment(at),
        updated=at.isoformat() if isinstance(at, datetime) else str(at),
        ground_truth=bool(annotation.get("ground_truth")),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        classes=classes,
        regions=regions,
    )
    return said, [*_gone(result, labelling), *reasons, *more]


def _classes(result: Sequence[Json], control: Control | None) -> tuple[Classes | None, list[str]]:
    """One bool a class, or None without a known choice; and what is wrong."""
    if control is None:
        return None, []
    chosen: list[str] = []
    for item in result:
        if item.get("from_name") == control.name:
            chosen += _chosen(item.get("value"), control)
    what = "a leaf of the label config's Taxonomy" if control.kind == "taxonomy" else "in the label config"
    reasons = [f"the label {one!r} is not {what}" for one in dict.fromkeys(chosen) if one not in control.labels]
    known = [label for label in control.labels if label in chosen]
    if len(known) > 1 and not control.multiple:
        return None, [*reasons, f"{', '.join(known)} were chosen where one choice is asked for"]
    return (tuple(label in known for label in control.labels) if known else None), reasons


def _chosen(value: Any, control: Control) -> list[str]:
    given = value.get(control.kind) if isinstance(value, Mapping) else None
    listed = given if isinstance(given, list) else []
    return [PATH_SEPARATOR.join(map(str, one)) if isinstance(one, list) else str(one) for one in listed]


def _regions(result: Sequence[Json], labelling: Labelling) -> tuple[tuple[Region, ...] | None, list[str]]:
    """The regions, or None where the masks would lack some; and what is wrong."""
    if not labelling.segmentation:
        return None, []
    names = {control.name for control in labelling.segmentation}
    regions, problems = read_regions(
        [item for item in result if str(item.get("from_name")) in names], labelling.mask_classes
    )
    reasons = [f"region {problem.region}: {problem.reason}" for problem in problems]
    grave = any(not problem.harmless for problem in problems)
    nothing_left = not regions and bool(problems or _gone(result, labelling, regions_only=True))
    return (None if grave or nothing_left else regions), reasons


def _gone(result: Sequence[Json], labelling: Labelling, regions_only: bool = False) -> list[str]:
    """On each control that left the config and has something in the result."""
    known = {control.name for control in labelling.controls} | set(labelling.ignored)
    of_kinds = {name for name, kind in KINDS.items() if kind in REGION_KINDS or not regions_only}
    items = [item for item in result if str(item.get("type")).lower() in of_kinds]
    names = dict.fromkeys(str(item.get("from_name")) for item in items)
    return [f"the control {name!r} is not in the label config" for name in names if name not in known]


def _example(
    task: int,
    uri: str,
    group: str,
    counted: Sequence[Said],
    labelling: Labelling,
    spacing: tuple[float, float] | None,
) -> Example:
    votes = [one.classes for one in counted if one.classes is not None]
    drawn = tuple(one.regions for one in counted if one.regions is not None)
    times = [one.seconds for one in counted if one.seconds is not None]
    return Example(
        task=task,
        uri=uri,
        annotations=tuple(one.annotation for one in counted),
        updated=tuple(one.updated for one in counted),
        ground_truth=counted[0].ground_truth,
        group=group,
        classes=_majority(votes, labelling) if votes else None,
        masks=Drawn(labelling.mask_classes, drawn) if drawn else None,
        seconds=sum(times) if times else None,
        spacing=spacing,
    )


def _majority(votes: Sequence[Classes], labelling: Labelling) -> Classes:
    """votes: in their order of time."""
    if labelling.classification_kind == "multi":
        return tuple(2 * sum(of_class) >= len(votes) for of_class in zip(*votes, strict=True))
    # Counter keeps the order of first occurrence, and max takes the first of equals: the earliest.
    often = Counter(votes)
    return max(often, key=lambda one: often[one])


def moment(given: Any) -> datetime:
    """A time of Label Studio's; what cannot be read counts as the earliest."""
    try:
        at = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
