"""A conversion, whatever comes of it, leaves this process's logging as it was."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import torch

from seedqueue.models.openvino_network import convert

EXAMPLE = np.zeros((1, 1, 8, 8), dtype=np.float32)


class Positions(torch.nn.Module):
    """Adds a table of positions that had another size, as vision transformers do: traced alone it is a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Parameter(torch.ones(1, 1, 5, 5))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        table = torch.nn.functional.interpolate(self.table, size=(8, 8), mode="bicubic", antialias=True)
        return (images + table).flatten(1)


class Bessel(torch.nn.Module):
    """OpenVINO has no rule for it."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.special.bessel_j0(images).flatten(1)


@pytest.fixture
def before() -> list[Any]:
    return logging_now()


def logging_now() -> list[Any]:
    root = logging.getLogger()
    return [root.level, root.filters.copy(), root.handlers.copy()]


def test_after_one_that_was_traced(before: list[Any]) -> None:
    assert convert(Positions().eval(), EXAMPLE).output(0).shape == [1, 64]
    assert logging_now() == before


def test_after_one_that_failed(before: list[Any]) -> None:
    from openvino.frontend import OpConversionFailure

    with pytest.raises(OpConversionFailure, match="bessel_j0"):
        convert(Bessel().eval(), EXAMPLE)
    assert logging_now() == before
