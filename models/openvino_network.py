"""Networks on the processor through OpenVINO: streams of one thread, one image a request.

Two compute threads on one image collapse when other programs run beside them; streams of one
thread each do not. One image a request makes a row independent of its batch and was the fastest.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from joblib import cpu_count

from seedqueue.models.errors import NetworkUnsteady
from seedqueue.models.probing import probe_like, steady
from seedqueue.models.runtime import Arithmetics, Floats, Network

if TYPE_CHECKING:
    import openvino
    import torch

# OpenVINO 2026.4 was seen to give one stream of a network other weights, in one compilation of some twenty.
COMPILATIONS, PROBES_A_STREAM = 4, 4

logger = logging.getLogger(__name__)


def convert(module: "torch.nn.Module", example: npt.NDArray[Any]) -> "openvino.Model":
    """A PyTorch module as an OpenVINO model. example: one input (1, ...).

    By torch.export, and by a trace where OpenVINO lacks an operation that only the trace, its
    constants folded, has done away with (position embeddings stretched to another size).
    """
    import openvino
    import torch
    from openvino.frontend import OpConversionFailure

    inputs = torch.from_numpy(example)
    with _root_logger_kept():
        try:
            with torch.no_grad():
                program = torch.export.export(module.eval(), (inputs,))
            model = openvino.convert_model(program)
        except OpConversionFailure:
            model = openvino.convert_model(_traced(module, inputs), example_input=inputs)
    model.reshape(example.shape)
    return model


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """A conversion that fails leaves the root logger at ERROR: this process's warnings would be lost from then on."""
    root = logging.getLogger()
    level, filters, handlers = root.level, root.filters.copy(), root.handlers.copy()
    try:
        yield
    finally:
        root.setLevel(level)
        root.filters, root.handlers = filters, handlers


def _traced(module: "torch.nn.Module", inputs: "torch.Tensor") -> Any:
    import torch

    with warnings.catch_warnings(), torch.inference_mode():
        # Said of tracing itself, which is deprecated, and of Python values that become constants: they are meant to.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        return torch.jit.freeze(torch.jit.trace(module, inputs, check_trace=False))  # type: ignore[no-untyped-call]


def arithmetics(model: "openvino.Model", threads: int) -> Arithmetics:
    """Both arithmetics of a model with one input (1, ...) and one output (1, d)."""
    import openvino

    core = openvino.Core()
    processor = core.get_property("CPU", "FULL_DEVICE_NAME")
    halves = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return Arithmetics(
        machine=f"{processor}, OpenVINO {openvino.__version__}",
        full=lambda: _network(core, model, threads, openvino.Type.f32),
        half=(lambda: _network(core, model, threads, openvino.Type.bf16)) if halves else None,
        half_name="bfloat16",
    )


def _network(core: "openvino.Core", model: "openvino.Model", threads: int, precision: "openvino.Type") -> Network:
    """Compiled, and again where its streams do not agree. Raises NetworkUnsteady."""
    streams = threads or cpu_count()
    entry = model.input(0)
    example = np.zeros(entry.shape, dtype=entry.element_type.to_dtype())
    probes = np.repeat(probe_like(example), PROBES_A_STREAM * streams, axis=0)
    for _ in range(COMPILATIONS):
        network = _compiled(core, model, streams, precision)
        if steady(network(probes)):
            return network
        logger.warning(
            "%s: its streams gave one image different numbers; it is compiled again", model.get_friendly_name()
        )
    raise NetworkUnsteady(model.get_friendly_name(), streams, COMPILATIONS)


def _compiled(core: "openvino.Core", model: "openvino.Model", streams: int, precision: "openvino.Type") -> Network:
    import openvino
    from openvino import properties

    compiled = core.compile_model(
        model,
        "CPU",
        {
            properties.hint.inference_precision(): precision,
            properties.num_streams(): streams,
            properties.inference_num_threads(): streams,
            # Two workers on one machine would pin themselves to the same cores.
            properties.hint.enable_cpu_pinning(): False,
        },
    )
    requests = openvino.AsyncInferQueue(compiled, streams)
    # Once for nothing: a model's output may not know its shape before.
    entry = compiled.input(0)
    dimension = compiled(np.zeros(entry.shape, dtype=entry.element_type.to_dtype()))[0].size

    def embed(inputs: npt.NDArray[Any]) -> Floats:
        embeddings = np.empty((len(inputs), dimension), dtype=np.float32)
        rows: dict[int, int] = {}  # by request

        def keep(request: int) -> None:
            embeddings[rows[request]] = requests[request].get_output_tensor(0).data.reshape(dimension)

        # No callback: it would take the interpreter's lock, and a network dropped right after its use waits with that
        # lock held for the streams to end.
        for row in range(len(inputs)):
            request = requests.get_idle_request_id()  # the one that start_async takes
            if request in rows:
                keep(request)
            rows[request] = row
            requests.start_async({0: inputs[row : row + 1]})
        requests.wait_all()
        for request in rows:
            keep(request)
        return embeddings

    return embed
