"""One compute thread for all of these; where the real weights are."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_weights(test_data: Path) -> Path:
    """The folder with real weights."""
    return test_data / "weights"
