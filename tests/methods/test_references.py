"""Only what was used is cited, everything that can be used has a definition, and weights are told only if proved."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from seedqueue.backend.methods import definitions, proof
from seedqueue.backend.methods.citing import Cited
from seedqueue.backend.methods.recorded import Recorded
from seedqueue.backend.methods.references import REFERENCES
from seedqueue.backend.methods.rendering import text
from seedqueue.backend.methods.story import gather_facts
from seedqueue.models import registry as embedders
from seedqueue.models.embedder import fingerprint
from seedqueue.models.weights import sha256_file
from seedqueue.selectors import registry as selectors


def cited(recorded: Recorded) -> list[str]:
    found = Cited()
    text(gather_facts(recorded), found)
    return [one.key for one in found.references]


def test_only_what_was_used(recorded: Recorded) -> None:
    found = cited(recorded)
    assert {"yuan2024", "bae2025", "cohen2022", "cohen1960", "northcutt2021", "efron1993", "holm1979"} <= set(found)
    assert not {"fleiss1971", "ronneberger2015", "oquab2024"} & set(found)
    assert "holm1979" not in cited(replace(recorded, arrived=()))
    bare = replace(recorded, runs=(), overlap=(), agreed=(), versions=(), arrived=())
    assert cited(bare) == ["label-studio"]


def test_marks_are_the_numbers_of_the_list(recorded: Recorded) -> None:
    found = Cited()
    told = text(gather_facts(recorded), found)
    marks = {int(number) for mark in re.findall(r"\[(\d+(?:, \d+)*)\]", told) for number in mark.split(", ")}
    assert marks == set(range(1, len(found.references) + 1))
    assert f"\n{len(found.references)}. " in found.markdown()
    assert found.bib().count("@misc{") == len(found.references)


def test_every_selector_and_embedder_is_defined() -> None:
    own = [one for one in selectors.entries() if one.function.__module__.startswith("seedqueue.selectors.")]
    for entry in own:
        found = definitions.selector(entry.name)
        assert found.title != entry.name, f"{entry.name}: give it a definition"
        assert found.clause
        assert set(found.cites) <= REFERENCES.keys()
    for family in embedders.entries():
        assert set(definitions.embedder(family.name).cites) <= REFERENCES.keys()
        assert definitions.embedder(family.name).cites, family.name


def test_what_is_not_known_is_told_by_its_name() -> None:
    assert definitions.selector("of-a-plugin") == definitions.Definition("of-a-plugin", "")
    assert definitions.embedder("of-a-plugin").clause == "not known"


def test_a_reference_in_both_forms() -> None:
    one = REFERENCES["yuan2024"]
    assert one.line.endswith("2024. https://arxiv.org/abs/2402.02561")
    assert "author = {Yuan, H. and Hong, C.}" in one.bib
    assert "and others}" in REFERENCES["cohen2022"].bib
    assert "doi = {10.1177/001316446002000104}" in REFERENCES["cohen1960"].bib
    for each in REFERENCES.values():
        assert each.bib.count("{") == each.bib.count("}")
        assert "&" not in each.bib.replace(r"\&", "")


@pytest.mark.parametrize("preprocessing", [1, 2, 7])
def test_weights_are_proved_by_the_fingerprint(preprocessing: int) -> None:
    right, wrong = "ab" * 32, "cd" * 32
    recorded = fingerprint(name="txrv:x", weights=right, preprocessing=preprocessing, arithmetic="float32")
    assert proof.confirmed("txrv:x", recorded, [wrong, right]) == right
    assert proof.confirmed("txrv:x", recorded, [wrong]) == ""
    assert proof.confirmed("txrv:y", recorded, [right]) == ""


def test_weights_that_nobody_has_prove_nothing(tmp_path: Path) -> None:
    for name in ("hog", "of-a-plugin"):
        assert proof.of_folder(tmp_path, name, "00aa11bb22cc33dd") == ""


def test_weights_in_the_folder_are_hashed(tmp_path: Path) -> None:
    (tmp_path / "chest.onnx").write_bytes(b"a network")
    right, name = sha256_file(tmp_path / "chest.onnx"), "onnx:chest.onnx"
    recorded = fingerprint(name=name, weights=right, preprocessing=1, arithmetic="float32")
    assert proof.of_folder(tmp_path, name, recorded) == right
    (tmp_path / "chest.onnx").write_bytes(b"another one")
    assert proof.of_folder(tmp_path, name, recorded) == ""
