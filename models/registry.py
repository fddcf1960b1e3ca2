"""The embedders by name. One new file in embedders/ is one new family.

Every module of that folder is imported at the first use, then the entry points of the group
`seedqueue.embedders`. No embedder imports torch before it is created, so listing is quick.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from seedqueue.models import adding, downloads
from seedqueue.models.downloads import Progress
from seedqueue.models.embedder import Embedder
from seedqueue.models.errors import NoWeightsNeeded, UnknownEmbedder, VariantMissing
from seedqueue.models.runtime import Runtime
from seedqueue.models.weights import WeightsSource

ENTRY_POINTS = "seedqueue.embedders"


class Factory(Protocol):
    """Load the embedder `name` (`family:variant` in full) with weights from the folder.

    Raises WeightsMissing, WeightsCorrupt, ExtraMissing.
    """

    def __call__(self, name: str, weights_folder: Path, runtime: Runtime) -> Embedder: ...


@dataclass(frozen=True)
class EmbedderEntry:
    """One registered family.

    default_variant: what the bare family name means; None where there are no variants, or no usual one.
    dimension: the embedding's length for the default variant; None where each variant has its own.
    input: the size, colour and range the model sees, in words.
    variants: all variants' names; weights_source: where a variant's weights come from. Both
    may import torch when called. any_variant: for a family that takes any model of a kind, what is
    written behind the colon, in words with an example; `variants` is None then.
    extra: the optional dependency (`pip install 'seedqueue[extra]'`) that the family stands on.
    has_seen: what its weights were trained on, in words: a test on these images is no proof.
    """

    name: str
    title: str
    summary: str
    dimension: int | None
    input: str
    create: Factory
    default_variant: str | None = None
    variants: Callable[[], tuple[str, ...]] | None = None
    weights_source: Callable[[str], WeightsSource] | None = None
    any_variant: str | None = None
    extra: str | None = None
    has_seen: str = "not known"

    @property
    def needs_weights(self) -> bool:
        """Whether a weights file must be in the folder."""
        return self.weights_source is not None


_entries: dict[str, EmbedderEntry] = {}


def register(
    name: str,
    *,
    title: str,
    summary: str,
    dimension: int | None,
    input: str,
    default_variant: str | None = None,
    variants: Callable[[], tuple[str, ...]] | None = None,
    weights_source: Callable[[str], WeightsSource] | None = None,
    any_variant: str | None = None,
    extra: str | None = None,
    has_seen: str = "not known",
) -> Callable[[Factory], Factory]:
    """Decorate a factory to list it; the arguments are EmbedderEntry's fields.

    Raises ValueError when another factory holds the name already.
    """

    def add(create: Factory) -> Factory:
        if name in _entries and _entries[name].create is not create:
            raise ValueError(f"two embedders are named {name!r}: rename one")
        _entries[name] = EmbedderEntry(
            name=name,
            title=title,
            summary=summary,
            dimension=dimension,
            input=input,
            create=create,
            default_variant=default_variant,
            variants=variants,
            weights_source=weights_source,
            any_variant=any_variant,
            extra=extra,
            has_seen=has_seen,
        )
        return create

    return add


def names() -> tuple[str, ...]:
    """The registered families, sorted."""
    _discover()
    return tuple(sorted(_entries))


def entries() -> tuple[EmbedderEntry, ...]:
    """The registered families' entries, sorted by name."""
    return tuple(_entries[name] for name in names())


def get(name: str) -> EmbedderEntry:
    """The entry of `family` or `family:variant`; raises UnknownEmbedder (variants unchecked)."""
    family = name.partition(":")[0]
    known = names()
    if family not in known:
        raise UnknownEmbedder(name, known)
    return _entries[family]


def full_name(name: str) -> str:
    """The name with its variant spelt out: `txrv` gives `txrv:densenet121-res224-all`.

    Raises UnknownEmbedder for an unknown family or variant, listing the known ones; VariantMissing.
    """
    entry = get(name)
    _, colon, variant = name.partition(":")
    variant = variant or entry.default_variant or ""
    if entry.any_variant is not None:
        if not variant:
            raise VariantMissing(entry.name, entry.any_variant)
    elif entry.variants is None:
        if colon:
            raise UnknownEmbedder(name, (entry.name,))
        return entry.name
    elif variant != entry.default_variant and variant not in entry.variants():
        raise UnknownEmbedder(name, tuple(f"{entry.name}:{known}" for known in entry.variants()))
    return f"{entry.name}:{variant}"


def create(name: str, weights_folder: Path, runtime: Runtime | None = None) -> Embedder:
    """Load an embedder by `family` or `family:variant`.

    Raises UnknownEmbedder, VariantMissing, WeightsMissing, WeightsCorrupt, ExtraMissing. Never downloads.
    """
    full = full_name(name)
    return get(full).create(full, weights_folder, runtime or Runtime())


def source_of(name: str) -> WeightsSource:
    """Where the weights of `family` or `family:variant` come from.

    Raises UnknownEmbedder, VariantMissing, NoWeightsNeeded.
    """
    full = full_name(name)
    entry = get(full)
    if entry.weights_source is None:
        raise NoWeightsNeeded(full)
    return entry.weights_source(full.partition(":")[2])


def fetch_weights(
    name: str, weights_folder: Path, progress: Progress, token: downloads.Token | None = None
) -> tuple[Path, ...]:
    """Download an embedder's weights into the folder; returns the files that are new there.

    progress: called with a file's name, the bytes so far and the total, None where the server does not tell.
    Raises what `source_of` and `downloads.fetch` do.
    """
    full = full_name(name)
    return downloads.fetch(weights_folder, source_of(full), full, progress, token)


def add_weights(name: str, weights_folder: Path, path: Path) -> tuple[Path, ...]:
    """Copy an embedder's weights from a file or folder into the weights folder; returns where they are.

    Raises what `source_of` and `adding.add` do.
    """
    return adding.add(weights_folder, source_of(name), path)


@cache
def _discover() -> None:
    from seedqueue.models import embedders

    import_folder(Path(str(embedders.__file__)).parent, embedders.__name__)
    import_plugins()


def import_folder(folder: Path, package: str) -> None:
    """Import every module of a folder as a member of `package`; each registers itself."""
    for module in pkgutil.iter_modules([str(folder)]):
        importlib.import_module(f"{package}.{module.name}")


def import_plugins() -> None:
    """Import what other installed packages declare in the entry-point group."""
    for plugin in entry_points(group=ENTRY_POINTS):
        plugin.load()
