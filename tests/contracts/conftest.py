"""Weights for the embedder contracts: the right architecture, file name and format, random values."""

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from saved_models import make_cxrf, make_remedis
from small_models import HF, ONNX, TIMM, make_dinov2, make_hf, make_onnx, make_rad_dino, make_timm


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


# The variant that stands for a family which takes any model of a kind.
EXAMPLES: dict[str, str] = {"hf": HF, "onnx": ONNX, "timm": TIMM}

MAKERS: dict[str, Callable[[Path, int], Path]] = {
    "cxrf": make_cxrf,
    "dinov2": make_dinov2,
    "hf": make_hf,
    "imagenet": make_imagenet,
    "onnx": make_onnx,
    "rad-dino": make_rad_dino,
    "remedis": make_remedis,
    "timm": make_timm,
    "txrv": make_txrv,
}


@pytest.fixture(scope="session")
def make_family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`make_family(name)`: the folder of all weights, those of this family in it."""
    folder = tmp_path_factory.mktemp("weights")

    @cache
    def make(family: str) -> Path:
        if family in MAKERS:
            MAKERS[family](folder, 0)
        return folder

    return make


@pytest.fixture
def weights_folder(request: pytest.FixtureRequest, make_family: Callable[[str], Path]) -> Path:
    """A folder with random weights of the test's family `name`, or of every family."""
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    folders = {make_family(family) for family in ([name] if name else MAKERS)}
    return folders.pop()


@pytest.fixture(scope="session")
def make_weights() -> dict[str, Callable[[Path, int], Path]]:
    """The makers by family: (folder, random seed) to the file."""
    return MAKERS


@pytest.fixture(scope="session")
def examples() -> dict[str, str]:
    """The variants that stand for families of any model."""
    return EXAMPLES


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
