"""Model versions: immutable manifests of trainings, and the pointer to those that serve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from seedqueue.backend.learning_errors import NoSuchVersion
from seedqueue.backend.records import Records

Family = Literal["classes", "masks"]
Stamp = tuple[int, str]  # an annotation's number and when it was last changed
HeadKind = Literal["linear", "vgg11", "unet-vgg11"]
FAMILY: dict[HeadKind, Family] = {"linear": "classes", "vgg11": "classes", "unet-vgg11": "masks"}
SEPARATOR = "+"  # between the names of a project's two heads


@dataclass(frozen=True)
class ModelVersion:
    """One training: what it learnt from, what it became, what a held-out set says of it.

    number: counts from 1 in its project. kind: "single", "multi" or "masks". annotations, digest: those that there
    were to learn from (numbers, and when each was last changed), and a hash of that. labels: the tasks it learnt
    from. audit: the held-out tasks that it was judged on. figures: on them. signal: cross-validation on the
    queue's labels, which is no estimate of performance. difference: to `parent` on the same held-out tasks.
    weights: SHA-256 of its safetensors. threshold: of each class. prior, target: prevalence of each class in what
    it learnt from and in the audit slice; empty: probabilities are left as they are.
    """

    project: int
    number: int
    head: HeadKind
    kind: str
    classes: tuple[str, ...]
    parent: int | None
    embedder: str
    fingerprint: str
    annotations: tuple[Stamp, ...]
    digest: str
    labels: int
    per_class: tuple[int, ...]
    random_seed: int
    weights: str
    code: str
    made: str  # UTC, ISO 8601
    seconds: float
    audit: tuple[int, ...] = ()
    held_out: str = ""  # "audit slice", "ground truth" or empty
    figures: Mapping[str, Any] = field(default_factory=dict)
    signal: Mapping[str, Any] = field(default_factory=dict)
    primary: Mapping[str, Any] = field(default_factory=dict)  # the figure by which versions are compared
    difference: Mapping[str, Any] | None = None
    threshold: tuple[float, ...] = ()
    prior: tuple[float, ...] = ()
    target: tuple[float, ...] = ()
    pretrained: bool = False
    verdict: str = ""  # why it was promoted, or not
    promoted: bool = False

    @property
    def name(self) -> str:
        return f"{self.head}-{self.number}"

    @property
    def family(self) -> Family:
        return FAMILY[self.head]

    @property
    def audited(self) -> bool:
        return bool(self.held_out)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> ModelVersion:
        lists = ("classes", "per_class", "audit", "threshold", "prior", "target")
        stamps = tuple((number, changed) for number, changed in body["annotations"])
        return cls(**{**body, "annotations": stamps, **{name: tuple(body[name]) for name in lists}})


class Versions:
    """The versions of one Label Studio instance, in its records."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def next_number(self, project: int) -> int:
        return 1 + max((number for _, number, _ in self._records.bodies("version", project)), default=0)

    def save(self, version: ModelVersion) -> None:
        """Its weights are stored already. It does not serve before `promote`.

        `promoted` says whether it is about to be: `settle` does it where the training is killed in between.
        """
        self._records.append("version", version.project, version.number, asdict(version))

    def all(self, project: int | None = None) -> list[ModelVersion]:
        """Every version, in the order of project and number, `promoted` as the pointer stands."""
        rows = {(p, n): body for p, n, body in self._records.bodies("version", project)}
        made = [ModelVersion.from_body(rows[key]) for key in sorted(rows)]
        pointers: dict[tuple[int, str], int] = {}
        for p, n, body in self._records.bodies("promoted", project):
            pointers[p, body["family"]] = n
        return [replace(one, promoted=pointers.get((one.project, one.family)) == one.number) for one in made]

    def said(self, project: int, stored: Iterable[str]) -> set[str]:
        """Those of these model versions in Label Studio under which heads of the project have spoken."""
        names = {one.name for one in self.all(project)}
        return {name for name in stored if names.issuperset(str(name).split(SEPARATOR))}

    def get(self, project: int, number: int) -> ModelVersion:
        """Raises `NoSuchVersion`."""
        for version in self.all(project):
            if version.number == number:
                return version
        raise NoSuchVersion(project, number, [one.number for one in self.all(project)])

    def serving(self, project: int) -> dict[Family, ModelVersion]:
        """What serves now, by family. The other versions are not even read: this is asked at every `/predict`."""
        pointers = {body["family"]: n for _, n, body in self._records.bodies("promoted", project)}
        found: dict[Family, ModelVersion] = {}
        for family in sorted(pointers):
            if rows := self._records.bodies("version", project, pointers[family]):
                found[family] = replace(ModelVersion.from_body(rows[-1][2]), promoted=True)
        return found

    def promote(self, version: ModelVersion, *, back: bool = False) -> None:
        """Move the pointer of its family: one row, the last thing that a training does.

        back: to what `earlier` gives; what serves now is then no longer what served before.
        """
        self._records.append("promoted", version.project, version.number, {"family": version.family, "back": back})

    def settle(self, project: int) -> None:
        """Promote the newest version where its training was killed just before it did."""
        made = self._records.bodies("version", project)
        if made and made[-1][2]["promoted"]:
            version = ModelVersion.from_body(made[-1][2])
            if version.number not in {number for _, number, _ in self._records.bodies("promoted", project)}:
                self.promote(version)

    def earlier(self, project: int, family: Family) -> ModelVersion | None:
        """What served before what serves now: where rolling back leads to."""
        served: list[int] = []
        for _, number, body in self._records.bodies("promoted", project):
            if body["family"] != family:
                continue
            while body.get("back") and served and served[-1] != number:
                served.pop()
            if served[-1:] != [number]:
                served.append(number)
        return self.get(project, served[-2]) if len(served) > 1 else None


def name_of(serving: Mapping[Family, ModelVersion]) -> str:
    """The name under which a project's heads answer: of one, or of both."""
    return SEPARATOR.join(serving[family].name for family in sorted(serving))


def last_of(versions: Sequence[ModelVersion], head: HeadKind) -> ModelVersion | None:
    return next((one for one in reversed(versions) if one.head == head), None)
