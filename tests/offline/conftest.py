"""Two tiny packages in the place of seedqueue and all it stands on: a bundle of some kilobytes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from tiny_wheels import FILES, ROOT, unpack, wheel

from seedqueue.backend.offline import closure


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the tiny packages are installed; pip finds their wheels, and asks no network."""
    links, site = tmp_path / "links", tmp_path / "site"
    for name, headers in FILES.items():
        unpack(wheel(links, name, headers), site)
    (links / "tiny_root-1.2-py3-none-any.whl").unlink()  # our own is nowhere to be had
    for variable, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    monkeypatch.setattr(closure, "OURS", ROOT)
    importlib.invalidate_caches()
    return site
