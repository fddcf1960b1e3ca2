"""Runtimes: the same numbers as eager PyTorch, half precision only where the gate lets it in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedqueue.models import gate
from seedqueue.models.runtime import Arithmetics, Floats, Gated, Runtime

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 3, 16, 16), dtype=np.uint8)


def small_network() -> Any:
    import torch

    torch.manual_seed(0)
    layers = (
        torch.nn.Conv2d(3, 8, 3),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(2),
        torch.nn.Flatten(),
    )

    class Scaled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.Sequential(*layers)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.layers(pixels.float() / 255)
            return found

    return Scaled().eval()


def eager(network: Any) -> Floats:
    import torch

    with torch.inference_mode():
        return np.asarray(network(torch.from_numpy(PIXELS)).numpy())


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_the_processor_gives_what_pytorch_gives(threads: int) -> None:
    network = small_network()
    run = Runtime(device="cpu", threads=threads, precision="float32").of_module(network, PIXELS[:1], "f")
    assert np.allclose(run(PIXELS), eager(network), rtol=1e-4, atol=1e-5)
    assert run(PIXELS[:0]).shape == (0, 32)


def test_an_operation_that_openvino_lacks_is_folded_away_where_it_is_constant() -> None:
    """Vision transformers stretch their position embeddings so: antialiased and bicubic."""
    import torch

    class Stretched(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.position = torch.nn.Parameter(torch.rand(1, 3, 40, 40))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            fitted = torch.nn.functional.interpolate(self.position, size=(16, 16), mode="bicubic", antialias=True)
            return (pixels.float() / 255 * fitted).flatten(2).mean(2)

    network = Stretched().eval()
    run = Runtime(device="cpu", threads=1, precision="float32").of_module(network, PIXELS[:1], "f")
    assert np.allclose(run(PIXELS), eager(network), rtol=1e-4, atol=1e-5)


def test_the_torch_network_gives_what_pytorch_gives() -> None:
    """On CUDA where there is one; on the processor the same code runs."""
    import torch

    from seedqueue.models.cuda import TorchNetwork

    network = small_network()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    exact = TorchNetwork(network, device, torch.float32, batch=7)
    assert np.allclose(exact(PIXELS), eager(network), rtol=1e-3, atol=1e-4)
    half = TorchNetwork(network, device, torch.bfloat16, batch=7)(PIXELS)
    assert half.dtype == np.float32
    assert gate.centred_cosine(eager(network), half).min() > 0.99
    assert exact(PIXELS[:0]).shape == (0, 32)
    assert next(network.parameters()).device.type == "cpu"  # the caller's module stays as it was


def test_the_gpus_float32_is_not_tf32() -> None:
    """PyTorch's default for convolutions, which is no reference; what others of the process use stays."""
    import torch

    from seedqueue.models.cuda import TorchNetwork

    allowed = []

    class Noted(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            allowed.append((torch.backends.cudnn.enabled, torch.backends.cudnn.allow_tf32))
            return pixels.float().flatten(1)

    before = torch.backends.cudnn.allow_tf32
    TorchNetwork(Noted(), "cpu", torch.float32)(PIXELS)
    assert allowed == [(True, False)]
    assert torch.backends.cudnn.allow_tf32 == before is True


def test_a_batch_too_large_for_the_gpu_is_halved_and_the_size_kept() -> None:
    import torch

    from seedqueue.models.cuda import TorchNetwork

    network, sizes = small_network(), []

    class Narrow(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            sizes.append(len(pixels))
            if len(pixels) > 6:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")
            found: torch.Tensor = network(pixels)
            return found

    run = TorchNetwork(Narrow(), "cpu", torch.float32, batch=256)
    assert np.allclose(run(PIXELS), eager(network), rtol=1e-4, atol=1e-5)
    assert sizes == [20, 10, 5, 5, 5, 5]
    sizes.clear()
    run(PIXELS)
    assert sizes == [5, 5, 5, 5]


def test_a_gpu_too_small_for_one_image_says_so() -> None:
    import torch

    from seedqueue.models.cuda import TorchNetwork
    from seedqueue.models.errors import GpuMemoryTooSmall

    class Never(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB\nmore")

    with pytest.raises(GpuMemoryTooSmall, match="Tried to allocate 20 MiB; end what else runs on it"):
        TorchNetwork(Never(), "cpu", torch.float32)(PIXELS)


class Counted:
    """Two arithmetics whose calls are counted; the half one is off by `noise`."""

    def __init__(self, noise: float) -> None:
        self.calls: list[str] = []
        self.noise = noise

    def arithmetics(self) -> Arithmetics:
        return Arithmetics("machine", lambda: self.full, lambda: self.half, "bfloat16")

    def full(self, inputs: Any, /) -> Floats:
        self.calls.append("full")
        return np.asarray(inputs.reshape(len(inputs), -1)[:, :8], dtype=np.float32)

    def half(self, inputs: Any, /) -> Floats:
        self.calls.append("half")
        rng = np.random.default_rng(0)
        return np.asarray(inputs.reshape(len(inputs), -1)[:, :8] + rng.normal(0, self.noise, 8), dtype=np.float32) + (
            rng.normal(0, self.noise, (len(inputs), 8)).astype(np.float32)
        )


def test_half_precision_is_used_from_the_first_large_batch_on(tmp_path: Path) -> None:
    network = Counted(noise=0.01)
    gated = Gated(network.arithmetics(), "fingerprint", gate.Verdicts(tmp_path))
    gated(PIXELS[:5])
    assert network.calls == ["full"]  # too few to judge by
    first = gated(PIXELS)
    assert network.calls == ["full", "full", "half"]
    again = gated(PIXELS)
    assert network.calls[3:] == ["half"]
    assert np.array_equal(first, again)  # the batch that decided comes from the chosen arithmetic too
    # Another process on this machine goes by what was found.
    Gated(network.arithmetics(), "fingerprint", gate.Verdicts(tmp_path))(PIXELS[:5])
    assert network.calls[4:] == ["half"]


def test_half_precision_that_gives_other_embeddings_is_not_used(tmp_path: Path) -> None:
    network = Counted(noise=30)
    gated = Gated(network.arithmetics(), "fingerprint", gate.Verdicts(tmp_path))
    assert np.array_equal(gated(PIXELS), network.full(PIXELS))
    assert network.calls == ["full", "half", "full"]
    gated(PIXELS)
    Gated(network.arithmetics(), "fingerprint", gate.Verdicts(tmp_path))(PIXELS)
    assert network.calls[3:] == ["full", "full"]


def test_float32_asks_no_gate(tmp_path: Path) -> None:
    runtime = Runtime(device="cpu", precision="float32", verdicts=tmp_path)
    runtime.of_module(small_network(), PIXELS[:1], "f")(PIXELS)
    assert list(tmp_path.iterdir()) == []
    Runtime(device="cpu", verdicts=tmp_path).of_module(small_network(), PIXELS[:1], "f")(PIXELS)
    from openvino import Core

    judged = "BF16" in Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert len(list(tmp_path.iterdir())) == judged
