"""REMEDIS through OpenVINO and on TensorFlow: the same numbers, and what the network is shown."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from saved_models import REMEDIS, put

from seedqueue.models import registry, saved_model
from seedqueue.models.embedder import Embedder, Floats, embed_images
from seedqueue.models.errors import ExtraMissing, WeightsCorrupt, WeightsMissing
from seedqueue.models.runtime import Runtime

pytestmark = pytest.mark.slow

RUNTIME = Runtime(device="cpu", threads=2, precision="float32")

OPENVINO = ("remedis-0", "remedis-pooled", "remedis-free")
TENSORFLOW = ("remedis-unsigned", "remedis-untranslated")


def picture(seed: int, size: tuple[int, int] = (150, 100)) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def made(kind: str, folder: Path, name: str = REMEDIS) -> Embedder:
    put(kind, folder, name)
    return registry.create(f"remedis:{name}", folder, RUNTIME)


def by_tensorflow(folder: Path, pictures: list[Image.Image]) -> Floats:
    """The module called as TF-Hub does on the resized images in [0, 1], then the mean; no code of ours."""
    tf = saved_model.tensorflow(REMEDIS, RUNTIME)
    resized = [each.convert("RGB").resize((448, 448), Image.Resampling.BILINEAR) for each in pictures]
    root = tf.saved_model.load(str(folder / REMEDIS))
    module = root if callable(root) else root.signatures["serving_default"]
    given = module(tf.constant(np.stack(resized).astype(np.float32) / 255))
    features = np.asarray(given["output_0"] if isinstance(given, dict) else given, dtype=np.float32)
    return features.reshape(len(pictures), -1, 2048).mean(axis=1)


@pytest.mark.parametrize("kind", [*OPENVINO, *TENSORFLOW])
def test_every_way_gives_tensorflows_numbers(tmp_path: Path, kind: str) -> None:
    pictures = [picture(seed) for seed in range(3)]
    embedder = made(kind, tmp_path)
    assert (saved_model.read(tmp_path / REMEDIS) is None) == (kind in TENSORFLOW)
    expected = by_tensorflow(tmp_path, pictures)
    embeddings = embed_images(embedder, pictures)
    assert embeddings.shape == expected.shape == (3, 2048)
    assert np.abs(embeddings - expected).max() <= 1e-4 * np.abs(expected).max()
    assert np.abs(expected[0] - expected[1]).max() > 0.01 * np.abs(expected).max()


@pytest.mark.parametrize("kind", ["remedis-statistics", "remedis-statistics-unsigned"])
def test_the_network_receives_rgb_from_0_to_1(tmp_path: Path, kind: str) -> None:
    coloured, grey = Image.new("RGB", (448, 448), (255, 102, 51)), Image.new("L", (448, 448), 77)
    coloured.paste((0, 1, 254), (224, 0, 448, 448))
    told = embed_images(made(kind, tmp_path), [coloured, grey])
    assert 255 * told[0, :8] == pytest.approx([255, 102, 51, 0, 1, 254, 0, 255], abs=1e-3)
    assert 255 * told[1, :8] == pytest.approx([77] * 8, abs=1e-3)
    assert not told[:, 8:].any()


def test_the_whole_image_is_stretched(tmp_path: Path) -> None:
    embedder = made("remedis-0", tmp_path)
    wide = picture(1, (900, 300))
    prepared = embedder.prepare(wide)
    assert (prepared.shape, prepared.dtype) == ((448, 448, 3), np.uint8)
    expected = np.asarray(wide.resize((448, 448), Image.Resampling.BILINEAR))
    assert np.array_equal(prepared, expected)


def test_with_a_signature_tensorflow_is_not_needed(tmp_path: Path) -> None:
    put("remedis-0", tmp_path, REMEDIS)
    code = f"""
import sys
from pathlib import Path
from PIL import Image
from seedqueue.models import registry
from seedqueue.models.embedder import embed_images
embedder = registry.create("remedis", Path({str(tmp_path)!r}))
print(embed_images(embedder, [Image.new("L", (9, 9))]).shape, "tensorflow" in sys.modules, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(1, 2048) False False"


@pytest.mark.parametrize("kind", TENSORFLOW)
def test_without_tensorflow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ExtraMissing, match=r"'remedis:cxr-50x1-remedis-m' needs TensorFlow.*seedqueue\[tensorflow\]"):
        made(kind, tmp_path)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("remedis-224", r"found f32 \[\?,224,224,3\], f32 \[\?,7,7,2048\]"),
        ("remedis-narrow", r"found f32 \[\?,448,448,3\], f32 \[\?,14,14,64\]"),
        ("remedis-224-unsigned", "found .*"),
        ("remedis-narrow-unsigned", "found .*64"),
        ("remedis-nothing", "found a module that cannot be called"),
    ],
)
def test_another_network_is_described(tmp_path: Path, kind: str, found: str) -> None:
    expected = r"from float32 \(n, 448, 448, 3\) to \(n, height, width, 2048\) or \(n, 2048\), "
    with pytest.raises(WeightsCorrupt, match=expected + found) as caught:
        made(kind, tmp_path)
    assert caught.value.file == tmp_path / REMEDIS / saved_model.GRAPH


def test_a_pathology_model_takes_224(tmp_path: Path) -> None:
    embedder = made("remedis-224", tmp_path, "path-50x1-remedis-s")
    assert embedder.prepare(picture(1)).shape == (224, 224, 3)
    assert embed_images(embedder, [picture(1)]).shape == (1, 2048)


def test_a_larger_model_gives_4096(tmp_path: Path) -> None:
    with pytest.raises(WeightsCorrupt, match=r"\(n, 4096\)"):
        made("remedis-0", tmp_path, "cxr-152x2-remedis-m")


def test_the_gated_source_says_how_to_get_it(tmp_path: Path) -> None:
    source = registry.source_of("remedis")
    assert {file.url for file in source.files} == {None}
    assert source.gate is not None
    with pytest.raises(WeightsMissing, match="seedqueue weights add remedis:cxr-50x1-remedis-m"):
        registry.create("remedis", tmp_path, RUNTIME)


def test_the_variants() -> None:
    variants = registry.get("remedis").variants
    assert variants is not None
    assert len(variants()) == 8
    for name in ("cxr-50x1-remedis-m", "cxr-152x2-remedis-s", "path-152x2-remedis-m"):
        assert registry.full_name(f"remedis:{name}").endswith(name)
