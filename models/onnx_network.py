"""An ONNX model as OpenVINO's: read, its size fixed, one output chosen, the look's arithmetic put in front."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seedqueue.models.borrowed import one_line
from seedqueue.models.errors import UnusableModel, WeightsCorrupt
from seedqueue.models.vision import Look

if TYPE_CHECKING:
    import openvino

# Taken, in this order, where a model has several outputs; without one of them the first output is.
_OUTPUTS = ("embeddings", "embedding", "features", "image_embeds", "pooler_output")


@dataclass(frozen=True)
class Shape:
    """What a model says of its input; None for what it leaves open. layout: "NCHW" or "NHWC"."""

    layout: str
    channels: int | None
    side: int | None


def read(name: str, path: Path) -> "openvino.Model":
    """The model of a file whose every part is checked. Raises WeightsCorrupt, UnusableModel."""
    from openvino.frontend import FrontEndManager, GeneralFailure, OpConversionFailure

    # Asked by name: read_model would try every format there is on a damaged file.
    reader = FrontEndManager().load_by_framework("onnx")
    try:
        # Not mapped into memory: the process would end where someone writes over a file in use.
        model = reader.convert(reader.load(str(path), False))
    except OpConversionFailure as error:
        raise UnusableModel(name, f"OpenVINO cannot run it: {_detail(error)}") from error
    except (GeneralFailure, RuntimeError) as error:
        raise WeightsCorrupt(path, "an ONNX model", one_line(error)) from error
    if not model.inputs or not model.outputs:  # zeros and an empty file are such messages
        raise WeightsCorrupt(path, "an ONNX model", "one without input or output")
    return model


def shape_of(name: str, model: "openvino.Model") -> Shape:
    """The shape of the one input. Raises UnusableModel where it is no image or no square."""
    inputs = model.inputs
    shape = inputs[0].get_partial_shape() if len(inputs) == 1 else None
    if shape is None or shape.rank.is_dynamic or len(shape) != 4 or not inputs[0].get_element_type().is_real():
        told = ", ".join(f"{each.get_element_type().to_string()} {each.get_partial_shape()}" for each in inputs)
        raise UnusableModel(name, f"it takes {told} where one image is needed, floating-point (1, 3, h, w) or alike")
    _, *dims = (each.get_length() if each.is_static else None for each in shape)
    layout = "NHWC" if dims[0] not in (1, 3) and dims[2] in (1, 3) else "NCHW"
    channels, height, width = dims if layout == "NCHW" else (dims[2], dims[0], dims[1])
    if channels not in (1, 3, None) or (height and width and height != width):
        raise UnusableModel(name, f"it takes images of {shape}; squares of one or three channels can be shown")
    return Shape(layout, channels, height or width)


def with_look(name: str, model: "openvino.Model", layout: str, look: Look) -> "openvino.Model":
    """The model with one input uint8 (1, channels, side, side) and one output float32 (1, d).

    Maps are averaged over their two axes of space. Raises UnusableModel.
    """
    import openvino

    channels = len(look.mean)
    sizes = (channels, look.side, look.side) if layout == "NCHW" else (look.side, look.side, channels)
    try:
        model.reshape([1, *sizes])
    except RuntimeError as error:
        raise UnusableModel(name, f"it does not run on one image of {look.side} pixels: {one_line(error)}") from error
    single = openvino.Model([_row(name, model, layout)], model.get_parameters())
    steps = openvino.preprocess.PrePostProcessor(single)
    shown = steps.input()
    shown.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NCHW"))
    shown.model().set_layout(openvino.Layout(layout))
    arithmetic = shown.preprocess().convert_element_type(openvino.Type.f32)
    arithmetic.mean([255 * value for value in look.mean]).scale([255 * value for value in look.deviation])
    steps.output().tensor().set_element_type(openvino.Type.f32)
    return steps.build()


def _detail(error: Exception) -> str:
    """What OpenVINO says of the operations, without how its report came to be."""
    message = one_line(error, 2000)
    return message[max(message.find("-- "), 0) :][:300]


def _row(name: str, model: "openvino.Model", layout: str) -> "openvino.Node":
    """The output that is the embedding, (1, d)."""
    from openvino import opset13 as operations

    named = [index for known in _OUTPUTS for index, each in enumerate(model.outputs) if known in each.get_names()]
    value = model.get_results()[named[0] if named else 0].input_value(0)
    shape = value.get_partial_shape()
    if shape.rank.is_static and len(shape) == 4:
        value = operations.reduce_mean(value, [2, 3] if layout == "NCHW" else [1, 2]).output(0)
    shape = value.get_partial_shape()
    if shape.is_dynamic or len(shape) != 2 or shape.to_shape()[0] != 1:
        raise UnusableModel(name, f"it gives {shape} for one image where a row (1, d) or a map is needed")
    return operations.result(value)
