"""Which weights are in the folder: for every family, or for all variants of one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seedqueue.models import registry, weights
from seedqueue.models.errors import ExtraMissing, WeightsCorrupt
from seedqueue.models.registry import EmbedderEntry
from seedqueue.models.weights import WeightsFile, WeightsSource

# "damaged": a file is not what its published SHA-256 or its line in SHA256SUMS says.
Presence = Literal["yes", "no", "partly", "damaged"]


@dataclass(frozen=True)
class FileState:
    """One file of the weights: where it is, its SHA-256 and its fault, each None where there is none."""

    file: WeightsFile
    path: Path | None = None
    sha256: str | None = None
    fault: str | None = None


@dataclass(frozen=True)
class WeightsState:
    """One embedder's weights. source: None where `hint` says why it cannot be told."""

    embedder: str
    extra: str | None = None
    hint: str | None = None
    source: WeightsSource | None = None
    files: tuple[FileState, ...] = ()

    @property
    def present(self) -> Presence | None:
        """Whether the embedder can be loaded; None where that cannot be told."""
        if self.source is None:
            return None
        if any(each.fault for each in self.files):
            return "damaged"
        if all(each.path or each.file.optional for each in self.files):
            return "yes"
        return "partly" if any(each.path for each in self.files) else "no"

    @property
    def size(self) -> int | None:
        """Bytes of all files that are needed or there: as published, else as they lie there; None where unknown."""
        sizes = [_size(each) for each in self.files if each.path or not each.file.optional]
        return None if None in sizes or not sizes else sum(filter(None, sizes))

    @property
    def command(self) -> str | None:
        """What is typed to get the weights."""
        return self.source.command(self.embedder) if self.source else None


def every(folder: Path) -> tuple[WeightsState, ...]:
    """The usual variant of every family that needs weights, and all others of which something is there."""
    with weights.usable(folder):
        return tuple(state for entry in registry.entries() if entry.needs_weights for state in _shown(folder, entry))


def of(folder: Path, name: str) -> tuple[WeightsState, ...]:
    """All variants of a family, or the one that is named. Raises what `registry.source_of` does."""
    entry = registry.get(name)
    with weights.usable(folder):
        if ":" not in name and entry.needs_weights and (entry.variants or entry.any_variant):
            return tuple(_family(folder, entry))
        return (_state(folder, entry, registry.full_name(name), registry.source_of(name)),)


def _shown(folder: Path, entry: EmbedderEntry) -> Iterator[WeightsState]:
    """The family's usual variant, or a line about it, and those that are there."""
    usual = f"{entry.name}:{entry.default_variant}"
    if entry.variants and not entry.default_variant:
        yield WeightsState(entry.name, entry.extra, hint=f"see seedqueue weights list {entry.name}")
    for state in _family(folder, entry):
        if state.present != "no" or state.embedder in (entry.name, usual):
            yield state


def _family(folder: Path, entry: EmbedderEntry) -> Iterator[WeightsState]:
    """The usual variant first; one line about the family where its variants cannot be counted."""
    try:
        variants = entry.variants() if entry.variants else (entry.default_variant,)
        for variant in sorted(variants, key=lambda one: one != entry.default_variant):
            if variant is None and entry.any_variant:
                yield WeightsState(entry.name, entry.extra, hint=f"any model: {entry.any_variant}")
                continue
            full = registry.full_name(f"{entry.name}:{variant}" if variant else entry.name)
            yield _state(folder, entry, full, registry.source_of(full))
    except ExtraMissing as error:
        yield WeightsState(entry.name, entry.extra, hint=str(error))


def _state(folder: Path, entry: EmbedderEntry, name: str, source: WeightsSource) -> WeightsState:
    return WeightsState(name, entry.extra, None, source, tuple(_file(folder, file) for file in source.files))


def _file(folder: Path, file: WeightsFile) -> FileState:
    path = weights.find(folder, file)
    if path is None:
        return FileState(file)
    try:
        return FileState(file, path, weights.verify(folder, path, file.sha256))
    except WeightsCorrupt as error:
        return FileState(file, path, error.actual, f"expected {error.expected}, found {error.actual}")


def _size(state: FileState) -> int | None:
    return state.file.size or (state.path.stat().st_size if state.path else None)
