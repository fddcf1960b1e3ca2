"""The bill of materials: valid by the standard's own schema, the same twice, with licences and the weights' hashes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tiny_wheels import unpack, wheel
from weights_family import CONTENT, DIGEST, register, source

from seedqueue.backend import cli
from seedqueue.backend.offline import closure, licences, sbom, weight_files
from seedqueue.models import registry
from seedqueue.models.errors import WeightsMissing
from seedqueue.models.weights import WeightsFile

pytestmark = pytest.mark.slow


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder with the one file of the family `own`."""
    monkeypatch.setattr(registry, "_entries", {entry.name: entry for entry in registry.entries()})
    file = WeightsFile("own/one.bin", None, sha256=DIGEST)
    register("own", source(file))
    register("twin", source(file), extra="timm")
    folder = tmp_path / "weights"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "one.bin").write_bytes(CONTENT)
    return folder


def test_the_real_one_is_valid_and_the_same_twice(tmp_path: Path) -> None:
    text = sbom.bill(tmp_path / "none")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.replace('"library"', '"libary"', 1)) is not None
    assert sbom.bill(tmp_path / "none") == text
    told = json.loads(text)
    by_name = {one["name"]: one for one in told["components"]}
    assert by_name["torch"]["purl"].startswith("pkg:pypi/torch@")
    assert by_name["torch"]["scope"] == "required"
    assert by_name["pytest"]["scope"] == "optional"
    assert by_name["cleanlab"]["licenses"] == [{"license": {"acknowledgement": "concluded", "id": "Apache-2.0"}}]
    assert told["metadata"]["component"]["name"] == "seedqueue"
    edges = {one["ref"]: one.get("dependsOn", []) for one in told["dependencies"]}
    assert by_name["torch"]["bom-ref"] in edges[told["metadata"]["component"]["bom-ref"]]
    without = [one["name"] for one in told["components"] if one["type"] == "library" and not one.get("licenses")]
    assert len(without) < 10, without


def test_weights_are_components_with_their_hash(tiny: Path, weights: Path) -> None:
    before = bill(weights.with_name("none"))
    told = bill(weights)
    (model,) = (one for one in told["components"] if one["type"] == "machine-learning-model")
    assert model["name"] == "own/one.bin"
    assert model["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]
    assert model["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert [one["value"] for one in model["properties"]] == ["own", "twin"]
    assert told["serialNumber"] != before["serialNumber"]
    assert [one["name"] for one in told["components"] if one["type"] == "library"] == ["tiny-leaf", "tiny-more"]


def bill(weights: Path) -> dict[str, Any]:
    text = sbom.bill(weights)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    told: dict[str, Any] = json.loads(text)
    return told


def test_the_weights_of_named_embedders(weights: Path) -> None:
    (found,) = weight_files.named(weights, ["own", "twin", "hog"])
    assert (found.name, found.sha256, found.of) == ("own/one.bin", DIGEST, ("own", "twin"))
    assert weight_files.extras_of(["own", "twin", "hog"]) == {"timm"}
    (weights / "own" / "one.bin").unlink()
    with pytest.raises(WeightsMissing, match=r"own/one\.bin"):
        weight_files.named(weights, ["own"])
    assert weight_files.every(weights) == []


@pytest.mark.parametrize(
    ("headers", "text", "expected"),
    [
        (["License-Expression: MIT"], "", ["MIT"]),
        (["License-Expression: MIT AND Apache-2.0"], "", ["MIT AND Apache-2.0"]),
        (["License: Apache License, Version 2.0"], "", ["Apache-2.0"]),
        (["License: Our own words"], "", ["Our own words"]),
        (["License: UNKNOWN", "Classifier: License :: OSI Approved :: MIT License"], "", ["MIT"]),
        (["Classifier: License :: OSI Approved :: BSD License"], "", ["BSD License"]),
        ([f"License: {'all of its text ' * 9}"], "Apache License\n  Version 2.0, January 2004", ["Apache-2.0"]),
        ([], "Permission is hereby granted, free of charge,\nto any person obtaining a copy", ["MIT"]),
        ([], "All rights reserved.", []),
    ],
)
def test_licences(tmp_path: Path, headers: list[str], text: str, expected: list[str]) -> None:
    unpack(wheel(tmp_path, "one", headers), tmp_path)
    info = tmp_path / "one-1.2.dist-info"
    (info / "LICENSE").write_text(text)
    (info / "RECORD").write_text((info / "RECORD").read_text() + "one-1.2.dist-info/LICENSE,,\n")
    found = licences.of(closure.within(tmp_path)("one"))
    assert [getattr(one, "value", None) or one.id or one.name for one in found] == expected  # type: ignore[union-attr]


def test_without_the_library_the_mend_is_told(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cyclonedx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    monkeypatch.setattr(sys, "argv", ["seedqueue", "sbom"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "LibraryMissing: The list of what is installed needs cyclonedx-python-lib" in capfd.readouterr().err


def test_where_it_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["seedqueue", "sbom", "--out", str(tmp_path / "none" / "bill.json")])
    with pytest.raises(SystemExit):
        cli.main()
    assert "CannotWrite: cannot write" in capfd.readouterr().err
