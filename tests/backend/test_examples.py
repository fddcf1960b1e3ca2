"""The masks of an example, and the key that changes with any of its annotations."""

from dataclasses import replace

import pytest
from annotated import BOTH, MASKS, SINGLE, annotation, choice, classes_of, gather, mask_of, region, task

from seedqueue.backend.annotations import examples_from
from seedqueue.backend.examples import annotation_key, masks
from seedqueue.backend.learning_errors import MasksUnusable


def test_an_empty_result_is_a_negative_where_masks_are_learnt() -> None:
    assert mask_of(MASKS, annotation(1)) == [[0, 0, 0, 0]]
    assert gather(SINGLE, annotation(1)).examples == ()


def test_both_kinds() -> None:
    both = gather(BOTH, annotation(1, choice("cat"), region([[1, 1, 0, 0]]))).examples[0]
    assert both.classes == (True, False, False)
    assert masks(both, 1, 4)[0].tolist() == [[1, 1, 0, 0]]
    no_region = gather(BOTH, annotation(1, choice("cat"))).examples[0]
    assert not masks(no_region, 1, 4).any()
    no_choice = gather(BOTH, annotation(1, region([[1, 1, 0, 0]]))).examples[0]
    assert no_choice.classes is None
    assert masks(no_choice, 1, 4)[0].any()
    nothing = gather(BOTH, annotation(1)).examples[0]
    assert nothing.classes is None
    assert not masks(nothing, 1, 4).any()


def test_a_pixel_is_in_where_at_least_half_mark_it() -> None:
    marked = [[[1, 1, 1, 0]], [[1, 1, 0, 0]], [[1, 0, 0, 0]], [[0, 0, 0, 0]]]
    said = [annotation(n, region(rows)) for n, rows in enumerate(marked[:3])]
    assert mask_of(MASKS, *said) == [[1, 1, 0, 0]]
    assert mask_of(MASKS, *said, annotation(3)) == [[1, 1, 0, 0]]  # of four, a pixel of two is in
    assert mask_of(MASKS, *said[:2]) == [[1, 1, 1, 0]]
    assert mask_of(MASKS, annotation(1), annotation(2)) == [[0, 0, 0, 0]]


def test_one_annotators_overlapping_regions_are_one_vote() -> None:
    twice = annotation(1, region([[1, 1, 0, 0]]), region([[1, 1, 0, 0]]))
    assert mask_of(MASKS, twice, annotation(2), annotation(3)) == [[0, 0, 0, 0]]


def test_the_classes_of_masks_are_apart() -> None:
    found = gather(MASKS, annotation(1, region([[1, 0, 0, 0]]), region([[0, 0, 0, 1]], "b"))).examples[0]
    assert masks(found, 1, 4).astype(int).tolist() == [[[1, 0, 0, 0]], [[0, 0, 0, 1]]]


def test_masks_that_would_lack_a_region_are_none() -> None:
    broken = region([[1, 1, 1, 1]])
    broken["value"]["rle"] = broken["value"]["rle"][:6]
    found = gather(MASKS, annotation(3, region([[1, 0, 0, 0]]), broken))
    assert found.examples == ()
    assert [(one.task, one.annotation) for one in found.problems] == [(7, 3)]
    assert "rle is broken" in found.problems[0].reason
    # Another annotator's masks stand, and so does the same annotator's choice.
    assert mask_of(MASKS, annotation(3, broken), annotation(4, region([[0, 1, 0, 0]]))) == [[0, 1, 0, 0]]
    assert classes_of(BOTH, annotation(3, choice("cat"), broken)) == ["cat"]
    assert gather(BOTH, annotation(3, choice("cat"), broken)).examples[0].masks is None


def test_a_slip_of_the_hand_does_no_harm_beside_a_region() -> None:
    empty = region([[0, 0, 0, 0]])
    empty["value"]["rle"] = []
    two_points = region([[1, 1, 1, 1]]) | {
        "type": "polygonlabels",
        "value": {"points": [[1, 1], [2, 2]], "polygonlabels": ["a"]},
    }
    for slip in (empty, two_points, region([[1, 1, 1, 1]], "gone")):
        found = gather(MASKS, annotation(1, region([[1, 0, 0, 0]]), slip))
        assert mask_of(MASKS, annotation(1, region([[1, 0, 0, 0]]), slip)) == [[1, 0, 0, 0]]
        assert len(found.problems) == 1
        # Alone it is no proof that nothing is there.
        assert gather(MASKS, annotation(1, slip)).examples == ()


def test_a_mask_of_another_size_is_refused_when_the_image_is_known() -> None:
    found = gather(MASKS, annotation(1, region([[1, 1, 0, 0]]))).examples[0]
    assert masks(found, 2, 8)[0].astype(int).tolist() == [[1, 1, 1, 1, 0, 0, 0, 0]] * 2
    with pytest.raises(MasksUnusable, match=r"task 7.*4 x 1 pixels, and the image has 4 x 2"):
        masks(found, 2, 4)
    with pytest.raises(ValueError, match="no masks"):
        masks(replace(found, masks=None), 1, 4)


def test_the_key_changes_with_an_annotation() -> None:
    tasks = [task(1, annotation(1, choice("cat"))), task(2, annotation(2, choice("dog")))]
    found = examples_from(tasks, SINGLE).examples
    key = annotation_key(found)
    assert len(key) == 64
    assert annotation_key(reversed(found)) == key
    changed = [tasks[0], task(2, annotation(2, choice("dog"), day=2))]
    assert annotation_key(examples_from(changed, SINGLE).examples) != key
    assert annotation_key(found[:1]) != key
    assert annotation_key(()) != key
