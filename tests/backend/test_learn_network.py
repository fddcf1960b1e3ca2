"""A network learnt from served images: what cannot be read is left out, what is held out is judged on its own grid."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from annotated import MASKS, annotation, region, task
from image_server import ImageServer
from PIL import Image

from seedqueue.backend.annotations import examples_from
from seedqueue.backend.context import Context
from seedqueue.backend.examples import Example
from seedqueue.backend.learn_network import Course, learn_network
from seedqueue.backend.pictures import pictures
from seedqueue.backend.settings import Settings
from seedqueue.models.errors import LabelsUnusable
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.heads.spec import Progress

WIDE, HIGH = 40, 24


def png(number: int) -> bytes:
    kept = BytesIO()
    drawn = np.random.default_rng(number).random((HIGH, WIDE)) * 255
    Image.fromarray(drawn.astype(np.uint8)).save(kept, "PNG")
    return kept.getvalue()


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    settings = Settings(
        home=tmp_path / "home",
        weights=tmp_path / "weights",
        label_studio_url="http://127.0.0.1:1",
        label_studio_api_key="a" * 40,
        image_hosts="127.0.0.1",
    )
    with Context(settings) as opened:
        yield opened


@pytest.fixture
def images() -> Iterator[ImageServer]:
    with ImageServer({f"{number}.png": png(number) for number in range(1, 7)}) as server:
        server.files["3.png"] = b"no image"
        yield server


def drawn(images: ImageServer, number: int, wide: int = WIDE) -> Example:
    """A task whose annotator marked the left half of its image as `a`."""
    rows = np.zeros((HIGH, wide), dtype=int)
    rows[:, : wide // 2] = 1
    found = examples_from([task(number, annotation(number, region(rows.tolist())))], MASKS)
    return replace(found.examples[0], uri=f"{images.url}/{number}.png")


def test_pictures_come_in_order_and_without_those_that_cannot_be_read(context: Context, images: ImageServer) -> None:
    places = [(number, f"{images.url}/{number}.png") for number in (5, 3, 99, 1)]
    found = list(pictures(context, places))
    assert [place for place, _ in found] == places
    assert [picture is not None for _, picture in found] == [True, False, False, True]
    assert list(pictures(context, [])) == []


def test_a_segmenter_learns_from_what_can_be_used(context: Context, images: ImageServer, tmp_path: Path) -> None:
    training = [drawn(images, 1), drawn(images, 2), drawn(images, 3), drawn(images, 4, wide=WIDE * 2)]
    held_out = [drawn(images, 5), drawn(images, 6, wide=WIDE * 2), replace(drawn(images, 6), task=66)]
    seen: list[Progress] = []
    course = Course(epochs=1, seed=0, threads=1, checkpoint=tmp_path / "at.pt", report=seen.append, side=32)
    learnt = learn_network(context, training, held_out, [], MASKS.mask_classes, "masks", course)
    assert [one.task for one in learnt.examples] == [
        1,
        2,
    ]  # the third is no image, the fourth's mask is of another shape
    assert (learnt.kind, learnt.classes, learnt.per_class, learnt.pretrained) == ("masks", ("a", "b"), (2, 0), False)
    assert learnt.threshold == (0.5, 0.5)
    assert sorted(learnt.predicted.images) == [5, 66]
    assert [figures.dsc is None for figures in learnt.predicted.images[5]] == [False, True]
    assert [(one.epoch, one.epochs) for one in seen] == [(1, 1)]
    assert NetworkHead.from_bytes(learnt.weights).classes == ("a", "b")


def test_without_any_usable_image_there_is_no_training(context: Context, images: ImageServer) -> None:
    course = Course(epochs=1, seed=0, threads=1, checkpoint=None, side=32)
    with pytest.raises(LabelsUnusable):
        learn_network(context, [drawn(images, 3)], [], [], MASKS.mask_classes, "masks", course)
