"""What ours is measured against: the same network as its users run it, and the processor's own limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedqueue.models.errors import ExtraMissing

Pixels = NDArray[np.uint8]
Embed = Callable[[Pixels], NDArray[np.float32]]

# torchxrayvision's own class, which has no types.
Network = Any

BATCH = 32


def random_densenet(seed: int = 0) -> Network:
    """torchxrayvision's DenseNet-121 with random weights, which are as fast as trained ones."""
    import torch

    from seedqueue.models.embedders.txrv import _library

    torch.manual_seed(seed)
    return _library().DenseNet(weights=None).eval()


def flop_per_image(network: Network) -> float:
    """Floating-point operations of one image through the features, a multiply-add counted as two."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        network.features2(torch.zeros(1, 1, 224, 224))
    return float(counter.get_total_flops())


def eager(network: Network, batch: int) -> Embed:
    """PyTorch as it comes, `batch` images at once: grey uint8 (n, 1, 224, 224) to features (n, 1024)."""
    import torch

    def embed(pixels: Pixels) -> NDArray[np.float32]:
        inputs = torch.from_numpy(normalised(pixels))
        with torch.inference_mode():
            parts = [network.features2(inputs[at : at + batch]) for at in range(0, len(inputs), batch)]
        return np.asarray(torch.cat(parts).numpy())

    return embed


def onnx_runtime(network: Network, folder: Path) -> Embed:
    """The same network in ONNX Runtime, batches of 32, one thread."""
    import torch

    try:
        import onnxruntime
        import onnxscript  # noqa: F401  torch's exporter needs it
    except ImportError as error:
        raise ExtraMissing("bench embed", error.name or "ONNX Runtime", "bench") from error

    class Features(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.network.features2(inputs)
            return found

    file = folder / "densenet.onnx"
    torch.onnx.export(
        Features().eval(),
        (torch.zeros(BATCH, 1, 224, 224),),
        file,
        input_names=["x"],
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        dynamo=True,
        verbose=False,
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def embed(pixels: Pixels) -> NDArray[np.float32]:
        inputs = normalised(pixels)
        parts = [session.run(None, {"x": inputs[at : at + BATCH]})[0] for at in range(0, len(inputs), BATCH)]
        return np.concatenate(parts)

    return embed


def prepare_one() -> Callable[[Path], Any]:
    """One file to one input (1, 224, 224) as torchxrayvision's examples do: scikit-image, its own transforms."""
    import torchxrayvision.datasets as theirs
    from skimage.io import imread

    centre, resize = theirs.XRayCenterCrop(), theirs.XRayResizer(224, engine="skimage")

    def prepare(file: Path) -> Any:
        image = theirs.normalize(imread(file), 255)
        grey = image if image.ndim == 2 else image.mean(2)
        return resize(centre(grey[None]))

    return prepare


def file_by_file(network: Network) -> Callable[[Sequence[Path]], NDArray[np.float32]]:
    """Files to features (n, 1024) as torchxrayvision's examples do, one by one."""
    import torch

    prepare = prepare_one()

    def embed(files: Sequence[Path]) -> NDArray[np.float32]:
        with torch.inference_mode():
            inputs = (torch.from_numpy(prepare(file))[None].float() for file in files)
            rows = [network.features2(each).numpy() for each in inputs]
        return np.concatenate(rows, dtype=np.float32)

    return embed


def normalised(pixels: Pixels) -> NDArray[np.float32]:
    """0..255 to [-1024, 1024]."""
    return np.asarray((pixels.astype(np.float32) / 255 * 2 - 1) * 1024, dtype=np.float32)


def matrix_peak(bfloat16: bool, side: int = 2048, rounds: int = 12) -> float:
    """The most floating-point operations a second that one core did in a product of square matrices."""
    import torch

    kind = torch.bfloat16 if bfloat16 else torch.float32
    a, b = (torch.randn(side, side).to(kind) for _ in range(2))
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        torch.mm(a, b)
        best = min(best, time.process_time() - began)
    return 2 * side**3 / best
