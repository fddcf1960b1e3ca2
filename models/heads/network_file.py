"""A network head as bytes: the arrays of its network and what they are of."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from seedqueue.models.errors import HeadUnusable
from seedqueue.models.heads import file_format, networks
from seedqueue.models.heads.spec import Task

if TYPE_CHECKING:
    import torch

FORMAT = "1"

# Of each array its shape, (1,) for a number alone, and the name of its type.
_Shapes = dict[str, tuple[tuple[int, ...], str]]


@dataclass(frozen=True)
class Described:
    """What the file's metadata say."""

    kind: networks.Kind
    classes: tuple[str, ...]
    task: Task
    side: int
    pretrained: bool


def to_bytes(described: Described, network: "torch.nn.Module") -> bytes:
    """A safetensors file; the same network gives the same bytes."""
    fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asdict(described).items()}
    arrays = {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}
    return file_format.to_bytes(arrays, {"head": "network", "format": FORMAT, **fields})


def from_bytes(content: bytes) -> "tuple[Described, torch.nn.Module]":
    """The inverse of `to_bytes`. Raises HeadUnusable, which names what differs."""
    import torch

    arrays, metadata = file_format.from_bytes(content)
    described = _described(metadata)
    network = networks.unfilled(described.kind, len(described.classes), described.pretrained)
    empty = network.state_dict()
    _check_arrays({name: (tuple(each.shape) or (1,), _name(each.dtype)) for name, each in empty.items()}, arrays)
    state = {name: torch.tensor(arrays[name]).reshape(each.shape) for name, each in empty.items()}
    network.load_state_dict(state, assign=True)
    return described, network.eval()


def _name(dtype: "torch.dtype") -> str:
    return str(dtype).removeprefix("torch.")


def _described(metadata: dict[str, str]) -> Described:
    for key, known in (
        ("head", ("network",)),
        ("format", (FORMAT,)),
        ("kind", get_args(networks.Kind)),
        ("task", get_args(Task)),
        ("pretrained", ("true", "false")),
    ):
        if metadata.get(key) not in known:
            raise HeadUnusable(key, " or ".join(map(repr, known)), repr(metadata.get(key)))
    kind: Any = metadata["kind"]
    task: Any = metadata["task"]
    if (kind == "unet-vgg11") != (task == "masks"):
        raise HeadUnusable("task", "masks for unet-vgg11, single or multi for vgg11", f"{task} for {kind}")
    classes, side = _json(metadata, "classes"), _json(metadata, "side")
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise HeadUnusable("classes", "a JSON list of texts", repr(metadata.get("classes")))
    if not isinstance(side, int) or side < networks.STRIDE or side % networks.STRIDE:
        raise HeadUnusable("side", f"a multiple of {networks.STRIDE}", repr(metadata.get("side")))
    return Described(kind, tuple(classes), task, side, metadata["pretrained"] == "true")


def _json(metadata: dict[str, str], key: str) -> Any:
    try:
        return json.loads(metadata.get(key, ""))
    except ValueError:
        return None


def _check_arrays(expected: _Shapes, arrays: file_format.Tensors) -> None:
    for name in sorted({*expected, *arrays}):
        wanted, found = expected.get(name), arrays.get(name)
        if wanted is None or found is None:
            raise HeadUnusable(f"the array {name}", *(("none", "one") if wanted is None else ("one", "none")))
        if (found.shape, str(found.dtype)) != wanted:
            shape, dtype = wanted
            raise HeadUnusable(
                f"the array {name}", f"{dtype} of shape {shape}", f"{found.dtype} of shape {found.shape}"
            )
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise HeadUnusable(f"the array {name}", "finite numbers", "NaN or infinite ones")
