"""Network heads: both networks, their files, their draws under dropout, and what they refuse."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from shapes import drawn

from seedqueue.models import weights
from seedqueue.models.errors import HeadUnusable, InputsUnusable, LabelsUnusable, WeightsCorrupt
from seedqueue.models.heads import file_format, networks
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.heads.spec import honest
from seedqueue.selectors.pixels import dropout_disagreement, foreground_entropy

SHAPES = drawn(20, side=32)


@pytest.fixture(scope="module")
def segmenter() -> NetworkHead:
    head = NetworkHead.create(("shape",), "masks", side=32)
    head.fit(SHAPES.pixels, SHAPES.masks, honest("masks", epochs=6))
    return head


@pytest.fixture(scope="module")
def classifier() -> NetworkHead:
    return NetworkHead.create(("disc", "square"), "single", side=32)


@pytest.mark.slow
def test_vgg11_falls_in_loss(classifier: NetworkHead) -> None:
    """Of dark and bright images: of shapes, whether it does in so few steps rests on the seed."""
    truth = np.eye(2, dtype=bool)[np.arange(8) % 2]
    pixels = np.zeros((8, 3, 32, 32), dtype=np.uint8)
    pixels[truth[:, 1]] = 255
    trained = classifier.fit(pixels, truth, honest("single", epochs=6))
    assert trained.losses[-1] < trained.losses[0] / 2
    shown = classifier.probabilities(SHAPES.pixels)
    assert shown.shape == (20, 2)
    assert np.allclose(shown.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("which", ["classifier", "segmenter"])
@pytest.mark.slow
def test_a_saved_head_predicts_the_same(which: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    head: NetworkHead = request.getfixturevalue(which)
    head.save(tmp_path / "head.safetensors")
    again = NetworkHead.load(tmp_path / "head.safetensors")
    assert [each.name for each in tmp_path.iterdir()] == ["head.safetensors"]
    described = ("classes", "task", "kind", "side", "pretrained")
    assert [getattr(again, name) for name in described] == [getattr(head, name) for name in described]
    assert np.array_equal(again.probabilities(SHAPES.pixels[:4]), head.probabilities(SHAPES.pixels[:4]))
    if which == "segmenter":
        assert again.to_bytes() == head.to_bytes()
        # What was loaded can be trained on.
        assert np.isfinite(again.fit(SHAPES.pixels[:2], SHAPES.masks[:2], honest("masks", epochs=1)).losses).all()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("head", "linear"),
        ("format", "2"),
        ("kind", "vgg19"),
        ("kind", "vgg11"),
        ("task", "single"),
        ("side", "33"),
        ("side", "a"),
        ("classes", "[]"),
        ("classes", '["one", "two"]'),
        ("pretrained", "perhaps"),
    ],
)
def test_other_metadata_are_refused_by_name(segmenter: NetworkHead, key: str, value: str) -> None:
    arrays, metadata = file_format.from_bytes(segmenter.to_bytes())
    with pytest.raises(HeadUnusable):
        NetworkHead.from_bytes(file_format.to_bytes(arrays, {**metadata, key: value}))


def test_other_arrays_are_refused_by_name(segmenter: NetworkHead) -> None:
    arrays, metadata = file_format.from_bytes(segmenter.to_bytes())
    name = "decider.last.0.weight"
    kept = arrays.pop(name)
    more = kept.copy()
    more[0, 0, 0, 0] = np.nan
    for changed in ({}, {name: kept[:, :8]}, {name: kept.astype(np.float64)}, {name: more}):
        with pytest.raises(HeadUnusable, match=name):
            NetworkHead.from_bytes(file_format.to_bytes({**arrays, **changed}, metadata))
    with pytest.raises(HeadUnusable, match="extra"):
        NetworkHead.from_bytes(file_format.to_bytes({**arrays, name: kept, "extra": kept}, metadata))


def test_maps_and_their_uncertainty(segmenter: NetworkHead) -> None:
    maps = list(segmenter.maps(SHAPES.pixels))
    assert [each.shape for each in maps] == [(1, 32, 32)] * 20
    assert np.array_equal(np.stack(maps), segmenter.probabilities(SHAPES.pixels))
    entropies = [foreground_entropy(each) for each in maps]
    assert 0 < min(entropies) < max(entropies) <= np.log(2)
    drawn_maps = list(segmenter.dropout_maps(SHAPES.pixels, 5, seed=1))
    assert [each.shape for each in drawn_maps] == [(5, 1, 32, 32)] * 20
    disagreement = [dropout_disagreement(each) for each in drawn_maps]
    assert 0 < max(disagreement) <= 1


@pytest.mark.parametrize("which", ["classifier", "segmenter"])
@pytest.mark.slow
def test_draws_under_dropout(which: str, request: pytest.FixtureRequest) -> None:
    head: NetworkHead = request.getfixturevalue(which)
    before = torch.random.get_rng_state()
    draws = head.dropout_probabilities(SHAPES.pixels, 3, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert draws.shape[:2] == (3, 20)
    assert (draws.std(axis=0) > 0).any()
    assert np.array_equal(draws, head.dropout_probabilities(SHAPES.pixels, 3, seed=1))
    assert np.array_equal(draws[:2], head.dropout_probabilities(SHAPES.pixels, 2, seed=1))
    assert not np.array_equal(draws, head.dropout_probabilities(SHAPES.pixels, 3, seed=2))
    # A row depends on its input alone; on other batches only as far as sums are rounded.
    assert np.abs(draws[:, 7:9] - head.dropout_probabilities(SHAPES.pixels[7:9], 3, seed=1)).max() < 0.02


def test_no_images_have_no_probabilities(segmenter: NetworkHead, classifier: NetworkHead) -> None:
    assert segmenter.probabilities(SHAPES.pixels[:0]).shape == (0, 1, 32, 32)
    assert list(segmenter.maps(SHAPES.pixels[:0])) == []
    assert classifier.probabilities(SHAPES.pixels[:0]).shape == (0, 2)
    assert classifier.dropout_probabilities(SHAPES.pixels[:0], 3, seed=0).shape == (3, 0, 2)


def test_other_inputs_are_refused(segmenter: NetworkHead, classifier: NetworkHead) -> None:
    spec = honest("masks", epochs=1)
    for pixels in (SHAPES.pixels[:, :1], SHAPES.pixels.astype(np.float32), drawn(2, side=64).pixels):
        with pytest.raises(InputsUnusable, match="uint8"):
            segmenter.probabilities(pixels)
    with pytest.raises(InputsUnusable, match="task"):
        segmenter.fit(SHAPES.pixels, SHAPES.masks, honest("single"))
    with pytest.raises(LabelsUnusable, match="shape"):
        segmenter.fit(SHAPES.pixels, SHAPES.masks[:3], spec)
    with pytest.raises(LabelsUnusable, match="none"):
        segmenter.fit(SHAPES.pixels[:0], SHAPES.masks[:0], spec)
    with pytest.raises(LabelsUnusable, match="row 0 has 2 classes"):
        classifier.fit(SHAPES.pixels, np.ones_like(SHAPES.classes), honest("single"))
    with pytest.raises(InputsUnusable, match="100"):
        NetworkHead.create(("shape",), "masks", side=100)


@pytest.mark.slow
def test_a_seed_gives_the_same_untrained_head() -> None:
    before = torch.random.get_rng_state()
    heads = [NetworkHead.create(("shape",), "masks", side=32, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(torch.random.get_rng_state(), before)
    first, again, other = (hashlib.sha256(head.to_bytes()).digest() for head in heads)
    assert first == again != other


@pytest.mark.slow
def test_imagenet_s_weights_are_taken_and_said(tmp_path: Path) -> None:
    source = networks.source("unet-vgg11")
    file = tmp_path / source.files[0].name
    torch.manual_seed(5)
    published = torchvision.models.vgg11_bn(weights=None).features
    torch.save({f"features.{name}": value for name, value in published.state_dict().items()}, file)
    head = NetworkHead.create(("shape",), "masks", side=32, imagenet=file)
    assert head.pretrained
    taken = head.network.state_dict()["encoder.module.features.0.weight"]
    assert torch.equal(taken, published.state_dict()["0.weight"])
    assert NetworkHead.from_bytes(head.to_bytes()).pretrained
    torch.save({"features.0.weight": taken}, file)
    with pytest.raises(WeightsCorrupt, match="vgg11_bn"):
        NetworkHead.create(("shape",), "masks", side=32, imagenet=file)
    # Its name tells the digest of the published file, which this is not.
    with pytest.raises(WeightsCorrupt, match="6002323d"):
        weights.require(tmp_path, source, "unet-vgg11")


@pytest.mark.slow
def test_the_classifier_takes_imagenet_s_weights_but_for_the_last_layer(tmp_path: Path) -> None:
    published = torchvision.models.vgg11(weights=None, init_weights=False).state_dict()
    torch.save(published, tmp_path / "vgg11-8a719046.pth")
    head = NetworkHead.create(("a", "b", "c"), "multi", side=32, imagenet=tmp_path / "vgg11-8a719046.pth")
    assert head.pretrained
    taken = head.network.state_dict()
    assert torch.equal(taken["decider.3.weight"], published["classifier.3.weight"])
    assert taken["decider.6.weight"].shape == (3, 4096)
    shown = head.probabilities(SHAPES.pixels[:2])
    assert shown.shape == (2, 3)
    assert not np.allclose(shown.sum(axis=1), 1)
