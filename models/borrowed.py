"""Networks from libraries that know thousands of them: nobody here has tried them all, so each is tried once."""

import importlib
from typing import TYPE_CHECKING, Any

from seedqueue.models.errors import ExtraMissing, UnusableModel
from seedqueue.models.runtime import Runtime
from seedqueue.models.vision import Look, VisionEmbedder
from seedqueue.models.weights import Found

if TYPE_CHECKING:
    import torch

# Unless a model says otherwise: the mean and deviation of ImageNet's photographs, as nearly all were trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)

# What building, running and converting a network that does not fit is known to raise.
UNFIT = (RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError)


def library(embedder: str, package: str, extra: str) -> Any:
    """The optional package; raises ExtraMissing where it is not installed."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ExtraMissing(embedder, package, extra) from error


def as_embedder(
    name: str, network: "torch.nn.Module", look: Look, found: Found, preprocessing: int, runtime: Runtime
) -> VisionEmbedder:
    """The network as an embedder, once it has shown that it makes rows of images.

    network: normalised float32 (n, channels, side, side) to (n, d). Raises UnusableModel.
    """
    from openvino.frontend import GeneralFailure, OpConversionFailure

    try:
        _check(name, network, look)
        return VisionEmbedder(name, network, look, weights=found.sha256, preprocessing=preprocessing, runtime=runtime)
    except (*UNFIT, GeneralFailure, OpConversionFailure) as error:
        raise UnusableModel(name, one_line(error)) from error


def one_line(error: Exception, limit: int = 300) -> str:
    """A library's message, which may fill a page, in one line of so many characters."""
    return " ".join(str(error).split())[:limit] or type(error).__name__


def _check(name: str, network: "torch.nn.Module", look: Look) -> None:
    import torch

    with torch.inference_mode():
        rows = network.eval().float()(torch.zeros(1, len(look.mean), look.side, look.side))
    shape = tuple(rows.shape) if isinstance(rows, torch.Tensor) else type(rows).__name__
    if not isinstance(rows, torch.Tensor) or rows.ndim != 2 or len(rows) != 1:
        raise UnusableModel(name, f"it gives {shape} for one image where a row (1, d) is needed")
