"""TXRV against torchxrayvision's own code; a pickled model can run nothing."""

import io
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedqueue.models import registry
from seedqueue.models.embedder import embed_images
from seedqueue.models.embedders.txrv import _library, _source
from seedqueue.models.errors import WeightsCorrupt
from seedqueue.models.runtime import Runtime

FILE = _source("densenet121-res224-all").files[0].name
EXACT = Runtime(device="cpu", threads=1, precision="float32")


@pytest.fixture(scope="module")
def network() -> Any:
    import torch

    torch.manual_seed(0)
    return _library().DenseNet(weights=None).eval()


def grey() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (224, 224), dtype=np.uint8)
    return Image.fromarray(values)


def as_torchxrayvision_reads(image: Image.Image) -> Any:
    """(1, 1, h, w), as its own scripts make it from grey values of 0 to 255."""
    import torch
    import torchxrayvision.utils

    return torch.from_numpy(torchxrayvision.utils.normalize(np.asarray(image), 255)[None, None])


@pytest.mark.parametrize("archive", [True, False], ids=["zip", "plain"])
@pytest.mark.slow
def test_both_file_formats_give_torchxrayvisions_features(tmp_path: Path, network: Any, archive: bool) -> None:
    import torch

    torch.save(network, tmp_path / FILE, _use_new_zipfile_serialization=archive)
    embedder = registry.create("txrv", tmp_path, EXACT)
    with torch.inference_mode():
        expected = network.features2(as_torchxrayvision_reads(grey())).numpy()
    assert np.allclose(embed_images(embedder, [grey()]), expected, rtol=1e-4, atol=1e-6 * expected.max())
    assert expected.std() > 0


@pytest.mark.slow
def test_its_resnet_gives_torchxrayvisions_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    import torchvision

    torch.manual_seed(1)
    state = torchvision.models.resnet50(weights=None, num_classes=18)
    state.conv1 = torch.nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    file = tmp_path / _source("resnet50-res512-all").files[0].name
    torch.save(state.state_dict(), file)
    monkeypatch.setattr(_library(), "get_weights", lambda *_, **__: str(file))
    theirs = _library().ResNet(weights="resnet50-res512-all")
    image = grey().resize((512, 512), Image.Resampling.BILINEAR)
    with torch.inference_mode():
        expected = theirs.features(as_torchxrayvision_reads(image)).numpy()
    embedder = registry.create("txrv:resnet50-res512-all", tmp_path, EXACT)
    assert embedder.dimension == 2048
    assert np.allclose(embed_images(embedder, [image]), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_its_autoencoder_gives_torchxrayvisions_code(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(2)
    theirs = _library("autoencoders").ResNetAE(weights=None).eval()
    torch.save(theirs.state_dict(), tmp_path / _source("autoencoder-101-elastic").files[0].name)
    with torch.inference_mode():
        expected = theirs.encode(as_torchxrayvision_reads(grey())).flatten(1).numpy()
    embedder = registry.create("txrv:autoencoder-101-elastic", tmp_path, EXACT)
    assert embedder.dimension == expected.shape[1] == 4608
    assert np.allclose(embed_images(embedder, [grey()]), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_an_old_file_lacks_what_newer_torch_adds(tmp_path: Path, network: Any) -> None:
    import copy

    import torch

    old = copy.deepcopy(network)
    for layer in old.modules():
        for attribute in ("_non_persistent_buffers_set", "_state_dict_pre_hooks", "_backward_pre_hooks"):
            layer.__dict__.pop(attribute, None)
    torch.save(old, tmp_path / FILE, _use_new_zipfile_serialization=False)
    assert registry.create("txrv", tmp_path).dimension == 1024


class Harmful:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("archive", [True, False], ids=["zip", "plain"])
def test_a_pickle_cannot_run_anything(tmp_path: Path, network: Any, archive: bool) -> None:
    import copy

    import torch

    harmful = copy.deepcopy(network)
    harmful.mark = Harmful(tmp_path / "ran")
    torch.save(harmful, tmp_path / FILE, _use_new_zipfile_serialization=archive)
    with pytest.raises(WeightsCorrupt, match="mkdir") as caught:
        registry.create("txrv", tmp_path)
    assert "weights_only" not in str(caught.value)  # torch advises to load it unsafely
    assert not (tmp_path / "ran").exists()


def test_what_is_no_model_is_refused(tmp_path: Path, network: Any) -> None:
    import torch

    contents: list[bytes] = [b"", b"garbage", pickle.dumps({"a": 1})]
    for thing in ({"a": torch.zeros(1)}, network.features.conv0):
        stream = io.BytesIO()
        torch.save(thing, stream)
        contents.append(stream.getvalue())
    for content in contents:
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(WeightsCorrupt):
            registry.create("txrv", tmp_path)


def test_the_library_does_not_silence_warnings() -> None:
    _library()
    assert not any(each[:3] == ("ignore", None, Warning) for each in warnings.filters)


def test_its_findings_are_torchxrayvisions_own_from_the_embeddings_alone(tmp_path: Path, network: Any) -> None:
    import torch

    torch.save(network, tmp_path / FILE)
    embedder = registry.create("txrv", tmp_path, EXACT)
    findings = embedder.findings()
    known = _library().model_urls["densenet121-res224-all"]
    assert findings is not None
    assert findings.names == tuple(known["labels"])  # these weights know all 18
    embeddings = np.random.default_rng(0).exponential(size=(7, 1024)).astype(np.float32)
    with torch.inference_mode():
        probabilities = torch.sigmoid(network.classifier(torch.from_numpy(embeddings)))
        expected = _library().op_norm(probabilities, torch.tensor(known["op_threshs"])).numpy()
    assert np.allclose(findings.scores(embeddings), expected, atol=1e-5)
    strongest = findings.strongest(embeddings)
    assert strongest.sum(axis=1).tolist() == (expected.max(axis=1) > 0.5).astype(int).tolist()
    assert (strongest.argmax(axis=1) == expected.argmax(axis=1))[strongest.any(axis=1)].all()


@pytest.mark.slow
def test_what_the_weights_were_not_trained_for_is_no_finding(tmp_path: Path, network: Any) -> None:
    import torch

    variant = "densenet121-res224-pc"
    torch.save(network, tmp_path / _source(variant).files[0].name)
    findings = registry.create(f"txrv:{variant}", tmp_path, EXACT).findings()
    assert findings is not None
    assert "" not in findings.names
    assert len(findings.names) == len(findings.weight) == len(findings.threshold) < 18
    assert registry.create("hog", tmp_path, EXACT).findings() is None
