"""The command line. Each command is a thin shell over one function; errors are told in one line."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from seedqueue.backend import (
    arrivals_cli,
    backup_cli,
    bench_cli,
    connection,
    detaching,
    doctor_cli,
    experiment_cli,
    export_cli,
    folder_cli,
    intake_cli,
    learn_cli,
    learn_screen,
    learning,
    lock_cli,
    logs,
    methods_cli,
    offline_cli,
    people_cli,
    screen,
    seeding,
    settings,
    supervise,
    weights_cli,
    worker,
)
from seedqueue.backend.broker import LANES
from seedqueue.backend.context import Context
from seedqueue.backend.errors import KNOWN, InvalidRequest, problem
from seedqueue.backend.options import (
    AuditSize,
    Budget,
    EmbedderName,
    GroupField,
    NearDuplicate,
    PerGroup,
    Project,
    RandomSeed,
    SelectorName,
    Tab,
    WeakLabelSource,
    Where,
    given,
    within,
)

app = typer.Typer(
    name="seedqueue",
    help="Cold-start annotation of images: put the tasks that represent the pool first in Label Studio's queue.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(weights_cli.app, name="weights")
app.add_typer(bench_cli.app, name="bench")


Wait = Annotated[bool, typer.Option(help="wait until the queue is published")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on", callback=within("port", 0, 65535))] = 9090,
    workers: Annotated[int, typer.Option(min=0, help="worker processes on this machine")] = 1,
) -> None:
    """Backend and workers on one machine, and Redis when REDIS_URL is unset."""
    supervise.serve(settings.load(), supervise.Address(host, port), workers, screen.say)


@app.command("worker")
def work(
    lane: Annotated[
        list[str] | None,
        typer.Option(help="only these jobs: control, embed, learn or experiment, repeatable  [default: all]"),
    ] = None,
) -> None:
    """One more worker, on any machine."""
    loaded = settings.load()
    logs.configure(loaded.log)
    unknown = sorted(set(lane or ()) - set(LANES))
    if unknown:
        raise InvalidRequest(f"There is no lane {unknown[0]!r}; give some of: {', '.join(LANES)}.")
    worker.run(Context(loaded), [one for one in LANES if not lane or one in lane])


@app.command()
def attach(project: Project) -> None:
    """Connect the backend (SEEDQUEUE_BACKEND_URL) to the project, webhook headers included."""
    context = _context()
    s = context.settings
    attached = connection.attach(context.studio, project, s.backend_url, s.basic_auth_user, s.basic_auth_pass)
    screen.say(f"project {project} is connected to {attached.url} (connection {attached.number})")


@app.command()
def seed(
    project: Project,
    budget: Budget = None,
    embedder: EmbedderName = None,
    selector: SelectorName = None,
    random_seed: RandomSeed = None,
    tab: Tab = None,
    where: Where = "",
    weak_label: WeakLabelSource = None,
    group_field: GroupField = None,
    per_group: PerGroup = None,
    near_duplicate: NearDuplicate = None,
    audit: AuditSize = None,
    dry_run: Annotated[bool, typer.Option(help="only show what would be chosen")] = False,
    wait: Wait = True,
) -> None:
    """Make a seed queue, or replace the one that stands."""
    context = _context()
    asked = given(
        budget=budget,
        embedder=embedder,
        selector=selector,
        random_seed=random_seed,
        tab=tab,
        where=where or None,
        weak_label=weak_label,
        group_field=group_field,
        per_group=per_group,
        near_duplicate=near_duplicate,
        audit=audit,
    )
    choices = seeding.choices_from({**asked, "dry_run": dry_run}, context.settings)
    run = seeding.request_seed(context, project, choices)
    screen.follow(context, run, wait=wait)


@app.command()
def extend(project: Project, budget: Annotated[str, typer.Option(help="the new length")], wait: Wait = True) -> None:
    """Lengthen the seed queue: the tasks that stand in it keep their ranks."""
    context = _context()
    screen.follow(context, seeding.request_extension(context, project, budget), wait=wait)


@app.command()
def undo(project: Project) -> None:
    """Take the seed queue away: sampling, model version, title and tabs as they were before."""
    run = detaching.undo(_context(), project)
    screen.say(f"project {project} is as it was before its first seed queue ({run.version} was the last)")


@app.command()
def status(project: Project) -> None:
    """What stands, what is under way, and which images could not be read."""
    context = _context()
    found = seeding.status(context, project)
    screen.show_status(found)
    if found.run is not None:
        learn_screen.show_summary(learning.told(context, project))


@app.command()
def queue(project: Project) -> None:
    """The seed queue that stands, in rank order."""
    run, tasks = seeding.standing_queue(_context(), project)
    screen.show_queue(f"{run.version} of project {run.project}", tasks)


for commands in (learn_cli, lock_cli, intake_cli, people_cli, arrivals_cli, export_cli, methods_cli, offline_cli):
    commands.add_to(app)
app.command()(doctor_cli.doctor)
app.command()(backup_cli.backup)
app.command()(backup_cli.restore)
app.command()(folder_cli.select)
app.command()(folder_cli.report)
app.command()(experiment_cli.experiment)


def _context() -> Context:
    return Context(settings.load())


def main() -> NoReturn:
    """The entry point: our errors end with one line on standard error and exit code 1."""
    try:
        app()
    except KNOWN as error:
        found = problem(error)
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"{found.name}: {found.message}")
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
