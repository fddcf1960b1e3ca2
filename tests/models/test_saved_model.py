"""SavedModels that are damaged, another's, or up to something; both readers say so by name."""

import builtins
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from saved_models import ELIXR, REMEDIS, put

from seedqueue.models import saved_model
from seedqueue.models.embedders.cxrf import _VISION_SIGNATURE
from seedqueue.models.errors import ExtraMissing, OperationsMissing, WeightsCorrupt
from seedqueue.models.runtime import Runtime

pytestmark = pytest.mark.slow

RUNTIME = Runtime(device="cpu", threads=1)
INDEX, DATA = "variables/variables.index", "variables/variables.data-00000-of-00001"


@pytest.fixture(scope="module")
def tf() -> Any:
    return saved_model.tensorflow("cxrf", RUNTIME)


def halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "halved": halve,
    "empty": lambda file: file.write_bytes(b"") and None,
    "garbage": lambda file: file.write_bytes(b"\xffgarbage" * 100) and None,
    "gone": Path.unlink,
}


# Other numbers are numbers too: only a SHA-256 tells.
CASES = [(part, damage) for part in (saved_model.GRAPH, INDEX, DATA) for damage in DAMAGES]
CASES.remove((DATA, "garbage"))


@pytest.mark.parametrize(("part", "damage"), CASES)
def test_a_damaged_file_is_named_by_both_readers(tmp_path: Path, tf: Any, part: str, damage: str) -> None:
    graph = put("remedis-0", tmp_path, REMEDIS)
    DAMAGES[damage](graph.parent / part)
    if (part, damage) != (INDEX, "gone"):  # to OpenVINO a graph without numbers is one it cannot translate
        with pytest.raises(WeightsCorrupt, match="expected a SavedModel, found") as caught:
            saved_model.read(graph.parent)
        assert caught.value.file == graph
    with pytest.raises(WeightsCorrupt, match="expected a SavedModel, found") as caught:
        saved_model.load(tf, graph.parent)
    assert caught.value.file == graph
    assert "\n" not in str(caught.value)


def test_a_graph_that_reaches_out_is_refused(tmp_path: Path, tf: Any) -> None:
    for kind, operation in (("elixr-reading", "ReadFile"), ("elixr-calling", "EagerPyFunc")):
        graph = put(kind, tmp_path / kind, ELIXR)
        with pytest.raises(WeightsCorrupt, match=f"keeps to itself, found the operations {operation};") as caught:
            saved_model.load(tf, graph.parent)
        assert caught.value.file == graph


def test_operations_that_are_not_installed_are_named(tmp_path: Path, tf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = put("elixr-unknown", tmp_path, ELIXR)
    (tmp_path / "tensorflow_text.py").write_text("import builtins; builtins.asked_for = True", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(builtins, "asked_for", False, raising=False)
    with pytest.raises(
        OperationsMissing, match=r"SentencepieceOp; run `pip install 'tensorflow-text==2\.\d+\.\*'`"
    ) as caught:
        saved_model.load(tf, graph.parent)
    assert caught.value.operations == ("SentencepieceOp",)
    assert builtins.asked_for  # type: ignore[attr-defined]
    monkeypatch.delitem(sys.modules, "tensorflow_text")


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("elixr-unsigned", r"the signatures \(none\)"),
        ("elixr-input", r"serving_default\(examples string\) -> feature_maps_0 \(None, 8, 8, 1376\)"),
        ("elixr-output", r"serving_default\(input_example string\) -> something \(None, 8, 8, 1376\)"),
        ("elixr-narrow", r"serving_default\(input_example string\) -> feature_maps_0 \(None, 8, 8, 64\)"),
        ("text-0", r"serving_default\(ids int32, image_feature float32, paddings float32\) -> all_contr.*"),
    ],
)
def test_another_signature_is_described(tmp_path: Path, tf: Any, kind: str, found: str) -> None:
    folder = put(kind, tmp_path, ELIXR).parent
    expected = r"serving_default\(input_example string\) -> feature_maps_0 \(1, 8, 8, 1376\), found "
    with pytest.raises(WeightsCorrupt, match=expected + found):
        saved_model.signature(tf, saved_model.load(tf, folder), folder, _VISION_SIGNATURE)


def test_openvino_passes_on_what_it_cannot_read(tmp_path: Path) -> None:
    for kind in ("remedis-unsigned", "remedis-untranslated", "elixr-0"):
        assert saved_model.read(put(kind, tmp_path / kind, REMEDIS).parent) is None
    assert saved_model.read(put("remedis-0", tmp_path, REMEDIS).parent) is not None


def test_without_tensorflow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ExtraMissing, match=r"'cxrf' needs TensorFlow.*pip install 'seedqueue\[tensorflow\]'"):
        saved_model.tensorflow("cxrf", RUNTIME)


def test_tensorflow_has_the_runtimes_threads_and_no_gpu() -> None:
    code = """
from seedqueue.models import saved_model
from seedqueue.models.runtime import Runtime
tf = saved_model.tensorflow("cxrf", Runtime(device="cpu", threads=3))
print(tf.config.threading.get_intra_op_parallelism_threads(), tf.config.threading.get_inter_op_parallelism_threads())
print(tf.config.get_visible_devices("GPU"), tf.config.experimental.tensor_float_32_execution_enabled())
tf.constant(1) + 1
saved_model.tensorflow("cxrf", Runtime(threads=2))  # too late, and no error
print(tf.config.threading.get_intra_op_parallelism_threads())
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["3 3", "[] False", "3"]
    assert "rebuild TensorFlow" not in done.stderr  # its remark on the processor


def test_pytorchs_compiler_can_be_imported_afterwards() -> None:
    code = """
from seedqueue.models import saved_model
from seedqueue.models.runtime import Runtime
saved_model.tensorflow("cxrf", Runtime(device="cpu"))
import torchvision, torch._dynamo
print("alive")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "alive", done.stderr


def test_a_savedmodels_files() -> None:
    files = saved_model.files("a/b", "https://host/b")
    assert [file.name for file in files] == [f"a/b/{each}" for each in (saved_model.GRAPH, INDEX, DATA)]
    assert [file.url for file in files] == [f"https://host/b/{each}" for each in (saved_model.GRAPH, INDEX, DATA)]
    assert {file.url for file in saved_model.files("a/b")} == {None}
