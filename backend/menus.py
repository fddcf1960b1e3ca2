"""What a person can choose from: embedders and selectors with a sentence each, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from seedqueue.backend.settings import Settings
from seedqueue.models import registry as embedders
from seedqueue.models import weights
from seedqueue.models.errors import ModelError
from seedqueue.selectors import registry as selectors

_MODULES = {"hf": "transformers"}  # of an extra that is not named as what it brings


@dataclass(frozen=True)
class Item:
    """One line of a menu. missing: what it needs before it can be chosen, empty where nothing."""

    name: str
    title: str
    sentence: str
    available: bool
    missing: str = ""


def embedder_menu(settings: Settings) -> list[Item]:
    """The usual variant of each family, and the one that the settings name. Weights are looked for, not verified."""
    usual = [f"{e.name}:{e.default_variant}" if e.default_variant else e.name for e in embedders.entries()]
    named = dict.fromkeys([_full(settings.embedder), *usual])
    return [item for name in named if (item := _embedder(name, settings.weights)) is not None]


def selector_menu(*, first_round: bool) -> list[Item]:
    """Those that are offered for a seed queue, or those of later rounds and all others too."""
    entries = [entry for entry in selectors.entries() if entry.offered and (entry.first_round or not first_round)]
    ordered = sorted(entries, key=lambda entry: entry.first_round)
    return [Item(entry.name, entry.title, entry.summary, True) for entry in ordered]


def _full(name: str) -> str:
    try:
        return embedders.full_name(name)
    except ModelError:
        return name


def _embedder(name: str, folder: Path) -> Item | None:
    try:
        entry = embedders.get(name)
        if entry.any_variant and ":" not in name:  # any model of a kind: named in the settings, or on the command line
            return None
        missing = _missing(name, folder)
    except ModelError as error:
        return Item(name, name, "", False, str(error))
    return Item(name, entry.title, entry.summary, not missing, missing)


def _missing(name: str, folder: Path) -> str:
    """Raises `ModelError`."""
    entry = embedders.get(name)
    if entry.extra and find_spec(_MODULES.get(entry.extra, entry.extra)) is None:
        return f"Its extra is not installed: pip install 'seedqueue[{entry.extra}]'."
    if not entry.needs_weights:
        return ""
    source = embedders.source_of(embedders.full_name(name))
    absent = [each.name for each in source.files if not each.optional and weights.find(folder, each) is None]
    return f"Its weights ({_listed(absent)}) are not there yet: {source.command(name)}." if absent else ""


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
