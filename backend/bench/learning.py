"""`seedqueue bench learn`: what training costs, and how soon `/predict` answers."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from seedqueue.backend.bench import linear_times, network_times
from seedqueue.backend.bench.answering import images_over_http, served
from seedqueue.backend.bench.drawn_project import (
    CHOICES_CONFIG,
    MASKS_CONFIG,
    DrawnProject,
    drawn_project,
    network_project,
)
from seedqueue.backend.bench.rows import Timing
from seedqueue.backend.errors import InvalidRequest
from seedqueue.models.heads.arithmetic import chosen
from seedqueue.models.heads.images import SIDE, prepare
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.images import read_image

GOAL = 50.0  # ms, the median of one task's answer by the linear head
MAX_PIXELS = 50_000_000

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sizes:
    """What is measured.

    labels: of the linear head's fits. pools: rows whose probabilities are told. stored: embeddings in the homes
    in which a whole training of `learnt` labels, judged on `held_out`, and `/predict` are measured. images: of an
    epoch, at `side`. epochs: of each network and arithmetic, the best counts. rounds: of everything else,
    likewise. requests: of one task to the linear head, a tenth as many to the U-Net; batches: of several tasks,
    half as many to the U-Net; batch, few: how many these are, to each. vgg: whether VGG-11 is measured too.
    """

    labels: tuple[int, ...] = (40, 100, 500)
    pools: tuple[int, ...] = (10_000, 100_000)
    stored: tuple[int, ...] = (1_000, 10_000)
    learnt: int = 100
    held_out: int = 150
    images: int = 40
    side: int = SIDE
    epochs: int = 1
    rounds: int = 3
    requests: int = 200
    batch: int = 100
    few: int = 8
    batches: int = 10
    vgg: bool = True

    @classmethod
    def quick(cls) -> Sizes:
        """To see that it runs, in seconds: nothing that it says is worth anything.

        Without VGG-11, which has 129 million weights whatever it is shown.
        """
        return cls(
            labels=(10, 12),
            pools=(100,),
            stored=(60,),
            learnt=20,
            held_out=15,
            images=4,
            side=32,
            rounds=1,
            requests=20,
            batch=5,
            few=2,
            batches=2,
            vgg=False,
        )

    def check(self) -> None:
        """Raises `InvalidRequest` where a home would hold too few embeddings for its labels and for one request."""
        least = self.learnt + self.held_out + self.batch
        for number in self.stored:
            if number < least:
                raise InvalidRequest(f"--stored is {number}; give at least {least}.")


def run(files: Sequence[Path], folder: Path, sizes: Sizes, say: Say) -> list[Timing]:
    """All rows. files: images, of which the first `sizes.images` are learnt from, repeated where there are fewer.

    folder: an empty one for the homes. Raises `InvalidRequest`, `ServeFailed`, and what reading an image raises.
    """
    sizes.check()
    say("the linear head: fits and pools ...")
    rows = linear_times.head_rows(sizes.labels, sizes.pools, sizes.rounds)
    answered: list[Timing] = []
    for stored in sizes.stored:
        place = _new(folder / str(stored))
        say(f"{stored:,} embeddings: a home, trainings ...")
        project = drawn_project(place, stored, sizes.learnt, sizes.held_out)
        rows += linear_times.training_rows(project, stored, sizes.rounds)
        say(f"{stored:,} embeddings: /predict ...")
        answered += _linear_answers(project, place, stored, sizes)
    contents = [file.read_bytes() for file in islice(cycle(files), sizes.images)]
    pixels = np.stack([prepare(read_image(each, max_pixels=MAX_PIXELS).image, sizes.side) for each in contents])
    trained, head = network_times.unet(pixels, sizes.epochs, say)
    say("U-Net: /predict ...")
    answered += _network_answers(head, contents, _new(folder / "unet"), sizes)
    classified = network_times.vgg(pixels, sizes.epochs, say) if sizes.vgg else []
    return [*rows, *answered, *trained, *classified]


def machine() -> str:
    """What it was measured on, in one line."""
    name, load = platform.processor() or platform.machine(), os.getloadavg()[0]
    told = Path("/proc/cpuinfo")
    if told.exists():
        models = [line.partition(":")[2].strip() for line in told.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    parts = f"{chosen().name} where arithmetic is chosen, torch {version('torch')}, {platform.system()}"
    return f"{os.cpu_count()} cores of {name}, {parts}; load average {load:.1f} before"


def _linear_answers(project: DrawnProject, folder: Path, stored: int, sizes: Sizes) -> list[Timing]:
    settings, waiting = project.context.settings, project.waiting
    ones = [[place] for place in islice(cycle(waiting), sizes.requests)]
    batches = [
        list(islice(cycle(waiting), at, at + sizes.batch)) for at in range(0, sizes.batches * sizes.batch, sizes.batch)
    ]
    with served(settings, CHOICES_CONFIG, folder) as asked:
        what = f"linear head, {stored:,} embeddings stored"
        return [
            *asked.rows(f"{what}, one task", ones, GOAL),
            *asked.rows(f"{what}, {sizes.batch} tasks", batches),
        ]


def _network_answers(head: NetworkHead, contents: Sequence[bytes], folder: Path, sizes: Sizes) -> list[Timing]:
    with images_over_http(contents) as uris:
        settings, places = network_project(folder, head, uris)
        ones = [[place] for place in islice(cycle(places), sizes.requests // 10)]
        batches = [
            list(islice(cycle(places), at, at + sizes.few))
            for at in range(0, sizes.batches // 2 * sizes.few, sizes.few)
        ]
        with served(settings, MASKS_CONFIG, folder) as asked:
            return [*asked.rows("U-Net, one image", ones), *asked.rows(f"U-Net, {sizes.few} images", batches)]


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
