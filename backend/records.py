"""What must outlive Redis: append-only rows about runs, what they chose and what stood there before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from seedqueue.backend.tables import Home, quoted

Kind = Literal[
    "run",
    "queue",
    "unreadable",
    "before",
    "audit",
    "drawn",
    "version",
    "promoted",
    "held_out",
    "learning",
    "fields",
    "imported",
    "locked",
    "overlap",
    "agreement",
    "exported",
    "arrived",
]
State = Literal["requested", "embedding", "selecting", "publishing", "published", "chosen", "failed", "undone"]
VERSION = "Seed queue"
ACTIVE: frozenset[State] = frozenset({"requested", "embedding", "selecting", "publishing"})

SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("instance", pa.string()),
        ("project", pa.int64()),
        ("run", pa.int64()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("body", pa.string()),
    ]
)


@dataclass(frozen=True)
class Choices:
    """What a run was asked for; two requests with equal choices are one while the first is active."""

    budget: int
    embedder: str
    selector: str
    random_seed: int
    tab: str | None = None
    where: str = ""  # a filter of tasks, see `narrowing`
    extends: int | None = None  # the run whose queue this one keeps and lengthens
    weak_label: str = ""
    group_field: str = ""
    per_group: int = 1
    near_duplicate: float = 0.0  # the cosine from which an image is no news; 0: no such rule
    audit: int = 0  # tasks drawn at random for evaluation, if the project has no audit slice yet
    dry_run: bool = False  # choose, and show what would be chosen: nothing changes in Label Studio


@dataclass(frozen=True)
class Run:
    """One run of select-and-publish: its manifest. `number` counts from 1 in its project."""

    project: int
    number: int
    state: State
    choices: Choices
    fingerprint: str = ""
    tasks: int = 0
    labelled: int = 0
    unreadable: int = 0
    generation: str = ""  # of its shards: a listing that was made anew leaves older shards without effect
    shards: int = 0
    embedded: int = 0  # images that this run has to embed; in the end, those that it did: the others were stored
    error: str = ""
    warnings: tuple[str, ...] = field(default_factory=tuple)
    head: str = ""  # of a later round: the version by whose predictions it was chosen
    copies: int | None = None  # the run whose queue this one put in place, perhaps changed by hand

    @property
    def version(self) -> str:
        """The model version under which Label Studio holds the run's ranks."""
        return f"{VERSION} {self.number}"

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    def moved(self, state: State, **changes: Any) -> Run:
        return replace(self, state=state, **changes)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Run:
        """Raises `TypeError` for a field that this version does not know: the home's layout is checked before."""
        choices = Choices(**body["choices"])
        return cls(**{**body, "choices": choices, "warnings": tuple(body["warnings"])})


@dataclass(frozen=True)
class QueuedTask:
    """One task of a queue: rank from 1, cluster, how many pool images it stands for; whether it is an audit task.

    group: of an audit task, its value of the group field: others of that group are not learnt from. by_hand: a person
    added it, no selector.
    """

    rank: int
    task: int
    uri: str
    cluster: int
    weight: int
    audit: bool = False
    group: str = ""
    by_hand: bool = False


@dataclass(frozen=True)
class Unreadable:
    task: int
    uri: str
    reason: str


@dataclass(frozen=True)
class Row:
    """One row of the records."""

    project: int
    run: int
    at: datetime
    body: Any


class Records:
    """The records of one Label Studio instance in one home."""

    def __init__(self, home: Home, instance: str) -> None:
        self._home = home
        self._instance = instance

    def append(self, kind: Kind, project: int, run: int, body: Any) -> None:
        """Add a row behind all others of its project, also where the clock was set back or another machine's is ahead.

        Raises `HomeNotWritable`.
        """
        with self._home.writing():
            table = self._home.table("records", SCHEMA)
            query = table.search().where(f"instance = {quoted(self._instance)} AND project = {project}")
            newest = pc.max(query.select(["at"]).limit(table.count_rows() or 1).to_arrow()["at"]).as_py()
            now = datetime.now(UTC)
            row = {
                "kind": kind,
                "instance": self._instance,
                "project": project,
                "run": run,
                "at": now if newest is None or now > newest else newest + timedelta(microseconds=1),
                "body": json.dumps(body, ensure_ascii=False),
            }
            table.add(pa.Table.from_pylist([row], schema=SCHEMA))

    def revision(self) -> int:
        """A number that changes with every row that anybody writes; cheaper to ask for than rows are to read."""
        table = self._home.existing("records")
        return 0 if table is None else int(table.version)

    def bodies(self, kind: Kind, project: int | None = None, run: int | None = None) -> list[tuple[int, int, Any]]:
        """(project, run, body) of the rows of a kind, oldest first."""
        return [(row.project, row.run, row.body) for row in self.dated(kind, project, run)]

    def dated(self, kind: Kind, project: int | None = None, run: int | None = None) -> list[Row]:
        """The rows of a kind, oldest first."""
        table = self._home.existing("records")
        if table is None:
            return []
        where = f"kind = {quoted(kind)} AND instance = {quoted(self._instance)}"
        where += "" if project is None else f" AND project = {project}"
        where += "" if run is None else f" AND run = {run}"
        found = table.search().where(where).limit(table.count_rows() or 1).to_arrow().sort_by("at").to_pylist()
        return [Row(row["project"], row["run"], row["at"], json.loads(row["body"])) for row in found]

    def save_run(self, run: Run) -> None:
        self.append("run", run.project, run.number, asdict(run))

    def runs(self, project: int | None = None) -> list[Run]:
        """The newest row of every run, in the order of project and number."""
        newest = {(p, n): body for p, n, body in self.bodies("run", project)}
        return [Run.from_body(newest[key]) for key in sorted(newest)]

    def run(self, project: int, number: int) -> Run | None:
        found = self.bodies("run", project, number)
        return Run.from_body(found[-1][2]) if found else None

    def latest_run(self, project: int) -> Run | None:
        runs = self.runs(project)
        return runs[-1] if runs else None

    def last_undone(self, project: int) -> int:
        """The number of the last run that was undone; 0 before the first."""
        return max((run.number for run in self.runs(project) if run.state == "undone"), default=0)

    def since(self, number: int, kind: Kind, project: int) -> list[Any]:
        """The bodies of a kind that belong to runs after this number, oldest first."""
        return [body for _, run, body in self.bodies(kind, project) if run > number]

    def published_run(self, project: int) -> Run | None:
        """The run whose queue stands in Label Studio: the last published one that was not undone since."""
        undone = self.last_undone(project)
        standing = [run for run in self.runs(project) if run.state == "published" and run.number > undone]
        return standing[-1] if standing else None

    def save_queue(self, run: Run, queue: list[QueuedTask]) -> None:
        self.append("queue", run.project, run.number, [asdict(task) for task in queue])

    def queue(self, project: int, number: int) -> list[QueuedTask]:
        found = self.bodies("queue", project, number)
        return [QueuedTask(**task) for task in found[-1][2]] if found else []

    def add_unreadable(self, project: int, number: int, found: list[Unreadable]) -> None:
        if found:
            self.append("unreadable", project, number, [asdict(task) for task in found])

    def unreadable(self, project: int, number: int) -> list[Unreadable]:
        """Each unreadable task once, the last reason given."""
        rows = [Unreadable(**task) for _, _, body in self.bodies("unreadable", project, number) for task in body]
        return list({row.task: row for row in rows}.values())
