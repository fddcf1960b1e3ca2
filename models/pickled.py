"""State dicts, and whole models saved with torch.save(model), read without running anything of theirs.

A pickle may name any function and have it called. Here only the classes of known layers can be
built; everything else ends the reading. Two file formats are in use: the zip archive, for which
torch has a reader of its own (`weights_only`), and the older plain format, from before torch
1.6, which that reader refuses for whole models.
"""

import io
import pickle
import re
import tarfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedqueue.models.errors import WeightsCorrupt

if TYPE_CHECKING:
    import torch

_LAYERS = (
    "activation.ReLU",
    "batchnorm.BatchNorm2d",
    "container.Sequential",
    "conv.Conv2d",
    "linear.Linear",
    "pooling.AvgPool2d",
    "pooling.MaxPool2d",
)

# What the plain format needs besides the layers: containers and tensors, nothing that acts.
_HARMLESS = {
    ("collections", "OrderedDict"),
    ("builtins", "set"),
    ("__builtin__", "set"),
    ("torch", "FloatStorage"),
    ("torch", "LongStorage"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch.nn.backends.thnn", "_get_thnn_function_backend"),  # gives None; layers before torch 1.4
}


def load_pickled_model(path: Path, classes: Sequence[type]) -> "dict[str, torch.Tensor]":
    """The tensors of a saved model by their dotted names, as state_dict names them.

    classes: the model's own classes, allowed besides torch's common layers. The file's SHA-256
    is to be checked before. Raises WeightsCorrupt for anything else than such a model.
    """
    import torch

    allowed = [*classes, *(_layer(name) for name in _LAYERS)]
    try:
        if zipfile.is_zipfile(path):
            with torch.serialization.safe_globals(allowed):
                model = torch.load(path, map_location="cpu", weights_only=True)
        else:
            model = _load_plain(path, allowed)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, AttributeError, TypeError) as error:
        raise WeightsCorrupt(path, "a saved model of known layers", reason(error)) from error
    if not isinstance(model, torch.nn.Module):
        raise WeightsCorrupt(path, "a saved model", f"a {type(model).__name__}")
    return dict(_tensors(model, ""))


def load_state(path: Path, what: str) -> "dict[str, torch.Tensor]":
    """A state dict from safetensors or torch.save, read without unpickling anything but tensors.

    what: the model it should be of, for the error. The file's SHA-256 is to be checked before.
    Raises WeightsCorrupt.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, SafetensorError, RuntimeError, EOFError, ValueError, AttributeError) as error:
        raise WeightsCorrupt(path, what, reason(error)) from error
    if not isinstance(state, dict):
        raise WeightsCorrupt(path, what, f"a {type(state).__name__}")
    return state


def loaded_strictly(model: "torch.nn.Module", state: "dict[str, torch.Tensor]", path: Path, what: str) -> None:
    """Load every tensor of a state dict, none missing, none too many. Raises WeightsCorrupt."""
    try:
        model.load_state_dict(state)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise WeightsCorrupt(path, what, reason(error)) from error


def reason(error: Exception) -> str:
    """The fault in one line of torch's message, whose advice to load unsafely is left out."""
    message = str(error)
    if named := re.search(r"GLOBAL (\S+)", message):
        return f"it names {named[1]}, which is not allowed"
    told = message.rpartition("WeightsUnpickler error:")[2]
    if "weights_only" in told:
        return "no file of torch.save"
    return " ".join(told.split())[:200] or type(error).__name__


def _layer(name: str) -> Any:
    import torch

    module, _, layer = name.partition(".")
    return getattr(getattr(torch.nn.modules, module), layer)


def _tensors(layer: "torch.nn.Module", prefix: str) -> "Iterator[tuple[str, torch.Tensor]]":
    """Walk the model by its plain attributes: an old pickle lacks what state_dict looks for."""
    for name, tensor in [*layer._parameters.items(), *layer._buffers.items()]:
        if tensor is not None:
            yield prefix + name, tensor.detach()
    for name, child in layer._modules.items():
        if child is not None:
            yield from _tensors(child, f"{prefix}{name}.")


def _load_plain(path: Path, allowed: Sequence[Any]) -> Any:
    import torch

    if tarfile.is_tarfile(path):
        raise pickle.UnpicklingError("a tar archive, torch's format before 0.1.10")
    with warnings.catch_warnings():
        # The file holds its classes' source text, which torch compares with today's; only the
        # tensors are taken from it.
        warnings.simplefilter("ignore", torch.serialization.SourceChangeWarning)
        return torch.load(path, map_location="cpu", weights_only=False, pickle_module=_Restricted(allowed))


class _Restricted:
    """Stands in for the pickle module where torch.load takes one; it builds what is allowed only."""

    __name__ = "restricted pickle"

    def __init__(self, allowed: Sequence[Any]) -> None:
        known = {(each.__module__, each.__qualname__) for each in allowed} | _HARMLESS

        class Unpickler(pickle.Unpickler):
            def find_class(self, module: str, name: str) -> Any:
                if (module, name) not in known:
                    raise pickle.UnpicklingError(f"it names {module}.{name}, which is not allowed")
                return super().find_class(module, name)

        self.Unpickler = Unpickler

    def load(self, file: io.BufferedIOBase, **options: Any) -> Any:
        return self.Unpickler(file, **options).load()
