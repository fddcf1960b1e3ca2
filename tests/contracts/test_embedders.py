"""What every embedder promises, asked of each one in the registry."""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seedqueue.models import gate, registry
from seedqueue.models.embedder import Embedder, embed_images
from seedqueue.models.errors import (
    NoWeightsNeeded,
    UnknownEmbedder,
    VariantMissing,
    WeightsCorrupt,
    WeightsMissing,
)
from seedqueue.models.runtime import Runtime

RUNTIME = Runtime(device="cpu", threads=2)
FLOAT32 = Runtime(device="cpu", threads=2, precision="float32")

NAMES = [
    pytest.param(entry.name, marks=[pytest.mark.slow] if entry.needs_weights and entry.name != "txrv" else [])
    for entry in registry.entries()
]
every_embedder = pytest.mark.parametrize("name", NAMES)
weighted = pytest.mark.parametrize("name", [each for each in NAMES if registry.get(each.values[0]).needs_weights])


def picture(seed: int, size: tuple[int, int] = (150, 100), mode: str = "RGB") -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


@cache
def loaded(name: str, folder: Path, runtime: Runtime = RUNTIME) -> Embedder:
    return registry.create(name, folder, runtime)


@pytest.fixture
def full_name(name: str, examples: dict[str, str]) -> str:
    """The family's default variant, or the one that the tests made weights for."""
    return f"{name}:{examples[name]}" if name in examples else registry.full_name(name)


@pytest.fixture
def embedder(full_name: str, weights_folder: Path) -> Embedder:
    return loaded(full_name, weights_folder)


@every_embedder
def test_the_entry_is_complete(name: str, full_name: str, embedder: Embedder) -> None:
    entry = registry.get(name)
    assert entry.name == name
    assert entry.title
    assert entry.summary.endswith(".")
    assert entry.input
    assert embedder.name == full_name
    assert entry.dimension in (None, embedder.dimension)
    assert (entry.dimension is None) == (entry.any_variant is not None and entry.default_variant is None)
    assert entry.default_variant is None or entry.variants or entry.any_variant
    assert not (entry.variants and entry.any_variant)


@every_embedder
def test_shape_type_and_values(embedder: Embedder) -> None:
    sizes = ((150, 100), (31, 301), (1, 1), (224, 224))
    embeddings = embed_images(embedder, [picture(1, size) for size in sizes], batch=3)
    assert embeddings.shape == (len(sizes), embedder.dimension)
    assert embeddings.dtype == np.float32
    assert np.isfinite(embeddings).all()


@every_embedder
def test_no_images_give_no_rows(embedder: Embedder) -> None:
    assert embed_images(embedder, []).shape == (0, embedder.dimension)


@every_embedder
def test_a_black_and_a_white_image_are_taken(embedder: Embedder) -> None:
    flat = [Image.new("RGB", (50, 40), colour) for colour in ("black", "white")]
    assert np.isfinite(embed_images(embedder, flat)).all()


@every_embedder
def test_grey_is_the_same_as_grey_in_colour(embedder: Embedder) -> None:
    grey = picture(2, mode="L")
    one, other = embed_images(embedder, [grey, grey.convert("RGB")])
    assert one == pytest.approx(other, rel=1e-4, abs=1e-5)


@every_embedder
def test_an_embedding_does_not_depend_on_its_batch(embedder: Embedder) -> None:
    images = [picture(seed) for seed in range(5)]
    together = embed_images(embedder, images)
    alone = embed_images(embedder, images, batch=1)
    assert np.allclose(together, alone, rtol=1e-4, atol=1e-5 * np.abs(together).max())
    assert np.abs(together[0] - together[1]).max() > 100 * np.abs(together - alone).max()


@every_embedder
def test_the_order_of_a_batch_does_not_matter(embedder: Embedder) -> None:
    images = [picture(seed) for seed in range(4)]
    forth, back = embed_images(embedder, images), embed_images(embedder, images[::-1])
    assert np.allclose(forth, back[::-1], rtol=1e-4, atol=1e-5 * np.abs(forth).max())


@every_embedder
def test_the_same_image_gives_the_same_numbers(full_name: str, embedder: Embedder, weights_folder: Path) -> None:
    images = [picture(seed) for seed in range(3)]
    again = loaded(full_name, weights_folder, FLOAT32)
    assert np.array_equal(embed_images(embedder, images), embed_images(embedder, images))
    assert np.allclose(embed_images(embedder, images), embed_images(again, images), rtol=1e-5, atol=1e-6)


@every_embedder
def test_what_the_gate_lets_in_is_float32_within_the_gate(full_name: str, weights_folder: Path, tmp_path: Path) -> None:
    images = [picture(seed) for seed in range(2 * gate.LEAST_IMAGES)]
    auto = registry.create(full_name, weights_folder, Runtime(device="cpu", threads=2, verdicts=tmp_path))
    exact = loaded(full_name, weights_folder, FLOAT32)
    together = embed_images(auto, images)
    assert gate.centred_cosine(embed_images(exact, images), together).min() >= gate.LEAST_COSINE
    assert auto.fingerprint == exact.fingerprint
    # And what it let in keeps the other promises.
    alone = embed_images(auto, images[:3], batch=1)
    assert np.allclose(together[:3], alone, rtol=1e-4, atol=1e-5 * np.abs(together).max())
    assert np.array_equal(embed_images(auto, images), together)


@every_embedder
def test_the_image_stays_as_it_was(embedder: Embedder) -> None:
    image = picture(3)
    before = image.tobytes()
    embedder.prepare(image)
    assert image.tobytes() == before
    assert image.mode == "RGB"


@every_embedder
def test_prepared_inputs_have_one_shape_and_type(embedder: Embedder) -> None:
    first, second = embedder.prepare(picture(1)), embedder.prepare(picture(2, (40, 90), "L"))
    assert first.dtype == second.dtype
    assert first.shape == second.shape


@every_embedder
def test_the_fingerprint_is_stable(embedder: Embedder, weights_folder: Path) -> None:
    assert re.fullmatch("[0-9a-f]{16}", embedder.fingerprint)
    assert loaded(embedder.name, weights_folder, FLOAT32).fingerprint == embedder.fingerprint


@pytest.mark.slow
def test_every_fingerprint_is_another(weights_folder: Path, examples: dict[str, str]) -> None:
    names = (f"{name}:{examples[name]}" if name in examples else registry.full_name(name) for name in registry.names())
    every = {loaded(name, weights_folder).fingerprint for name in names}
    assert len(every) == len(registry.names())


@weighted
def test_other_weights_have_another_fingerprint(
    name: str,
    full_name: str,
    embedder: Embedder,
    tmp_path: Path,
    make_weights: dict[str, Callable[[Path, int], Path]],
) -> None:
    file = make_weights[name](tmp_path, 1)
    other = registry.create(full_name, tmp_path, RUNTIME)
    assert other.fingerprint != embedder.fingerprint
    image = picture(1)
    assert not np.allclose(embed_images(other, [image]), embed_images(embedder, [image]))
    # Checked before anything is unpickled.
    actual = hashlib.sha256(file.read_bytes()).hexdigest()
    listed = file.relative_to(tmp_path).as_posix()
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {listed}\n", encoding="utf-8")
    with pytest.raises(WeightsCorrupt, match=actual):
        registry.create(full_name, tmp_path, RUNTIME)


@weighted
def test_missing_weights_are_named_with_the_mend(full_name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as caught:
        registry.create(full_name, tmp_path)
    assert caught.value.file in {file.name for file in registry.source_of(full_name).files}
    assert caught.value.folder == tmp_path
    assert caught.value.command.startswith("seedqueue weights ")
    assert full_name in caught.value.command
    for part in (caught.value.file, str(tmp_path), caught.value.command):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", [entry.name for entry in registry.entries() if entry.variants])
def test_an_unknown_variant_lists_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownEmbedder) as caught:
        registry.create(f"{name}:no-such-variant", tmp_path)
    assert registry.full_name(name) in caught.value.known


@pytest.mark.parametrize("name", [entry.name for entry in registry.entries() if entry.any_variant])
def test_a_family_of_any_model_wants_one_named(name: str) -> None:
    with pytest.raises(VariantMissing, match="needs a model behind a colon"):
        registry.full_name(name)


def test_an_unknown_family_lists_the_known_ones_and_the_near_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownEmbedder, match=", ".join(registry.names())):
        registry.create("nothing-like-it", tmp_path)
    with pytest.raises(UnknownEmbedder, match=r"did you mean txrv\?"):
        registry.create("txvr", tmp_path)


@pytest.mark.parametrize("name", [entry.name for entry in registry.entries() if not entry.needs_weights])
def test_nothing_to_fetch(name: str, tmp_path: Path) -> None:
    with pytest.raises(NoWeightsNeeded):
        registry.fetch_weights(name, tmp_path, lambda *step: None)
