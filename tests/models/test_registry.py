"""An embedder is found by being there; names are spelt out; listing is quick."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from seedqueue.models import registry
from seedqueue.models.errors import UnknownEmbedder

MODULE = """
from seedqueue.models.registry import register

@register("mean", title="Mean", summary="The mean.", dimension=1, input="any")
def create(name, weights_folder, runtime):
    return name
"""


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_entries", {entry.name: entry for entry in registry.entries()})


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "mean.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_a_new_file_is_a_new_embedder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.import_folder(package(tmp_path, monkeypatch, "dropped_embedders"), "dropped_embedders")
    assert "mean" in registry.names()
    assert str(registry.create("mean", tmp_path)) == "mean"
    assert not registry.get("mean").needs_weights


def test_another_package_can_bring_an_embedder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, monkeypatch, "plugin_embedders")
    plugin = EntryPoint("mean", "plugin_embedders.mean", registry.ENTRY_POINTS)

    def installed(*, group: str) -> list[EntryPoint]:
        return [plugin] if group == "seedqueue.embedders" else []

    monkeypatch.setattr(registry, "entry_points", installed)
    registry.import_plugins()
    assert "mean" in registry.names()


def test_two_embedders_of_one_name() -> None:
    with pytest.raises(ValueError, match="two embedders are named 'hog'"):
        registry.register("hog", title="H", summary="H.", dimension=1, input="any")(registry.create)


def test_names_are_spelt_out() -> None:
    assert registry.full_name("hog") == "hog"
    assert registry.full_name("txrv") == "txrv:densenet121-res224-all"
    assert registry.full_name("txrv:densenet121-res224-nih") == "txrv:densenet121-res224-nih"
    assert registry.full_name("imagenet:resnet50") == "imagenet:resnet50"
    assert registry.full_name("imagenet:") == "imagenet:densenet121"
    for wrong in ("imagenet:inception_v3", "hog:", "", "txrv:resnet50"):
        with pytest.raises(UnknownEmbedder):
            registry.full_name(wrong)


def test_the_published_sources() -> None:
    densenet = registry.get("imagenet").weights_source
    assert densenet is not None
    [file] = densenet("densenet121").files
    assert (file.name, file.also) == ("densenet121-a639ec97.pth", ("densenet121_imagenet.pth",))
    txrv = registry.get("txrv").weights_source
    assert txrv is not None
    [file] = txrv("densenet121-res224-all").files
    assert str(file.url).endswith(file.name)
    assert file.name.startswith("nih-pc-chex-mimic_ch-google-openi-kaggle-densenet121")


def test_listing_needs_no_torch() -> None:
    code = "import sys; from seedqueue.models.registry import names; names(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
