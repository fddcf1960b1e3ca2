"""A network whose streams do not agree, or that is not what PyTorch computes, is not used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from seedqueue.models import openvino_network, probing
from seedqueue.models.errors import NetworkDiffers, NetworkUnsteady
from seedqueue.models.runtime import Runtime

EXAMPLE = np.zeros((1, 3, 8, 8), dtype=np.float32)
TWO_STREAMS = Runtime(device="cpu", precision="float32", threads=2)


def network(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 5)).eval()


def spoilt(compilations: int) -> Callable[..., Any]:
    """`_compiled`, of which the first so many compilations give every second image other numbers."""
    compiled, others = openvino_network._compiled, iter([1e-3] * compilations)

    def make(*arguments: Any) -> Any:
        right, other = compiled(*arguments), next(others, 0.0)

        def embed(inputs: Any) -> Any:
            found = right(inputs)
            found[1::2] += other
            return found

        return embed

    return make


def test_it_is_compiled_again_where_its_streams_do_not_agree(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(openvino_network, "_compiled", spoilt(2))
    found = TWO_STREAMS.of_module(network(), EXAMPLE, "f")
    assert sum("compiled again" in record.getMessage() for record in caplog.records) == 2
    inputs = np.repeat(probing.probe_like(EXAMPLE), 6, axis=0)
    assert probing.steady(found(inputs))


def test_it_is_refused_where_they_never_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_network, "_compiled", spoilt(openvino_network.COMPILATIONS))
    with pytest.raises(NetworkUnsteady, match=f"2 streams, after {openvino_network.COMPILATIONS} compilations"):
        TWO_STREAMS.of_module(network(), EXAMPLE, "f")


def test_it_is_refused_where_pytorch_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    convert = openvino_network.convert
    monkeypatch.setattr(openvino_network, "convert", lambda module, example: convert(network(seed=1), example))
    with pytest.raises(NetworkDiffers, match=r"at least 0\.999 expected"):
        TWO_STREAMS.of_module(network(), EXAMPLE, "f")


def test_probes_are_noise_of_the_inputs_kind() -> None:
    for dtype in (np.float32, np.uint8):
        probe = probing.probe_like(np.zeros((1, 3, 8, 8), dtype=dtype))
        assert (probe.shape, probe.dtype) == ((1, 3, 8, 8), dtype)
        assert len(np.unique(probe)) > 50


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 0], [2, 0], 1),
        ([1, 0], [0, 1], 0),
        ([0, 0], [0, 0], 1),
        ([0, 0], [1, 0], 0),
        ([np.nan, 0], [np.nan, 1], 1),
        ([np.nan, 0], [1, 1], 0),
    ],
)
def test_cosine(one: list[float], other: list[float], expected: float) -> None:
    assert probing.cosine(np.array(one), np.array(other)) == pytest.approx(expected)


def test_rows_are_steady_to_the_bit() -> None:
    rows = np.ones((3, 2), dtype=np.float32)
    assert probing.steady(rows)
    rows[2, 1] = np.nextafter(np.float32(1), np.float32(2))
    assert not probing.steady(rows)
    assert probing.steady(np.full((3, 2), np.nan, dtype=np.float32))
