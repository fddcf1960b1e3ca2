"""Annotations and label configs with anything in them: read, or named and left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from drawn import item, recorded
from hypothesis import given, settings
from hypothesis import strategies as st

from seedqueue.backend.annotations import examples_from
from seedqueue.backend.examples import masks
from seedqueue.backend.label_config import Labelling, labelling_of_xml
from seedqueue.backend.learning_errors import LabelConfigUnusable, MasksUnusable
from seedqueue.backend.regions import Region, RegionProblem, masks_by_label, read_regions
from seedqueue.backend.rle import BrokenRLE, decode_alpha, encode

MASK = np.arange(48 * 64).reshape(48, 64) % 7 < 3
KINDS = ("BrushLabels", "PolygonLabels", "RectangleLabels", "EllipseLabels")
ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})


def whole(kind: str) -> dict[str, Any]:
    """A region as Label Studio sends it."""
    if kind == "EllipseLabels":
        value = {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10, "rotation": 5, "ellipselabels": ["a"]}
        return {"id": "e", "type": "ellipselabels", "original_width": 64, "original_height": 48, "value": value}
    return recorded(kind)


def places(inside: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in nested lists and dicts, as the container and its key."""
    for key, value in list(inside.items() if isinstance(inside, dict) else enumerate(inside)):
        yield inside, key
        if isinstance(value, dict | list):
            yield from places(value)


@settings(deadline=None)
@given(content=st.binary(max_size=80), height=st.integers(1, 70), width=st.integers(1, 70))
def test_any_bytes_are_a_mask_of_the_size_or_broken(content: bytes, height: int, width: int) -> None:
    for each in (content, (4 * height * width).to_bytes(4, "big") + content):
        with suppress(BrokenRLE):
            assert decode_alpha(each, height, width).shape == (height, width)


@settings(deadline=None)
@given(flips=st.lists(st.integers(0), min_size=1, max_size=8), cut=st.integers(0, 3))
def test_a_mask_with_flipped_bits(flips: list[int], cut: int) -> None:
    content = bytearray(encode(MASK))
    for at in flips:
        content[at // 8 % len(content)] ^= 1 << at % 8
    with suppress(BrokenRLE):
        assert decode_alpha(bytes(content[: len(content) - cut]), 48, 64).shape == (48, 64)


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), changes=st.lists(st.tuples(st.integers(0), ODD), min_size=1, max_size=4))
def test_a_region_with_anything_in_the_place_of_anything(kind: str, changes: list[tuple[int, Any]]) -> None:
    region = whole(kind)
    labels = region["value"][kind.lower()]
    for at, value in changes:
        found = list(places(region))
        container, key = found[at % len(found)]
        container[key] = value
    regions, problems = read_regions([region], labels)
    assert all(isinstance(one, Region) for one in regions)
    assert all(isinstance(one, RegionProblem) and one.reason for one in problems)
    if all(one.width * one.height < 10**6 for one in regions):
        raster, _ = masks_by_label(regions, labels, 48, 64)
        assert raster.shape == (len(labels), 48, 64)


CONFIG = """<View><Image name="image" value="$image"/><Choices name="c" toName="image"><Choice value="a"/></Choices>
  <BrushLabels name="b" toName="image"><Label value="a"/></BrushLabels>
  <PolygonLabels name="p" toName="image"><Label value="b"/></PolygonLabels></View>"""


def annotated() -> dict[str, Any]:
    """A task with a choice, a mask and a polygon, as Label Studio lists it."""
    choice = {"from_name": "c", "to_name": "image", "type": "choices", "value": {"choices": ["a"]}}
    brush = {**item("brush", labels=("a",), format="rle", rle=encode(MASK)), "from_name": "b"}
    polygon = {**item("polygon", labels=("b",), points=[[1, 1], [50, 2], [30, 60]]), "from_name": "p"}
    annotation = {"id": 5, "completed_by": 1, "updated_at": "2026-01-01T00:00:00Z", "lead_time": 3.5, "task": 1}
    annotation["result"] = [choice, brush, polygon]
    return {"id": 1, "data": {"image": "/data/upload/1/x.png"}, "annotations": [annotation]}


@settings(deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0), ODD), min_size=1, max_size=4))
def test_an_annotation_with_anything_in_it_does_not_end_a_training(changes: list[tuple[int, Any]]) -> None:
    task = annotated()
    for at, value in changes:
        found = list(places(task["annotations"][0]["result"]))  # the rest is Label Studio's own columns
        if found:
            container, key = found[at % len(found)]
            container[key] = value
    gathered = examples_from([task], labelling_of_xml(CONFIG))
    for example in gathered.examples:
        if example.masks is not None:
            with suppress(MasksUnusable):
                assert masks(example, 48, 64).shape == (2, 48, 64)


def test_the_annotation_is_whole_before_it_is_changed() -> None:
    gathered = examples_from([annotated()], labelling_of_xml(CONFIG))
    assert gathered.problems == ()
    assert [(one.classes, masks(one, 48, 64).any(axis=(1, 2)).tolist()) for one in gathered.examples] == [
        ((True,), [True, True])
    ]


TAGS = ("View", "Image", "Choices", "Choice", "Taxonomy", "BrushLabels", "PolygonLabels", "Label", "Filter", "Repeater")
NAMES = (
    "name",
    "toName",
    "value",
    "alias",
    "choice",
    "perRegion",
    "valueList",
    "indexFlag",
    "maxUsages",
    "whenTagName",
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from(["i", "c", "$image", "true", "a", "{{i}}", "", "x,i"])
)
TREES = st.recursive(
    st.tuples(st.sampled_from(TAGS), ATTRIBUTES, st.just([])),
    lambda inner: st.tuples(st.sampled_from(TAGS), ATTRIBUTES, st.lists(inner, max_size=5)),
    max_leaves=15,
)


def as_xml(tree: tuple[str, dict[str, str], list[Any]]) -> str:
    tag, attributes, inside = tree
    said = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<{tag}{said}>{''.join(as_xml(one) for one in inside)}</{tag}>"


def labelling(config: str) -> Labelling | None:
    try:
        return labelling_of_xml(config)
    except LabelConfigUnusable:
        return None


@settings(deadline=None)
@given(TREES)
def test_any_tree_of_label_studios_tags_is_a_labelling_or_unusable(tree: Any) -> None:
    config = f'<View><Image name="i" value="$image"/>{as_xml(tree)}</View>'
    found = labelling(config)
    assert found is None or found.image_key
    labelling(as_xml(tree))


@settings(deadline=None)
@given(st.text(max_size=40) | st.text("<>/&;!?[]-\"'= aVw\n", max_size=40))
def test_any_text_too(text: str) -> None:
    labelling(text)
    labelling(f'<View><Image name="i" value="$image"/>{text}</View>')


def test_the_regions_are_whole_before_they_are_changed() -> None:
    for kind in KINDS:
        region = whole(kind)
        regions, problems = read_regions([region], region["value"][kind.lower()])
        assert (len(regions), len(problems)) == (1, 0), kind


@pytest.mark.parametrize("size", [10**9, -5, 2.5, "64", None, True, 10**400, float("nan"), [64]])
@pytest.mark.parametrize("side", ["original_width", "original_height"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_size_that_is_none_is_named(kind: str, side: str, size: Any) -> None:
    region = {**whole(kind), side: size}
    _, problems = read_regions([region], region["value"][kind.lower()])
    assert problems
