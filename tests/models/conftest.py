"""One compute thread for all of these; where the real weights and images are."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """The folder with real weights; the test is skipped without it, but fails under CI."""
    beside = Path(__file__).parents[3] / "shared"
    folder = Path(os.environ.get("SEEDQUEUE_TEST_DATA", beside)) / "weights"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"CI needs the real weights, there is no {folder}")
        pytest.skip(f"no {folder}")
    return folder
