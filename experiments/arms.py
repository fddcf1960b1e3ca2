"""One arm of an experiment: a selector, and how it is varied, as one word of text.

kmeans                                  the selector as it is
kmeans:representation=raw               sees the embeddings raw, standardised or at unit length
kmeans:components=64                    sees so many principal components
kmeans:pool=200                         sees 200 random images of the training part
kmeans:clusters=2                       twice as many K-means clusters as the budget
kmeans:seeds=20:then=margin             20 by K-means, the others round by round by the head's word
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import get_args

from seedqueue.experiments.errors import UnknownArm
from seedqueue.selectors import registry
from seedqueue.selectors.representation import Representation

REFERENCE = "uniform"
STEP = 20  # labels of a later round
FIRST = 20  # of `kmeans`, where a selector of later rounds is named alone


@dataclass(frozen=True)
class Arm:
    """text: as it was written, which names the arm everywhere. clusters: of K-means, as a multiple of the budget.

    seeds, then: so many by `selector`, what is left of the budget by `then` in rounds of STEP.
    """

    text: str
    selector: str
    representation: Representation | None = None
    components: int | None = None
    pool: int | None = None
    clusters: float | None = None
    seeds: int | None = None
    then: str | None = None

    @property
    def random(self) -> bool:
        """Whether it is a draw that has to be repeated to speak of its mean."""
        return self.selector == REFERENCE and self.then is None

    @property
    def nested(self) -> bool:
        """Whether the queue of a budget begins with those of smaller ones."""
        return (registry.get(self.selector).greedy and self.clusters is None) or self.then is not None

    @property
    def needs(self) -> frozenset[str]:
        """Signals that some part of it needs."""
        names = [self.selector, *([self.then] if self.then else [])]
        return frozenset(need for name in names for need in registry.get(name).needs)


def parse(text: str) -> Arm:
    """Raises `UnknownArm`, `UnknownSelector`."""
    name, *options = text.strip().split(":")
    entry = registry.get(name)
    given = dict(_option(text, option) for option in options)
    arm = Arm(text.strip(), name, **given)  # type: ignore[arg-type]
    if not entry.first_round:
        if given:
            raise UnknownArm(text, f"{name} is for later rounds; write kmeans:seeds={FIRST}:then={name}")
        return Arm(text.strip(), "kmeans", seeds=FIRST, then=name)
    if (arm.seeds is None) != (arm.then is None):
        raise UnknownArm(text, "seeds and then belong together, as in kmeans:seeds=20:then=margin")
    if arm.then is not None and registry.get(arm.then).first_round and arm.then != REFERENCE:
        raise UnknownArm(text, f"{arm.then} is no selector of later rounds")
    if arm.clusters is not None and (name != "kmeans" or arm.then is not None):
        raise UnknownArm(text, "a number of clusters is for kmeans alone, without later rounds")
    return arm


def _option(text: str, option: str) -> tuple[str, object]:
    name, found, value = option.partition("=")
    known = [field.name for field in fields(Arm)[2:]]
    if name not in known or not found:
        raise UnknownArm(text, f"{option!r} is no option; there are {', '.join(f'{each}=' for each in known)}")
    if name == "representation":
        if value not in get_args(Representation):
            raise UnknownArm(text, f"{value!r} is none of {', '.join(get_args(Representation))}")
        return name, value
    if name == "then":
        return name, registry.get(value).name
    try:
        number = float(value) if name == "clusters" else int(value)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise UnknownArm(text, f"{option!r} needs a number above 0")
    return name, number
