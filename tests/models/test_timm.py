"""timm's models against timm's own forward on the documented input; what a name or a file may be besides."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from small_models import TIMM, Eager, make_timm, mapped

from seedqueue.models import registry
from seedqueue.models.embedder import embed_images
from seedqueue.models.errors import ExtraMissing, UnknownEmbedder, UnusableModel, WeightsCorrupt, WeightsMissing
from seedqueue.models.runtime import Runtime

pytestmark = pytest.mark.slow

NAME = f"timm:{TIMM}"
EXACT = Runtime(device="cpu", threads=1, precision="float32")
EAGER = Eager(device="cpu")


def picture() -> Image.Image:
    coarse = np.random.default_rng(6).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((300, 260), Image.Resampling.BICUBIC)


def shown(side: int, mean: tuple[float, ...], deviation: tuple[float, ...], resampling: Image.Resampling) -> Any:
    """The documented input as a tensor (1, 3, side, side)."""
    import torch

    values = np.asarray(picture().resize((side, side), resampling), dtype=np.float64) / 255
    return torch.from_numpy(((values - mean) / deviation).transpose(2, 0, 1)[None].astype(np.float32))


def given_by_timm(variant: str, state: dict[str, Any], images: Any) -> npt.NDArray[np.float32]:
    """What timm documents for features: a model created with num_classes=0."""
    import timm
    import torch

    model = timm.create_model(variant, pretrained=False, num_classes=0).eval()
    report = model.load_state_dict(state, strict=False)
    assert not report.missing_keys
    with torch.inference_mode():
        return np.asarray(model(images).numpy())


def embedding(folder: Path, variant: str = TIMM, runtime: Runtime = EAGER) -> npt.NDArray[np.float32]:
    return embed_images(registry.create(f"timm:{variant}", folder, runtime), [picture()])


def read(file: Path) -> dict[str, Any]:
    """The tensors, not the file mapped into memory: the tests write over it."""
    from safetensors.torch import load

    return dict(load(file.read_bytes()))


IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("variant", "side", "values", "resampling", "dimension"),
    [
        ("resnet18.a1_in1k", 224, IMAGENET, Image.Resampling.BICUBIC, 512),
        ("resnet18.tv_in1k", 224, IMAGENET, Image.Resampling.BILINEAR, 512),
        ("test_vit.r160_in1k", 160, HALF, Image.Resampling.BICUBIC, 64),
        ("test_convnext.r160_in1k", 160, HALF, Image.Resampling.BICUBIC, 64),
        ("test_efficientnet", 160, IMAGENET, Image.Resampling.BICUBIC, 256),
    ],
)
def test_the_features_are_timms(
    tmp_path: Path,
    variant: str,
    side: int,
    values: tuple[tuple[float, ...], tuple[float, ...]],
    resampling: Image.Resampling,
    dimension: int,
) -> None:
    state = read(make_timm(tmp_path, 3, variant))
    expected = given_by_timm(variant, state, shown(side, *values, resampling))
    embeddings = embedding(tmp_path, variant, EXACT)
    assert embeddings.shape == (1, dimension)
    assert np.allclose(embeddings, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert expected.std() > 0


def test_other_names_and_the_pickled_format_give_the_same(tmp_path: Path) -> None:
    import torch

    file = make_timm(tmp_path, 0)
    expected, state = embedding(tmp_path), read(file)
    moved = file.rename(tmp_path / "timm" / f"{TIMM}.safetensors")
    assert np.array_equal(embedding(tmp_path), expected)
    moved.unlink()
    torch.save(state, file.with_name("pytorch_model.bin"))
    assert np.array_equal(embedding(tmp_path), expected)


@pytest.mark.parametrize("classes", [14, 1])
def test_a_classifier_of_any_size_is_left_out(tmp_path: Path, classes: int) -> None:
    import torch
    from safetensors.torch import save_file

    file = make_timm(tmp_path, 0)
    expected, state = embedding(tmp_path), read(file)
    state |= {"head.weight": torch.ones(classes, 64), "head.bias": torch.ones(classes)}
    save_file(state, file)
    assert np.array_equal(embedding(tmp_path), expected)


def test_the_weights_are_held_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import timm

    made = []
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda *args, **kwargs: made.append(create(*args, **kwargs)) or made[-1])
    make_timm(tmp_path, 0)
    embedding(tmp_path)
    assert "state_dict" not in made[-1].pretrained_cfg


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux alone tells what is mapped")
def test_a_file_in_use_can_be_written_over(tmp_path: Path) -> None:
    make_timm(tmp_path, 0)
    embedder = registry.create(NAME, tmp_path, EXACT)
    assert mapped(tmp_path) == []
    assert embedder.dimension


def test_a_network_that_cannot_be_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openvino.frontend import OpConversionFailure

    def convert(*_: Any) -> Any:
        raise OpConversionFailure("no rule for aten.odd")

    make_timm(tmp_path, 0)
    monkeypatch.setattr("seedqueue.models.openvino_network.convert", convert)
    with pytest.raises(UnusableModel, match=r"no rule for aten\.odd"):
        registry.create(NAME, tmp_path, EXACT)


def test_where_the_weights_come_from() -> None:
    source = registry.source_of("timm:resnet50.a1_in1k")
    (file,) = source.files
    assert file.name == "timm/resnet50.a1_in1k/model.safetensors"
    assert file.url == "https://huggingface.co/timm/resnet50.a1_in1k/resolve/main/model.safetensors"
    assert file.also == ("timm/resnet50.a1_in1k.safetensors", "timm/resnet50.a1_in1k/pytorch_model.bin")
    assert source.licence == "apache-2.0"
    assert source.page == "https://huggingface.co/timm/resnet50.a1_in1k"
    # The bare architecture has its usual weights.
    assert registry.source_of("timm:resnet50").files[0].url == file.url
    assert registry.source_of("timm:resnet50.bamboo").licence == "see the model's page"
    (elsewhere,) = registry.source_of("timm:legacy_xception.tf_in1k").files
    assert elsewhere.name == "timm/legacy_xception.tf_in1k/pytorch_model.bin"
    assert str(elsewhere.url).startswith("https://github.com/")
    (own,) = registry.source_of("timm:resnet14t").files
    assert own.name == "timm/resnet14t/model.safetensors"
    assert own.url == "https://huggingface.co/timm/resnet14t.c3_in1k/resolve/main/model.safetensors"
    (nobodys,) = registry.source_of("timm:coatnet_0_224").files
    assert nobodys.url is None


@pytest.mark.parametrize("name", ["resnet50.nope", "resnt50", "../../etc/passwd", "hf-hub:timm/resnet18.a1_in1k"])
def test_an_unknown_name_lists_the_nearest(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownEmbedder) as caught:
        registry.create(f"timm:{name}", tmp_path, EAGER)
    assert 1 <= len(caught.value.known) <= 5
    assert all(known.startswith("timm:") for known in caught.value.known)
    if name.startswith("res"):
        assert "resnet50" in str(caught.value)


@pytest.mark.parametrize(
    ("variant", "why"),
    [("vit_base_patch16_sapiens2.fb", "1024 x 768 x 3"), ("mobilenetv5_300m_enc", "an encoder without pooling")],
)
def test_models_that_give_no_row_or_see_no_square(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str, why: str
) -> None:
    import timm
    import torch

    file = make_timm(tmp_path, 0)
    file.parent.rename(file.parent.with_name(variant))
    with torch.device("meta"):
        model = timm.create_model(variant, pretrained=False)
    monkeypatch.setattr("seedqueue.models.embedders.timm._load", lambda *_: model)
    with pytest.raises(UnusableModel, match=why):
        registry.create(f"timm:{variant}", tmp_path, EAGER)


def test_damaged_files_and_other_models(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    file = make_timm(tmp_path, 0)
    whole, state = file.read_bytes(), read(file)
    less = {key: value for key, value in state.items() if key != "norm.weight"}
    another = read(make_timm(tmp_path, 0, "test_convnext.r160_in1k"))
    wrong = state | {"norm.weight": torch.zeros(65)}
    contents: list[bytes | dict[str, Any]] = [b"", b"garbage", whole[: len(whole) // 2], {}, less, another, wrong]
    for content in contents:
        file.write_bytes(content) if isinstance(content, bytes) else save_file(content, file)
        with pytest.raises(WeightsCorrupt, match=rf"timm's {TIMM}") as caught:
            registry.create(NAME, tmp_path, EAGER)
        assert caught.value.file == file


@pytest.mark.parametrize("content", [[1, 2], {"head.weight": 3}, {1: 2}, {"a": "b"}])
def test_a_pickle_of_other_things(tmp_path: Path, content: Any) -> None:
    import torch

    file = tmp_path / "timm" / TIMM / "pytorch_model.bin"
    file.parent.mkdir(parents=True)
    torch.save(content, file)
    with pytest.raises(WeightsCorrupt, match=rf"timm's {TIMM}"):
        registry.create(NAME, tmp_path, EAGER)


def test_missing_weights_are_named_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as caught:
        registry.create(NAME, tmp_path, EAGER)
    assert (caught.value.file, caught.value.folder) == (f"timm/{TIMM}/model.safetensors", tmp_path)
    assert caught.value.command == f"seedqueue weights fetch {NAME}"


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_timm(tmp_path, 0)
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'seedqueue\[timm\]'"):
        registry.create(NAME, tmp_path, EAGER)
    with pytest.raises(ExtraMissing):
        registry.source_of(NAME)
    assert registry.full_name(NAME) == NAME
