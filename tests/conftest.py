"""What all tests share: where the real test data lie, and waiting for a condition."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import waiting

hypothesis.settings.register_profile("soak", max_examples=5000, deadline=None)

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes share the tests by file: the long ones, those on a real Label Studio, come first."""
    flow = ROOT / "tests" / "flow"
    items.sort(key=lambda item: flow not in item.path.parents)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real radiographs, ultrasound and weights: absent, tests fail in CI and skip elsewhere."""
    folder = Path(os.environ.get("SEEDQUEUE_TEST_DATA") or ROOT.parent / "shared").resolve()
    if not (folder / "data").is_dir():
        message = f"no test data in {folder}; set SEEDQUEUE_TEST_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


Eventually = Callable[..., Any]


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """`eventually(condition, seconds, what)`: wait until it holds and give its value; fail after the deadline."""
    return waiting.eventually
