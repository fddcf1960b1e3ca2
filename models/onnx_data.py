"""Which other files an ONNX model names for its tensors, read without the onnx package.

An ONNX file is a protobuf message, and large models keep their tensors in files beside it ("external
data"). The field numbers are those of onnx.proto, https://github.com/onnx/onnx; how fields are
written is told in https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from pathlib import Path

from seedqueue.models.errors import WeightsCorrupt

# From the model to its graph and functions, on to nodes, attributes and tensors.
_GRAPH, _FUNCTION, _NODE_OF_FUNCTION = 7, 25, 7
_NODE, _INITIALIZER, _SPARSE_INITIALIZER = 1, 5, 15
_ATTRIBUTE = 5
_TENSOR, _SUBGRAPH, _TENSORS, _SUBGRAPHS, _SPARSE_TENSOR, _SPARSE_TENSORS = 5, 6, 10, 11, 22, 23
_PARTS_OF_SPARSE = (1, 2)
_EXTERNAL, _KEY, _VALUE = 13, 1, 2

# How a field is written.
_NUMBER, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


def external_files(path: Path) -> tuple[str, ...]:
    """The names, relative to the model's folder, of the files that hold its tensors, sorted.

    Where they lie is not looked at. Raises WeightsCorrupt for what is no such message.
    """
    try:
        model = memoryview(path.read_bytes())
        return tuple(
            sorted({bytes(name).decode() for tensor in _tensors_of_model(model) for name in _locations(tensor)})
        )
    except (ValueError, RecursionError) as error:
        raise WeightsCorrupt(path, "an ONNX model", str(error)) from error


def _tensors_of_model(model: memoryview) -> Iterator[memoryview]:
    for graph in _under(model, _GRAPH):
        yield from _tensors_of_graph(graph)
    for function in _under(model, _FUNCTION):
        for node in _under(function, _NODE_OF_FUNCTION):
            yield from _tensors_of_node(node)


def _tensors_of_graph(graph: memoryview) -> Iterator[memoryview]:
    yield from _under(graph, _INITIALIZER)
    for sparse in _under(graph, _SPARSE_INITIALIZER):
        yield from _under(sparse, *_PARTS_OF_SPARSE)
    for node in _under(graph, _NODE):
        yield from _tensors_of_node(node)


def _tensors_of_node(node: memoryview) -> Iterator[memoryview]:
    for attribute in _under(node, _ATTRIBUTE):
        yield from _under(attribute, _TENSOR, _TENSORS)
        for sparse in _under(attribute, _SPARSE_TENSOR, _SPARSE_TENSORS):
            yield from _under(sparse, *_PARTS_OF_SPARSE)
        for graph in _under(attribute, _SUBGRAPH, _SUBGRAPHS):
            yield from _tensors_of_graph(graph)


def _locations(tensor: memoryview) -> Iterator[memoryview]:
    for entry in _under(tensor, _EXTERNAL):
        if any(bytes(key) == b"location" for key in _under(entry, _KEY)):
            yield from _under(entry, _VALUE)


def _under(message: memoryview, *numbers: int) -> Iterator[memoryview]:
    """The contents of a message's fields of these numbers: messages, strings or bytes."""
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        number, written = tag >> 3, tag & 7
        if written == _NUMBER:
            _, at = _number(message, at)
            continue
        if written == _BYTES:
            size, at = _number(message, at)
        elif written in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if written == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"a field of unknown kind {written}")
        if at + size > len(message):
            raise ValueError("an early end")
        if written == _BYTES and number in numbers:
            yield message[at : at + size]
        at += size


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins there, seven bits a byte, the lowest first; and where it ends."""
    value = 0
    for position, byte in enumerate(message[at : at + 10]):
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return value, at + position + 1
    raise ValueError("an early end")
