"""A project's stored embeddings by task: what the linear head sees, without loading an embedder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings, source_key
from seedqueue.backend.pool import Place
from seedqueue.selectors.linking import alike, linked, of_one_group
from seedqueue.selectors.representation import Scaler, fit_scaler


@dataclass(frozen=True)
class Vectors:
    """The embeddings of one project under one embedder's fingerprint.

    hashes: the content hash of each known place whose embedding is stored. apart: those of held-out images,
    which no standardisation may see.
    """

    store: Embeddings
    hashes: dict[Place, str]
    apart: frozenset[str] = frozenset()

    def has(self, task: int, uri: str) -> bool:
        return source_key(task, uri) in self.hashes

    def hash_of(self, task: int, uri: str) -> str | None:
        """The content hash of a place's image, None where its embedding is not stored."""
        return self.hashes.get(source_key(task, uri))

    def of(self, places: Sequence[Place]) -> NDArray[np.float32]:
        """float32 (n, d). Raises `KeyError` where `has` is False."""
        return self.store.read([self.hashes[source_key(*place)] for place in places])

    @cached_property
    def scaler(self) -> Scaler:
        """Mean and deviation over the pool, each image once, held-out ones aside: fitted without labels."""
        everything = set(self.hashes.values())
        return fit_scaler(self.store.source(sorted(everything - self.apart or everything)))

    def groups(self, vectors: NDArray[np.float32], names: Sequence[str], near: float) -> NDArray[np.int64]:
        """int64 (n,): images of one group and near duplicates (a cosine of `near` on unit vectors; 0: no such rule)."""
        number = {name: at for at, name in enumerate(dict.fromkeys(names))}
        pairs = [of_one_group(np.array([number[name] for name in names], dtype=np.int64))]
        if near:
            pairs += alike(self.scaler.apply(vectors, "unit"), near)
        return linked(len(names), pairs)


def vectors_of(context: Context, project: int, fingerprint: str, apart: Collection[Place] = ()) -> Vectors:
    """The embeddings that a project's tasks have under a fingerprint; none where nothing is stored.

    apart: the places of held-out images.
    """
    store = Embeddings.of_fingerprint(context.home, fingerprint)
    stored = store.stored()
    known = context.sources.known(context.settings.label_studio_url, project)
    hashes = {place: sha256 for place, sha256 in known.items() if sha256 in stored}
    held_out = {source_key(*place) for place in apart}
    return Vectors(store, hashes, frozenset(sha256 for place, sha256 in hashes.items() if place in held_out))
