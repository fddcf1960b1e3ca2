"""TensorFlow's SavedModels: through OpenVINO's own reader where it can, on TensorFlow, an extra, elsewhere.

A SavedModel is a folder: the graph in `saved_model.pb`, its numbers under `variables/`. The graph is
a program. OpenVINO translates what it knows and runs nothing else; TensorFlow runs all of it, also
what reads and writes files, so `load` refuses such graphs. Signatures are called by name.
"""

import contextlib
import importlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import cpu_count

from seedqueue.models.errors import ExtraMissing, OperationsMissing, WeightsCorrupt
from seedqueue.models.runtime import Floats, Runtime
from seedqueue.models.weights import WeightsFile

if TYPE_CHECKING:
    import openvino

GRAPH = "saved_model.pb"
SIGNATURE = "serving_default"

# `fingerprint.pb`, which newer TensorFlow adds, is not among them: nothing reads it, and an embedder's
# fingerprint must not depend on whether a copy has it.
_FILES = (GRAPH, "variables/variables.index", "variables/variables.data-00000-of-00001")

# Operations that reach for files, other processes or Python. Those that save and restore variables
# (SaveV2, RestoreV2) are missing here since every SavedModel holds them: what guards against them is
# the file's SHA-256.
_REACHING_OUT = re.compile(
    r"ReadFile|WriteFile|MatchingFiles|FileSystem|Reader|Dataset|PyFunc|PrintV2"
    r"|SummaryFileWriter|SummaryDbWriter|Write\w*Summary|RemoteCall|DebugIdentity|LoadAndRemapMatrix"
)


@dataclass(frozen=True)
class Signature:
    """What `serving_default` must take and give.

    inputs: dtype by name. output: its name, of float32 `shape`.
    """

    inputs: dict[str, str]
    output: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return _described(self.inputs, {self.output: self.shape})


def files(folder: str, url: str | None = None) -> tuple[WeightsFile, ...]:
    """A SavedModel's files in a folder of the weights folder. url: where its files lie, without the last `/`."""
    return tuple(WeightsFile(f"{folder}/{each}", url and f"{url}/{each}") for each in _FILES)


def read(folder: Path) -> "openvino.Model | None":
    """OpenVINO's reading of `serving_default`, without TensorFlow.

    None where the SavedModel has no signature or an operation that OpenVINO lacks. Raises WeightsCorrupt.
    """
    from openvino.frontend import FrontEndManager, GeneralFailure, OpConversionFailure

    reader = FrontEndManager().load_by_framework("tf")
    try:
        model = reader.convert(reader.load(str(folder)))
    except OpConversionFailure:
        return None
    except (GeneralFailure, RuntimeError) as error:
        raise WeightsCorrupt(folder / GRAPH, "a SavedModel", _line(error, -1)) from error
    return model if model.inputs else None


def tensorflow(embedder: str, runtime: Runtime) -> Any:
    """The module `tensorflow`, set up for the runtime. embedder: whom it is for. Raises ExtraMissing."""
    # Read when TensorFlow's library is loaded, and settable in no other way: 2 leaves out its remarks
    # on the processor and on GPUs that are not there.
    os.putenv("TF_CPP_MIN_LOG_LEVEL", "2")
    # PyTorch's triton and TensorFlow each bring an LLVM: triton imported second aborts the process.
    with contextlib.suppress(ImportError):
        importlib.import_module("triton")
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ExtraMissing(embedder, "TensorFlow", "tensorflow") from error
    # Off where it is on by default, on GPUs: float32 is to mean float32.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    threads = runtime.threads or cpu_count()
    with contextlib.suppress(RuntimeError):  # this process has computed with TensorFlow before
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        if runtime.device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        for gpu in tf.config.get_visible_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)  # else it takes the whole memory
    return tf


def load(tf: Any, folder: Path) -> Any:
    """A SavedModel as TensorFlow's object. Raises WeightsCorrupt, OperationsMissing."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    path = folder / GRAPH
    try:
        _check_operations(tf, path)
        return tf.saved_model.load(str(folder))
    except (DecodeError, tf.errors.OpError, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise WeightsCorrupt(path, "a SavedModel", _line(error, 0)) from error


def signature(tf: Any, root: Any, folder: Path, expected: Signature) -> Callable[..., Floats]:
    """`serving_default` of a loaded SavedModel, called with arrays by name.

    Raises WeightsCorrupt where it is not as expected, or when called, where only the result tells.
    """
    path, wanted = folder / GRAPH, f"a SavedModel with the signature {expected}"
    function = root.signatures.get(SIGNATURE)
    if function is None:
        raise WeightsCorrupt(path, wanted, f"the signatures {', '.join(root.signatures) or '(none)'}")
    inputs = {name: spec.dtype.name for name, spec in function.structured_input_signature[1].items()}
    outputs = {name: each.shape for name, each in function.structured_outputs.items()}
    shape = outputs.get(expected.output)
    if inputs != expected.inputs or shape is None or not shape.is_compatible_with(expected.shape):
        raise WeightsCorrupt(path, wanted, _described(inputs, outputs))

    def call(**arrays: Any) -> Floats:
        given = {name: tf.constant(value, expected.inputs[name]) for name, value in arrays.items()}
        # `root` is named here so that it lives on: a signature does not keep its variables.
        result = np.asarray(root.signatures[SIGNATURE](**given)[expected.output], dtype=np.float32)
        if result.shape != expected.shape:
            raise WeightsCorrupt(path, wanted, _described(inputs, {expected.output: result.shape}))
        return result

    return call


def _check_operations(tf: Any, path: Path) -> None:
    """Raises WeightsCorrupt for a graph that reaches out, OperationsMissing, DecodeError."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
    from tensorflow.python.framework import op_def_registry

    graphs = [meta.graph_def for meta in SavedModel.FromString(path.read_bytes()).meta_graphs]
    functions = [function for graph in graphs for function in graph.library.function]
    used = {node.op for graph in graphs for node in graph.node}
    used |= {node.op for function in functions for node in function.node_def}
    used -= {function.signature.name for function in functions}
    if reaching := sorted(filter(_REACHING_OUT.search, used)):
        raise WeightsCorrupt(path, "a network that keeps to itself", f"the operations {', '.join(reaching)}")
    if any(op_def_registry.get(op) is None for op in used):
        with contextlib.suppress(ImportError, tf.errors.OpError):
            importlib.import_module("tensorflow_text")  # brings its operations along
    if missing := sorted(op for op in used if op_def_registry.get(op) is None):
        raise OperationsMissing(path, missing, f"tensorflow-text=={tf.__version__.rpartition('.')[0]}.*")


def _described(inputs: dict[str, str], outputs: dict[str, Any]) -> str:
    given = ", ".join(f"{name} {outputs[name]}" for name in sorted(outputs))
    return f"{SIGNATURE}({', '.join(f'{name} {inputs[name]}' for name in sorted(inputs))}) -> {given}"


def _line(error: Exception, number: int) -> str:
    """One line of an error: TensorFlow begins with the fault, OpenVINO ends with it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[number][:200] if lines else type(error).__name__
