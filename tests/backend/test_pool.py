"""The image's field, from label configs as Label Studio parses them."""

from collections.abc import Callable
from typing import Any

import pytest

from seedqueue.backend.errors import NoImageInLabelConfig
from seedqueue.backend.pool import image_key_of


def config(*inputs: dict[str, Any]) -> dict[str, Any]:
    return {"choice": {"type": "Choices", "to_name": ["x"], "inputs": list(inputs), "labels": []}}


def test_the_image_key_of_a_recorded_project(payload: Callable[[str], Any]) -> None:
    assert image_key_of(payload("PROJECT_UPDATED")["project"]["parsed_label_config"], 1) == "image"


def test_the_image_is_found_beside_other_objects() -> None:
    text, image = {"type": "Text", "value": "report"}, {"type": "image", "value": "scan"}
    assert image_key_of(config(text, image), 1) == "scan"
    assert image_key_of({**config(text), "mask": {"inputs": [image]}}, 1) == "scan"


@pytest.mark.parametrize(
    ("parsed", "reason"),
    [
        ({}, "no control that labels an object"),
        ({"choice": {"type": "Choices"}}, "no control that labels an object"),
        (config({"type": "Text", "value": "t"}, {"type": "Audio", "value": "a"}), "its objects are: Audio, Text"),
        (config({"type": "Image", "value": ""}), "its Image tag has no value"),
        (config({"type": "Image", "value": None}), "its Image tag has no value"),
    ],
)
def test_no_image_in_the_label_config(parsed: dict[str, Any], reason: str) -> None:
    with pytest.raises(NoImageInLabelConfig, match=f"project 3 has no usable .*{reason}"):
        image_key_of(parsed, 3)
