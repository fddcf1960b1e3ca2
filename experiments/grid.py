"""What an experiment runs: pools, embedders, arms, budgets, repeats, heads; read from TOML or typed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from seedqueue.experiments import arms
from seedqueue.experiments.errors import InvalidGrid
from seedqueue.experiments.metrics import TITLES
from seedqueue.models.heads.networks import STRIDE

Protocol = Literal["honest", "paper"]
PAPER_BUDGETS = (20, 40, 60, 80, 100)
HEADS = ("linear", "vgg11", "unet-vgg11")
MASK_HEADS = frozenset({"unet-vgg11"})
LEAST_DRAWS = 10
_SAID = {int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True)
class PoolSpec:
    """A labelled pool. images: a folder; labels: a table of any known format; both within the config's data folder.

    positive: findings that are predicted, each a target of its own on the same splits; empty: all classes of the
    column at once, or the masks. finding: whose masks, where the table holds several. group: the column of patients.
    near_duplicate: a cosine on unit vectors of the first embedder, 0 for none. task: masks by default where only
    heads for masks are asked for. embeddings: files of precomputed ones, by the name that stands for them among the
    embedders. weak_labels: a table of scores or of yes and no, for the selector `weak-label`;
    weak_seen: what they were learnt from, in words.
    """

    name: str
    images: str
    labels: str
    task: Literal["", "classes", "masks"] = ""
    positive: tuple[str, ...] = ()
    finding: str | None = None
    label: str = "label"
    group: str = "patient"
    near_duplicate: float = 0.9
    embeddings: Mapping[str, str] = field(default_factory=dict)
    weak_labels: str = ""
    weak_seen: str = ""


@dataclass(frozen=True, eq=False)
class Grid:
    """The whole experiment.

    draws: random queues in each repeat. protocol: "paper" judges each head twice, as published and honestly.
    held_out: the share of groups in the test part; validation: of the rest, for the protocol "paper". features: the
    embedder that the linear head sees, each arm's own by default. fixed_split: repeats change the random seed alone.
    side, epochs: of the networks, 0 for the usual. saving_at: the budget whose worth in random labels is told.
    random_weights: networks begin from random weights where the paper's begin from ImageNet's.
    has_seen: of precomputed embeddings, what their network was trained on, in words.
    convergence: K-means' iterations and inertia over random seeds are told too. metrics: that the report tells of,
    beside the deciding one; all by default.
    """

    title: str
    question: str
    pools: tuple[PoolSpec, ...]
    embedders: tuple[str, ...]
    selectors: tuple[str, ...] = (arms.REFERENCE, "kmeans")
    budgets: tuple[int, ...] = PAPER_BUDGETS
    repeats: int = 20
    draws: int = LEAST_DRAWS
    heads: tuple[str, ...] = ("linear",)
    protocol: Protocol = "honest"
    held_out: float = 0.35
    validation: float = 0.15
    features: str | None = None
    fixed_split: bool = False
    side: int = 0
    epochs: int = 0
    saving_at: int = 40
    random_seed: int = 0
    random_weights: bool = False
    has_seen: Mapping[str, str] = field(default_factory=dict)
    convergence: bool = False
    metrics: tuple[str, ...] = ()

    @property
    def arms(self) -> tuple[arms.Arm, ...]:
        return tuple(arms.parse(text) for text in self.selectors)

    def embedders_of(self, pool: str) -> tuple[str, ...]:
        """Those that a pool is seen by: precomputed ones are only of the pools that have their file."""
        given = {name for spec in self.pools for name in spec.embeddings}
        [own] = [spec.embeddings for spec in self.pools if spec.name == pool]
        return tuple(name for name in self.embedders if name not in given or name in own)

    def check(self) -> Grid:
        """Itself with budgets ascending and the reference first. Raises `InvalidGrid`, `UnknownArm`."""
        for name in ("pools", "embedders", "selectors", "budgets", "heads"):
            if not getattr(self, name):
                raise InvalidGrid(name, (), "name at least one")
            if len(set(_names(getattr(self, name)))) < len(getattr(self, name)):
                raise InvalidGrid(name, _names(getattr(self, name)), "name each once")
        for head in self.heads:
            if head not in HEADS:
                raise InvalidGrid("head", head, f"there are {', '.join(HEADS)}")
        unknown = [name for name in self.metrics if name not in TITLES]
        if unknown:
            raise InvalidGrid("metric", unknown[0], f"there are {', '.join(TITLES)}")
        for name, least in (("repeats", 2), ("draws", 1), ("saving_at", 1)):
            if getattr(self, name) < least:
                raise InvalidGrid(name, getattr(self, name), f"give at least {least}")
        for pool in self.pools:
            if not self.embedders_of(pool.name):
                raise InvalidGrid("embedders", self.embedders, f"none of them has embeddings of the pool {pool.name!r}")
            if not 0 <= pool.near_duplicate <= 1:
                raise InvalidGrid("near_duplicate", pool.near_duplicate, "give a cosine from 0 (off) to 1")
        if self.side % STRIDE:
            raise InvalidGrid("side", self.side, f"give a multiple of {STRIDE} pixels")
        if min(self.budgets) < 2:
            raise InvalidGrid("budgets", self.budgets, "give numbers from 2 on")
        for name in ("held_out", "validation"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidGrid(name, getattr(self, name), "give a share between 0 and 1")
        chosen = self.arms
        if set(self.heads) != {"linear"}:
            for arm in chosen:
                if arm.then not in (None, arms.REFERENCE):
                    raise InvalidGrid("selector", arm.text, "later rounds are measured with the linear head alone")
        others = tuple(text for text in self.selectors if text != arms.REFERENCE)
        return replace(self, budgets=tuple(sorted(self.budgets)), selectors=(arms.REFERENCE, *others))


def read_grid(path: Path) -> Grid:
    """A grid from TOML: keys as the fields of `Grid`, each pool a table `[[pools]]`. Raises `InvalidGrid`."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidGrid("configuration", str(path), f"it cannot be read ({error})") from error
    return grid_from(told, path)


def grid_from(told: Mapping[str, Any], path: Path) -> Grid:
    """A grid from the mapping that TOML or JSON gave; path: where it came from. Raises `InvalidGrid`, `UnknownArm`."""
    listed = told.get("pools", [])
    if not isinstance(listed, list) or not all(isinstance(pool, Mapping) for pool in listed):
        raise InvalidGrid("pools", listed, "give each as a table [[pools]]")
    pools = tuple(_made(PoolSpec, pool, path) for pool in listed)
    grid: Grid = _made(Grid, {"title": path.stem, "question": "", **told, "pools": pools}, path)
    return grid.check()


def _made(kind: type[Any], told: Mapping[str, Any], path: Path) -> Any:
    known = {each.name for each in fields(kind)}
    unknown = sorted(set(told) - known)
    if unknown:
        raise InvalidGrid("key", unknown[0], f"{path} may hold {', '.join(sorted(known))}")
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    hints = get_type_hints(kind)
    for name, value in given.items():
        _check_kind(name, value, hints[name])
    try:
        return kind(**given)
    except TypeError as error:
        raise InvalidGrid("configuration", str(path), str(error)) from error


def _check_kind(name: str, value: object, hint: Any) -> None:
    """Raise `InvalidGrid` for what a file may hold and a field may not, such as a word in place of a list of words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        fits, mend = value in inner, f"there are {', '.join(map(repr, inner))}"
    elif origin is tuple:
        fits = isinstance(value, tuple) and all(isinstance(each, inner[0]) for each in value)
        mend = f"give a list of {'whole numbers' if inner[0] is int else 'texts'}"
    elif origin is Mapping:
        fits, mend = isinstance(value, Mapping), "give a table of texts"
    else:
        allowed = (int, float) if hint is float else hint
        fits = isinstance(value, allowed) and isinstance(value, bool) <= (hint is bool)
        mend = f"give {_SAID.get(hint, 'a text')}"
    if not fits:
        raise InvalidGrid(name, value, mend)


def _names(values: tuple[Any, ...]) -> list[str]:
    return [str(getattr(value, "name", value)) for value in values]
