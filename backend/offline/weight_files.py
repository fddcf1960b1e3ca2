"""The weight files that are here: of named embedders, of the heads' networks, of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seedqueue.models import inventory, registry, weights
from seedqueue.models.errors import NoWeightsNeeded
from seedqueue.models.heads import networks
from seedqueue.models.weights import WeightsSource

HEADS: tuple[networks.Kind, ...] = ("vgg11", "unet-vgg11")


@dataclass(frozen=True)
class WeightFile:
    """One file. name: its path in the weights folder, with `/`; of: the embedders or heads that load it."""

    path: Path
    name: str
    sha256: str
    of: tuple[str, ...]
    licence: str
    page: str


def named(folder: Path, embedders: Iterable[str]) -> list[WeightFile]:
    """All files of these embedders, each checked, and those that heads begin from where they are here.

    Raises `WeightsMissing`, `WeightsCorrupt`, `UnknownEmbedder`, `VariantMissing`.
    """
    found: list[WeightFile] = []
    for name in embedders:
        full = registry.full_name(name)
        try:
            source = registry.source_of(full)
        except NoWeightsNeeded:
            continue
        found.extend(_files(folder, full, source, weights.require(folder, source, full).paths.values()))
    return _merged([*found, *_heads(folder)])


def every(folder: Path) -> list[WeightFile]:
    """All files that any embedder or head here would load; damaged ones are left out."""
    found: list[WeightFile] = []
    for state in inventory.every(folder):
        if state.source is not None:
            paths = [each.path for each in state.files if each.path and not each.fault]
            found.extend(_files(folder, state.embedder, state.source, paths))
    return _merged([*found, *_heads(folder)])


def extras_of(embedders: Iterable[str]) -> set[str]:
    """The extras of seedqueue that these embedders stand on."""
    return {extra for name in embedders if (extra := registry.get(name).extra)}


def _heads(folder: Path) -> Iterator[WeightFile]:
    for kind in HEADS:
        source = networks.source(kind)
        paths = [path for file in source.files if (path := weights.find(folder, file))]
        yield from _files(folder, f"the head {kind}", source, paths)


def _files(folder: Path, of: str, source: WeightsSource, paths: Iterable[Path]) -> Iterator[WeightFile]:
    for path in paths:
        name = path.relative_to(folder).as_posix()
        yield WeightFile(path, name, weights.verify(folder, path), (of,), source.licence, source.page)


def _merged(files: Iterable[WeightFile]) -> list[WeightFile]:
    """One entry a file, sorted by name."""
    by_name: dict[str, WeightFile] = {}
    for file in files:
        before = by_name.get(file.name)
        of = tuple(sorted({*(before.of if before else ()), *file.of}))
        by_name[file.name] = WeightFile(file.path, file.name, file.sha256, of, file.licence, file.page)
    return [by_name[name] for name in sorted(by_name)]
