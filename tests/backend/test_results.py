"""A head's output as Label Studio takes it: judged by the SDK's own validation of predictions."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from label_studio_sdk.converter import brush
from label_studio_sdk.label_interface import LabelInterface

from seedqueue.backend.annotations import examples_from
from seedqueue.backend.examples import masks
from seedqueue.backend.label_config import labelling_of_xml
from seedqueue.backend.learning_errors import OutputDiffers
from seedqueue.backend.results import choices_result, masks_result

Json = dict[str, Any]


def view(*tags: str) -> str:
    return f'<View><Image name="image" value="$image"/>{"".join(tags)}</View>'


def choices(how: str) -> str:
    inside = '<Choice value="cat"/><Choice value="dog"/><Choice value="cow"/>'
    return view(f'<Choices name="choice" toName="image" choice="{how}">{inside}</Choices>')


def taxonomy(attributes: str = "") -> str:
    inside = '<Choice value="x"><Choice value="y / z"/><Choice value="w"/></Choice><Choice value="v"/>'
    return view(f'<Taxonomy name="t" toName="image" {attributes}>{inside}</Taxonomy>')


def regions(tag: str, name: str = "c", labels: tuple[str, ...] = ("a", "b")) -> str:
    inside = "".join(f'<Label value="{label}"/>' for label in labels)
    return f'<{tag} name="{name}" toName="image">{inside}</{tag}>'


def accepted(config: str, result: list[Json], score: float) -> bool:
    prediction = {"result": result, "score": score, "model_version": "v"}
    json.dumps(prediction)
    return bool(LabelInterface(config).validate_prediction(prediction))


def floats(*values: float) -> Any:
    return np.array(values, dtype=np.float32)


def test_a_single_choice_is_the_most_probable(payload: Callable[[str], Json]) -> None:
    result, score = choices_result(labelling_of_xml(choices("single")), floats(0.2, 0.5, 0.3), 0.9)
    assert result == [{"from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": ["dog"]}}]
    assert score == 0.5
    assert accepted(choices("single"), result, score)
    # The same shape as the annotation that Label Studio itself recorded.
    recorded = payload("ANNOTATION_CREATED")["annotation"]["result"][0]
    assert result[0] | {"value": {"choices": ["cat"]}} == recorded


def test_several_choices_are_those_at_the_threshold() -> None:
    labelling = labelling_of_xml(choices("multiple"))
    result, score = choices_result(labelling, floats(0.75, 0.5, 0.25), 0.5)
    assert result[0]["value"] == {"choices": ["cat", "dog"]}
    assert score == pytest.approx((0.75 + 0.5 + 0.75) / 3)
    assert accepted(choices("multiple"), result, score)
    per_class, _ = choices_result(labelling, floats(0.75, 0.5, 0.25), [0.8, 0.6, 0.2])
    assert per_class[0]["value"] == {"choices": ["cow"]}


def test_no_choice_at_the_threshold_is_an_empty_result() -> None:
    assert choices_result(labelling_of_xml(choices("multiple")), floats(0.25, 0.25, 0.25), 0.5) == ([], 0.75)


def test_a_taxonomy_gets_paths() -> None:
    one, score = choices_result(labelling_of_xml(taxonomy('maxUsages="1"')), floats(0.75, 0.25, 0), 0.5)
    assert one[0]["type"] == "taxonomy"
    assert one[0]["value"] == {"taxonomy": [["x", "y / z"]]}
    assert accepted(taxonomy('maxUsages="1"'), one, score)
    several, _ = choices_result(labelling_of_xml(taxonomy()), floats(0.75, 0.25, 0.5), 0.5)
    assert several[0]["value"] == {"taxonomy": [["x", "y / z"], ["v"]]}


@pytest.mark.parametrize("config", [choices("single"), choices("multiple"), taxonomy(), taxonomy('maxUsages="1"')])
def test_what_is_predicted_is_read_back(config: str) -> None:
    labelling = labelling_of_xml(config)
    for row in range(3):
        result, _ = choices_result(labelling, np.eye(3, dtype=np.float32)[row], 0.5)
        task = {"id": 1, "data": {"image": "x"}, "annotations": [{"id": 1, "result": result}]}
        found = examples_from([task], labelling)
        assert found.problems == ()
        assert found.examples[0].classes == tuple(np.eye(3, dtype=bool)[row])


def picture() -> Any:
    probabilities = np.full((2, 60, 80), 0.125, dtype=np.float32)
    probabilities[0, 10:30, 20:60] = 0.875
    return probabilities


@pytest.mark.parametrize("tag", ["BrushLabels", "PolygonLabels", "RectangleLabels", "EllipseLabels"])
def test_masks_become_regions_that_label_studio_takes(tag: str) -> None:
    config = view(regions(tag))
    labelling = labelling_of_xml(config)
    result, score = masks_result(labelling, picture(), 0.5)
    assert [(each["type"], each["original_width"], each["original_height"]) for each in result] == [
        (tag.lower(), 80, 60)
    ]
    assert result[0]["score"] == pytest.approx(0.875)
    assert score == pytest.approx((0.875 + 1 - 0.125) / 2)
    assert accepted(config, result, score)
    task = {"id": 1, "data": {"image": "x"}, "annotations": [{"id": 1, "result": result}]}
    found = examples_from([task], labelling)
    assert found.problems == ()
    mask = masks(found.examples[0], 60, 80)
    expected = picture() > 0.5
    assert not mask[1].any()
    assert 2 * (mask & expected).sum() / (mask.sum() + expected.sum()) > (0.85 if tag == "EllipseLabels" else 0.99)


def test_a_brush_is_read_back_by_the_sdk() -> None:
    result, _ = masks_result(labelling_of_xml(view(regions("BrushLabels"))), picture(), 0.5)
    decoded = brush.decode_rle(result[0]["value"]["rle"]).reshape(60, 80, 4)[:, :, 3]
    assert np.array_equal(decoded, (picture()[0] > 0.5) * 255)


def test_the_brush_is_taken_where_there_are_several_shapes() -> None:
    config = view(regions("PolygonLabels", "p"), regions("BrushLabels", "r", ("a",)))
    both = np.ones((2, 6, 8), dtype=np.float32)
    result, score = masks_result(labelling_of_xml(config), both, 0.5)
    assert [(each["from_name"], each["type"]) for each in result] == [("r", "brushlabels"), ("p", "polygonlabels")]
    assert len({each["id"] for each in result}) == 2
    assert score == 1.0
    assert accepted(config, result, score)


def test_no_pixel_at_the_threshold_is_an_empty_result() -> None:
    nothing = np.full((2, 6, 8), 0.25, dtype=np.float32)
    assert masks_result(labelling_of_xml(view(regions("BrushLabels"))), nothing, 0.5) == ([], 0.75)
    per_class, _ = masks_result(labelling_of_xml(view(regions("BrushLabels"))), nothing, [0.5, 0.25])
    assert [each["value"]["brushlabels"] for each in per_class] == [["b"]]


def test_scores_stay_within_bounds() -> None:
    # A mean of float32 ones and nearly ones must not come out above 1, or the prediction is dropped.
    many = np.full((2, 700, 900), np.float32(0.99999994))
    assert 0 <= masks_result(labelling_of_xml(view(regions("BrushLabels"))), many, 0.5)[1] <= 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: choices_result(labelling_of_xml(choices("single")), floats(0.5, 0.5), 0.5), r"\(3,\).*\(2,\)"),
        (lambda: choices_result(labelling_of_xml(choices("single")), floats(0.5, np.nan, 0.5), 0.5), "NaN"),
        (lambda: choices_result(labelling_of_xml(choices("single")), floats(0.5, 1.5, 0.5), 0.5), r"\[0, 1\]"),
        (lambda: choices_result(labelling_of_xml(view(regions("BrushLabels"))), floats(1), 0.5), "no classification"),
        (lambda: masks_result(labelling_of_xml(choices("single")), np.ones((1, 2, 2)), 0.5), "no segmentation"),
        (lambda: masks_result(labelling_of_xml(view(regions("BrushLabels"))), np.ones((3, 2, 2)), 0.5), r"\(3, 2, 2\)"),
        (lambda: masks_result(labelling_of_xml(view(regions("BrushLabels"))), np.ones((2, 2)), 0.5), r"\(2, 2\)"),
    ],
)
def test_output_that_does_not_fit_the_config_is_refused(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(OutputDiffers, match=said):
        call()
