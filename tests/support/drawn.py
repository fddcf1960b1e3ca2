"""Region items as Label Studio stores them, and what becomes of them."""

import json
from pathlib import Path
from typing import Any

from seedqueue.backend.regions import Mask, Region, RegionProblem, read_regions, region_mask

PAYLOADS = Path(__file__).parents[1] / "payloads"


def item(
    kind: str, across: int = 64, down: int = 48, labels: tuple[str, ...] = ("fg",), **value: Any
) -> dict[str, Any]:
    return {
        "id": "r1",
        "from_name": "c",
        "to_name": "image",
        "type": f"{kind}labels",
        "original_width": across,
        "original_height": down,
        "image_rotation": 0,
        "value": value | {f"{kind}labels": list(labels)},
    }


def one_region(given: dict[str, Any]) -> Region:
    regions, problems = read_regions([given], ["fg"])
    assert problems == ()
    return regions[0]


def mask_of(given: dict[str, Any], height: int = 0, width: int = 0) -> Mask:
    return region_mask(one_region(given), height or given["original_height"], width or given["original_width"])


def problem_of(given: dict[str, Any]) -> RegionProblem:
    regions, problems = read_regions([given], ["fg"])
    assert regions == ()
    assert len(problems) == 1
    assert problems[0].region == given["id"]
    return problems[0]


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"prediction_{name}.json").read_text())["result"][0]
    return found
