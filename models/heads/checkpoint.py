"""Where a training stands, in a file that is either whole or not there."""

import hashlib
import os
import pickle
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

# Between two savings passes at least this many times what one takes: the U-Net's takes a fraction of a second, that
# of VGG-11's 129 million weights several.
_REST = 9


class Checkpoint:
    """One training's file. digest: of all that decides the outcome; another training's file is not read.

    path: None keeps nothing.
    """

    def __init__(self, path: Path | None, digest: str) -> None:
        self._path, self._digest = path, digest
        self._next = 0.0

    def load(self) -> dict[str, Any] | None:
        """What was saved last, on the processor; None where there is nothing, another training's, or a damaged file."""
        import torch

        if self._path is None or not self._path.is_file():
            return None
        try:
            saved = torch.load(self._path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, AttributeError):
            return None
        return saved if isinstance(saved, dict) and saved.get("digest") == self._digest else None

    def save(self, state: dict[str, Any], *, last: bool) -> None:
        """Replace the file, unless that was done a moment ago. last: in any case."""
        import torch

        started = time.monotonic()
        if self._path is None or (started < self._next and not last):
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        try:
            with unfinished.open("wb") as file:
                torch.save({**state, "digest": self._digest}, file)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path)
        finally:
            unfinished.unlink(missing_ok=True)
        ended = time.monotonic()
        self._next = ended + _REST * (ended - started)


def digest(words: str, arrays: Iterable[npt.NDArray[Any]], network: "torch.nn.Module") -> str:
    """SHA-256 over words, arrays with their shapes and types, and the weights a network begins with."""
    found = hashlib.sha256(words.encode())
    for array in arrays:
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    for name, tensor in network.state_dict().items():
        found.update(f"{name} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().numpy())
    return found.hexdigest()
