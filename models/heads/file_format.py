"""A head as bytes: safetensors, with what is not an array in the file's header. Nothing in it is ever unpickled."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from seedqueue.models.errors import HeadUnusable

# The one entry of the header's metadata. safetensors writes several in an order that differs from
# call to call, and the same head has to give the same bytes.
_KEY = "seedqueue"

Tensors = dict[str, npt.NDArray[Any]]


def to_bytes(tensors: Tensors, metadata: dict[str, str]) -> bytes:
    """The same arrays and metadata give the same bytes."""
    from safetensors.numpy import save

    stored = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    return save(stored, metadata={_KEY: json.dumps(metadata, sort_keys=True)})


def from_bytes(content: bytes) -> tuple[Tensors, dict[str, str]]:
    """The inverse of `to_bytes`. Raises `HeadUnusable`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(content)
    except SafetensorError as error:
        raise HeadUnusable("the file", "safetensors", f"{len(content)} bytes ({error})") from error
    # `load` has read the header, so that its length and its JSON are in order.
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    try:
        metadata = json.loads((header.get("__metadata__") or {})[_KEY])
    except (KeyError, ValueError) as error:
        raise HeadUnusable("the metadata", f"JSON under {_KEY!r}", "none") from error
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise HeadUnusable("the metadata", "an object of texts", repr(metadata))
    return tensors, metadata
