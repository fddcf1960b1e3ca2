"""Weights for the embedder contracts: the right architecture, file name and format, random values."""

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest


def make_imagenet(folder: Path, seed: int) -> Path:
    """A state dict as torchvision publishes it, under the name this project gives it."""
    import torch
    from torchvision.models import get_model

    torch.manual_seed(seed)
    path = folder / "densenet121_imagenet.pth"
    torch.save(get_model("densenet121", weights=None).state_dict(), path)
    return path


def make_txrv(folder: Path, seed: int) -> Path:
    """A whole model as torchxrayvision publishes it, under its own file name."""
    import torch

    with warnings.catch_warnings():
        from torchxrayvision.models import DenseNet, model_urls
    torch.manual_seed(seed)
    path = folder / str(model_urls["densenet121-res224-all"]["weights_url"]).rpartition("/")[2]
    torch.save(DenseNet(weights=None), path)
    return path


MAKERS: dict[str, Callable[[Path, int], Path]] = {"imagenet": make_imagenet, "txrv": make_txrv}


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights of every family that needs some."""
    folder = tmp_path_factory.mktemp("weights")
    for make in MAKERS.values():
        make(folder, 0)
    return folder


@pytest.fixture(scope="session")
def make_weights() -> dict[str, Callable[[Path, int], Path]]:
    """The makers by family: (folder, random seed) to the file."""
    return MAKERS


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
