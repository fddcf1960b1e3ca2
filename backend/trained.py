"""What answers `/predict` once something was learnt: the promoted heads, kept warm."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend import card
from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings, source_key
from seedqueue.backend.errors import KNOWN
from seedqueue.backend.fetch import original_uri
from seedqueue.backend.field_values import value_of
from seedqueue.backend.judging import recalibrated
from seedqueue.backend.label_config import Labelling, labelling_of_xml
from seedqueue.backend.learn_network import FOREGROUND
from seedqueue.backend.learning_errors import LabelConfigUnusable
from seedqueue.backend.locked import held_out
from seedqueue.backend.pictures import pictures
from seedqueue.backend.pool import Place
from seedqueue.backend.prelabels import UNTRAINED
from seedqueue.backend.results import choices_result, masks_result
from seedqueue.backend.versions import Family, ModelVersion, name_of
from seedqueue.models.heads.images import Floats, prepare, to_grid
from seedqueue.models.heads.linear import LinearHead
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.picture import Picture

# How long what serves is believed to be what serves: a promotion shows within this.
# Label Studio gives up after 100 s: tasks that have had no turn by then are answered without a prediction.
DEADLINE_SECONDS = 60.0
HEADS_KEPT = 4

logger = logging.getLogger(__name__)

Json = Mapping[str, Any]
Answer = list[dict[str, Any]]
Part = tuple[list[dict[str, Any]], float]


@dataclass(frozen=True)
class _Serving:
    """What serves a project, as the records told it at a revision; believed without a look until a moment.

    told: for the model card; read where nothing serves alone.
    """

    versions: dict[Family, ModelVersion]
    held_out: frozenset[int]
    told: card.Recorded
    revision: int
    until: float


class TrainedHeads:
    """`prelabels.Head` over the home's versions. Safe to use from several threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[int, _Serving] = {}
        self._computing = Lock()
        self._linear = lru_cache(HEADS_KEPT)(lambda sha256: LinearHead.from_bytes(context.blobs.get(sha256)))
        threads = context.settings.threads
        self._network = lru_cache(HEADS_KEPT)(
            lambda sha256: NetworkHead.from_bytes(context.blobs.get(sha256), threads=threads)
        )

    def version(self, project: int | None) -> str:
        """The name of what serves; before there is anything, words on how far the project is."""
        if project is None:
            return UNTRAINED
        serving = self._serving(project)
        if serving.versions:
            return name_of(serving.versions)
        return card.words(serving.told, card.moment(self._context.broker, project, serving.told.newest))

    def versions(self) -> list[str]:
        return [f"project {one.project}: {one.name}" for one in self._context.versions.all()]

    def predict(self, project: int | None, tasks: Sequence[Json], label_config: str) -> list[Answer]:
        """One prediction a task, of all heads together; none for held-out tasks, and where nothing can be said."""
        serving = self._serving(project) if project is not None else None
        if project is None or serving is None or not serving.versions or not tasks:
            return [[] for _ in tasks]
        try:
            labelling = _labelling(label_config)
        except LabelConfigUnusable:
            return [[] for _ in tasks]
        shown = [None if task.get("id") in serving.held_out else _place(task, labelling) for task in tasks]
        places = [place for place in shown if place is not None]
        parts: dict[Place, list[Part]] = {place: [] for place in places}
        for version in serving.versions.values():
            try:
                said = self._said(version, labelling, list(parts))
            except KNOWN as error:  # its weights are lost, an image's storage is down: nothing is worse than an error
                logger.warning("project %s: %s says nothing: %s", project, version.name, error)
                continue
            for place, part in said.items():
                parts[place].append(part)
        name = name_of(serving.versions)
        return [_answer(parts[place], name) if place is not None else [] for place in shown]

    def probabilities(self, version: ModelVersion, places: Sequence[Place]) -> dict[Place, NDArray[np.float64]]:
        """Class probabilities (c,) of the places whose embedding is stored, or whose image can be read."""
        if version.head == "linear":
            found = self._embedded(version, places)
            if not found:
                return {}
            said = self._linear(version.weights).probabilities(np.stack(list(found.values())))
            return dict(zip(found, recalibrated(said, version.kind, version.prior, version.target), strict=True))
        return {place: said.astype(np.float64) for place, _, said in self._seen(version, places)}

    def _said(self, version: ModelVersion, labelling: Labelling, places: Sequence[Place]) -> dict[Place, Part]:
        if version.family == "classes":
            if not set(labelling.classes) & set(version.classes):
                return {}
            return {
                place: choices_result(labelling, *_of_config(row, version, labelling))
                for place, row in self.probabilities(version, places).items()
            }
        if not set(labelling.mask_classes) & set(version.classes):
            return {}
        return dict(self._masked(version, labelling, places))

    def _masked(self, version: ModelVersion, labelling: Labelling, places: Sequence[Place]) -> list[tuple[Place, Part]]:
        found = []
        for place, picture, maps in self._seen(version, places):
            own = to_grid(maps, picture.image.height, picture.image.width)
            found.append((place, masks_result(labelling, _masks_of_config(own, version, labelling), FOREGROUND)))
        return found

    def _seen(self, version: ModelVersion, places: Sequence[Place]) -> Iterator[tuple[Place, Picture, Floats]]:
        """What a network says of each picture that can be read, until the deadline."""
        head, ends = self._network(version.weights), time.monotonic() + DEADLINE_SECONDS
        for place, picture in pictures(self._context, places):
            if time.monotonic() > ends:
                return
            if picture is not None:
                with self._computing:  # one network at a time: two would take turns at the same cores
                    said = head.probabilities(prepare(picture.image, head.side)[None])[0]
                yield place, picture, said

    def _embedded(self, version: ModelVersion, places: Sequence[Place]) -> dict[Place, NDArray[np.float32]]:
        instance = self._context.settings.label_studio_url
        known = self._context.sources.known(instance, version.project, [task for task, _ in places])
        hashes = {place: sha for place in places if (sha := known.get(source_key(*place)))}
        vectors = Embeddings.of_fingerprint(self._context.home, version.fingerprint).few(hashes.values())
        return {place: vectors[sha] for place, sha in hashes.items() if sha in vectors}

    def _serving(self, project: int) -> _Serving:
        found, records = self._known.get(project), self._context.records
        if found is not None and time.monotonic() <= found.until:
            return found
        revision, until = records.revision(), time.monotonic() + self._context.pace.fresh
        if found is not None and found.revision == revision:
            found = replace(found, until=until)
        else:
            apart = held_out(records, project)
            versions = self._context.versions.serving(project)
            told = card.Recorded() if versions else card.recorded(records, project)
            found = _Serving(versions, apart, told, revision, until)
        self._known[project] = found
        return found


@lru_cache(maxsize=64)
def _labelling(label_config: str) -> Labelling:
    return labelling_of_xml(label_config)


def _place(task: Json, labelling: Labelling) -> Place | None:
    uri = value_of(task.get("data") or {}, labelling.image_key)
    number = task.get("id")
    return (number, original_uri(uri)) if isinstance(number, int) and isinstance(uri, str) and uri else None


def _of_config(
    row: NDArray[np.float64], version: ModelVersion, labelling: Labelling
) -> tuple[NDArray[np.float64], list[float]]:
    """Probabilities and thresholds in the config's order; a class that the head has not learnt gets 0."""
    said, cut = (
        dict(zip(version.classes, row.tolist(), strict=True)),
        dict(zip(version.classes, version.threshold, strict=False)),
    )
    return np.array([said.get(name, 0.0) for name in labelling.classes]), [cut.get(c, 0.5) for c in labelling.classes]


def _masks_of_config(maps: NDArray[np.float32], version: ModelVersion, labelling: Labelling) -> NDArray[np.float32]:
    """Maps in the config's order; a class that the head has not learnt is nowhere."""
    ordered = np.zeros((len(labelling.mask_classes), *maps.shape[1:]), dtype=np.float32)
    for at, name in enumerate(labelling.mask_classes):
        if name in version.classes:
            ordered[at] = maps[version.classes.index(name)]
    return ordered


def _answer(parts: Sequence[Part], name: str) -> Answer:
    if not parts:
        return []
    result = [item for items, _ in parts for item in items]
    score = sum(score for _, score in parts) / len(parts)
    return [{"result": result, "score": score, "model_version": name}] if result else []
