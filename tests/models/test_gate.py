"""The accuracy gate: what counts as the same embeddings, and that a finding is kept."""

import json
from pathlib import Path

import numpy as np
import pytest

from seedqueue.models.gate import LEAST_COSINE, Verdict, Verdicts, centred_cosine, judge

rng = np.random.default_rng(0)
MEAN = 50 + rng.normal(size=64)
EMBEDDINGS = (MEAN + rng.normal(size=(32, 64))).astype(np.float32)


def test_the_cosine_is_that_of_the_centred_rows() -> None:
    other = EMBEDDINGS + rng.normal(scale=0.1, size=EMBEDDINGS.shape)
    a, b = EMBEDDINGS - EMBEDDINGS.mean(0), other - other.mean(0)
    expected = [x @ y / np.linalg.norm(x) / np.linalg.norm(y) for x, y in zip(a, b, strict=True)]
    assert centred_cosine(EMBEDDINGS, other) == pytest.approx(expected)
    assert centred_cosine(EMBEDDINGS, EMBEDDINGS) == pytest.approx(1)


def test_a_common_direction_does_not_hide_a_difference() -> None:
    """Rounding to 3 digits leaves a raw cosine of 0.9999 and destroys what tells the images apart."""
    rounded = np.round(EMBEDDINGS / 2) * 2
    raw = (EMBEDDINGS * rounded).sum(1) / np.linalg.norm(EMBEDDINGS, axis=1) / np.linalg.norm(rounded, axis=1)
    assert raw.min() > 0.999
    assert centred_cosine(EMBEDDINGS, rounded).min() < 0.95


def test_rows_that_cannot_be_judged() -> None:
    same = np.ones((3, 4))
    assert centred_cosine(same, same).tolist() == [1, 1, 1]
    assert centred_cosine(same, np.eye(3, 4)).tolist() == [0, 0, 0]
    broken = EMBEDDINGS.copy()
    broken[3, 5] = np.nan
    assert centred_cosine(EMBEDDINGS, broken).min() == 0
    assert centred_cosine(EMBEDDINGS, np.full_like(EMBEDDINGS, np.inf)).max() == 0


def test_the_worst_image_decides() -> None:
    other = EMBEDDINGS.copy()
    assert judge("n", "bfloat16", "m", EMBEDDINGS, other).passed
    other[7] += rng.normal(scale=0.2, size=64)
    verdict = judge("n", "bfloat16", "m", EMBEDDINGS, other)
    assert not verdict.passed
    assert 0.9 < verdict.cosine < LEAST_COSINE
    assert verdict.images == 32


def verdict(passed: bool, machine: str = "this processor") -> Verdict:
    return Verdict("0123456789abcdef", "bfloat16", machine, 0.9995, 32, passed)


def test_a_finding_is_kept_for_its_model_and_machine(tmp_path: Path) -> None:
    folder = tmp_path / "gate"
    Verdicts(folder).add(verdict(True))
    [file] = folder.iterdir()
    assert json.loads(file.read_text(encoding="utf-8"))["cosine"] == 0.9995
    found = Verdicts(folder)
    assert found.find("0123456789abcdef", "bfloat16", "this processor") == verdict(True)
    assert found.find("0123456789abcdef", "bfloat16", "another processor") is None
    assert found.find("fedcba9876543210", "bfloat16", "this processor") is None
    assert found.find("0123456789abcdef", "float16", "this processor") is None


def test_the_first_of_two_findings_stands(tmp_path: Path) -> None:
    """Two workers may judge at once by other images: both then go by the same one."""
    one, other = Verdicts(tmp_path), Verdicts(tmp_path)
    assert one.add(verdict(False)).passed is False
    assert other.add(verdict(True)).passed is False


def test_a_folder_that_cannot_be_written_or_is_damaged_costs_only_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "gate", None):
        verdicts = Verdicts(folder)
        assert verdicts.add(verdict(True)).passed
        assert verdicts.find("0123456789abcdef", "bfloat16", "this processor") == verdict(True)
        assert Verdicts(folder).find("0123456789abcdef", "bfloat16", "this processor") is None
    (tmp_path / "0123456789abcdef-bfloat16-00000000.json").write_text("{")
    assert Verdicts(tmp_path).find("0123456789abcdef", "bfloat16", "this processor") is None
