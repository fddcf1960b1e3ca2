"""Models of the makes that users bring, small and with random weights, as their libraries publish them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from seedqueue.models.runtime import Floats, Network, Runtime

# The variants that the makers make.
TIMM = "test_vit.r160_in1k"
HF = "tests/tiny-vit"
ONNX = "chest/small.onnx"

# As facebook/dinov2-base has it; its crop is what the model sees.
DINOV2_PREPROCESSOR = {
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_processor_type": "BitImageProcessor",
    "image_std": [0.229, 0.224, 0.225],
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 256},
}

# Of the form that microsoft/rad-dino has; the numbers are the tests' own.
RAD_DINO_PREPROCESSOR = DINOV2_PREPROCESSOR | {
    "crop_size": {"height": 518, "width": 518},
    "image_mean": [0.53, 0.53, 0.53],
    "image_std": [0.26, 0.26, 0.26],
    "size": {"shortest_edge": 518},
}


class Eager(Runtime):
    """PyTorch as it is, unconverted: for tests of what is loaded, not of how it runs."""

    def of_module(self, module: Any, example: Any, fingerprint: str) -> Network:
        import torch

        def embed(inputs: Any, /) -> Floats:
            with torch.inference_mode():
                return np.asarray(module(torch.from_numpy(inputs)).numpy())

        return embed


def mapped(folder: Path) -> list[str]:
    """The files of the folder that this process has mapped into its memory; Linux only."""
    return [line for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines() if str(folder) in line]


def make_timm(folder: Path, seed: int, variant: str = TIMM) -> Path:
    """timm's model with its classifier, where timm's page of the hub has it."""
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    file = folder / "timm" / variant / "model.safetensors"
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(timm.create_model(variant, pretrained=False).state_dict(), file)
    return file


def save_hf(model: Any, folder: Path, repository: str, preprocessor: dict[str, Any] | None = None) -> Path:
    """A repository of transformers as it publishes one; returns the weights file."""
    from transformers.utils import logging

    to = folder / "hf" / repository
    logging.disable_progress_bar()
    model.save_pretrained(to)
    logging.enable_progress_bar()
    if preprocessor is not None:
        (to / "preprocessor_config.json").write_text(json.dumps(preprocessor), encoding="utf-8")
    return to / "model.safetensors"


def make_hf(folder: Path, seed: int) -> Path:
    """A tiny ViT with a classifier and without a preprocessor_config.json."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(seed)
    config = ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=64, patch_size=16
    )
    return save_hf(ViTForImageClassification(config), folder, HF)


def dinov2(seed: int, layers: int = 1) -> Any:
    """DINOv2 of the base model's width, and thin otherwise."""
    import torch
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(seed)
    return Dinov2Model(Dinov2Config(hidden_size=768, num_hidden_layers=layers, mlp_ratio=1, image_size=518)).eval()


def make_dinov2(folder: Path, seed: int) -> Path:
    """`facebook/dinov2-base` with one layer."""
    return save_hf(dinov2(seed), folder, "facebook/dinov2-base", DINOV2_PREPROCESSOR)


def make_rad_dino(folder: Path, seed: int) -> Path:
    """`microsoft/rad-dino` with one layer."""
    return save_hf(dinov2(seed + 100), folder, "microsoft/rad-dino", RAD_DINO_PREPROCESSOR)


def small_onnx(
    seed: int = 0,
    shape: tuple[int | str, ...] = ("n", 3, "h", "w"),
    outputs: tuple[str, ...] = ("row",),
    element: str = "FLOAT",
) -> Any:
    """A convolution whose map is the output `map`, `row` its mean; other names are given to `row` doubled."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    channels_last = shape[-1] in (1, 3) and shape[1] not in (1, 3)
    rng = np.random.default_rng(seed)
    dtype = {"FLOAT": np.float32, "FLOAT16": np.float16}[element]
    channels = shape[-1] if channels_last else shape[1]
    kernel = rng.normal(size=(6, channels if isinstance(channels, int) else 3, 4, 4)).astype(dtype)
    nodes = [helper.make_node("Conv", ["seen", "kernel"], ["conv"], strides=[3, 3])]
    if channels_last:
        nodes.insert(0, helper.make_node("Transpose", ["image"], ["seen"], perm=[0, 3, 1, 2]))
        nodes.append(helper.make_node("Transpose", ["conv"], ["map"], perm=[0, 2, 3, 1]))
    else:
        nodes.insert(0, helper.make_node("Identity", ["image"], ["seen"]))
        nodes.append(helper.make_node("Identity", ["conv"], ["map"]))
    nodes.append(helper.make_node("GlobalAveragePool", ["conv"], ["mean"]))
    nodes.append(helper.make_node("Flatten", ["mean"], ["row"]))
    nodes += [helper.make_node("Sum", ["row", "row"], [each]) for each in outputs if each not in ("map", "row")]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", getattr(TensorProto, element), shape)],
        [
            helper.make_tensor_value_info(each, getattr(TensorProto, element), list("abcd" if each == "map" else "ab"))
            for each in outputs
        ],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def save_onnx(folder: Path, model: Any, name: str = ONNX, beside: str | None = None) -> Path:
    """beside: the file that takes the tensors, None for the model itself."""
    import onnx

    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, file, save_as_external_data=beside is not None, location=beside, size_threshold=0)
    return file


def make_onnx(folder: Path, seed: int) -> Path:
    """A small model of images of any size."""
    return save_onnx(folder, small_onnx(seed))
