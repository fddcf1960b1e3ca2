"""A bundle is made by one command and installed by another, without a network; a damaged one is refused by name."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from seedqueue.backend import cli
from seedqueue.backend.offline import bundle, checksums, closure, installing
from seedqueue.backend.offline.errors import BundleExists, ExtraUnknown, ImageUnusable, NoLabelStudio
from seedqueue.backend.offline.weight_files import WeightFile

pytestmark = pytest.mark.slow

Install = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def weights(tmp_path: Path) -> WeightFile:
    path = tmp_path / "here" / "family" / "one.pt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights" * 100)
    return WeightFile(
        path, "family/one.pt", installing.sha256(path), ("family:one",), "Apache-2.0", "https://example.org"
    )


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "backend.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("manifest.json"), io.BytesIO())
    return path


@pytest.fixture
def made(tiny: Path, tmp_path: Path, weights: WeightFile, image: Path) -> Path:
    wanted = bundle.Wanted(weights=[weights], images=[image])
    return bundle.make(tmp_path / "bundle", wanted, lambda done, total: None).folder


@pytest.fixture
def install(made: Path, tmp_path: Path) -> Install:
    """Run the bundle's install.py by a Python that knows no seedqueue, behind no network where this may be had."""

    def run(*options: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "SEEDQUEUE_"))}
        command = [*_no_network(), sys.executable, "-I", made / "install.py", *options]
        return subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False, env={**env, **variables}, cwd=tmp_path
        )

    return run


def _no_network() -> list[str]:
    """A network namespace of its own has not even loopback; root may make one, and some kernels let others too."""
    for command in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        if (
            shutil.which("unshare")
            and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
        ):
            return command
    return []


def test_what_is_in_it(made: Path, weights: WeightFile) -> None:
    files = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert files == {
        "README.md",
        "SHA256SUMS",
        "install.py",
        "manifest.json",
        "images/backend.tar",
        "weights/SHA256SUMS",
        "weights/family/one.pt",
        "wheels/requirements.txt",
        "wheels/tiny_leaf-1.2-py3-none-any.whl",
        "wheels/tiny_root-1.2-py3-none-any.whl",
    }
    assert (made / "wheels/requirements.txt").read_text() == "tiny-leaf==1.2\ntiny-root==1.2\n"
    assert (made / "weights/SHA256SUMS").read_text() == f"{weights.sha256}  family/one.pt\n"
    assert json.loads((made / "manifest.json").read_text())["images"] == ["backend.tar"]
    assert "family/one.pt of family:one (Apache-2.0)" in (made / "README.md").read_text()
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=made, check=False).returncode == 0


def test_it_installs_without_a_network(install: Install, made: Path, tmp_path: Path, weights: WeightFile) -> None:
    venv, target = tmp_path / "venv", tmp_path / "weights"
    target.mkdir()
    (target / "SHA256SUMS").write_text(f"{'0' * 64}  mine.pt\n")
    # What a machine may have in its surroundings must not be asked.
    done = install("--venv", venv, SEEDQUEUE_WEIGHTS=str(target), PIP_INDEX_URL="http://192.0.2.1/", PIP_NO_INDEX="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert subprocess.run([venv / "bin/tiny-root"], capture_output=True, text=True, check=True).stdout == "tiny_root\n"
    assert subprocess.run([venv / "bin/tiny-leaf"], capture_output=True, text=True, check=True).stdout == "tiny_leaf\n"
    assert (target / "family/one.pt").read_bytes() == weights.path.read_bytes()
    assert (target / "SHA256SUMS").read_text() == f"{'0' * 64}  mine.pt\n{weights.sha256}  family/one.pt\n"
    assert f"docker load --input {made}/images/backend.tar" in done.stdout
    assert f"SEEDQUEUE_WEIGHTS={target}" in done.stdout
    again = install("--venv", venv, "--weights", target)
    assert (again.returncode, again.stderr) == (
        1,
        f"Refused: {venv} is there already and not empty: name a new folder\n",
    )


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("wheels/tiny_leaf-1.2-py3-none-any.whl", "is damaged"),
        ("weights/family/one.pt", "is damaged"),
        ("install.py", "is damaged"),
        ("images/backend.tar", "is missing"),
        ("wheels/added-1-py3-none-any.whl", "does not belong"),
        ("SHA256SUMS", "is missing"),
    ],
)
def test_a_damaged_bundle_is_refused_by_the_files_name(
    install: Install, made: Path, tmp_path: Path, name: str, what: str
) -> None:
    assert install("--check").returncode == 0
    if what == "is missing":
        (made / name).unlink()
    else:
        with (made / name).open("ab") as opened:
            opened.write(b"\n")
    done = install("--venv", tmp_path / "venv", "--weights", tmp_path / "weights")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Refused: {name} {what}")
    assert not (tmp_path / "venv").exists()
    assert not (tmp_path / "weights").exists()


def test_another_python_or_machine_is_refused(install: Install, made: Path, tmp_path: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    (made / "manifest.json").write_text(json.dumps({**manifest, "machine": "s390x"}))
    checksums.write(made)
    done = install("--venv", tmp_path / "venv")
    assert done.returncode == 1
    assert "the bundle is for machine s390x, and this is machine" in done.stderr


def test_weights_that_are_others_are_not_replaced(install: Install, tmp_path: Path) -> None:
    mine = tmp_path / "weights" / "family" / "one.pt"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    done = install("--venv", tmp_path / "venv", "--weights", tmp_path / "weights")
    assert done.returncode == 1
    assert f"{mine} is there already and is another file" in done.stderr
    assert mine.read_bytes() == b"mine"
    assert not (tmp_path / "venv").exists()


def test_an_environment_that_cannot_be_filled_does_not_stay(install: Install, made: Path, tmp_path: Path) -> None:
    with (made / "wheels/requirements.txt").open("a") as opened:
        opened.write("nowhere==1\n")
    checksums.write(made)
    done = install("--venv", tmp_path / "venv", "--weights", tmp_path / "weights")
    assert done.returncode == 1
    assert "Refused: pip could not install the wheels" in done.stderr
    assert not (tmp_path / "venv").exists()
    assert {path.name for path in (tmp_path / "weights").iterdir()} == {"SHA256SUMS", "family"}
    same = install("--venv", tmp_path / "venv", "--label-studio-venv", tmp_path / "venv")
    assert (same.returncode, "name two folders" in same.stderr) == (1, True)


def test_what_cannot_be_made_leaves_nothing(
    tiny: Path, tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, text = tmp_path / "full", tmp_path / "text.tar"
    full.mkdir()
    text.write_text("no archive")
    (full / "mine").touch()

    def make(out: str, **wanted: object) -> None:
        bundle.make(tmp_path / out, bundle.Wanted(**wanted), lambda done, total: None)  # type: ignore[arg-type]

    with pytest.raises(BundleExists, match="full is there already"):
        make("full")
    with pytest.raises(ImageUnusable, match="it is no tar archive"):
        make("out", images=[image, text])
    with pytest.raises(ImageUnusable, match="another one has the same name"):
        make("out", images=[image, image])
    with pytest.raises(ImageUnusable, match="no such file"):
        make("out", images=[tmp_path / "absent.tar"])
    with pytest.raises(ExtraUnknown, match="no extra 'bench'; give some of: more"):
        make("out", extras=["bench"])
    with pytest.raises(NoLabelStudio, match="no bin/python"):
        make("out", label_studio=full)

    def interrupted(folder: Path) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(checksums, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make("out")
    assert not list(tmp_path.glob("out*"))


def test_an_extra_goes_along(tiny: Path, tmp_path: Path) -> None:
    made = bundle.make(tmp_path / "bundle", bundle.Wanted(extras=["more"]), lambda done, total: None)
    assert made.packages == 3
    assert (made.folder / "wheels/tiny_more-1.2-py3-none-any.whl").is_file()
    assert "with the extras more" in (made.folder / "README.md").read_text()
    assert closure.OURS == "tiny-root"


def test_as_it_is_typed(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def typed(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seedqueue", "bundle", "--out", str(tmp_path / "out"), *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capfd.readouterr()

    monkeypatch.setenv("SEEDQUEUE_WEIGHTS", str(tmp_path / "none"))
    code, _, told = typed("--embedder", "txrv")
    assert (code, told.partition(":")[0]) == (1, "WeightsMissing")
    assert not (tmp_path / "out").exists()
    code, told, _ = typed("--embedder", "hog")
    assert code == 0
    assert told.startswith(f"{tmp_path / 'out'}: 2 packages, 6 files, ")
    code, _, told = typed()
    assert (code, told.partition(":")[0]) == (1, "BundleExists")
