"""CXR Foundation: what its network is shown, what is made of what it gives."""

import io
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from saved_models import ELIXR, TEXT, put

from seedqueue.models import registry, saved_model
from seedqueue.models.embedder import Embedder, embed_images
from seedqueue.models.errors import ExtraMissing, WeightsCorrupt, WeightsMissing
from seedqueue.models.runtime import Runtime

pytestmark = pytest.mark.slow

RUNTIME = Runtime(device="cpu", threads=1)


def grey(seed: int, size: tuple[int, int] = (150, 100), low: int = 40, high: int = 250) -> Image.Image:
    width, height = size
    return Image.fromarray(np.random.default_rng(seed).integers(low, high, (height, width), dtype=np.uint8))


def made(kind: str, folder: Path, name: str = "cxrf") -> Embedder:
    put(kind, folder, ELIXR)
    return registry.create(name, folder, RUNTIME)


def test_the_network_receives_the_whole_image_as_it_is_from_zero(tmp_path: Path) -> None:
    pictures = [grey(1), grey(2, (31, 301)), grey(3, (1, 1)), Image.new("L", (5, 4), 77), grey(4, low=0, high=256)]
    told = embed_images(made("elixr-statistics", tmp_path), pictures)
    for picture, row in zip(pictures, told, strict=True):
        pixels = np.asarray(picture).astype(np.float32)
        pixels -= pixels.min()
        expected = [*picture.size, 0, pixels.max(), pixels.mean(), pixels[0, 0]]
        assert row[:6] == pytest.approx(expected, rel=1e-5)
        assert not row[6:].any()


def test_colour_becomes_grey_as_pillow_weighs_it(tmp_path: Path) -> None:
    coloured = Image.merge("RGB", [grey(seed) for seed in range(3)])
    embedder = made("elixr-statistics", tmp_path)
    one, other = embed_images(embedder, [coloured, coloured.convert("L")])
    assert np.array_equal(one, other)


def test_a_prepared_input_is_the_example_that_google_asks_for(tmp_path: Path) -> None:
    embedder = made("elixr-0", tmp_path)
    inputs = [embedder.prepare(grey(seed)) for seed in range(2)]
    assert inputs[0].shape == ()
    assert np.stack(inputs).shape == (2,)
    tf = saved_model.tensorflow("cxrf", RUNTIME)
    features = tf.train.Example.FromString(inputs[0].item()).features.feature
    assert set(features) == {"image/encoded", "image/format"}
    assert list(features["image/format"].bytes_list.value) == [b"png"]
    (encoded,) = features["image/encoded"].bytes_list.value
    png = Image.open(io.BytesIO(encoded))
    assert (png.format, png.mode) == ("PNG", "L")
    assert np.array_equal(np.asarray(png), np.asarray(grey(0)) - np.asarray(grey(0)).min())


def test_inputs_can_be_prepared_in_threads(tmp_path: Path) -> None:
    embedder, pictures = made("elixr-0", tmp_path), [grey(seed, (400, 300)) for seed in range(16)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(embedder.prepare, pictures))
    assert [each.item() for each in together] == [embedder.prepare(picture).item() for picture in pictures]


@pytest.fixture(scope="module")
def called() -> Callable[..., Any]:
    """A SavedModel's signature called as Google's notebook does, without any code of ours."""

    def call(graph: Path, **inputs: Any) -> Any:
        tf = saved_model.tensorflow("cxrf", RUNTIME)
        root = tf.saved_model.load(str(graph.parent))
        return root.signatures["serving_default"](**{name: tf.constant(each) for name, each in inputs.items()})

    return call


def test_the_embedding_is_the_mean_of_the_feature_map(tmp_path: Path, called: Callable[..., Any]) -> None:
    embedder = made("elixr-0", tmp_path)
    example = embedder.prepare(grey(1))
    features = called(tmp_path / ELIXR / saved_model.GRAPH, input_example=[example.item()])["feature_maps_0"].numpy()
    assert features.shape == (1, 8, 8, 1376)
    (embedding,) = embedder.embed(example[None])
    assert embedding == pytest.approx(features.mean(axis=(0, 1, 2)), rel=1e-4, abs=1e-6)
    assert features.std() > 0.01


def test_the_contrastive_embedding_is_the_q_formers(tmp_path: Path, called: Callable[..., Any]) -> None:
    text = put("text-0", tmp_path, TEXT)
    embedder = made("elixr-0", tmp_path, "cxrf:contrastive")
    example = embedder.prepare(grey(1))
    features = called(tmp_path / ELIXR / saved_model.GRAPH, input_example=[example.item()])["feature_maps_0"]
    nothing = {"ids": np.zeros((1, 1, 128), np.int32), "paddings": np.zeros((1, 1, 128), np.float32)}
    tokens = called(text, image_feature=features, **nothing)["all_contrastive_img_emb"].numpy()
    assert embedder.dimension == tokens.size == 4096
    assert np.allclose(embedder.embed(example[None]), tokens.reshape(1, -1), rtol=1e-4, atol=1e-6)
    assert tokens.std() > 0.01


def test_the_contrastive_variant_is_another_and_wants_both_models(tmp_path: Path) -> None:
    pooled = made("elixr-0", tmp_path)
    with pytest.raises(WeightsMissing, match=r"cxr-foundation/pax-elixr-b-text/saved_model\.pb"):
        registry.create("cxrf:contrastive", tmp_path, RUNTIME)
    put("text-0", tmp_path, TEXT)
    assert registry.create("cxrf:contrastive", tmp_path, RUNTIME).fingerprint != pooled.fingerprint
    # The text model's weights are no part of the pooled embedding.
    assert registry.create("cxrf", tmp_path, RUNTIME).fingerprint == pooled.fingerprint


def test_tensorflows_own_fingerprint_file_changes_nothing(tmp_path: Path) -> None:
    with_it = made("elixr-0", tmp_path)
    (tmp_path / ELIXR / "fingerprint.pb").unlink()
    assert registry.create("cxrf", tmp_path, RUNTIME).fingerprint == with_it.fingerprint


def test_wrong_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsCorrupt, match="feature_maps_0"):
        made("text-0", tmp_path / "text")
    put("elixr-0", tmp_path, TEXT)
    with pytest.raises(WeightsCorrupt, match="all_contrastive_img_emb") as caught:
        made("elixr-0", tmp_path, "cxrf:contrastive")
    assert caught.value.file == tmp_path / TEXT / saved_model.GRAPH


def test_a_map_of_another_size_is_noticed_when_the_graph_does_not_tell(tmp_path: Path) -> None:
    embedder = made("elixr-unsized", tmp_path)
    with pytest.raises(WeightsCorrupt, match=r"found .*feature_maps_0 \(1, 4, 8, 1376\)"):
        embed_images(embedder, [grey(1)])


def test_without_tensorflow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ExtraMissing, match=r"'cxrf:elixr-c-v2-pooled' needs TensorFlow"):
        made("elixr-0", tmp_path)
    assert registry.get("cxrf").extra == "tensorflow"


def test_the_published_source() -> None:
    source = registry.source_of("cxrf:contrastive")
    vision, text = source.files[0], source.files[3]
    assert vision.name == "cxr-foundation/elixr-c-v2-pooled/saved_model.pb"
    assert text.url == "https://huggingface.co/google/cxr-foundation/resolve/main/pax-elixr-b-text/saved_model.pb"
    assert len(source.files) == 6
    assert len(registry.source_of("cxrf").files) == 3
    assert source.gate is not None
    assert "HF_TOKEN" in source.gate
