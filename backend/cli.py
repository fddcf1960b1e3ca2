"""The command line. Each command is a thin shell over one function; errors are told in one line."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from seedqueue.backend import (
    connection,
    report_folder,
    report_words,
    screen,
    seeding,
    settings,
    supervise,
    weights_cli,
    worker,
)
from seedqueue.backend.bench import embed as bench
from seedqueue.backend.bench import selection as selection_bench
from seedqueue.backend.bench.rows import as_json, as_table, choices_table
from seedqueue.backend.context import Context
from seedqueue.backend.demo.phantoms import write_phantoms
from seedqueue.backend.errors import KNOWN, InvalidRequest, problem
from seedqueue.backend.folder import check_out, list_images
from seedqueue.backend.folder_queue import Tables, select_folder, write_queue_csv
from seedqueue.models import registry as embedders
from seedqueue.selectors.representation import Representation

app = typer.Typer(
    name="seedqueue",
    help="Cold-start annotation of images: put the tasks that represent the pool first in Label Studio's queue.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(weights_cli.app, name="weights")
bench_app = typer.Typer(help="The product's speed beside its peers', in one run.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")


def _within(name: str, least: int, most: int) -> Callable[[int], int]:
    """The check of a number as it is typed; typer's own would print its usage as well."""

    def check(number: int) -> int:
        if not least <= number <= most:
            raise InvalidRequest(f"--{name} is {number}; give a whole number from {least} to {most}.")
        return number

    return check


def _pool_sizes(numbers: list[int] | None) -> list[int] | None:
    return numbers and [_within("rows", 2, 1_000_000)(number) for number in numbers]


def _components(number: int | None) -> int | None:
    return None if number is None else _within("components", 0, 100_000)(number)


Project = Annotated[
    int, typer.Option(help="the project's number in Label Studio", callback=_within("project", 1, 2**63 - 1))
]
Budget = Annotated[str | None, typer.Option(help="the number of tasks  [default: SEEDQUEUE_BUDGET]")]
EmbedderName = Annotated[str | None, typer.Option(help="the embedder  [default: SEEDQUEUE_EMBEDDER]")]
SelectorName = Annotated[str | None, typer.Option(help="the selector  [default: SEEDQUEUE_SELECTOR]")]
RandomSeed = Annotated[str | None, typer.Option(help="the random seed  [default: SEEDQUEUE_RANDOM_SEED]")]
WeakLabelSource = Annotated[
    str | None, typer.Option(help="findings, field:NAME or keywords:FIELD:WORD,WORD  [default: SEEDQUEUE_WEAK_LABEL]")
]
GroupField = Annotated[
    str | None, typer.Option(help="field with the patient or study  [default: SEEDQUEUE_GROUP_FIELD]")
]
PerGroup = Annotated[str | None, typer.Option(help="at most so many of a group  [default: SEEDQUEUE_PER_GROUP]")]
NearDuplicate = Annotated[
    str | None, typer.Option(help="cosine of near duplicates, 0: off  [default: SEEDQUEUE_NEAR_DUPLICATE]")
]
Wait = Annotated[bool, typer.Option(help="wait until the queue is published")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on", callback=_within("port", 0, 65535))] = 9090,
    workers: Annotated[int, typer.Option(min=0, help="worker processes on this machine")] = 1,
) -> None:
    """Backend and workers on one machine, and Redis when REDIS_URL is unset."""
    supervise.serve(settings.load(), supervise.Address(host, port), workers, screen.say)


@app.command("worker")
def work() -> None:
    """One more worker, on any machine."""
    logging.basicConfig(level=logging.WARNING, format="worker: %(message)s")
    worker.run(_context())


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
    tab: Annotated[str | None, typer.Option(help="only the tasks of this Data Manager tab (title or number)")] = None,
    weak_label: WeakLabelSource = None,
    group_field: GroupField = None,
    per_group: PerGroup = None,
    near_duplicate: NearDuplicate = None,
    wait: Wait = True,
) -> None:
    """Make a seed queue, or replace the one that stands."""
    context = _context()
    given = _given(
        budget=budget,
        embedder=embedder,
        selector=selector,
        random_seed=random_seed,
        tab=tab,
        weak_label=weak_label,
        group_field=group_field,
        per_group=per_group,
        near_duplicate=near_duplicate,
    )
    run = seeding.request_seed(context, project, seeding.choices_from(given, context.settings))
    screen.follow(context, run, wait=wait)


@app.command()
def extend(project: Project, budget: Annotated[str, typer.Option(help="the new length")], wait: Wait = True) -> None:
    """Lengthen the seed queue: the tasks that stand in it keep their ranks."""
    context = _context()
    screen.follow(context, seeding.request_extension(context, project, budget), wait=wait)


@app.command()
def undo(project: Project) -> None:
    """Take the seed queue away: sampling, model version, title and tabs as they were before."""
    run = seeding.undo(_context(), project)
    screen.say(f"project {project} is as it was before its first seed queue ({run.version} was the last)")


@app.command()
def status(project: Project) -> None:
    """What stands, what is under way, and which images could not be read."""
    screen.show_status(seeding.status(_context(), project))


@app.command()
def queue(project: Project) -> None:
    """The seed queue that stands, in rank order."""
    run, tasks = seeding.standing_queue(_context(), project)
    screen.show_queue(f"{run.version} of project {run.project}", tasks)


@app.command()
def select(
    images: Annotated[Path, typer.Option(help="folder of images, with its subfolders")],
    out: Annotated[Path, typer.Option(help="the CSV file to write: rank,file,cluster,weight")],
    budget: Budget = None,
    embedder: EmbedderName = None,
    selector: SelectorName = None,
    random_seed: RandomSeed = None,
    weak_label: WeakLabelSource = None,
    group_field: GroupField = None,
    per_group: PerGroup = None,
    near_duplicate: NearDuplicate = None,
    fields: Annotated[Path | None, typer.Option(help="CSV: file, and what task data would hold")] = None,
    labelled: Annotated[Path | None, typer.Option(help="CSV: file; images that have a label: covered ground")] = None,
    extends: Annotated[Path | None, typer.Option(help="an earlier queue.csv, lengthened to the budget")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="CSV: file and a column for each class, for the selectors of later rounds")
    ] = None,
    representation: Annotated[
        Representation | None, typer.Option(help="raw, standardised or unit  [default: the selector's own]")
    ] = None,
    components: Annotated[
        int | None,
        typer.Option(help="principal components, 0: all  [default: all, 64 beyond 10,000]", callback=_components),
    ] = None,
) -> None:
    """The same choice on a folder of images, without Label Studio."""
    loaded = settings.load()
    given = _given(
        budget=budget,
        embedder=embedder,
        selector=selector,
        random_seed=random_seed,
        weak_label=weak_label,
        group_field=group_field,
        per_group=per_group,
        near_duplicate=near_duplicate,
    )
    choices = seeding.choices_from(given, loaded)
    tables = Tables(fields=fields, labelled=labelled, extends=extends, predictions=predictions)
    tables.check(choices)
    check_out(out)
    model = embedders.create(choices.embedder, loaded.weights, Context(loaded).runtime)
    with screen.progress_bar("embedding") as advance:
        chosen = select_folder(
            images,
            choices,
            model,
            max_pixels=loaded.max_image_pixels,
            progress=advance,
            frames=loaded.dicom_frames,
            tables=tables,
            representation=representation,
            components=components,
        )
    write_queue_csv(chosen, out)
    for file, reason in chosen.unreadable:
        screen.warn(f"unreadable, skipped: {file}: {reason}")
    screen.say(f"{len(chosen.rows)} images in {out} ({len(chosen.unreadable)} unreadable)")


@app.command()
def report(
    images: Annotated[Path, typer.Option(help="folder of images, with its subfolders")],
    out: Annotated[Path, typer.Option(help="the HTML file to write: one page, all in it")],
    json: Annotated[Path | None, typer.Option(help="a JSON file with the same numbers, and more")] = None,
    budget: Budget = None,
    embedder: EmbedderName = None,
    selector: SelectorName = None,
    random_seed: RandomSeed = None,
    weak_label: WeakLabelSource = None,
    group_field: GroupField = None,
    per_group: PerGroup = None,
    near_duplicate: NearDuplicate = None,
    fields: Annotated[Path | None, typer.Option(help="CSV: file, and what task data would hold")] = None,
    labelled: Annotated[Path | None, typer.Option(help="CSV: file; images that have a label: covered ground")] = None,
) -> None:
    """How well a choice covers a folder of images and how stable it is, before anyone labels."""
    loaded = settings.load()
    given = _given(
        budget=budget,
        embedder=embedder,
        selector=selector,
        random_seed=random_seed,
        weak_label=weak_label,
        group_field=group_field,
        per_group=per_group,
        near_duplicate=near_duplicate,
    )
    choices = seeding.choices_from(given, loaded)
    tables = Tables(fields=fields, labelled=labelled)
    tables.check(choices)
    for path in (out, json):
        if path is not None:
            check_out(path)
    model = embedders.create(choices.embedder, loaded.weights, Context(loaded).runtime)
    max_pixels, frames = loaded.max_image_pixels, loaded.dicom_frames
    with screen.progress_bar("embedding") as advance:
        pool = report_folder.embed_folder(
            images, choices.budget, model, max_pixels=max_pixels, progress=advance, frames=frames
        )
    with screen.progress_bar("choosing") as advance:
        found = report_folder.report_on(pool, choices, model, tables, advance)
    told = report_folder.ran(pool, model, datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"))
    report_folder.write_report(pool, found, told, out, json, max_pixels, frames)
    for file, reason in pool.unreadable:
        screen.warn(f"unreadable, skipped: {file}: {reason}")
    for line in report_words.summary(found):
        screen.say(line)
    screen.say(f"{out}{f' and {json}' if json else ''} ({len(pool.unreadable)} unreadable)")


@bench_app.command("embed")
def bench_embed(
    images: Annotated[Path | None, typer.Option(help="folder of images to measure with  [default: phantoms]")] = None,
    count: Annotated[int, typer.Option(help="how many of them", callback=_within("count", 16, 10_000))] = 32,
    rounds: Annotated[
        int, typer.Option(help="rounds, of which the best counts", callback=_within("rounds", 1, 100))
    ] = 3,
    json: Annotated[bool, typer.Option("--json", help="one JSON object a row")] = False,
) -> None:
    """Embedding on one core beside torchxrayvision, eager PyTorch and ONNX Runtime."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = list_images(images)[:count] if images else write_phantoms(place / "phantoms", count)
        rows = bench.run(files, place, rounds, screen.warn)
    print(as_json(rows) if json else as_table(rows))


@bench_app.command("select")
def bench_select(
    rows: Annotated[
        list[int] | None,
        typer.Option(help="a pool of so many, repeatable  [default: 1000, 10000, 100000]", callback=_pool_sizes),
    ] = None,
    budget: Annotated[int, typer.Option(help="how many are chosen", callback=_within("budget", 1, 100_000))] = 100,
    embeddings: Annotated[Path | None, typer.Option(help="a matrix from np.save  [default: drawn ones]")] = None,
    million: Annotated[
        bool, typer.Option("--million", help="1,000 of 1,000,000 in a file, alone without --rows")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON object a row")] = False,
) -> None:
    """Selectors on one core beside scikit-learn, faiss and scikit-activeml."""
    sizes = rows or ([] if million else selection_bench.SIZES)
    with tempfile.TemporaryDirectory() as folder:
        found = selection_bench.run(sizes, budget, embeddings, Path(folder), screen.warn, streamed=million)
    print(as_json(found) if json else choices_table(found))


def _given(**asked: str | None) -> dict[str, str]:
    """The choices that were typed; the settings make the others."""
    return {name: value for name, value in asked.items() if value is not None}


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
