"""An embedder family for tests of the weights: its files come from a test's own server, or from wherever it says."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from seedqueue.models import registry, weights
from seedqueue.models.runtime import Runtime

CONTENT = bytes(range(256)) * 9000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def source(*files: weights.WeightsFile, gate: str | None = None) -> weights.WeightsSource:
    return weights.WeightsSource(files, "https://example.org/weights", "Apache-2.0", gate)


def register(name: str, of: weights.WeightsSource, **more: Any) -> None:
    """One more family; the test takes it away again by `monkeypatch.setattr(registry, "_entries", ...)`."""

    def create(full: str, weights_folder: Path, runtime: Runtime) -> Any:
        return weights.require(weights_folder, of, full)

    facts = {"title": name.title(), "summary": "One.", "dimension": 1, "input": "any", **more}
    registry.register(name, weights_source=lambda variant: of, **facts)(create)
