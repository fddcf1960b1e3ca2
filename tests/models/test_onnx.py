"""ONNX files against ONNX Runtime on the documented input; what else a file may be is refused by name."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from small_models import ONNX, make_onnx, mapped, save_onnx, small_onnx

from seedqueue.models import registry
from seedqueue.models.embedder import embed_images
from seedqueue.models.errors import UnusableModel, WeightsCorrupt, WeightsMissing, WeightsOutside
from seedqueue.models.onnx_data import external_files
from seedqueue.models.runtime import Runtime

pytestmark = pytest.mark.slow

NAME = f"onnx:{ONNX}"
EXACT = Runtime(device="cpu", threads=1, precision="float32")
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def picture(mode: str = "RGB") -> Image.Image:
    coarse = np.random.default_rng(5).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((300, 260), Image.Resampling.BICUBIC).convert(mode)


def shown(side: int, colour: str = "RGB", mean: Any = MEAN, deviation: Any = DEVIATION) -> npt.NDArray[np.float32]:
    """The documented input, (1, channels, side, side)."""
    small = picture().convert(colour).resize((side, side), Image.Resampling.BILINEAR)
    values = np.asarray(small, dtype=np.float64).reshape(side, side, -1) / 255
    return ((values - mean) / deviation).transpose(2, 0, 1)[None].astype(np.float32)


def given_by_onnxruntime(file: Path, image: npt.NDArray[Any], output: str) -> npt.NDArray[Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return np.asarray(session.run([output], {"image": image})[0])


def embedding(folder: Path, name: str = NAME) -> npt.NDArray[np.float32]:
    return embed_images(registry.create(name, folder, EXACT), [picture()])


def close(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-4, atol=1e-5) and bool(other.std() > 0.01)


def sidecar(folder: Path, told: Any) -> None:
    (folder / f"{ONNX}.json").write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")


@pytest.mark.parametrize(
    ("shape", "side"),
    [(("n", 3, "h", "w"), 224), ((1, 3, 64, 64), 64), (("n", "c", "h", "w"), 224), ((4, 3, "h", 48), 48)],
    ids=["open", "fixed", "all open", "half open"],
)
def test_the_size_is_the_models_own_or_224(tmp_path: Path, shape: tuple[int | str, ...], side: int) -> None:
    file = save_onnx(tmp_path, small_onnx(shape=shape))
    looser = save_onnx(tmp_path, small_onnx(), "loose.onnx")
    assert registry.create(NAME, tmp_path, EXACT).prepare(picture()).shape == (3, side, side)
    assert close(embedding(tmp_path), given_by_onnxruntime(looser, shown(side), "row"))
    assert file.is_file()


def test_channels_last(tmp_path: Path) -> None:
    file = save_onnx(tmp_path, small_onnx(shape=(1, 40, 40, 3), outputs=("map",)))
    maps = given_by_onnxruntime(file, shown(40).transpose(0, 2, 3, 1), "map")
    assert maps.shape == (1, 13, 13, 6)
    assert close(embedding(tmp_path), maps.mean(axis=(1, 2)))


def test_maps_are_averaged(tmp_path: Path) -> None:
    file = save_onnx(tmp_path, small_onnx(outputs=("map",)))
    assert close(embedding(tmp_path), given_by_onnxruntime(file, shown(224), "map").mean(axis=(2, 3)))


@pytest.mark.parametrize(
    ("outputs", "taken"),
    [
        (("map", "row"), "map"),
        (("row", "features"), "features"),
        (("row", "pooler_output", "embeddings"), "embeddings"),
    ],
)
def test_the_output_of_a_usual_name_else_the_first(tmp_path: Path, outputs: tuple[str, ...], taken: str) -> None:
    file = save_onnx(tmp_path, small_onnx(outputs=outputs))
    expected = given_by_onnxruntime(file, shown(224), taken)
    assert close(embedding(tmp_path), expected.mean(axis=(2, 3)) if taken == "map" else expected)


def test_grey_is_shown_to_one_channel(tmp_path: Path) -> None:
    file = save_onnx(tmp_path, small_onnx(shape=("n", 1, "h", "w")))
    expected = given_by_onnxruntime(file, shown(224, "L", (0.449,), (0.226,)), "row")
    assert registry.create(NAME, tmp_path, EXACT).prepare(picture()).shape == (1, 224, 224)
    assert close(embedding(tmp_path), expected)


def test_a_sidecar_tells_the_input(tmp_path: Path) -> None:
    file = make_onnx(tmp_path, 0)
    before = registry.create(NAME, tmp_path, EXACT).fingerprint
    sidecar(tmp_path, {"mean": [0.5, 0.4, 0.3], "deviation": [1, 0.5, 0.25], "colour": "RGB", "side": 61})
    expected = given_by_onnxruntime(file, shown(61, mean=(0.5, 0.4, 0.3), deviation=(1, 0.5, 0.25)), "row")
    assert close(embedding(tmp_path), expected)
    assert registry.create(NAME, tmp_path, EXACT).fingerprint != before


def test_half_precision_files_are_taken(tmp_path: Path) -> None:
    file = save_onnx(tmp_path, small_onnx(element="FLOAT16"))
    expected = given_by_onnxruntime(file, shown(224).astype(np.float16), "row")
    assert np.allclose(embedding(tmp_path), expected, atol=0.02)


def test_tensors_in_a_file_beside_the_model_are_weights_too(tmp_path: Path) -> None:
    make_onnx(tmp_path, 0)
    expected = embedding(tmp_path)
    file = save_onnx(tmp_path, small_onnx(), beside="small.onnx_data")
    data = file.with_name("small.onnx_data")
    assert external_files(file) == ("small.onnx_data",)
    assert np.array_equal(embedding(tmp_path), expected)
    before = registry.create(NAME, tmp_path, EXACT).fingerprint
    data.write_bytes(np.ones(data.stat().st_size // 4, dtype=np.float32).tobytes())
    assert registry.create(NAME, tmp_path, EXACT).fingerprint != before
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  chest/small.onnx_data\n", encoding="utf-8")
    with pytest.raises(WeightsCorrupt, match=r"small\.onnx_data"):
        registry.create(NAME, tmp_path, EXACT)
    data.unlink()
    with pytest.raises(WeightsMissing, match=r"chest/small\.onnx_data") as caught:
        registry.create(NAME, tmp_path, EXACT)
    assert caught.value.command == f"seedqueue weights add {NAME} PATH"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux alone tells what is mapped")
def test_a_file_in_use_can_be_written_over(tmp_path: Path) -> None:
    save_onnx(tmp_path, small_onnx(), beside="small.onnx_data")
    embedder = registry.create(NAME, tmp_path, EXACT)
    assert mapped(tmp_path) == []
    assert embedder.dimension


def located(model: Any, value: str) -> Any:
    """The model with its tensors in another file."""
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = 1
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", value
    return model


@pytest.mark.parametrize("name", ["../small.onnx_data", "/etc/passwd", "a/../../b", "c:\\x", "..\\b"])
def test_tensors_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "small.onnx_data").write_bytes(bytes(10_000))
    save_onnx(tmp_path, located(small_onnx(), name))
    with pytest.raises(WeightsOutside):
        registry.create(NAME, tmp_path, EXACT)


def test_the_name_of_a_file_may_stand_before_its_key(tmp_path: Path) -> None:
    usual = located(small_onnx(), "b").SerializeToString()
    swapped = usual.replace(b"\n\x08location\x12\x01b", b"\x12\x01b\n\x08location")
    assert swapped != usual
    for content in (usual, swapped):
        (tmp_path / "model.onnx").write_bytes(content)
        assert external_files(tmp_path / "model.onnx") == ("b",)


def test_tensors_are_found_wherever_a_model_may_have_them(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    def outside(name: str) -> Any:
        tensor = onnx.TensorProto(name="x", data_type=TensorProto.FLOAT, dims=[1], data_location=1)
        tensor.external_data.add(key="offset", value="0")
        tensor.external_data.add(key="location", value=name)
        return tensor

    def sparse(name: str) -> Any:
        return onnx.SparseTensorProto(values=outside(name), indices=outside(f"{name}-indices"), dims=[1])

    inner = helper.make_graph([helper.make_node("Constant", [], ["c"], value=outside("constant"))], "inner", [], [])
    branch = helper.make_node("If", ["x"], ["y"], then_branch=inner)
    many = helper.make_node("Odd", ["x"], ["z"])
    many.attribute.add(name="all", type=9).tensors.append(outside("one-of-many"))
    many.attribute.add(name="sparse", type=11).sparse_tensor.CopyFrom(sparse("sparse"))
    graph = helper.make_graph([branch, many], "outer", [], [], [outside("initializer")])
    graph.sparse_initializer.append(sparse("sparse-initializer"))
    loop = helper.make_node("Constant", [], ["c"], value=outside("function"))
    function = helper.make_function("d", "f", [], ["c"], [loop], [helper.make_opsetid("", 17)])
    file = tmp_path / "all.onnx"
    file.write_bytes(helper.make_model(graph, functions=[function]).SerializeToString())
    found = set(external_files(file))
    both = {"sparse", "sparse-indices", "sparse-initializer", "sparse-initializer-indices"}
    assert found == {"constant", "one-of-many", "initializer", "function", *both}


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (("n", 3, 40, 50), "squares of one or three channels"),
        (("n", 4, "h", "w"), "squares of one or three channels"),
        (("n", 3, 3, 3), "OpenVINO cannot run it: -- Conv-17"),
    ],
    ids=["no square", "four channels", "smaller than the kernel"],
)
def test_an_input_that_is_no_square_image(tmp_path: Path, shape: tuple[int | str, ...], why: str) -> None:
    save_onnx(tmp_path, small_onnx(shape=shape))
    with pytest.raises(UnusableModel, match=why):
        registry.create(NAME, tmp_path, EXACT)


def test_a_side_that_the_model_does_not_take(tmp_path: Path) -> None:
    make_onnx(tmp_path, 0)
    sidecar(tmp_path, {"side": 3})  # the kernel has 4
    with pytest.raises(UnusableModel, match="does not run on one image of 3 pixels"):
        registry.create(NAME, tmp_path, EXACT)


def test_inputs_and_outputs_of_other_kinds(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    def model(nodes: list[Any], inputs: list[Any]) -> Any:
        out = [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)]
        graph = helper.make_graph(nodes, "odd", inputs, out)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, 8, 8))
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, (1, 9))
    cast = helper.make_node("Cast", ["ids"], ["out"], to=TensorProto.FLOAT)
    same = helper.make_node("Identity", ["image"], ["out"])
    two = [helper.make_node("Cast", ["ids"], ["f"], to=TensorProto.FLOAT), helper.make_node("Add", ["f", "f"], ["out"])]
    split = helper.make_node("Flatten", ["image"], ["out"], axis=2)
    for odd, why in (
        (model([cast], [ids]), r"it takes i64 \[1,9\] where one image is needed"),
        (model([*two, helper.make_node("Relu", ["image"], ["g"])], [image, ids]), "where one image is needed"),
        (model([split], [image]), r"it gives \[3,64\] for one image"),
        (
            model([helper.make_node("Nonsense", ["image"], ["out"], domain="x")], [image]),
            r"OpenVINO cannot run it: -- .*Nonsense",
        ),
    ):
        save_onnx(tmp_path, odd)
        with pytest.raises(UnusableModel, match=why):
            registry.create(NAME, tmp_path, EXACT)
    save_onnx(tmp_path, model([same], [image]))
    assert registry.create(NAME, tmp_path, EXACT).dimension == 3


@pytest.mark.parametrize(
    "told",
    [
        "no JSON",
        "[1]",
        {"std": [1, 1, 1]},
        {"mean": [0.5]},
        {"mean": ["a", 1, 1]},
        {"mean": [float("nan"), 1, 1]},
        {"deviation": [0, 1, 1]},
        {"colour": "BGR"},
        {"colour": "L"},
        {"side": 65},
        {"side": 0},
        {"side": True},
    ],
)
def test_a_sidecar_that_tells_nonsense(tmp_path: Path, told: Any) -> None:
    save_onnx(tmp_path, small_onnx(shape=("n", 3, 64, 64)))
    sidecar(tmp_path, told)
    with pytest.raises(UnusableModel, match=r"small\.onnx\.json"):
        registry.create(NAME, tmp_path, EXACT)


@pytest.mark.parametrize("name", ["../x.onnx", "/x.onnx", "a\\x.onnx", "c:x.onnx"])
def test_a_name_outside_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(WeightsOutside):
        registry.create(f"onnx:{name}", tmp_path, EXACT)


@pytest.mark.parametrize("name", ["x.bin", "x", "../x", "x.onnx.json"])
def test_a_name_of_another_kind_of_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableModel, match=r"such as onnx:chest/model\.onnx"):
        registry.create(f"onnx:{name}", tmp_path, EXACT)


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as caught:
        registry.create(NAME, tmp_path, EXACT)
    assert (caught.value.file, caught.value.folder) == (ONNX, tmp_path)
    assert caught.value.command == f"seedqueue weights add {NAME} PATH"
    file = make_onnx(tmp_path, 0)
    whole = file.read_bytes()
    for content in (b"", b"garbage", whole[:300], whole[: len(whole) // 2], b"\x80not pickled", bytes(100)):
        file.write_bytes(content)
        with pytest.raises(WeightsCorrupt, match=r"small\.onnx"):
            registry.create(NAME, tmp_path, EXACT)
