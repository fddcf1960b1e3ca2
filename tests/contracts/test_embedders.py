"""What every embedder promises, asked of each one in the registry."""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seedqueue.models import registry
from seedqueue.models.embedder import Embedder, embed_images
from seedqueue.models.errors import NoWeightsNeeded, UnknownEmbedder, WeightsCorrupt, WeightsMissing

every_embedder = pytest.mark.parametrize("name", registry.names())
weighted = pytest.mark.parametrize("name", [entry.name for entry in registry.entries() if entry.needs_weights])


def picture(seed: int, size: tuple[int, int] = (150, 100), mode: str = "RGB") -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


@cache
def loaded(name: str, folder: Path) -> Embedder:
    return registry.create(name, folder)


@pytest.fixture
def embedder(name: str, weights_folder: Path) -> Embedder:
    return loaded(name, weights_folder)


@every_embedder
def test_the_entry_is_complete(name: str, embedder: Embedder) -> None:
    entry = registry.get(name)
    assert entry.name == name
    assert entry.title
    assert entry.summary.endswith(".")
    assert entry.input
    assert embedder.name == registry.full_name(name)
    assert embedder.dimension == entry.dimension
    assert (entry.default_variant is None) == (entry.variants is None)


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
def test_the_image_stays_as_it_was(embedder: Embedder) -> None:
    image = picture(3)
    before = image.tobytes()
    embedder.prepare(image)
    assert image.tobytes() == before
    assert image.mode == "RGB"


@every_embedder
def test_a_prepared_input_is_float32_of_one_shape(embedder: Embedder) -> None:
    first, second = embedder.prepare(picture(1)), embedder.prepare(picture(2, (40, 90), "L"))
    assert first.dtype == np.float32
    assert first.shape == second.shape


@every_embedder
def test_the_fingerprint_is_stable(name: str, embedder: Embedder, weights_folder: Path) -> None:
    assert re.fullmatch("[0-9a-f]{16}", embedder.fingerprint)
    assert registry.create(embedder.name, weights_folder).fingerprint == embedder.fingerprint


def test_every_fingerprint_is_another(weights_folder: Path) -> None:
    every = {loaded(name, weights_folder).fingerprint for name in registry.names()}
    assert len(every) == len(registry.names())


@weighted
def test_other_weights_have_another_fingerprint(
    name: str,
    embedder: Embedder,
    tmp_path: Path,
    make_weights: dict[str, Callable[[Path, int], Path]],
) -> None:
    file = make_weights[name](tmp_path, 1)
    other = registry.create(name, tmp_path)
    assert other.fingerprint != embedder.fingerprint
    image = picture(1)
    assert not np.allclose(embed_images(other, [image]), embed_images(embedder, [image]))
    # Checked before anything is unpickled.
    actual = hashlib.sha256(file.read_bytes()).hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {file.name}\n", encoding="utf-8")
    with pytest.raises(WeightsCorrupt, match=actual):
        registry.create(name, tmp_path)


@weighted
def test_missing_weights_are_named_with_the_mend(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as caught:
        registry.create(name, tmp_path)
    source = registry.get(name).weights_source
    assert source is not None
    assert caught.value.file == source(registry.full_name(name).partition(":")[2]).filename
    assert caught.value.folder == tmp_path
    assert caught.value.command == f"seedqueue weights fetch {registry.full_name(name)}"
    for part in (caught.value.file, str(tmp_path), caught.value.command):
        assert part in str(caught.value)


@every_embedder
def test_an_unknown_variant_lists_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownEmbedder) as caught:
        registry.create(f"{name}:no-such-variant", tmp_path)
    assert registry.full_name(name) in caught.value.known


def test_an_unknown_family_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownEmbedder, match="hog, imagenet, pixels, txrv"):
        registry.create("nothing-like-it", tmp_path)


@pytest.mark.parametrize("name", [entry.name for entry in registry.entries() if not entry.needs_weights])
def test_nothing_to_fetch(name: str, tmp_path: Path) -> None:
    with pytest.raises(NoWeightsNeeded):
        registry.fetch_weights(name, tmp_path, lambda done, total: None)
