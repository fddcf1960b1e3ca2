"""The tables of README.md, made from the code: settings, selectors, embedders, commands, routes.

`python -m seedqueue.backend.reference --write README.md` replaces what stands between
`<!-- table: settings -->` and `<!-- /table -->`; `--check` fails where it would change something.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute
from typer.main import get_command

from seedqueue.backend import cli
from seedqueue.backend.app import create_app
from seedqueue.backend.context import Context
from seedqueue.backend.settings import Settings, variables
from seedqueue.models import registry as embedders
from seedqueue.selectors import registry as selectors

_MARKED = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- /table -->)", re.DOTALL)


def settings_table() -> str:
    rows = [
        (f"`{variable}`", shown if shown.startswith("(") else f"`{shown}`", m) for variable, shown, m in variables()
    ]
    return _table(("Variable", "Default", "Meaning"), rows)


def selectors_table() -> str:
    order = sorted(selectors.entries(), key=lambda e: (not e.first_round, not e.offered, e.name))
    rows = [(f"`{e.name}`", _sentence(e.title, e.summary), _used(e), _yes(e.greedy)) for e in order]
    return _table(("Selector", "What it does", "For", "A prefix is the smaller queue"), rows)


def embedders_table() -> str:
    rows = [
        (f"`{e.name}`", _sentence(e.title, e.summary), e.input, str(e.dimension or "its own"), e.has_seen, _weights(e))
        for e in embedders.entries()
    ]
    return _table(("Embedder", "What it is", "Input", "Length", "Has seen", "Weights"), rows)


def commands_table() -> str:
    rows = [(f"`{usage}`", meaning) for usage, meaning in _commands(get_command(cli.app), "seedqueue")]
    return _table(("Command", "What it does"), rows)


def routes_table() -> str:
    routes = [
        route
        for route in create_app(Context(Settings())).routes
        if isinstance(route, APIRoute) and route.include_in_schema
    ]
    rows = [(f"`{method} {r.path}`", r.description) for r in routes for method in sorted(r.methods or ())]
    return _table(("Route", "What it does"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings_table,
    "selectors": selectors_table,
    "embedders": embedders_table,
    "commands": commands_table,
    "routes": routes_table,
}


def filled(text: str) -> str:
    """The text with every marked table made anew. Raises `ValueError` for a table that is missing or unknown."""
    marked = {match[2] for match in _MARKED.finditer(text)}
    for problem, names in (("has no", TABLES.keys() - marked), ("has an unknown", marked - TABLES.keys())):
        if names:
            raise ValueError(f"{problem} table {', '.join(sorted(names))}: <!-- table: NAME --> ... <!-- /table -->")
    return _MARKED.sub(lambda match: match[1] + TABLES[match[2]]() + match[4], text)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m seedqueue.backend.reference", description=__doc__)
    parser.add_argument("file", type=Path)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="replace the tables")
    action.add_argument("--check", action="store_true", help="fail where a table is not what the code says")
    given = parser.parse_args(arguments)
    found = given.file.read_text(encoding="utf-8")
    try:
        right = filled(found)
    except ValueError as error:
        print(f"{given.file} {error}", file=sys.stderr)
        return 1
    if given.write:
        given.file.write_text(right, encoding="utf-8")
    elif right != found:
        mend = f"python -m seedqueue.backend.reference --write {given.file}"
        print(f"{given.file}: tables are not what the code says; run {mend}", file=sys.stderr)
        return 1
    return 0


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _sentence(title: str, summary: str) -> str:
    return f"{title}: {' '.join(summary.split())}"


def _used(entry: selectors.SelectorEntry) -> str:
    return ("seed queue" if entry.first_round else "later rounds") + ("" if entry.offered else ", comparison")


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def _weights(entry: embedders.EmbedderEntry) -> str:
    if not entry.needs_weights:
        return "none"
    if entry.any_variant is not None:
        return f"`seedqueue weights list {entry.name}`"
    return f"`{embedders.source_of(entry.name).command(entry.name)}`"


def _commands(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """(usage, first line of the help) of a command and of those under it."""
    if hasattr(command, "commands"):
        for child in command.commands.values():
            yield from _commands(child, f"{name} {child.name}")
        return
    parts = [_option(parameter) for parameter in command.params]
    yield " ".join([name, *parts]), str(command.help).partition("\n")[0]


def _option(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = str(parameter.name).upper()
        return name if parameter.required else f"[{name}]"
    if parameter.secondary_opts:  # a switch: shown is the form that changes something
        return f"[{(parameter.secondary_opts if parameter.default else parameter.opts)[0]}]"
    if parameter.is_flag:
        return f"[{parameter.opts[0]}]"
    shown = f"{parameter.opts[0]} {str(parameter.name).upper()}"
    return shown if parameter.required else f"[{shown}]"


if __name__ == "__main__":
    sys.exit(main())
