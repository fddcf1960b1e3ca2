"""Small SavedModels with the signatures and the file layout of the gated ones.

Made in a child process, all at once and once a session: TensorFlow takes seconds to import, and
most tests do without it. `python saved_models.py FOLDER` is that child.
"""

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

ELIXR = "cxr-foundation/elixr-c-v2-pooled"
TEXT = "cxr-foundation/pax-elixr-b-text"
REMEDIS = "cxr-50x1-remedis-m"


@cache
def made() -> Path:
    """The folder with all of them, a folder each."""
    folder = Path(tempfile.mkdtemp(prefix="saved-models-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    done = subprocess.run([sys.executable, __file__, str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the SavedModels could not be made:\n{done.stderr}")
    return folder


def put(kind: str, folder: Path, name: str) -> Path:
    """Copy one of them into a weights folder under its published name; returns its graph."""
    shutil.copytree(made() / kind, folder / name, dirs_exist_ok=True)
    return folder / name / "saved_model.pb"


def make_cxrf(folder: Path, seed: int) -> Path:
    """A vision network as `cxrf` wants it."""
    return put(f"elixr-{seed}", folder, ELIXR)


def make_remedis(folder: Path, seed: int) -> Path:
    """A ResNet as `remedis` wants it, with a signature."""
    return put(f"remedis-{seed}", folder, REMEDIS)


def _make(folder: Path) -> None:
    import tensorflow as tf

    def save(kind: str, function: Any, *specs: Any, signed: bool = True, callable_: bool = False) -> None:
        module = tf.Module()
        module.parts = function  # a tf.Module finds its variables in its attributes
        call = tf.function(function.__call__, input_signature=specs)
        if callable_:
            module.__call__ = call
        tf.saved_model.save(module, str(folder / kind), signatures={"serving_default": call} if signed else {})

    _make_cxrf(tf, save)
    _make_remedis(tf, save)
    _rename(folder / "elixr-unknown" / "saved_model.pb", "DecodePng", "SentencepieceOp")


def _decoded(tf: Any, example: Any, dtype: Any) -> Any:
    """One serialized Example to float32 (height, width, 1)."""
    features = {name: tf.io.FixedLenFeature((), tf.string) for name in ("image/encoded", "image/format")}
    parsed = tf.io.parse_single_example(example, features)
    tf.debugging.assert_equal(parsed["image/format"], b"png")
    pixels = tf.io.decode_png(parsed["image/encoded"], channels=0, dtype=dtype)
    return tf.ensure_shape(tf.cast(pixels, tf.float32), (None, None, 1))


def _mapped(tf: Any, one: Any, examples: Any, shape: tuple[int, ...]) -> Any:
    return tf.map_fn(one, examples, fn_output_signature=tf.TensorSpec(shape, tf.float32))


def _make_cxrf(tf: Any, save: Any) -> None:
    class Elixr(tf.Module):  # type: ignore[misc]
        """Decode, resize, stretch the values, one convolution."""

        def __init__(self, seed: int, channels: int = 1376, output: str = "feature_maps_0") -> None:
            super().__init__()
            self.kernel = tf.Variable(tf.random.stateless_normal((8, 8, 1, channels), (seed, 0)) / 8)
            self.output = output

        def one(self, example: Any) -> Any:
            small = tf.image.resize(_decoded(tf, example, tf.uint16), (64, 64))
            small -= tf.reduce_min(small)
            return tf.math.divide_no_nan(small, tf.reduce_max(small))

        def __call__(self, input_example: Any) -> Any:
            small = _mapped(tf, self.one, input_example, (64, 64, 1))
            return {self.output: tf.nn.conv2d(small, self.kernel, 8, "SAME")}

    class Statistics(tf.Module):  # type: ignore[misc]
        """What was decoded: width, height, lowest, highest and mean value, the first pixel."""

        def one(self, example: Any) -> Any:
            pixels = _decoded(tf, example, tf.uint8)
            height, width = tf.shape(pixels)[0], tf.shape(pixels)[1]
            sizes = [tf.cast(each, tf.float32) for each in (width, height)]
            values = [tf.reduce_min(pixels), tf.reduce_max(pixels), tf.reduce_mean(pixels), pixels[0, 0, 0]]
            told = tf.stack(sizes + values)
            return tf.broadcast_to(tf.pad(told, [[0, 1376 - 6]]), (8, 8, 1376))

        def __call__(self, input_example: Any) -> Any:
            return {"feature_maps_0": _mapped(tf, self.one, input_example, (8, 8, 1376))}

    class QFormer(tf.Module):  # type: ignore[misc]
        """32 of the map's cells, each projected; the texts' shapes are checked and their values added."""

        def __init__(self, seed: int) -> None:
            super().__init__()
            self.kernel = tf.Variable(tf.random.stateless_normal((1376, 128), (seed, 1)) / 37)

        def __call__(self, image_feature: Any, ids: Any, paddings: Any) -> Any:
            cells = tf.reshape(image_feature, (-1, 64, 1376))[:, ::2]
            text = tf.reduce_sum(tf.cast(ids, tf.float32) + paddings)
            return {"all_contrastive_img_emb": tf.tensordot(cells, self.kernel, 1) + text}

    class Unsized(Elixr):
        """A map whose size only the call tells: half of what it should be."""

        def __call__(self, input_example: Any) -> Any:
            whole = super().__call__(input_example)[self.output]
            return {self.output: whole[:, : tf.strings.length(input_example[0]) * 0 + 4]}

    class Reading(Elixr):
        """Adds the content of a file."""

        def one(self, example: Any) -> Any:
            read = tf.strings.length(tf.io.read_file("/etc/hostname"))
            return super().one(example) + tf.cast(read, tf.float32)

    class Calling(Elixr):
        """Calls Python."""

        def one(self, example: Any) -> Any:
            return tf.ensure_shape(tf.py_function(lambda each: each, [super().one(example)], tf.float32), (64, 64, 1))

    examples = tf.TensorSpec((None,), tf.string, name="input_example")
    text = [tf.TensorSpec((None, 1, 128), dtype, name) for dtype, name in ((tf.int32, "ids"), (tf.float32, "paddings"))]
    for seed in (0, 1):
        save(f"elixr-{seed}", Elixr(seed), examples)
    save("text-0", QFormer(0), tf.TensorSpec((None, 8, 8, 1376), tf.float32, "image_feature"), *text)
    save("elixr-statistics", Statistics(), examples)
    save("elixr-unsigned", Elixr(0), examples, signed=False)
    save("elixr-narrow", Elixr(0, channels=64), examples)
    save("elixr-input", Elixr(0), tf.TensorSpec((None,), tf.string, name="examples"))
    save("elixr-output", Elixr(0, output="something"), examples)
    save("elixr-unsized", Unsized(0), examples)
    save("elixr-reading", Reading(0), examples)
    save("elixr-calling", Calling(0), examples)
    save("elixr-unknown", Elixr(0), examples)


def _rename(graph: Path, old: str, new: str) -> None:
    """Give an operation of a saved graph another name."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel.FromString(graph.read_bytes())
    for function in model.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            node.op = new if node.op == old else node.op
    graph.write_bytes(model.SerializeToString())


def _make_remedis(tf: Any, save: Any) -> None:
    class Resnet(tf.Module):  # type: ignore[misc]
        """A little BiT: weight-standardised convolutions, group normalisation, a residual block; stride 32."""

        def __init__(self, seed: int, channels: int = 2048, pooled: bool = False) -> None:
            super().__init__()
            shapes = ((7, 7, 3, 8), (3, 3, 8, 8), (1, 1, 8, channels))
            self.kernels = [
                tf.Variable(tf.random.stateless_normal(shape, (seed, number))) for number, shape in enumerate(shapes)
            ]
            self.scale = tf.Variable(tf.random.stateless_uniform((2, 8), (seed, 9), 0.5, 1.5))
            self.pooled = pooled

        def convolved(self, images: Any, number: int, stride: int) -> Any:
            kernel = self.kernels[number]
            mean, variance = tf.nn.moments(kernel, (0, 1, 2), keepdims=True)
            return tf.nn.conv2d(images, (kernel - mean) * tf.math.rsqrt(variance + 1e-5), stride, "SAME")

        def normalised(self, images: Any, number: int) -> Any:
            groups = tf.reshape(images, (tf.shape(images)[0], -1, 4, 2))
            mean, variance = tf.nn.moments(groups, (1, 3), keepdims=True)
            groups = (groups - mean) * tf.math.rsqrt(variance + 1e-5)
            return tf.nn.relu(tf.reshape(groups, tf.shape(images)) * self.scale[number])

        def __call__(self, images: Any) -> Any:
            first = tf.nn.max_pool2d(self.convolved(images, 0, 4), 8, 8, "SAME")
            block = first + self.convolved(self.normalised(first, 0), 1, 1)
            features = self.convolved(self.normalised(block, 1), 2, 1)
            return tf.reduce_mean(features, (1, 2)) if self.pooled else features

    class Untranslated(Resnet):
        """With an operation that OpenVINO lacks and that changes nothing."""

        def __call__(self, images: Any) -> Any:
            return super().__call__(images) * tf.math.igamma(1.0, 50.0 + 0 * tf.reduce_sum(images))

    class Statistics(tf.Module):  # type: ignore[misc]
        """Of the input: the first and the last pixel's channels, the lowest and the highest value."""

        def __call__(self, images: Any) -> Any:
            low, high = tf.reduce_min(images, (1, 2, 3)), tf.reduce_max(images, (1, 2, 3))
            told = tf.concat([images[:, 0, 0], images[:, -1, -1], low[:, None], high[:, None]], 1)
            return tf.tile(tf.pad(told, [[0, 0], [0, 2048 - 8]])[:, None, None], (1, 14, 14, 1))

    images = tf.TensorSpec((None, 448, 448, 3), tf.float32, "images")
    for seed in (0, 1):
        save(f"remedis-{seed}", Resnet(seed), images, callable_=True)
    save("remedis-unsigned", Resnet(0), images, signed=False, callable_=True)
    save("remedis-nothing", Resnet(0), images, signed=False)
    save("remedis-pooled", Resnet(0, pooled=True), images)
    save("remedis-untranslated", Untranslated(0), images)
    save("remedis-free", Resnet(0), tf.TensorSpec((None, None, None, 3), tf.float32, "images"))
    save("remedis-224", Resnet(0), tf.TensorSpec((None, 224, 224, 3), tf.float32, "images"), callable_=True)
    save("remedis-224-unsigned", Resnet(0), tf.TensorSpec((None, 224, 224, 3)), signed=False, callable_=True)
    save("remedis-narrow", Resnet(0, channels=64), images)
    save("remedis-narrow-unsigned", Resnet(0, channels=64), images, signed=False, callable_=True)
    save("remedis-statistics", Statistics(), images)
    save("remedis-statistics-unsigned", Statistics(), images, signed=False, callable_=True)


if __name__ == "__main__":
    _make(Path(sys.argv[1]))
