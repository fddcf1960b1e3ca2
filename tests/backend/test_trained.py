"""Pre-annotations: of which version, for which tasks, and an empty answer where nothing can be said."""

import base64
import logging
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_server import ImageServer
from PIL import Image
from pools import CLASSES, D, embedded, freeze, store, uri, version

from seedqueue.backend.context import Context
from seedqueue.backend.settings import Settings
from seedqueue.backend.trained import TrainedHeads
from seedqueue.backend.versions import ModelVersion
from seedqueue.models.heads.linear import LinearHead
from seedqueue.models.heads.network_head import NetworkHead

CLOUD = "s3://bucket/scans/ü 1.png"
CHOICE = '<Choices name="choice" toName="image" choice="{}">{}</Choices>'
BRUSH = '<BrushLabels name="brush" toName="image"><Label value="a"/><Label value="b"/></BrushLabels>'


def config(*tags: str) -> str:
    return f'<View><Image name="image" value="$image"/>{"".join(tags)}</View>'


def choices(*names: str, choice: str = "single") -> str:
    return CHOICE.format(choice, "".join(f'<Choice value="{name}"/>' for name in names))


CONFIG = config(choices(*CLASSES))


def task(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": number, "data": {"image": changes.pop("image", uri(number))}, **changes}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A home with the embeddings of 30 tasks, the third of them in a cloud storage."""
    settings = Settings(
        home=tmp_path / "home",
        label_studio_url="http://127.0.0.1:1",
        label_studio_api_key="a" * 40,
        image_hosts="127.0.0.1",
    )
    with Context(settings) as opened:
        store(opened, embedded(30, noise=0.0), uris={3: CLOUD})
        yield opened


@pytest.fixture
def heads(context: Context) -> TrainedHeads:
    """Each call looks whether something else serves by now."""
    context.pace = replace(context.pace, fresh=-1.0)
    return TrainedHeads(context)


def linear(classes: tuple[str, ...] = CLASSES, kind: Any = "single") -> bytes:
    """A head that is nearly sure of the corner at which an embedding lies."""
    weight = np.zeros((len(classes), D), dtype=np.float32)
    weight[np.arange(len(classes)), np.arange(len(classes))] = 4
    bias = np.full(len(classes), 0 if kind == "single" else -4, dtype=np.float32)
    return LinearHead(classes, kind, np.zeros(D), np.ones(D), weight, bias).to_bytes()


def serve(context: Context, number: int, content: bytes, **changes: Any) -> ModelVersion:
    made = version(number, **{"weights": context.blobs.put(content), **changes})
    context.versions.save(made)
    context.versions.promote(made)
    return made


def said(answers: list[list[dict[str, Any]]]) -> list[list[str] | None]:
    return [one[0]["result"][0]["value"]["choices"] if one else None for one in answers]


def test_before_the_first_version_nothing_is_said(heads: TrainedHeads) -> None:
    assert heads.version(1) == heads.version(None) == "untrained"
    assert heads.versions() == []
    assert heads.predict(1, [task(1), task(2)], CONFIG) == [[], []]
    assert heads.predict(None, [task(1)], CONFIG) == [[]]
    assert heads.predict(1, [], CONFIG) == []


def test_each_task_gets_its_class_with_a_score(context: Context, heads: TrainedHeads) -> None:
    serve(context, 1, linear())
    assert (heads.version(1), heads.versions()) == ("linear-1", ["project 1: linear-1"])
    answers = heads.predict(1, [task(number) for number in (1, 2, 6)], CONFIG)
    assert said(answers) == [[CLASSES[1]], [CLASSES[2]], [CLASSES[0]]]
    assert [one[0]["model_version"] for one in answers] == ["linear-1"] * 3
    assert all(0.99 < one[0]["score"] <= 1 for one in answers)
    [item] = answers[0][0]["result"]
    assert (item["from_name"], item["to_name"], item["type"]) == ("choice", "image", "choices")
    assert heads.predict(2, [task(1)], CONFIG) == [[]]  # of another project


def test_the_same_task_twice(context: Context, heads: TrainedHeads) -> None:
    serve(context, 1, linear())
    assert said(heads.predict(1, [task(1), task(1), task(2)], CONFIG)) == [[CLASSES[1]], [CLASSES[1]], [CLASSES[2]]]


def test_audit_tasks_get_none(context: Context, heads: TrainedHeads) -> None:
    serve(context, 1, linear())
    freeze(context, [1, 6])
    assert said(heads.predict(1, [task(1), task(2), task(6)], CONFIG)) == [None, [CLASSES[2]], None]


@pytest.mark.parametrize(
    "odd",
    [
        task(99),
        task(1, image="/data/other.png"),
        task(1, image=""),
        task(1, image=None),
        task(1, image=["/data/1.png"]),
        task(1, image="http://[half"),
        {"id": 1, "data": {}},
        {"id": 1, "data": None},
        {"id": 1},
        {"data": {"image": uri(1)}},
        {"id": "1", "data": {"image": uri(1)}},
        {"id": None, "data": {"image": uri(1)}},
        {},
    ],
)
def test_of_a_task_that_nobody_knows_nothing_is_said(
    context: Context, heads: TrainedHeads, odd: dict[str, Any]
) -> None:
    serve(context, 1, linear())
    assert said(heads.predict(1, [odd, task(1)], CONFIG)) == [None, [CLASSES[1]]]


@pytest.mark.parametrize("label_config", ["", "<View>", "<View/>", config('<TextArea name="t" toName="image"/>')])
def test_with_a_config_that_asks_for_nothing_nothing_is_said(
    context: Context, heads: TrainedHeads, label_config: str
) -> None:
    serve(context, 1, linear())
    assert heads.predict(1, [task(1)], label_config) == [[]]


def test_classes_go_by_name_when_the_config_has_changed(context: Context, heads: TrainedHeads) -> None:
    serve(context, 1, linear())
    other = config(choices("yak", CLASSES[2], CLASSES[1]))
    assert said(heads.predict(1, [task(1), task(2)], other)) == [[CLASSES[1]], [CLASSES[2]]]
    [gone] = heads.predict(1, [task(6)], other)  # its class left the config: what is left is improbable
    assert gone[0]["score"] < 0.01
    assert heads.predict(1, [task(1)], config(choices("yak", "emu"))) == [[]]
    assert heads.predict(1, [task(1)], config(BRUSH)) == [[]]


def test_several_choices_at_their_thresholds(context: Context, heads: TrainedHeads) -> None:
    content = linear(kind="multi")
    serve(context, 1, content, kind="multi")
    multiple = config(choices(*CLASSES, choice="multiple"))
    assert said(heads.predict(1, [task(1)], multiple)) == [[CLASSES[1]]]
    serve(context, 2, content, kind="multi", threshold=(0.01, 0.01, 0.999))
    assert said(heads.predict(1, [task(1), task(2)], multiple)) == [[CLASSES[0], CLASSES[1]], [CLASSES[0], CLASSES[1]]]
    serve(context, 3, content, kind="multi", threshold=(0.999, 0.999, 0.999))
    assert heads.predict(1, [task(1)], multiple) == [[]]


def test_probabilities_are_those_of_the_audits_prevalence(context: Context, heads: TrainedHeads) -> None:
    content = linear()
    plain = serve(context, 1, content)
    place = (1, uri(1))
    before = heads.probabilities(plain, [place])[place]
    moved = replace(plain, prior=(1 / 3, 1 / 3, 1 / 3), target=(0.9, 0.02, 0.08))
    after = heads.probabilities(moved, [place])[place]
    expected = before * [0.9, 0.02, 0.08]
    np.testing.assert_allclose(after, expected / expected.sum())


def test_a_promotion_shows_at_the_next_look(context: Context, heads: TrainedHeads) -> None:
    serve(context, 1, linear())
    assert heads.version(1) == "linear-1"
    serve(context, 2, linear(("cow", "dog", "cat")), classes=("cow", "dog", "cat"))
    assert heads.version(1) == "linear-2"
    assert said(heads.predict(1, [task(2)], CONFIG)) == [["cat"]]
    context.versions.promote(context.versions.get(1, 1), back=True)
    assert heads.version(1) == "linear-1"


def test_between_two_looks_the_records_are_not_asked(context: Context) -> None:
    context.pace = replace(context.pace, fresh=3600.0)
    warm = TrainedHeads(context)
    assert warm.version(1) == "untrained"
    serve(context, 1, linear())
    assert warm.version(1) == "untrained"
    assert TrainedHeads(context).version(1) == "linear-1"


def lose(context: Context, lost: ModelVersion) -> None:
    table = context.home.existing("heads")
    assert table is not None
    table.delete(f"blob = '{lost.weights}'")


@pytest.mark.parametrize("damaged", [False, True])
def test_lost_or_damaged_weights_give_no_prediction_and_a_line_in_the_log(
    context: Context, heads: TrainedHeads, caplog: pytest.LogCaptureFixture, damaged: bool
) -> None:
    if damaged:
        serve(context, 1, b"no safetensors")
    else:
        lose(context, serve(context, 1, linear()))
    with caplog.at_level(logging.WARNING):
        assert heads.predict(1, [task(1), task(2)], CONFIG) == [[], []]
    assert "project 1: linear-1 says nothing" in caplog.text


def test_another_embedders_head_says_nothing_of_images_that_it_never_saw(context: Context, heads: TrainedHeads) -> None:
    serve(context, 1, linear(), fingerprint="another")
    assert heads.predict(1, [task(1)], CONFIG) == [[]]


@pytest.mark.parametrize("path", ["/tasks/3/resolve/", "/tasks/3/presign/", "/sub/tasks/3/resolve"])
def test_a_resolved_address_of_a_cloud_storage_is_its_image(context: Context, heads: TrainedHeads, path: str) -> None:
    serve(context, 1, linear())
    encoded = base64.urlsafe_b64encode(CLOUD.encode()).decode()
    for sent in (CLOUD, f"http://ls{path}?fileuri={encoded}", f"{path}?fileuri={encoded.rstrip('=')}"):
        assert said(heads.predict(1, [task(3, image=sent)], CONFIG)) == [[CLASSES[0]]]


# Networks, which see the images.


def png(side: int = 40, height: int = 24) -> bytes:
    kept = BytesIO()
    Image.fromarray((np.random.default_rng(0).random((height, side)) * 255).astype(np.uint8)).save(kept, "PNG")
    return kept.getvalue()


@pytest.fixture(scope="module")
def unet() -> bytes:
    """A U-Net that was never trained, for classes `a` and `b`."""
    return NetworkHead.create(("a", "b"), "masks", side=32, seed=0, threads=1).to_bytes()


@pytest.fixture
def images() -> Iterator[ImageServer]:
    with ImageServer({"1.png": png(), "2.png": b"no image"}) as server:
        yield server


def test_masks_lie_on_the_images_own_grid(
    context: Context, heads: TrainedHeads, unet: bytes, images: ImageServer
) -> None:
    serve(context, 1, unet, head="unet-vgg11", kind="masks", classes=("a", "b"), threshold=(0.5, 0.5))
    assert heads.version(1) == "unet-vgg11-1"
    tasks = [
        task(1, image=f"{images.url}/1.png"),
        task(2, image=f"{images.url}/2.png"),
        task(3, image=f"{images.url}/3"),
    ]
    seen, unreadable, missing = heads.predict(1, tasks, config(BRUSH))
    assert unreadable == missing == []
    [prediction] = seen
    assert prediction["model_version"] == "unet-vgg11-1"
    assert 0 <= prediction["score"] <= 1
    assert all((item["original_width"], item["original_height"]) == (40, 24) for item in prediction["result"])
    assert {item["value"]["brushlabels"][0] for item in prediction["result"]} <= {"a", "b"}
    assert heads.predict(1, tasks[:1], config(BRUSH.replace('"a"', '"x"').replace('"b"', '"y"'))) == [[]]
    assert heads.predict(1, tasks[:1], CONFIG) == [[]]


def test_two_heads_answer_together_under_both_names(
    context: Context, heads: TrainedHeads, unet: bytes, images: ImageServer
) -> None:
    serve(context, 1, linear())
    drawing = serve(context, 2, unet, head="unet-vgg11", kind="masks", classes=("a", "b"))
    place, unreadable = f"{images.url}/1.png", f"{images.url}/2.png"
    store(context, embedded(2, noise=0.0), uris={1: place, 2: unreadable})
    assert heads.version(1) == "linear-1+unet-vgg11-2"
    both = config(choices(*CLASSES), BRUSH)
    sent = [task(1, image=place), task(2, image=unreadable), task(77, image=place)]
    first, only_class, only_masks = heads.predict(1, sent, both)
    assert [one["type"] for one in first[0]["result"]].count("choices") == 1
    assert {one["type"] for one in only_class[0]["result"]} == {"choices"}
    assert {one["type"] for one in [*first[0]["result"], *only_masks[0]["result"]]} >= {"choices", "brushlabels"}
    assert {one[0]["model_version"] for one in (first, only_class, only_masks)} == {"linear-1+unet-vgg11-2"}
    lose(context, drawing)
    again = TrainedHeads(context).predict(1, sent, both)
    assert said(again) == [[CLASSES[1]], [CLASSES[2]], None]
    assert {one[0]["model_version"] for one in again if one} == {"linear-1+unet-vgg11-2"}
