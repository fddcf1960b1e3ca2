"""transformers' models against its own forward on the documented input; DINOv2 and RAD-DINO, which are two of them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from small_models import (
    DINOV2_PREPROCESSOR,
    HF,
    TIMM,
    Eager,
    dinov2,
    make_dinov2,
    make_hf,
    make_onnx,
    make_rad_dino,
    make_timm,
    mapped,
    save_hf,
)

from seedqueue.models import registry
from seedqueue.models.embedder import embed_images
from seedqueue.models.errors import ExtraMissing, UnusableModel, WeightsCorrupt, WeightsMissing
from seedqueue.models.preprocessor import look
from seedqueue.models.runtime import Runtime
from seedqueue.models.vision import VisionEmbedder

pytestmark = pytest.mark.slow

NAME = f"hf:{HF}"
EXACT = Runtime(device="cpu", threads=1, precision="float32")
EAGER = Eager(device="cpu")
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = (0.5, 0.5, 0.5)

# The smallest sizes that the kinds allow.
TRANSFORMER = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64, "patch_size": 16}
TOWER = TRANSFORMER | {"intermediate_size": 64}
TEXT = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "vocab_size": 50,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


def picture() -> Image.Image:
    coarse = np.random.default_rng(7).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((300, 260), Image.Resampling.BICUBIC)


def shown(side: int, mean: Any = IMAGENET[0], deviation: Any = IMAGENET[1]) -> Any:
    """The documented input as a tensor (1, 3, side, side)."""
    import torch

    values = np.asarray(picture().resize((side, side), Image.Resampling.BICUBIC), dtype=np.float64) / 255
    return torch.from_numpy(((values - mean) / deviation).transpose(2, 0, 1)[None].astype(np.float32))


def of_kind(kind: str, seed: int = 1, **options: Any) -> Any:
    """A model of transformers with random weights, none of them zero."""
    import torch
    import transformers

    torch.manual_seed(seed)
    model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **options)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model


def embedding(folder: Path, name: str = NAME, runtime: Runtime = EAGER) -> npt.NDArray[np.float32]:
    return embed_images(registry.create(name, folder, runtime), [picture()])


def close(one: npt.NDArray[Any], other: Any) -> bool:
    expected = other.detach().numpy()
    same = one.shape == expected.shape and np.allclose(one, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    return same and bool(expected.std() > 1e-3)


KINDS: dict[str, tuple[str, dict[str, Any], Callable[[Any, Any], Any]]] = {
    "class token after the norm": ("dinov2", TRANSFORMER, lambda model, x: model(x).last_hidden_state[:, 0]),
    "trained pooler": ("vit", TOWER, lambda model, x: model(x).pooler_output),
    "class token, no pooler": ("vit_msn", TOWER, lambda model, x: model(x).last_hidden_state[:, 0]),
    "tokens, none of class": ("ijepa", TOWER, lambda model, x: model(x).last_hidden_state.mean(dim=1)),
    "pooled map": (
        "convnext",
        {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 16, 24, 32], "image_size": 64},
        lambda model, x: model(x).pooler_output,
    ),
    "pooled map (1, 1)": (
        "resnet",
        {"depths": [1, 1], "hidden_sizes": [8, 16], "embedding_size": 8, "layer_type": "basic"},
        lambda model, x: model(x).pooler_output.flatten(1),
    ),
    "map": (
        "segformer",
        {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16], "decoder_hidden_size": 8},
        lambda model, x: model(x).last_hidden_state.mean(dim=(2, 3)),
    ),
    "windows": (
        "swin",
        {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "image_size": 56, "window_size": 7},
        lambda model, x: model(x).pooler_output,
    ),
    "images and texts": (
        "clip",
        {"vision_config": TOWER, "text_config": TEXT},
        lambda model, x: model.vision_model(x).pooler_output,
    ),
    "images and texts, attention pooling": (
        "siglip",
        {"vision_config": TOWER, "text_config": TEXT},
        lambda model, x: model.vision_model(x).pooler_output,
    ),
}


@pytest.mark.parametrize("case", KINDS)
def test_one_row_of_every_kind_of_model(tmp_path: Path, case: str) -> None:
    kind, options, expected = KINDS[case]
    model = of_kind(kind, **options)
    save_hf(model, tmp_path, HF, {"size": {"height": 56, "width": 56} if kind == "swin" else 64})
    assert close(embedding(tmp_path, runtime=EXACT), expected(model, shown(56 if kind == "swin" else 64)))


def test_a_pooler_without_trained_weights_is_not_used(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    file = make_hf(tmp_path, 0)
    names = set(load_file(file))
    assert {"classifier.weight", "vit.embeddings.cls_token"} <= names
    assert not any("pooler" in name for name in names)
    import transformers

    model = transformers.ViTForImageClassification.from_pretrained(file.parent, local_files_only=True)
    assert close(embedding(tmp_path), model.vit(shown(64)).last_hidden_state[:, 0])


def test_dinov2_is_the_class_token_and_the_same_as_through_hf(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    file = make_dinov2(tmp_path, 0)
    # The file has the names of the published one, whatever the installed version calls its layers.
    assert "encoder.layer.0.attention.attention.query.weight" in load_file(file)
    one, other = (registry.create(name, tmp_path, EXACT) for name in ("dinov2", "hf:facebook/dinov2-base"))
    assert isinstance(one, VisionEmbedder)
    assert isinstance(other, VisionEmbedder)
    assert (one.name, one.dimension) == ("dinov2:base", 768)
    assert one.look == other.look
    embeddings = embed_images(one, [picture()])
    assert np.array_equal(embeddings, embed_images(other, [picture()]))
    assert close(embeddings, dinov2(0)(shown(224)).last_hidden_state[:, 0])


def test_rad_dino_sees_518_pixels_in_its_own_range(tmp_path: Path) -> None:
    make_rad_dino(tmp_path, 0)
    expected = dinov2(100)(shown(518, 0.53, 0.26)).last_hidden_state[:, 0]
    assert close(embedding(tmp_path, "rad-dino", EXACT), expected)


def test_the_files_and_where_they_come_from() -> None:
    for name, repository in (("dinov2:small", "facebook/dinov2-small"), ("rad-dino", "microsoft/rad-dino")):
        source = registry.source_of(name)
        assert [file.name for file in source.files] == [
            f"hf/{repository}/{each}" for each in ("model.safetensors", "config.json", "preprocessor_config.json")
        ]
        assert source.files[1].url == f"https://huggingface.co/{repository}/resolve/main/config.json"
        assert source.page == f"https://huggingface.co/{repository}"
        assert not any(file.optional for file in source.files)
    assert registry.source_of("dinov2").licence == "Apache-2.0"
    theirs = registry.source_of("hf:facebook/dinov2-base").files
    assert [file.optional for file in theirs] == [False, False, True]
    assert theirs[0] == registry.source_of("dinov2").files[0]


BITS = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, {}),
        ({"size": 32} | BITS, {"side": 32, "mean": (0.1, 0.2, 0.3), "deviation": (0.4, 0.5, 0.6)}),
        ({"size": [48, 48], "resample": 2}, {"side": 48, "resampling": Image.Resampling.BILINEAR}),
        ({"size": {"shortest_edge": 48}, "resample": 0}, {"side": 48, "resampling": Image.Resampling.NEAREST}),
        ({"size": {"shortest_edge": 80}, "crop_size": 64, "do_center_crop": True}, {"side": 64}),
        ({"size": {"height": 48, "width": 48}, "crop_size": 64, "do_center_crop": False}, {"side": 48}),
        ({"do_normalize": False} | BITS, {"mean": (0, 0, 0), "deviation": (1, 1, 1)}),
        ({"rescale_factor": 1 / 127.5, "image_mean": 1.0, "image_std": 1}, {"mean": HALF, "deviation": HALF}),
        ({"do_rescale": False, "image_mean": 127.5, "image_std": [127.5] * 3}, {"mean": HALF, "deviation": HALF}),
        ({"do_rescale": False, "do_normalize": False}, {"mean": (0,) * 3, "deviation": (1 / 255,) * 3}),
    ],
)
def test_the_preprocessor_is_followed(told: dict[str, Any], expected: dict[str, Any]) -> None:
    plain = {
        "side": 56,
        "colour": "RGB",
        "mean": IMAGENET[0],
        "deviation": IMAGENET[1],
        "resampling": Image.Resampling.BICUBIC,
    }
    found = asdict(look(NAME, told, SimpleNamespace(image_size=56, num_channels=3)))
    for key, value in (plain | expected).items():
        assert found[key] == (pytest.approx(value) if isinstance(value, tuple) else value)


def test_without_a_size_anywhere_it_is_224() -> None:
    assert look(NAME, {}, SimpleNamespace()).side == 224


def test_one_channel_is_grey(tmp_path: Path) -> None:
    save_hf(of_kind("vit", **TOWER, num_channels=1), tmp_path, HF)
    embedder = registry.create(NAME, tmp_path, EAGER)
    assert isinstance(embedder, VisionEmbedder)
    assert embedder.look.colour == "L"
    assert embedder.look.mean == pytest.approx((0.449,))
    assert embedder.prepare(picture()).shape == (1, 64, 64)


def test_the_preprocessor_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    make_hf(tmp_path, 0)
    before = registry.create(NAME, tmp_path, EAGER).fingerprint
    (tmp_path / "hf" / HF / "preprocessor_config.json").write_text('{"image_mean": [0.5, 0.5, 0.5]}', encoding="utf-8")
    assert registry.create(NAME, tmp_path, EAGER).fingerprint != before


def test_the_pickled_format_and_half_precision(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load, save_file

    file = make_hf(tmp_path, 0)
    expected, state = embedding(tmp_path), load(file.read_bytes())
    described = json.loads(file.with_name("config.json").read_text(encoding="utf-8"))
    # What the configuration says of number formats is not followed: float32 stays float32.
    half = described | {"dtype": "float16", "torch_dtype": "float16"}
    file.with_name("config.json").write_text(json.dumps(half), encoding="utf-8")
    assert np.array_equal(embedding(tmp_path), expected)
    save_file({key: value.half() for key, value in state.items()}, file)
    assert np.allclose(embedding(tmp_path), expected, atol=0.01)
    file.unlink()
    torch.save(state, file.with_name("pytorch_model.bin"))
    assert np.array_equal(embedding(tmp_path), expected)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux alone tells what is mapped")
def test_a_file_in_use_can_be_written_over(tmp_path: Path) -> None:
    make_hf(tmp_path, 0)
    embedder = registry.create(NAME, tmp_path, EXACT)
    assert mapped(tmp_path) == []
    assert embedder.dimension


def describe(folder: Path, told: Any) -> Path:
    path = folder / "hf" / HF / "config.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")
    return path


def test_damaged_files_and_other_models(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load, save_file

    file = make_hf(tmp_path, 0)
    whole, state = file.read_bytes(), load(file.read_bytes())
    less = {key: value for key, value in state.items() if "layer.1." not in key}
    wrong = state | {"vit.embeddings.cls_token": torch.zeros(1, 1, 33)}
    other = dict(dinov2(0).state_dict())
    for content in (b"", b"garbage", whole[: len(whole) // 2], {}, less, wrong, other):
        file.write_bytes(content) if isinstance(content, bytes) else save_file(content, file)
        with pytest.raises(WeightsCorrupt) as caught:
            registry.create(NAME, tmp_path, EAGER)
        assert caught.value.file == file
        assert "ViTModel" in str(caught.value)
    file.unlink()
    for pickled in ([1], {"a": 1}, {1: torch.zeros(1)}):
        torch.save(pickled, file.with_name("pytorch_model.bin"))
        with pytest.raises(WeightsCorrupt, match="ViTModel"):
            registry.create(NAME, tmp_path, EAGER)


def test_damaged_descriptions(tmp_path: Path) -> None:
    make_hf(tmp_path, 0)
    for content in ("", "{", "[1]", '"vit"'):
        path = describe(tmp_path, content)
        with pytest.raises(WeightsCorrupt, match="JSON") as caught:
            registry.create(NAME, tmp_path, EAGER)
        assert caught.value.file == path


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"architecture": "resnet18"}, r"for a model of timm write timm:<name>"),
        ({"model_type": "no-such-kind"}, "cannot read"),
        ({"model_type": ["vit"]}, "cannot read"),
        ({"model_type": "vit", "hidden_size": "many"}, "cannot read"),
        ({"model_type": "bert"}, "its kind, bert, takes no images"),
        ({"model_type": "wav2vec2"}, "its kind, wav2vec2, takes no images"),
        ({"model_type": "vit_mae"}, "at random"),
        ({"model_type": "vit", **TOWER, "num_channels": 5}, "5 channels"),
    ],
)
def test_what_is_no_model_of_images(tmp_path: Path, told: dict[str, Any], why: str) -> None:
    if "num_channels" in told and told["num_channels"] == 5:
        save_hf(of_kind("vit", **TOWER, num_channels=5), tmp_path, HF)
    else:
        make_hf(tmp_path, 0)
        describe(tmp_path, told)
    with pytest.raises(UnusableModel, match=why):
        registry.create(NAME, tmp_path, EAGER)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"size": {"height": 64, "width": 48}}, "only squares"),
        ({"size": "large"}, "only squares"),
        ({"size": -1}, "only squares"),
        ({"resample": "no"}, "cannot be read"),
        ({"image_mean": [0.1, 0.2]}, "cannot be read"),
        ({"image_mean": float("nan")}, "cannot be read"),
        ({"image_std": ["a", 1, 1]}, "cannot be read"),
        ({"image_std": [0, 1, 1]}, "cannot be read"),
    ],
)
def test_a_preprocessor_that_cannot_be_followed(told: dict[str, Any], why: str) -> None:
    with pytest.raises(UnusableModel, match=why):
        look(NAME, told, SimpleNamespace(image_size=56, num_channels=3))


def test_a_size_that_the_model_does_not_take(tmp_path: Path) -> None:
    file = make_hf(tmp_path, 0)
    file.with_name("preprocessor_config.json").write_text('{"size": 48}', encoding="utf-8")
    with pytest.raises(UnusableModel, match="48"):
        registry.create(NAME, tmp_path, EAGER)


def test_the_code_of_a_repository_is_not_run(tmp_path: Path) -> None:
    file = make_hf(tmp_path, 0)
    mark = tmp_path / "mark"
    file.with_name("code.py").write_text(f"open({str(mark)!r}, 'w').close()\n", encoding="utf-8")
    code = {"auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}}
    known = json.loads(file.with_name("config.json").read_text(encoding="utf-8"))
    describe(tmp_path, known | code)
    assert registry.create(NAME, tmp_path, EAGER).dimension == 32
    describe(tmp_path, code | {"model_type": "of its own"})
    with pytest.raises(UnusableModel, match="cannot read"):
        registry.create(NAME, tmp_path, EAGER)
    assert not mark.exists()


@pytest.mark.parametrize(
    "name", ["dinov2-base", "../../etc", "a/..", "a/b/c", "/a/b", "a\\b/c", "a/b?x", "a/ b", "a/b\n"]
)
def test_a_name_that_is_no_repository(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableModel, match="such as hf:facebook/dinov2-base"):
        registry.create(f"hf:{name}", tmp_path, EAGER)
    with pytest.raises(UnusableModel):
        registry.source_of(f"hf:{name}")


@pytest.mark.parametrize(
    ("name", "repository"), [(NAME, HF), ("dinov2", "facebook/dinov2-base"), ("rad-dino", "microsoft/rad-dino")]
)
def test_missing_weights_are_named_with_the_mend(tmp_path: Path, name: str, repository: str) -> None:
    with pytest.raises(WeightsMissing) as caught:
        registry.create(name, tmp_path, EAGER)
    assert (caught.value.file, caught.value.folder) == (f"hf/{repository}/model.safetensors", tmp_path)
    assert caught.value.command == f"seedqueue weights fetch {registry.full_name(name)}"


def test_the_fixed_families_want_their_preprocessor(tmp_path: Path) -> None:
    file = save_hf(dinov2(0), tmp_path, "facebook/dinov2-base")
    with pytest.raises(WeightsMissing, match=r"preprocessor_config\.json"):
        registry.create("dinov2", tmp_path, EAGER)
    file.with_name("preprocessor_config.json").write_text(json.dumps(DINOV2_PREPROCESSOR), encoding="utf-8")
    assert registry.create("dinov2", tmp_path, EAGER).dimension == 768


@pytest.mark.parametrize("name", [NAME, "dinov2", "rad-dino"])
def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'seedqueue\[hf\]'"):
        registry.create(name, tmp_path, EAGER)


def test_loading_says_nothing_and_leaves_transformers_as_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from huggingface_hub import constants
    from transformers.utils import logging

    file = make_hf(tmp_path, 0)
    capfd.readouterr()
    before = (logging.get_verbosity(), logging.is_progress_bar_enabled(), constants.HF_HUB_OFFLINE)
    registry.create(NAME, tmp_path, EAGER)
    file.write_bytes(b"garbage")
    with pytest.raises(WeightsCorrupt):
        registry.create(NAME, tmp_path, EAGER)
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled(), constants.HF_HUB_OFFLINE) == before


NETWORK = """
import sys

reached = []

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        reached.append((event, arguments))
        raise OSError("no network")

sys.addaudithook(watch)

from pathlib import Path
from seedqueue.models import registry
from seedqueue.models.errors import ModelError
from seedqueue.models.preprocessor import look
from seedqueue.models.runtime import Runtime

folder, *names = sys.argv[1:]
for name in names:
    try:
        print(name, registry.create(name, Path(folder), Runtime(device="cpu", threads=1)).dimension)
    except ModelError as error:
        print(name, type(error).__name__, error)
print("reached:", reached)
"""


def test_loading_never_reaches_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    make_hf(tmp_path, 0)
    make_timm(tmp_path, 0)
    make_onnx(tmp_path, 0)
    # One whose building would ask the hub for another model.
    lure = tmp_path / "hf" / "tests" / "lure"
    shutil.copytree(tmp_path / "hf" / HF, lure)
    asking = {"model_type": "dpt", "is_hybrid": False, "backbone": "facebook/dinov2-base"}
    (lure / "config.json").write_text(json.dumps(asking), encoding="utf-8")
    names = (NAME, f"timm:{TIMM}", "onnx:chest/small.onnx", "hf:tests/lure")
    done = subprocess.run(
        [sys.executable, "-c", NETWORK, str(tmp_path), *names], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[:3] == [f"{NAME} 32", f"timm:{TIMM} 64", "onnx:chest/small.onnx 6"]
    assert lines[3].startswith("hf:tests/lure UnusableModel ")
    assert lines[4:] == ["reached: []"]
