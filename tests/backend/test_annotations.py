"""Annotations to examples: whose counts, how several are combined, and what is said of the rest."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from annotated import (
    CHOICES,
    MASKS,
    MULTI,
    SINGLE,
    TAXONOMY,
    Json,
    annotation,
    choice,
    classes_of,
    config,
    gather,
    mask_of,
    region,
    task,
)

from seedqueue.backend.annotations import Problem, examples_from
from seedqueue.backend.label_config import parse_labelling


def test_the_recorded_annotation(payload: Callable[[str], Json]) -> None:
    body = payload("ANNOTATION_CREATED")
    project = body["project"]
    labelling = parse_labelling(project["parsed_label_config"], project["label_config"])
    found = examples_from([body["task"] | {"annotations": [body["annotation"]]}], labelling)
    assert found.problems == ()
    assert len(found.examples) == 1
    one = found.examples[0]
    assert (one.task, one.uri, one.annotations) == (92, "http://127.0.0.1:9300/im000.png", (1,))
    assert (one.classes, one.masks, one.ground_truth, one.seconds) == ((True, False), None, False, 1.0)


def test_the_recorded_skip_is_no_example(payload: Callable[[str], Json]) -> None:
    body = payload("ANNOTATION_CREATED_skipped")
    project = body["project"]
    labelling = parse_labelling(project["parsed_label_config"], project["label_config"])
    found = examples_from([body["task"] | {"annotations": [body["annotation"]]}], labelling)
    assert (found.examples, found.problems) == ((), ())


def test_predictions_made_annotations_count(payload: Callable[[str], Json]) -> None:
    body = payload("ANNOTATIONS_CREATED")
    project = body["project"]
    labelling = parse_labelling(project["parsed_label_config"], project["label_config"])
    found = examples_from([body["task"][0] | {"annotations": body["annotation"]}], labelling)
    assert [(one.annotations, one.seconds) for one in found.examples] == [((2,), None)]


def test_groups_come_from_the_field_of_task_data() -> None:
    mine = annotation(1, choice("cat"))
    tasks = [task(1, mine, patient="p1"), task(2, mine, patient=17), task(3, mine), task(4, mine, patient="")]
    groups = [one.group for one in examples_from(tasks, SINGLE, "patient").examples]
    assert groups == ["p1", "17", "task 3", "task 4"]
    assert len({one.group for one in examples_from(tasks, SINGLE).examples}) == 4


def test_fields_within_fields_and_spaces_are_read_as_for_a_queue() -> None:
    labelling = replace(SINGLE, image_key="scan.front")
    inner = {"id": 1, "data": {"scan": {"front": "/1.png", "of": {"patient": " p1 "}}}}
    found = examples_from([{**inner, "annotations": [annotation(1, choice("cat"))]}], labelling, "scan.of.patient")
    assert [(one.uri, one.group) for one in found.examples] == [("/1.png", "p1")]


def test_the_spacing_comes_from_task_data() -> None:
    mine = annotation(1, choice("cat"))
    tasks = [task(1, mine, spacing="0.143x0.2"), task(2, mine, spacing="as scanned"), task(3, mine)]
    assert [one.spacing for one in examples_from(tasks, SINGLE).examples] == [(0.143, 0.2), None, None]


def test_a_skip_beside_an_annotation_is_dropped() -> None:
    skip = annotation(2, choice("dog"), by=1, day=9, was_cancelled=True)
    assert gather(SINGLE, annotation(1, choice("cat"), by=1), skip).examples[0].annotations == (1,)


def test_a_label_that_left_the_config() -> None:
    found = gather(SINGLE, annotation(3, choice("gone")))
    assert found.examples == ()
    assert found.problems == (Problem(7, 3, "the label 'gone' is not in the label config"),)
    assert classes_of(MULTI, annotation(3, choice("gone", "dog"))) == ["dog"]
    assert len(gather(MULTI, annotation(3, choice("gone", "dog"))).problems) == 1
    assert classes_of(MULTI, annotation(3, choice("gone"))) is None


def test_a_control_that_left_the_config() -> None:
    found = gather(SINGLE, annotation(3, choice("cat", name="old")))
    assert found.examples == ()
    assert found.problems == (Problem(7, 3, "the control 'old' is not in the label config"),)
    assert mask_of(MASKS, annotation(3, region([[1, 0, 0, 0]], name="old"))) is None


def test_what_a_head_does_not_learn_is_no_problem() -> None:
    labelling = config(
        CHOICES.format("single"),
        '<TextArea name="text" toName="image"/>',
        CHOICES.replace('"choice"', '"more"', 1).format("single"),
    )
    text = {"from_name": "text", "to_name": "image", "type": "textarea", "value": {"text": ["fine"]}}
    found = gather(labelling, annotation(1, choice("cat"), text, choice("dog", name="more"), {"type": "relation"}))
    assert found.problems == ()
    assert found.examples[0].classes == (True, False, False)


def test_two_single_choices_are_none() -> None:
    found = gather(SINGLE, annotation(3, choice("cat", "dog")))
    assert found.examples == ()
    assert "one choice" in found.problems[0].reason


@pytest.mark.parametrize("value", [{}, {"choices": None}, {"choices": []}, None])
def test_no_choice_is_no_example(value: Any) -> None:
    for labelling in (SINGLE, MULTI):
        assert gather(labelling, annotation(1, choice() | {"value": value})).examples == ()
        assert gather(labelling, annotation(1)).examples == ()


def test_a_taxonomy_is_read_by_its_leaves() -> None:
    labelling = config(TAXONOMY)
    assert classes_of(labelling, annotation(1, choice(["x", "y"], kind="taxonomy"))) == ["x / y"]
    inner = gather(labelling, annotation(1, choice(["x"], kind="taxonomy")))
    assert inner.examples == ()
    assert inner.problems[0].reason == "the label 'x' is not a leaf of the label config's Taxonomy"


def test_an_annotation_of_a_deleted_task() -> None:
    found = gather(SINGLE, annotation(3, choice("cat"), task=6), annotation(4, choice("dog"), task=7))
    assert found.examples[0].annotations == (4,)
    assert [(one.task, one.annotation) for one in found.problems] == [(7, 3)]
    assert "task 6" in found.problems[0].reason


@pytest.mark.parametrize("data", [None, {}, {"image": ""}, {"image": None}, {"other": "x.png"}])
def test_a_task_without_an_image(data: Any) -> None:
    found = examples_from([{"id": 7, "data": data, "annotations": [annotation(1, choice("cat"))]}], SINGLE)
    assert found.examples == ()
    assert [(one.task, one.annotation) for one in found.problems] == [(7, None)]
    assert "'image'" in found.problems[0].reason


def test_a_task_without_annotations_is_nothing() -> None:
    assert examples_from([task(1), {"id": 2, "data": {"image": "x"}}], SINGLE) == examples_from([], SINGLE)


def test_the_newest_of_an_annotator_counts() -> None:
    old, new = (
        annotation(9, choice("cat"), by=1, day=2),
        annotation(5, choice("dog"), by={"id": 1, "email": "x"}, day=3),
    )
    for order in ((old, new), (new, old)):
        found = gather(SINGLE, *order)
        assert found.examples[0].annotations == (5,)
        assert classes_of(SINGLE, *order) == ["dog"]


def test_times_without_fractions_of_a_second_are_in_order_too() -> None:
    old = annotation(1, choice("cat"), by=1, updated_at="2026-11-23T01:47:31Z")
    new = annotation(2, choice("dog"), by=1, updated_at="2026-11-23T01:47:31.500000Z")
    assert classes_of(SINGLE, new, old) == ["dog"]


def test_the_most_frequent_single_choice_counts() -> None:
    said = [annotation(1, choice("cat")), annotation(2, choice("dog"), day=2), annotation(3, choice("dog"), day=3)]
    assert classes_of(SINGLE, *said) == ["dog"]
    found = gather(SINGLE, *said).examples[0]
    assert (found.annotations, found.seconds) == ((1, 2, 3), 7.5)


def test_in_a_tie_the_earliest_annotation_decides() -> None:
    cow, dog = annotation(1, choice("cow"), day=3), annotation(2, choice("dog"), day=2)
    assert classes_of(SINGLE, cow, dog) == ["dog"]
    # The earliest of all said cat, which is not among the tied.
    more = [
        annotation(3, choice("cat"), day=1),
        cow,
        dog,
        annotation(4, choice("cow"), day=4),
        annotation(5, choice("dog"), day=5),
    ]
    assert classes_of(SINGLE, *more) == ["dog"]


def test_several_choices_are_combined_class_by_class() -> None:
    said = [annotation(1, choice("cat", "dog")), annotation(2, choice("dog")), annotation(3, choice("dog", "cow"))]
    assert classes_of(MULTI, *said) == ["dog"]
    assert classes_of(MULTI, *said[:2]) == ["cat", "dog"]  # a tie is in, as with pixels


def test_a_ground_truth_counts_alone() -> None:
    said = [annotation(number, choice("cat")) for number in (1, 2)]
    truths = [
        annotation(3, choice("cow"), ground_truth=True, day=2),
        annotation(4, choice("dog"), ground_truth=True, day=4),
    ]
    found = gather(SINGLE, *truths, *said)
    assert classes_of(SINGLE, *said, *truths) == ["dog"]
    assert (found.examples[0].ground_truth, found.examples[0].annotations) == (True, (4,))
    # Nor does its own annotator's later annotation, which is none, take its place.
    later = annotation(5, choice("cat"), by=4, day=9)
    assert classes_of(SINGLE, *truths, later) == ["dog"]
    assert not gather(SINGLE, *said).examples[0].ground_truth


def test_a_skipped_ground_truth_is_a_skip() -> None:
    skipped = annotation(3, choice("cow"), ground_truth=True, was_cancelled=True)
    assert classes_of(SINGLE, annotation(1, choice("cat")), skipped) == ["cat"]
