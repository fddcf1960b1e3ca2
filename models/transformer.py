"""Vision models of Hugging Face's transformers, from files that are in the weights folder already.

What a repository there is made of is read with care: its code is never run, and nothing that its
files name is looked up on the hub.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedqueue.models import preprocessor, weights
from seedqueue.models.borrowed import UNFIT, as_embedder, library, one_line
from seedqueue.models.embedder import Embedder
from seedqueue.models.errors import UnusableModel, WeightsCorrupt
from seedqueue.models.pickled import load_state
from seedqueue.models.runtime import Runtime

if TYPE_CHECKING:
    import torch

_PREPROCESSING = 1
_HUB = "https://huggingface.co"

# Keys of a config.json that choose number formats, kernels, quantisation or code instead of an architecture.
_NOT_ARCHITECTURE = {
    "attn_implementation",
    "_attn_implementation",
    "_attn_implementation_internal",
    "auto_map",
    "dtype",
    "fusion_config",
    "quantization_config",
    "return_dict",
    "torch_dtype",
    "torchscript",
}


def source(repository: str, licence: str, *, preprocessor_optional: bool) -> weights.WeightsSource:
    """A repository's files: `hf/<org>/<repo>/` in the weights folder."""
    page, folder = f"{_HUB}/{repository}", f"hf/{repository}"

    def file(name: str, also: tuple[str, ...] = (), optional: bool = False) -> weights.WeightsFile:
        return weights.WeightsFile(f"{folder}/{name}", f"{page}/resolve/main/{name}", also, optional=optional)

    files = (
        file("model.safetensors", also=(f"{folder}/pytorch_model.bin",)),
        file("config.json"),
        file("preprocessor_config.json", optional=preprocessor_optional),
    )
    return weights.WeightsSource(files, page, licence)


def load(name: str, files: weights.WeightsSource, folder: Path, runtime: Runtime) -> Embedder:
    """The embedder of a repository's files: `pooler_output`, or what `_pooled` says where there is none.

    Raises ExtraMissing, WeightsMissing, WeightsCorrupt, UnusableModel.
    """
    library(name, "transformers", "hf")
    found = weights.require(folder, files, name)
    tensors, described, shown = (found.paths.get(file.name) for file in files.files)
    assert tensors is not None
    assert described is not None
    with _quiet_and_offline():
        config = _config(name, described)
        network = _pooled(*_model(name, config, tensors))
    look = preprocessor.look(name, _json(shown) if shown else {}, config)
    return as_embedder(name, network, look, found, _PREPROCESSING, runtime)


@contextmanager
def _quiet_and_offline() -> Iterator[None]:
    """transformers without its tables and progress bars, and with the hub out of reach.

    Some configurations name another model whose files building would fetch; that fails instead.
    """
    from huggingface_hub import constants
    from transformers.utils import logging

    offline, verbosity, bars = constants.HF_HUB_OFFLINE, logging.get_verbosity(), logging.is_progress_bar_enabled()
    constants.HF_HUB_OFFLINE = True
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = offline
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # also what is no UTF-8
        raise WeightsCorrupt(path, "JSON", one_line(error)) from error
    if not isinstance(read, dict):
        raise WeightsCorrupt(path, "a JSON object", f"a {type(read).__name__}")
    return read


def _config(name: str, path: Path) -> Any:
    """The configuration of the model, or of the part that sees where there is a part that reads, too."""
    import transformers
    from huggingface_hub import errors

    # A wrong type in a field: newer versions have an error of their own for it.
    invalid = getattr(errors, "StrictDataclassError", ValueError)
    told = _architecture(_json(path))
    kind = told.pop("model_type", None)
    if kind is None:
        raise UnusableModel(name, f"{path} names no model_type of transformers; for a model of timm write timm:<name>")
    try:
        config = transformers.AutoConfig.for_model(kind, **told)
    except (*UNFIT, OSError, invalid) as error:  # OSError: it names another model, and the hub is out of reach
        reason = f"transformers {transformers.__version__} cannot read {path}: {one_line(error)}"
        raise UnusableModel(name, reason) from error
    return getattr(config, "vision_config", config)


def _architecture(told: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _architecture(value) if isinstance(value, dict) else value
        for key, value in told.items()
        if key not in _NOT_ARCHITECTURE
    }


def _model(name: str, config: Any, path: Path) -> "tuple[torch.nn.Module, bool]":
    """The model with the file's weights, and whether its pooler is among them.

    transformers puts the tensors in, since it renames layers between its versions and publishes
    files of all of them; what lies beyond the model, such as a classifier, is left out.
    """
    import transformers

    made = transformers.MODEL_MAPPING.get(type(config), None)
    if getattr(made, "main_input_name", None) != "pixel_values":
        raise UnusableModel(name, f"its kind, {config.model_type}, takes no images")
    if hasattr(config, "mask_ratio"):
        raise UnusableModel(name, f"its kind, {config.model_type}, hides parts of the image at random")
    what = f"a {made.__name__} as config.json describes it"
    state = load_state(path, what)
    attention = "sdpa" if getattr(made, "_supports_sdpa", False) else "eager"
    try:
        # The model takes its number format from the tensors, and their memory too: a copy, since reading
        # a mapped file ends the process where someone has meanwhile written over it.
        state = {key: value.to(_format(value), copy=True) for key, value in state.items()}
        model, report = made.from_pretrained(
            None,
            config=config,
            state_dict=state,
            attn_implementation=attention,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except OSError as error:  # the same, later
        raise UnusableModel(name, f"it is built of another model's files: {one_line(error)}") from error
    except UNFIT as error:
        raise WeightsCorrupt(path, what, one_line(error)) from error
    missing = set(report["missing_keys"])
    # Neither is looked at: the mask is for training, and without a trained pooler there are the tokens.
    unneeded = {key for key in missing if key.startswith("pooler.") or key.endswith("mask_token")}
    lacking = sorted(missing - unneeded) + [f"{key[0]} of that size" for key in report["mismatched_keys"]]
    if lacking:
        raise WeightsCorrupt(path, what, f"no {', '.join(lacking[:3])}{' and more' if lacking[3:] else ''}")
    return model, not any(key.startswith("pooler.") for key in missing)


def _format(tensor: "torch.Tensor") -> "torch.dtype":
    import torch

    return torch.float32 if tensor.is_floating_point() else tensor.dtype


def _pooled(model: "torch.nn.Module", pooler: bool) -> "torch.nn.Module":
    """The model ending in one row an image: normalised float32 (n, channels, side, side) to (n, d).

    `pooler_output` where the model has one and what it learnt is in the file: for DINOv2 that is the
    class token after the last norm. Else the class token of `last_hidden_state`, the mean over its
    tokens where there is no such token, or over its map.
    """
    import torch

    class_token = any(key.endswith("cls_token") for key, _ in model.named_parameters())

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            given = self.model(pixel_values=images)
            pooled: torch.Tensor | None = getattr(given, "pooler_output", None) if pooler else None
            if pooled is not None:
                return pooled.flatten(1)
            last: torch.Tensor = given.last_hidden_state
            if last.ndim == 3 and class_token:
                return last[:, 0]
            return last.flatten(2).mean(dim=2) if last.ndim == 4 else last.mean(dim=1)

    return Pooled()
