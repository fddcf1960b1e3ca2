"""The options that several commands have, and the checks of what is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from seedqueue.backend.errors import InvalidRequest
from seedqueue.selectors.representation import Representation


def within(name: str, least: int, most: int) -> Callable[[int], int]:
    """The check of a number as it is typed; typer's own would print its usage as well."""

    def check(number: int) -> int:
        if not least <= number <= most:
            raise InvalidRequest(f"--{name} is {number}; give a whole number from {least} to {most}.")
        return number

    return check


def _components(number: int | None) -> int | None:
    return None if number is None else within("components", 0, 100_000)(number)


Project = Annotated[
    int, typer.Option(help="the project's number in Label Studio", callback=within("project", 1, 2**63 - 1))
]
Budget = Annotated[str | None, typer.Option(help="the number of tasks  [default: SEEDQUEUE_BUDGET]")]
Tab = Annotated[str | None, typer.Option(help="only the tasks of this Data Manager tab (title or number)")]
Where = Annotated[str, typer.Option(help="only tasks that fulfil this: view=PA and date>=2025-01-01 and id>500")]
WhereNow = Annotated[str | None, typer.Option(help="only tasks that fulfil this  [default: as the standing queue]")]
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
AuditSize = Annotated[
    str | None,
    typer.Option(
        help="tasks drawn at random to estimate performance by, never learnt from  [default: SEEDQUEUE_AUDIT]"
    ),
]
Shown = Annotated[Representation | None, typer.Option(help="raw, standardised or unit  [default: the selector's own]")]
Components = Annotated[
    int | None,
    typer.Option(help="principal components, 0: all  [default: all, 64 beyond 10,000]", callback=_components),
]


def given(**asked: str | None) -> dict[str, str]:
    """The choices that were typed; the settings make the others."""
    return {name: value for name, value in asked.items() if value is not None}
