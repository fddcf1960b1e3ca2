"""The constraints pin every requirement, torch and torchvision as a pair, and name no package host."""

from __future__ import annotations

import configparser
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
import torch
import torchvision
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ("constraints.txt", "constraints-label-studio.txt", "constraints-moto.txt")


def pins(name: str) -> dict[str, str]:
    lines = [line.split("==") for line in (ROOT / name).read_text().splitlines() if line and line[0] != "#"]
    return {canonicalize_name(package): version for package, version in lines}


def requirements() -> list[Requirement]:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    lists = [parser["options"]["install_requires"], *parser["options.extras_require"].values()]
    return [Requirement(line) for listed in lists for line in listed.strip().splitlines()]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_is_pinned_to_a_version_it_allows(requirement: Requirement) -> None:
    version = pins("constraints.txt")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version, prereleases=True)


def test_torch_and_torchvision_are_a_pair() -> None:
    """torchvision's compiled operators load only beside the torch they were built for."""
    found = pins("constraints.txt")
    assert {name: metadata.version(name) for name in ("torch", "torchvision")}.items() <= found.items()
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9], [5.0, 5.0, 6.0, 6.0]])
    assert torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist() == [0, 2]


def test_label_studio_is_pinned_with_all_it_needs() -> None:
    found = pins("constraints-label-studio.txt")
    assert found["label-studio"] == "1.23.2"
    assert len(found) > 100


def test_moto_is_pinned_with_all_it_needs() -> None:
    """Where a pin is missing, the tests' object store is another one next month."""
    python = ROOT / ".venv-moto/bin/python"
    listed = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    installed = dict(line.split("==") for line in listed.splitlines())
    found = {canonicalize_name(name): version for name, version in installed.items()}
    assert found.items() <= pins("constraints-moto.txt").items()


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_pins_are_sorted_and_plain(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    assert lines == sorted(lines, key=str.lower)
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)


def test_make_demo_hands_its_variables_over() -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "--old-file=install", "demo", "IMAGES=a folder", "BUDGET=7", "ONCE=1", "EMBEDDER=hog"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for part in ('--images "a folder"', '--budget "7"', "--once", '--embedder "hog"', ".venv-label-studio/bin/"):
        assert part in shown


def test_make_says_which_python_it_needs() -> None:
    done = subprocess.run(
        ["make", "python", "PYTHON=no-such-python"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13, and none of these runs: no-such-python." in done.stderr
