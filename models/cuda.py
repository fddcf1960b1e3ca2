"""Networks on CUDA through PyTorch: half precision, channels last, pinned transfers, batches that fit."""

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seedqueue.models.errors import GpuMemoryTooSmall
from seedqueue.models.runtime import Arithmetics, Floats

if TYPE_CHECKING:
    import torch

# Images sent at once until memory is found too small for so many.
BATCH = 256


def arithmetics(module: "torch.nn.Module", device: str = "cuda") -> Arithmetics:
    """Both arithmetics of a module on a PyTorch device."""
    import torch

    where = torch.cuda.get_device_name() if device == "cuda" else device
    return Arithmetics(
        machine=f"{where}, PyTorch {torch.__version__}",
        full=lambda: TorchNetwork(module, device, torch.float32),
        half=lambda: TorchNetwork(module, device, torch.float16),
        half_name="float16",
    )


class TorchNetwork:
    """A module on a device in one arithmetic. A batch too large for the memory is halved, and stays so."""

    def __init__(self, module: "torch.nn.Module", device: str, dtype: "torch.dtype", batch: int = BATCH) -> None:
        import torch

        self._torch = torch
        own = copy.deepcopy(module).eval().to(device)
        self._module = own.to(memory_format=torch.channels_last)
        self._device, self._dtype, self.batch = device, dtype, batch

    def __call__(self, inputs: npt.NDArray[Any], /) -> Floats:
        """(n, ...) to (n, d). Raises GpuMemoryTooSmall where not even one image fits."""
        parts: list[Floats] = []
        done = 0
        while not parts or done < len(inputs):
            try:
                parts.append(self._run(inputs[done : done + self.batch]))
            except self._torch.OutOfMemoryError as error:
                if self.batch == 1:
                    raise GpuMemoryTooSmall(str(error)) from error
                self.batch = min(self.batch, len(inputs) - done) // 2 or 1
                self._torch.cuda.empty_cache()
                continue
            done += len(parts[-1])
        return np.concatenate(parts)

    def _run(self, inputs: npt.NDArray[Any]) -> Floats:
        torch = self._torch
        sent = torch.from_numpy(np.ascontiguousarray(inputs))
        if self._device == "cuda":
            sent = sent.pin_memory()
        half = self._dtype != torch.float32
        # PyTorch multiplies float32 convolutions in TF32, of 10 bits, unless told not to: no reference to judge by.
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with torch.inference_mode(), exact, torch.autocast(self._device, self._dtype, enabled=half):
            embeddings = self._module(sent.to(self._device, non_blocking=True))
        return np.asarray(embeddings.float().cpu().numpy(), dtype=np.float32)
