"""The commands about heads: train, versions, promote, rollback, learning, round."""

from __future__ import annotations

from typing import Annotated

import typer

from seedqueue.backend import learn_screen, learning, screen, seeding, settings
from seedqueue.backend.context import Context
from seedqueue.backend.options import Budget, Project, RandomSeed, SelectorName, Tab, WhereNow, given, within

HeadName = Annotated[
    str | None, typer.Option(help="linear, vgg11 or unet-vgg11  [default: all that train of themselves]")
]
Wait = Annotated[bool, typer.Option(help="wait until it has ended")]


def train(project: Project, head: HeadName = None, wait: Wait = True) -> None:
    """Train on the annotations now, whatever is due."""
    context = _context()
    before = learning.told(context, project).last
    learning.request_training(context, project, head)
    learn_screen.follow(context, project, before, wait=wait)


def versions(project: Project) -> None:
    """All versions of the heads: what each learnt from, what a held-out set says, which serve."""
    learn_screen.show_versions(project, _context().versions.all(project))


def promote(
    project: Project,
    version: Annotated[int, typer.Option(help="the version's number", callback=within("version", 1, 2**63 - 1))],
) -> None:
    """Let a version serve, whatever its figures say."""
    now = learning.promote(_context(), project, version)
    screen.say(f"{now.name} serves project {project}")


def rollback(
    project: Project, head: Annotated[str | None, typer.Option(help="which, where the project has two")] = None
) -> None:
    """Let the version serve that did before the one that serves now."""
    now = learning.roll_back(_context(), project, head)
    screen.say(f"{now.name} serves project {project} again")


def show_learning(project: Project) -> None:
    """The learning curves on the held-out tasks, and whether more labels are likely to pay."""
    with _context() as context:
        learn_screen.show_learning(project, learning.told(context, project), learning.overview(context, project))


def next_round(
    project: Project,
    budget: Budget = None,
    selector: SelectorName = None,
    random_seed: RandomSeed = None,
    tab: Tab = None,
    where: WhereNow = None,
    wait: Wait = True,
) -> None:
    """The next round: tasks chosen by what a head says, published like a seed queue."""
    context = _context()
    asked = given(budget=budget, selector=selector, random_seed=random_seed, tab=tab, where=where)
    screen.follow(context, seeding.request_round(context, project, asked), wait=wait)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("train")(train)
    app.command("learning")(show_learning)
    app.command("round")(next_round)
    app.command("versions")(versions)
    app.command("promote")(promote)
    app.command("rollback")(rollback)


def _context() -> Context:
    return Context(settings.load())
