"""What all tests share: where the real test data lie, and waiting for a condition."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import waiting

hypothesis.settings.register_profile("soak", max_examples=5000, deadline=None)

ROOT = Path(__file__).resolve().parents[1]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """How the processes share the tests: a file of unit tests stays together, and what uses a fixture of its file.

    First come the files that use Label Studio and stay together, the longest of all. The other tests on it are spread
    between the unit tests: those need the processor, while these wait for their server.
    """
    flow = ROOT / "tests" / "flow"
    together, spread, units = list[pytest.Item](), list[pytest.Item](), list[pytest.Item]()
    for item in items:
        on_server = flow in item.path.parents
        if not on_server or _uses_module_fixture(item):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT).as_posix()))
            (together if on_server else units).append(item)
        else:
            spread.append(item)
    items[:] = together + _between(spread, [list(file) for _, file in groupby(units, key=lambda item: item.path)])


def _between(single: list[pytest.Item], files: list[list[pytest.Item]]) -> list[pytest.Item]:
    """The files in their order, the single tests spread evenly between them."""
    mixed = list[pytest.Item]()
    for at, file in enumerate(files):
        mixed += single[at * len(single) // len(files) : (at + 1) * len(single) // len(files)] + file
    return mixed if files else single


def _uses_module_fixture(item: pytest.Item) -> bool:
    definitions = getattr(item, "_fixtureinfo").name2fixturedefs.values()  # noqa: B009
    return any(found[-1].scope == "module" for found in definitions)


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
