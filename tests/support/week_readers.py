"""Three annotators of breast ultrasound: two who err now and then, one who is careless in a known way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from annotating import name_of, submit
from numpy.typing import NDArray
from truth import KINDS, brush, choice, read_mask

from seedqueue.backend.demo.annotator import Annotator

Mask = NDArray[np.bool_]

CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <Choices name="kind" toName="image">
    <Choice value="benign"/><Choice value="malignant"/><Choice value="normal"/>
  </Choices>
  <BrushLabels name="mask" toName="image"><Label value="lesion"/></BrushLabels>
</View>
""".strip()


@dataclass(frozen=True)
class Known:
    """What is true of an image: its kind, and the file of its lesion's mask."""

    kind: str
    mask: Path

    def result(self, kind: str | None = None, shift: int = 0) -> list[dict[str, Any]]:
        """An annotation's result; another kind, or a mask that many pixels too far right, where they are given."""
        said, lesion = kind or self.kind, read_mask(self.mask)
        drawn = np.roll(lesion, shift, axis=1)
        drawn[:, :shift] = False
        return choice(said) + (brush(drawn, "lesion") if said != "normal" and drawn.any() else [])


@dataclass
class Reader:
    """An annotator. wrong: the share of images whose kind is said wrongly; shift: of every mask, in pixels.

    known: what is true of the image of a task; None for one that is no breast ultrasound, which is skipped. errors:
    {task: what was said} so far. skipped: how many.
    """

    annotator: Annotator
    known: Callable[[Mapping[str, Any]], Known | None]
    wrong: float
    shift: int
    seed: int
    errors: dict[int, str] = field(default_factory=dict)
    skipped: int = 0

    def work(self, count: int) -> list[int]:
        """Take and answer up to `count` tasks as they are served; their numbers."""
        done: list[int] = []
        while len(done) < count and (task := self.annotator.next_task()) is not None:
            if self.answer(task):
                done.append(int(task["id"]))
        return done

    def answer(self, task: Mapping[str, Any]) -> bool:
        """Label it, or skip it; whether it was labelled."""
        random = np.random.default_rng((self.seed, int(task["id"])))
        known = self.known(task)
        if known is None:
            submit(self.annotator.studio, int(task["id"]), [], was_cancelled=True)
            self.skipped += 1
            return False
        said = known.kind
        if random.random() < self.wrong:
            said = str(random.choice([kind for kind in KINDS if kind != known.kind]))
            self.errors[int(task["id"])] = said
        seconds = float(random.lognormal(np.log(9.0 if self.wrong < 0.2 else 4.0), 0.3))
        submit(self.annotator.studio, int(task["id"]), known.result(said, self.shift), lead_time=seconds)
        return True


def in_turns(readers: Sequence[Reader], counts: Sequence[int], at_once: int = 5) -> list[list[int]]:
    """All work until each has done so many, some tasks at a turn; the tasks of each."""
    done: list[list[int]] = [[] for _ in readers]
    moved = True
    while moved:
        moved = False
        for reader, count, mine in zip(readers, counts, done, strict=True):
            found = reader.work(min(at_once, count - len(mine)))
            mine += found
            moved = moved or bool(found)
    return done


def file_of(task: Mapping[str, Any], pseudonyms: Mapping[str, str]) -> str:
    """The original name of a task's image, through the map that the lab keeps: {pseudonym: file}."""
    return Path(pseudonyms[str(task["data"].get("image_id") or name_of(task))]).name
