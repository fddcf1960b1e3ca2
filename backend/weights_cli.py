"""`seedqueue weights`: where the embedders' weights come from, which are here, and how they get here."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.filesize import decimal

from seedqueue.backend import screen, settings
from seedqueue.backend.children import signals_interrupt
from seedqueue.models import inventory
from seedqueue.models import registry as embedders
from seedqueue.models.downloads import Token
from seedqueue.models.inventory import FileState, WeightsState

app = typer.Typer(help="The weight files of the embedders.", no_args_is_help=True)

WIDTH = 78
INDENT = "    "

Embedder = Annotated[str, typer.Argument(help="the embedder, such as txrv")]


@app.command("list")
def list_weights(
    embedder: Annotated[str | None, typer.Argument(help="one family with all its variants, or one variant")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="all that is known, for programs")] = False,
) -> None:
    """Each embedder's weights: here or not, licence, gate, size, where they come from, how to get them."""
    folder = settings.load().weights
    states = inventory.of(folder, embedder) if embedder else inventory.every(folder)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "embedders": [_fields(state) for state in states]}, indent=2))
        return
    _tell([*_lines(states), "", f"in {folder}"])


@app.command()
def fetch(embedder: Embedder) -> None:
    """Download an embedder's weights into SEEDQUEUE_WEIGHTS, each file checked."""
    loaded = settings.load()
    with signals_interrupt(), screen.downloads() as advance:
        new = embedders.fetch_weights(embedder, loaded.weights, advance, Token(loaded.hub_token))
    _tell(new or ["all of them were here and in order"])


@app.command()
def add(
    embedder: Embedder,
    path: Annotated[Path, typer.Argument(help="the file, or the folder that holds the files")],
) -> None:
    """Copy weights that you downloaded yourself into SEEDQUEUE_WEIGHTS, each file checked."""
    with signals_interrupt():
        placed = embedders.add_weights(embedder, settings.load().weights, path.expanduser())
    _tell(placed)


def _tell(lines: Sequence[object]) -> None:
    for line in lines:
        screen.say(str(line))


def _lines(states: Sequence[WeightsState]) -> Iterator[str]:
    """A row for each, and under the first of several with the same origin what is to be known of it."""
    yield _row("embedder", "present", "size")
    yield "─" * WIDTH
    told: object = None
    for state in states:
        origin = state.source and (state.embedder.partition(":")[0], state.source.page, state.source.licence)
        is_new = origin is None or origin != told
        if is_new and told is not None:
            yield ""
        told = origin or state
        yield _row(state.embedder, state.present or "", _size(state.size) if state.source else "")
        yield from _faults(state)
        yield from _origin(state) if is_new else ()


def _row(name: str, present: str, size: str) -> str:
    return f"{name:<{WIDTH - 20}}  {present:<8}{size:>10}".rstrip()


def _faults(state: WeightsState) -> Iterator[str]:
    for each in state.files:
        if each.fault:
            yield from _wrapped(f"damaged: {each.path}: {each.fault}")
        elif state.present == "partly" and not each.path and not each.file.optional:
            yield from _wrapped(f"missing: {each.file.name}")


def _origin(state: WeightsState) -> Iterator[str]:
    yield from _wrapped(state.hint or "")
    if state.source:
        gate = state.source.gate
        is_open = gate is None and all(each.file.url for each in state.files)
        extra = f" · needs seedqueue[{state.extra}]" if state.extra else ""
        yield from _wrapped(f"{state.source.licence}{' · open' if is_open else ''}{extra}")
        yield from _wrapped(f"gate: {gate}" if gate else "")
        # To be copied, hence each in one line.
        yield INDENT + state.source.page
        yield f"{INDENT}{state.command}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT, break_long_words=False, break_on_hyphens=False
    )


def _size(size: int | None) -> str:
    return "?" if size is None else decimal(size)


def _fields(state: WeightsState) -> dict[str, Any]:
    source = state.source
    return {
        "embedder": state.embedder,
        "present": state.present,
        "licence": source and source.licence,
        "gate": source and source.gate,
        "page": source and source.page,
        "size": state.size,
        "command": state.command,
        "extra": state.extra,
        "hint": state.hint,
        "files": [_file(each) for each in state.files],
    }


def _file(state: FileState) -> dict[str, Any]:
    return {
        "name": state.file.name,
        "url": state.file.url,
        "optional": state.file.optional,
        "size": state.file.size or (state.path.stat().st_size if state.path else None),
        "sha256": state.sha256 or state.file.sha256,
        "published_sha256": state.file.sha256,
        "path": state.path and str(state.path),
        "fault": state.fault,
    }
