"""Golden embeddings: numbers written down once, so that a change of size, range, colour or order shows.

The picture and the weights are formulas, the same on every machine; squeezenet's weights are real.
To write them anew after an intended change: python tests/models/test_golden.py
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedqueue.models import registry
from seedqueue.models.embedder import embed_images
from seedqueue.models.runtime import Runtime

GOLDEN = Path(__file__).with_name("golden.json")
EXACT = Runtime(device="cpu", threads=1, precision="float32")
DIRECTIONS = 8
REAL = "imagenet:squeezenet1_1"


def picture() -> Image.Image:
    """Neither symmetric nor square nor grey: turning, cutting or swapping anything changes it."""
    y, x = np.mgrid[0:300, 0:400] / 100
    red = 127 + 120 * np.sin(3 * x + y**2)
    green = 255 * np.exp(-((x - 2.9) ** 2) - (y - 0.8) ** 2)
    blue = 60 * x
    return Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8))


def fill(state: dict[str, Any]) -> None:
    """Set every tensor by a formula of its name and size; variances and scales near one."""
    import torch

    for name, tensor in state.items():
        if not tensor.is_floating_point():
            continue
        rng = np.random.Generator(np.random.PCG64(sum(name.encode())))
        values = rng.random(tensor.numel()).reshape(tensor.shape) - 0.5
        if tensor.ndim > 1:
            values *= (24 / max(1, values[0].size)) ** 0.5
        elif name.endswith(("weight", "running_var")):
            values = 1 + values / 5
        tensor.copy_(torch.from_numpy(values))


def densenet(folder: Path) -> None:
    import torch
    from torchvision.models import get_model

    model = get_model("densenet121", weights=None)
    fill(model.state_dict())
    torch.save(model.state_dict(), folder / "densenet121_imagenet.pth")


def txrv(folder: Path) -> None:
    import torch

    from seedqueue.models.embedders.txrv import _library

    model = _library().DenseNet(weights=None)
    fill(model.state_dict())
    torch.save(model, folder / registry.source_of("txrv").files[0].name)


MAKERS: dict[str, Callable[[Path], None]] = {"imagenet": densenet, "txrv": txrv}
NAMES = ["hog", "pixels", *MAKERS]


def embedding(name: str, folder: Path) -> dict[str, Any]:
    [found] = embed_images(registry.create(name, folder, EXACT), [picture()])
    directions = np.random.Generator(np.random.PCG64(0)).random((DIRECTIONS, len(found))) - 0.5
    along = [float(f"{value:.6g}") for value in directions @ found]
    return {"length": len(found), "norm": float(f"{np.linalg.norm(found):.6g}"), "along": along}


def check(name: str, folder: Path) -> None:
    golden, found = json.loads(GOLDEN.read_text(encoding="utf-8"))[name], embedding(name, folder)
    assert found["length"] == golden["length"]
    assert found["norm"] == pytest.approx(golden["norm"], rel=1e-3)
    assert found["along"] == pytest.approx(golden["along"], abs=1e-3 * golden["norm"])


@pytest.mark.parametrize("name", NAMES)
def test_an_embedding_is_what_it_was(name: str, tmp_path: Path) -> None:
    if name in MAKERS:
        MAKERS[name](tmp_path)
    check(name, tmp_path)


def test_an_embedding_by_real_weights_is_what_it_was(real_weights: Path) -> None:
    check(REAL, real_weights)


def write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for make in MAKERS.values():
            make(Path(folder))
        golden = {name: embedding(name, Path(folder)) for name in NAMES}
    golden[REAL] = embedding(REAL, Path(os.environ.get("SEEDQUEUE_TEST_DATA", "../shared")) / "weights")
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(write())
