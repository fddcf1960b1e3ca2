"""`make demo`: the main job on a fresh Label Studio, from an empty project to an annotator's queue."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seedqueue.backend import connection, screen, seeding, settings
from seedqueue.backend.children import Children, free_port, signals_interrupt, until_interrupted
from seedqueue.backend.context import Context
from seedqueue.backend.demo import backend
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.demo.label_studio import LabelStudioServer, sign_up
from seedqueue.backend.demo.phantoms import write_phantoms
from seedqueue.backend.demo.project import create_project, upload
from seedqueue.backend.errors import KNOWN, QueueOutOfOrder, problem
from seedqueue.backend.folder import list_images
from seedqueue.backend.records import QueuedTask
from seedqueue.models import registry as embedders
from seedqueue.models.downloads import Token
from seedqueue.models.errors import WeightsByHand, WeightsGated, WeightsMissing, WeightsUnreachable
from seedqueue.selectors.errors import BudgetExceedsPool

WORKERS = 2


@dataclass(frozen=True)
class Arguments:
    """What `make demo` hands over."""

    images: Path | None
    budget: str
    embedder: str | None
    once: bool
    label_studio: Path


def main() -> int:
    """Run the demo; 0 when the queue was read back in rank order."""
    arguments = _arguments(sys.argv[1:])
    try:
        with (
            signals_interrupt(),
            tempfile.TemporaryDirectory(prefix="seedqueue-demo-", ignore_cleanup_errors=True) as folder,
            Children() as children,
        ):
            _run(arguments, Path(folder), children)
    except KeyboardInterrupt:
        screen.say("\nstopped: no process and no file is left behind")
    except KNOWN as error:
        found = problem(error)
        screen.warn(f"{found.name}: {found.message}")
        return 1
    return 0


def _run(arguments: Arguments, folder: Path, children: Children) -> None:
    base = settings.load()
    embedder = arguments.embedder or _available(base)
    files = _images(arguments.images, folder)
    choices = seeding.choices_from({"budget": arguments.budget, "embedder": embedder}, base)
    if choices.budget > len(files):
        raise BudgetExceedsPool(choices.budget, len(files))
    server = _label_studio(arguments.label_studio, folder, children)
    port = free_port()
    context = Context(
        replace(
            base,
            label_studio_url=server.url,
            label_studio_api_key=server.token,
            label_studio_public_url="",
            backend_url=f"http://127.0.0.1:{port}",
            home=folder / "home",
        )
    )
    backend.start(children, context.settings, port, WORKERS, folder / "backend.log")
    project = create_project(context.studio, "seedqueue demo")
    with screen.progress_bar("importing") as advance:
        upload(context.studio, project, files, advance)
    connection.attach(context.studio, project, context.settings.backend_url)
    run = seeding.request_seed(context, project, choices)
    screen.follow(context, run, wait=True)
    _, queue = seeding.standing_queue(context, project)
    _read_back(server, project, queue)
    _farewell(server, context, project, arguments.once)


def _available(base: settings.Settings) -> str:
    """The default embedder, its weights fetched where that is possible, else `hog`; said in a sentence."""
    name = embedders.full_name(base.embedder)
    try:
        embedders.create(name, base.weights, Context(base).runtime)
    except WeightsMissing as missing:
        try:
            screen.say(f"fetching the weights of {name} ...")
            with screen.downloads() as advance:
                embedders.fetch_weights(name, base.weights, advance, Token(base.hub_token))
        except (WeightsUnreachable, WeightsGated, WeightsByHand):
            screen.say(
                f"The weights of {name} ({missing.file}) are not in {base.weights} and cannot be fetched from here, "
                "so this demo uses hog, a classical embedder that needs none."
            )
            return "hog"
    return name


def _images(given: Path | None, folder: Path) -> list[Path]:
    if given is not None:
        return list_images(given)
    screen.say("No IMAGES=folder was given: the images are synthetic, radiograph-like phantoms drawn just now.")
    return write_phantoms(folder / "phantoms")


def _label_studio(executable: Path, folder: Path, children: Children) -> LabelStudioServer:
    server = LabelStudioServer(children, executable, folder / "label-studio")
    screen.say("Starting a fresh Label Studio ...")
    with screen.waiting("Label Studio starts") as waited:
        server.start(progress=waited)
    return server


def _read_back(server: LabelStudioServer, project: int, queue: Sequence[QueuedTask]) -> None:
    """Take the tasks as an annotator gets them, print them, and leave the queue as it was."""
    token = sign_up(server, "annotator@seedqueue.example", secrets.token_urlsafe(12))
    annotator = Annotator(server.url, token, project)
    served = annotator.work(len(queue))
    annotator.take_back(served)
    wanted, got = [task.task for task in queue], [one.task for one in served]
    if wanted != got:
        raise QueueOutOfOrder(wanted, got)
    screen.say(f"\nRead back with {len(got)} next-task calls of a new annotator, in this order:")
    screen.show_queue(f"the first {len(queue)} tasks of project {project}", queue)


def _farewell(server: LabelStudioServer, context: Context, project: int, once: bool) -> None:
    if once:
        return
    screen.say(f"Label Studio   {server.url}/projects/{project}/data")
    screen.say(f"  login        {server.username} / {server.password}")
    screen.say(f"Its page       {context.settings.backend_url}/ui/#/project/{project}/seed")
    screen.say("Ctrl-C ends everything.")
    until_interrupted()
    raise KeyboardInterrupt


def _arguments(argv: Sequence[str]) -> Arguments:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--images", type=Path, help="folder of images; without it phantoms are drawn")
    parser.add_argument("--budget", default="20", help="tasks in the seed queue")
    parser.add_argument("--embedder", help="the embedder; without it the default one, or hog")
    parser.add_argument("--once", action="store_true", help="end after printing the queue")
    parser.add_argument("--label-studio", type=Path, default=Path(".venv-label-studio/bin/label-studio"))
    given = parser.parse_args(argv)
    return Arguments(given.images, given.budget, given.embedder, given.once, given.label_studio)


if __name__ == "__main__":
    sys.exit(main())
