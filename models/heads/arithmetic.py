"""Where a network is trained and run and in which numbers: half precision where the machine is faster with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedqueue.models.runtime import Device, Precision

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Arithmetic:
    """device: "cpu" or "cuda". name: "float32", "bfloat16" or "float16": of convolutions and products; sums
    and weights stay float32."""

    device: str
    name: str

    def autocast(self) -> "torch.autocast":
        """For the passes through a network."""
        import torch

        return torch.autocast(self.device, getattr(torch, self.name), enabled=self.name != "float32")


def chosen(device: Device = "auto", precision: Precision = "auto") -> Arithmetic:
    """float16 on CUDA; on a processor bfloat16 if it multiplies it in hardware, since it is slower otherwise.

    Told by the processor's features and not by a trial, so that the same machine always decides alike.
    """
    import torch

    where = "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"
    if precision == "float32":
        return Arithmetic(where, "float32")
    if where == "cuda":
        return Arithmetic(where, "float16")
    return Arithmetic(where, "bfloat16" if _multiplies_bfloat16() else "float32")


def _multiplies_bfloat16() -> bool:
    """AVX512-BF16 or AMX: torch tells by functions that are not public, and not in each of its versions."""
    import torch

    return any(getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))


@contextmanager
def compute_threads(threads: int) -> Iterator[None]:
    """Run with this many threads; 0 leaves torch's number as it is."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
