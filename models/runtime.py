"""Where networks run and how precisely: the fastest arithmetic that passes the accuracy gate.

On a processor OpenVINO runs them, on CUDA PyTorch does. Both have a float32 network, which is the
reference, and a half-precision one, which the gate compares with it on the first images seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from seedqueue.models import gate, probing
from seedqueue.models.errors import NetworkDiffers

if TYPE_CHECKING:
    import openvino
    import torch

Floats = npt.NDArray[np.float32]
Precision = Literal["auto", "float32"]
Device = Literal["auto", "cpu", "cuda"]


class Network(Protocol):
    """Stacked inputs (n, ...) to embeddings float32 (n, d); a row depends on its input alone."""

    def __call__(self, inputs: npt.NDArray[Any], /) -> Floats: ...


@dataclass(frozen=True)
class Arithmetics:
    """One model in both arithmetics on one machine; `half` is None where the machine gains nothing by it.

    machine: processor and library in words, the key of a verdict.
    """

    machine: str
    full: Callable[[], Network]
    half: Callable[[], Network] | None
    half_name: str


@dataclass(frozen=True)
class Runtime:
    """How a process runs its networks.

    device: "auto" takes CUDA where PyTorch sees it. precision: "auto" lets half precision in where
    it passes the gate. threads: streams of one thread each, 0 for one a core. verdicts: the folder
    where the gate's findings are kept, None for this process only.
    """

    device: Device = "auto"
    precision: Precision = "auto"
    threads: int = 0
    verdicts: Path | None = None

    def of_module(self, module: "torch.nn.Module", example: npt.NDArray[Any], fingerprint: str) -> Network:
        """Run a PyTorch module. example: one input (1, ...), its shape and dtype those of every input.

        Raises NetworkDiffers where another library computes other numbers than PyTorch.
        """
        if self._on_cuda():
            from seedqueue.models.cuda import arithmetics

            return self._chosen(arithmetics(module), fingerprint)
        from seedqueue.models.openvino_network import convert

        network = self.of_openvino(convert(module, example), fingerprint)
        _check(network, module, example)
        return network

    def of_openvino(self, model: "openvino.Model", fingerprint: str) -> Network:
        """Run a model that OpenVINO has read: one input (1, ...), one output (1, d). On the processor."""
        from seedqueue.models.openvino_network import arithmetics

        return self._chosen(arithmetics(model, self.threads), fingerprint)

    def _on_cuda(self) -> bool:
        if self.device == "cpu":
            return False
        import torch

        return self.device == "cuda" or torch.cuda.is_available()

    def _chosen(self, found: Arithmetics, fingerprint: str) -> Network:
        if found.half is None or self.precision == "float32":
            return found.full()
        return Gated(found, fingerprint, gate.Verdicts(self.verdicts))


def _check(network: Network, module: "torch.nn.Module", example: npt.NDArray[Any]) -> None:
    import torch

    probe = probing.probe_like(example)
    with torch.inference_mode():
        expected = module.eval()(torch.from_numpy(probe)).numpy()
    found = probing.cosine(network(probe), expected)
    if found < probing.LEAST_COSINE:
        raise NetworkDiffers(type(module).__name__, found, probing.LEAST_COSINE)


class Gated:
    """The half-precision network once the gate has let it in, the float32 one until then and otherwise.

    The first call with enough images decides: both networks embed them, and what is returned is
    the chosen one's, so that a repetition of the whole gives the same numbers.
    """

    def __init__(self, found: Arithmetics, fingerprint: str, verdicts: gate.Verdicts) -> None:
        self._found, self._fingerprint, self._verdicts = found, fingerprint, verdicts
        verdict = verdicts.find(fingerprint, found.half_name, found.machine)
        self._decided = verdict is not None
        self._network = self._made(verdict is not None and verdict.passed)

    def __call__(self, inputs: npt.NDArray[Any], /) -> Floats:
        embeddings = self._network(inputs)
        if self._decided or len(inputs) < gate.LEAST_IMAGES:
            return embeddings
        half = self._made(True)
        other = half(inputs)
        judged = gate.judge(self._fingerprint, self._found.half_name, self._found.machine, embeddings, other)
        self._decided = True
        if not self._verdicts.add(judged).passed:
            return embeddings
        self._network = half
        return other

    def _made(self, half: bool) -> Network:
        return self._found.half() if half and self._found.half is not None else self._found.full()
