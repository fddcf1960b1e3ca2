"""Seed queues as a person asks for them: request, extend, undo, status.

Every trigger (CLI, REST, "Start Training") comes through here; the work itself is in `jobs`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from seedqueue.backend import (
    connection,
    field_jobs,
    filters,
    patience,
    progress,
    publish,
    serving,
    settings,
    steps,
    waking,
)
from seedqueue.backend.context import Context
from seedqueue.backend.errors import KNOWN, InvalidRequest, NoSeedQueue, RunInProgress
from seedqueue.backend.head_signals import head_for
from seedqueue.backend.pool import describe
from seedqueue.backend.pool_errors import EmptyProject
from seedqueue.backend.progress import Progress
from seedqueue.backend.publish import Before
from seedqueue.backend.records import VERSION, Choices, QueuedTask, Run, Unreadable
from seedqueue.backend.weak_labels import FORMS, parse
from seedqueue.models import registry as embedders
from seedqueue.selectors import registry as selectors
from seedqueue.selectors.errors import BudgetExceedsPool, InvalidBudget

LONGEST_NUMBER = 20  # Python refuses to read one of thousands of digits

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """What stands and what is under way in a project. `run` is the newest run, None before the first."""

    project: int
    run: Run | None
    progress: Progress | None
    published: Run | None
    unreadable: list[Unreadable]
    waiting: str = ""  # for what the run waits, where it cannot go on at the moment


def choices_from(given: Mapping[str, Any], defaults: settings.Settings) -> Choices:
    """Choices from a request's fields; what is missing comes from the settings.

    Raises `InvalidBudget`, `UnknownEmbedder`, `UnknownSelector`, `InvalidRequest` for unknown fields.
    """
    known = {field.name for field in fields(Choices)} - {"extends"}
    unknown = sorted(set(given) - known)
    if unknown:
        raise InvalidRequest(f"Unknown choice {unknown[0]!r}; known are: {', '.join(sorted(known))}.")
    choices = Choices(
        budget=_budget(given.get("budget", defaults.budget)),
        embedder=embedders.full_name(str(given.get("embedder") or defaults.embedder)),
        selector=selectors.get(str(given.get("selector") or defaults.selector)).name,
        random_seed=_whole("random_seed", given.get("random_seed", defaults.random_seed), 0),
        tab=_words("tab", given.get("tab")) or None,
        where=_words("where", given.get("where")),
        weak_label=_words("weak_label", given.get("weak_label")) or defaults.weak_label,
        group_field=_words("group_field", given.get("group_field", defaults.group_field)),
        per_group=_whole("per_group", given.get("per_group", defaults.per_group), 1),
        near_duplicate=_share("near_duplicate", given.get("near_duplicate", defaults.near_duplicate)),
        audit=_whole("audit", given.get("audit", defaults.audit), 0),
        dry_run=_yes("dry_run", given.get("dry_run", False)),
    )
    filters.parse(choices.where)
    if choices.weak_label:
        parse(choices.weak_label)
    return choices


def check_for_seeding(choices: Choices) -> None:
    """Refuse, before an hour of embedding, a selector that a seed queue cannot feed. Raises `InvalidRequest`."""
    entry = selectors.get(choices.selector)
    if not entry.first_round:
        known = ", ".join(each.name for each in selectors.entries() if each.first_round and each.offered)
        raise InvalidRequest(
            f"The selector {entry.name!r} needs a trained head's predictions, which a seed queue has not; "
            f"choose one of: {known}."
        )
    if "weak_labels" in entry.needs and not choices.weak_label:
        raise InvalidRequest(f"The selector {entry.name!r} needs a weak label to go by: give weak_label as {FORMS}.")


def request_seed(context: Context, project: int, choices: Choices) -> Run:
    """Start a run and return it at once; asking twice for the same is asking once.

    Raises `ProjectNotFound`, `NoImageInLabelConfig`, `EmptyProject`, `BudgetExceedsPool`, `RunInProgress`
    and the connections' errors.
    """
    check_for_seeding(choices)
    return _request(context, project, choices)


def request_round(context: Context, project: int, given: Mapping[str, Any]) -> Run:
    """A round after the seed queue, chosen by what a head says; it takes the place of the standing queue.

    What is not given is as it was in the standing run, but for the selector: `uncertainty-herding`, or
    `pixel-entropy` where masks are all that was learnt. Raises `NoSeedQueue`, `NoTrainedHead`, and what
    `request_seed` does.
    """
    standing = context.records.published_run(project)
    if standing is None:
        raise NoSeedQueue(project)
    usual = "uncertainty-herding" if "classes" in context.versions.serving(project) else "pixel-entropy"
    before = {name: value for name, value in asdict(standing.choices).items() if name != "extends"}
    choices = choices_from({**before, "selector": usual, **given}, context.settings)
    if not selectors.get(choices.selector).first_round:
        head_for(context, project, choices.selector, standing.fingerprint)
    return _request(context, project, choices)


def _request(context: Context, project: int, choices: Choices) -> Run:
    context.broker.ping()
    described = describe(context.studio, project)
    if described.unlabelled == 0:
        raise EmptyProject(project)
    if choices.extends is None and choices.budget > described.unlabelled:
        raise BudgetExceedsPool(choices.budget, described.unlabelled)
    with context.broker.lock(f"request-{project}"):
        latest = context.records.latest_run(project)
        if latest is not None and latest.active:
            if latest.choices == choices:
                return latest
            raise RunInProgress(project, latest.number, latest.state)
        run = Run(project, next_number(context, project), "requested", choices)
        context.records.save_run(run)
        steps.enqueue_start(context, run)
    logger.info("project %d run %d: requested, budget %d", project, run.number, choices.budget)
    return run


def request_extension(context: Context, project: int, budget: object) -> Run:
    """Lengthen the standing queue to `budget` tasks; the first ones keep their ranks.

    Raises `NoSeedQueue`; `InvalidRequest` where the queue is that long already.
    """
    wanted = _budget(budget)
    standing = context.records.published_run(project)
    if standing is None:
        raise NoSeedQueue(project)
    length = sum(not one.audit for one in context.records.queue(project, standing.number))
    if wanted <= length:
        raise InvalidRequest(f"The seed queue of project {project} has {length} tasks; {wanted} is no extension.")
    choices = replace(standing.choices, budget=wanted, extends=standing.number)
    return request_seed(context, project, choices)


def start_training(project: int, since: float | None = None) -> None:
    """The job behind "Start Training": a training, and on a project without a seed queue the queue.

    Label Studio sends no parameters with it, and shows no answer: budget and choices are read from the
    connection now, and what is wrong with them is recorded as a failed run that `status` shows.
    """
    with Context(settings.load()) as context:
        try:
            _start_training(context, project)
        except KNOWN as error:
            since = time.time() if since is None else since
            if not patience.is_passing(error) or time.time() - since > context.pace.patience:
                raise
            logger.warning("Start Training on project %s waits: %s", project, error)
            delay = context.pace.longest_pause
            context.broker.enqueue("control", "seeding.start_training", project, since, delay=delay)
            return
        waking.taken_up(context.broker, project)


def _start_training(context: Context, project: int) -> None:
    if context.records.published_run(project) is not None:
        waking.ask(context.broker, project)
        return
    try:
        present = connection.connections(context.studio, project)
        ours = [one for one in present if one.url == context.settings.backend_url] or present[:1]
        given = connection.extra_params(ours[0] if ours else None)
        request_seed(context, project, choices_from(given, context.settings))
    except patience.PASSING:
        raise
    except RunInProgress:
        latest = context.records.latest_run(project)
        if latest is not None and latest.choices.dry_run:  # which leaves no queue: what was asked for comes after it
            context.broker.enqueue("control", "seeding.start_training", project, delay=context.pace.after_dry_run)
    except KNOWN as error:
        logger.warning("Start Training on project %s: %s", project, error)
        _record_refusal(context, project, str(error))


def _record_refusal(context: Context, project: int, message: str) -> None:
    """A failed run that was never begun, for `status` to show."""
    s = context.settings
    with context.broker.lock(f"request-{project}"):
        latest = context.records.latest_run(project)
        if latest is None or not latest.active:
            choices = Choices(s.budget, s.embedder, s.selector, s.random_seed)
            number = next_number(context, project)
            context.records.save_run(Run(project, number, "failed", choices, error=message))


def undo(context: Context, project: int) -> Run:
    """Cancel what runs and give the project back as it stood before its first seed queue.

    Raises `NoSeedQueue` where there is nothing to undo.
    """
    with context.broker.lock(f"request-{project}"):
        records, undone = context.records, context.records.last_undone(project)
        since = [run for run in records.runs(project) if run.number > undone]
        if not records.since(undone, "before", project) and not any(run.active for run in since):
            raise NoSeedQueue(project)
        for run in since:
            _stop(context, run)
        with context.broker.lock(f"publish-{project}"):
            begun = records.since(undone, "before", project)  # a publication under way may just have begun
            if begun:
                serving.take_away(context, project, Before(**begun[0]), since)
            last = since[-1].moved("undone")
            records.save_run(last)
        field_jobs.ask(context, project)
    return last


def _stop(context: Context, run: Run) -> None:
    """Take a run's jobs out of their queues; those under way find that it ended."""
    context.broker.cancel(steps.job_prefix(run))
    with context.broker.lock(f"run-{steps.progress_key(run)}"):
        current = context.records.run(run.project, run.number)
        if current is not None and current.active:
            context.records.save_run(current.moved("undone"))


def next_number(context: Context, project: int) -> int:
    """One more than any run of ours, and than any of our versions in Label Studio that another home has made."""
    prefix = f"{VERSION} "
    stored = [version.removeprefix(prefix) for version in publish.versions(context.studio, project)]
    foreign = [int(number) for number in stored if number.isdecimal()]
    return 1 + max([0, *foreign, *(run.number for run in context.records.runs(project))])


def status(context: Context, project: int) -> Status:
    """Raises `ProjectNotFound` for a project that neither we nor Label Studio know."""
    run = context.records.latest_run(project)
    if run is None:
        context.studio.call("GET", f"/api/projects/{project}", project=project)
    active = run if run and run.active else None
    embedded = progress.of(context.broker, steps.progress_key(active)) if active else None
    waiting = patience.reason(context.broker, steps.progress_key(active)) if active else ""
    unreadable = context.records.unreadable(project, run.number) if run else []
    published = context.records.published_run(project)
    return Status(project, run, embedded, published, unreadable, waiting)


def standing_queue(context: Context, project: int) -> tuple[Run, list[QueuedTask]]:
    """The published queue in rank order. Raises `NoSeedQueue`."""
    run = context.records.published_run(project)
    if run is None:
        raise NoSeedQueue(project)
    return run, context.records.queue(project, run.number)


def _budget(value: object) -> int:
    if isinstance(value, str) and len(value) < LONGEST_NUMBER and value.strip().lstrip("+").isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidBudget(value)
    return value


def _words(name: str, value: object) -> str:
    """Text, or a number as text (a tab may be named by its own); "" for none."""
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise InvalidRequest(f"{name} is {value!r}; give text.")
    return str(value)


def _share(name: str, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise InvalidRequest(f"{name} is {value!r}; give a number from 0 to 1.")
    return number


def _yes(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} is {value!r}; give true or false.")
    return value


def _whole(name: str, value: object, least: int) -> int:
    if isinstance(value, str) and len(value) < LONGEST_NUMBER and value.strip().isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidRequest(f"{name} is {value!r}; give a whole number of at least {least}.")
    return value
