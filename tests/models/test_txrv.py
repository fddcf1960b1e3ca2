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
from seedqueue.models.embedders.txrv import _library, _source
from seedqueue.models.errors import WeightsCorrupt

FILE = _source("densenet121-res224-all").filename


@pytest.fixture(scope="module")
def network() -> Any:
    import torch

    torch.manual_seed(0)
    return _library().DenseNet(weights=None).eval()


def grey() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (224, 224), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize("archive", [True, False], ids=["zip", "plain"])
def test_both_file_formats_give_torchxrayvisions_features(tmp_path: Path, network: Any, archive: bool) -> None:
    import torch

    torch.save(network, tmp_path / FILE, _use_new_zipfile_serialization=archive)
    embedder = registry.create("txrv", tmp_path)
    inputs = embedder.prepare(grey())[None]
    with torch.inference_mode():
        expected = network.features2(torch.from_numpy(inputs)).numpy()
    assert np.allclose(embedder.embed(inputs), expected, rtol=1e-5, atol=1e-6)
    assert expected.std() > 0


def test_an_old_file_lacks_what_newer_torch_adds(tmp_path: Path, network: Any) -> None:
    import copy

    import torch

    old = copy.deepcopy(network)
    for layer in old.modules():
        for attribute in ("_non_persistent_buffers_set", "_state_dict_pre_hooks", "_backward_pre_hooks"):
            layer.__dict__.pop(attribute, None)
    torch.save(old, tmp_path / FILE, _use_new_zipfile_serialization=False)
    assert registry.create("txrv", tmp_path).dimension == 1024


def test_the_input_is_normalised_as_torchxrayvision_does(tmp_path: Path, network: Any) -> None:
    import torch
    import torchxrayvision.utils

    torch.save(network, tmp_path / FILE)
    prepared = registry.create("txrv", tmp_path).prepare(grey())
    expected = torchxrayvision.utils.normalize(np.asarray(grey()), 255)[None]
    assert prepared.shape == (1, 224, 224)
    assert np.allclose(prepared, expected, atol=1e-3)


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
