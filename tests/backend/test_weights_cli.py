"""`seedqueue weights list | fetch | add` as they are typed, from a real server on this machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from site_server import Site, start_site
from weights_family import CONTENT, DIGEST, register, sha256, source

from seedqueue.backend import cli, settings, weights_cli
from seedqueue.backend.errors import InvalidSetting
from seedqueue.models import registry
from seedqueue.models.downloads import Token
from seedqueue.models.errors import WeightsCorrupt
from seedqueue.models.weights import WeightsFile

SECRET = "hf_secret"
ABSENT = "https://example.org/absent"

Eventually = Callable[..., object]
Type = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def site() -> Iterator[Site]:
    site, server = start_site("127.0.0.1")
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights folder, which is not there yet."""
    monkeypatch.setenv("SEEDQUEUE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(registry, "_entries", {entry.name: entry for entry in registry.entries()})
    return tmp_path / "weights"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: Path) -> Type:
    """Type `seedqueue weights ...`: exit code, standard output, standard error."""

    def run(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seedqueue", "weights", *line.split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capfd.readouterr()

    return run


@pytest.fixture
def own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No families but the test's own."""
    monkeypatch.setattr(registry, "_entries", {})


def row(out: str, name: str) -> list[str]:
    """A line of the list in its words: name, present, size."""
    [line] = [line for line in out.splitlines() if line.partition(" ")[0] == name]
    return line.split()


@pytest.mark.usefixtures("own")
def test_fetch_list_and_damage(typed: Type, site: Site, folder: Path) -> None:
    files = (WeightsFile("net/a.bin", site.serve("/a", CONTENT)), WeightsFile("net/b.json", site.serve("/b", b"{}")))
    register("net", source(*files))
    assert row(typed("list")[1], "net") == ["net", "no", "?"]
    code, out, err = typed("fetch net")
    assert code == 0
    assert out.splitlines() == [str(folder / "net" / "a.bin"), str(folder / "net" / "b.json")]
    assert "net/a.bin" in err  # the bar
    assert "2.3/2.3 MB" in err
    assert row(typed("list")[1], "net") == ["net", "yes", "2.3", "MB"]
    assert typed("fetch net")[:2] == (0, "all of them were here and in order\n")
    assert registry.create("net", folder).paths.keys() == {"net/a.bin", "net/b.json"}
    (folder / "net" / "a.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsCorrupt, match=f"expected a SHA-256 of {DIGEST}"):
        registry.create("net", folder)
    out = typed("list net")[1]
    assert row(out, "net")[1] == "damaged"
    assert f"damaged: {folder / 'net' / 'a.bin'}: expected a" in " ".join(out.split())
    assert typed("fetch net")[1] == f"{folder / 'net' / 'a.bin'}\n"
    assert row(typed("list net")[1], "net")[1] == "yes"
    site.answers.clear()
    (folder / "net" / "b.json").unlink()
    out = typed("list net")[1]
    assert row(out, "net")[1] == "partly"
    assert "    missing: net/b.json\n" in out


@pytest.mark.usefixtures("own")
def test_the_list_tells_licence_gate_page_and_command(typed: Type, folder: Path) -> None:
    register("shut", source(WeightsFile("s.pb", None), gate="a credentialed account"), extra="some")
    register("wide", source(WeightsFile("w.pb", ABSENT, size=12_345_678)))
    _, out, _ = typed("list")
    assert out.splitlines()[0].split() == ["embedder", "present", "size"]
    assert row(out, "wide") == ["wide", "no", "12.3", "MB"]
    page = "https://example.org/weights"
    told = [
        "Apache-2.0 · needs seedqueue[some]",
        "gate: a credentialed account",
        page,
        "seedqueue weights add shut PATH",
    ]
    assert "\n".join(["", *(f"    {line}" for line in told), ""]) in out
    assert "\n".join(["", "    Apache-2.0 · open", f"    {page}", "    seedqueue weights fetch wide", ""]) in out
    assert out.endswith(f"\nin {folder}\n")


def test_every_embedder_with_weights_is_listed_within_80_columns(typed: Type) -> None:
    code, out, _ = typed("list")
    assert code == 0
    first = {line.partition(" ")[0].partition(":")[0] for line in out.splitlines() if not line.startswith(" ")}
    assert {entry.name for entry in registry.entries() if entry.needs_weights} <= first
    assert "hog" not in first
    *lines, folder = out.splitlines()  # the folder's path is as long as it is
    assert folder.startswith("in ")
    assert max(len(line) for line in lines) <= 80


def test_all_variants_of_a_family(typed: Type) -> None:
    _, out, _ = typed("list txrv")
    variants = registry.get("txrv").variants
    assert variants is not None
    for variant in variants():
        assert row(out, f"txrv:{variant}")[1] == "no"
    assert out.count("https://github.com/mlmed/torchxrayvision") == 1  # not below each


def test_the_list_for_programs(typed: Type, folder: Path) -> None:
    files = (WeightsFile("n/a.bin", ABSENT, sha256=DIGEST[:8], size=9), WeightsFile("n/b.bin", ABSENT, optional=True))
    register("net", source(*files, gate="terms"))
    (folder / "n").mkdir(parents=True)
    (folder / "n" / "b.bin").write_bytes(b"b:smile:")
    _, out, err = typed("list net --json")
    assert err == ""
    told = json.loads(out)
    assert told["folder"] == str(folder)
    [net] = told["embedders"]
    a, b = net.pop("files")
    assert net == {
        "embedder": "net",
        "present": "partly",
        "licence": "Apache-2.0",
        "gate": "terms",
        "page": "https://example.org/weights",
        "size": 17,
        "command": "seedqueue weights fetch net",
        "extra": None,
        "hint": None,
    }
    assert a["sha256"] == a["published_sha256"] == DIGEST[:8]
    assert (a["name"], a["url"], a["size"], a["path"], a["optional"]) == ("n/a.bin", ABSENT, 9, None, False)
    assert b["sha256"] == sha256(b"b:smile:")
    assert (b["size"], b["path"], b["fault"], b["optional"]) == (8, str(folder / "n" / "b.bin"), None, True)
    assert len(json.loads(typed("list hf --json")[1])["embedders"]) == 1


def test_add_a_file_and_a_folder(typed: Type, folder: Path, tmp_path: Path) -> None:
    register("one", source(WeightsFile("one.pb", None)))
    register("two", source(WeightsFile("two/a.pb", None), WeightsFile("two/b.pb", None)))
    for name in ("one.pb", "a.pb", "b.pb"):
        (tmp_path / name).write_bytes(name.encode())
    assert typed(f"add one {tmp_path / 'one.pb'}") == (0, f"{folder / 'one.pb'}\n", "")
    assert typed(f"add two {tmp_path}") == (0, f"{folder / 'two' / 'a.pb'}\n{folder / 'two' / 'b.pb'}\n", "")
    assert (tmp_path / "a.pb").exists()
    sums = (folder / "SHA256SUMS").read_text().splitlines()
    assert [line.split()[1] for line in sums] == ["one.pb", "two/a.pb", "two/b.pb"]
    for name in ("one", "two"):
        assert row(typed(f"list {name}")[1], name)[1] == "yes"


def test_an_offline_machine_needs_only_files_put_there(typed: Type, site: Site, folder: Path) -> None:
    register("net", source(WeightsFile("net/a.bin", site.serve("/a", CONTENT), also=("mine.bin",))))
    folder.mkdir()
    (folder / "mine.bin").write_bytes(CONTENT)
    assert row(typed("list net")[1], "net")[1] == "yes"
    assert typed("fetch net")[0] == 0
    assert registry.create("net", folder).sha256 == DIGEST
    assert site.asked == []


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("list txvr", "UnknownEmbedder: there is no embedder 'txvr'; did you mean txrv?; choose one of: "),
        ("fetch txrv:densenet121-res224-al", "UnknownEmbedder: there is no embedder 'txrv:densenet121-res224-al'; did"),
        ("list hog", "NoWeightsNeeded: the embedder 'hog' has no weights to fetch"),
        ("add hog x", "NoWeightsNeeded: "),
        ("fetch timm", "VariantMissing: the embedder 'timm' needs a model behind a colon"),
        ("fetch onnx:../../x.onnx", "WeightsOutside: the weights file '../../x.onnx' is not within the weights folder"),
        ("add out x", "WeightsOutside: the weights file '../out.pb' is not within the weights folder"),
        ("add txrv absent.pt", "WeightsNotAdded: nothing was added: absent.pt does not exist"),
        ("fetch remedis", "WeightsByHand: the weights of 'remedis:cxr-50x1-remedis-m' cannot be fetched by a command"),
    ],
)
def test_a_refusal_is_one_line(line: str, refusal: str, typed: Type, folder: Path) -> None:
    register("out", None, default_variant="x", variants=lambda: ("x",))  # type: ignore[arg-type]
    entry = registry.get("out")
    object.__setattr__(entry, "weights_source", lambda variant: source(WeightsFile("../out.pb", None)))
    code, out, err = typed(line)
    assert (code, out) == (1, "")
    assert err.startswith(refusal)
    assert len(err.splitlines()) == 1
    assert not folder.exists()


def test_a_gate_is_one_line_and_the_token_is_nowhere(
    typed: Type, site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    monkeypatch.setenv("HF_TOKEN", SECRET)
    register("gated", source(WeightsFile("g", site.refuse("/g", 401)), gate="accept the terms and set HF_TOKEN"))
    code, out, err = typed("fetch gated")
    assert code == 1
    assert err.startswith(f"WeightsGated: {site.url}/g answered 401")
    assert "accept the terms and set HF_TOKEN, and run `seedqueue weights fetch gated` again" in err
    assert len(err.splitlines()) == 1
    assert site.asked == [("/g", None)]  # it is huggingface.co's
    assert SECRET not in out + err + caplog.text


def test_the_token_of_the_environment_is_shown_to_its_server(
    typed: Type, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_cli, "Token", partial(Token, origin=site.url))  # in place of huggingface.co
    monkeypatch.setenv("HF_TOKEN", SECRET)
    register("gated", source(WeightsFile("g", site.serve("/g", CONTENT))))
    assert typed("fetch gated")[0] == 0
    assert site.asked == [("/g", f"Bearer {SECRET}")]


def test_the_token_is_in_no_repr_and_no_message() -> None:
    assert settings.load({"HF_TOKEN": f" {SECRET}\n"}).hub_token == SECRET
    assert SECRET not in repr(settings.load({"HF_TOKEN": SECRET}))
    for wrong in (f"{SECRET} x", f"{SECRET}\nx", f"{SECRET}é"):
        with pytest.raises(InvalidSetting, match=r"^HF_TOKEN='...' cannot be used: ") as caught:
            settings.load({"HF_TOKEN": wrong})
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_fetch_leaves_nothing(site: Site, tmp_path: Path, stop: int, eventually: Eventually) -> None:
    site.drips = True
    url = site.serve("/w", CONTENT)
    program = (
        "from weights_family import register, source\n"
        "from seedqueue.models.weights import WeightsFile\n"
        "from seedqueue.backend import cli\n"
        f"register('slow', source(WeightsFile('w', {url!r})))\n"
        "cli.main()\n"
    )
    support = Path(__file__).parents[1] / "support"
    env = {**os.environ, "SEEDQUEUE_WEIGHTS": str(tmp_path / "w"), "PYTHONPATH": str(support)}
    command = [sys.executable, "-c", program, "weights", "fetch", "slow"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as fetching:
        eventually(lambda: list((tmp_path / "w").glob(".arriving-*/part")), what="the first bytes")
        fetching.send_signal(stop)
        _, err = fetching.communicate(timeout=30)
    assert fetching.returncode != 0
    assert "Traceback" not in err
    assert list((tmp_path / "w").iterdir()) == []
