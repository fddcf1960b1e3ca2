"""Weights from real servers on this machine: whole, checked, recorded; the token goes to its own server only."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from site_server import Site, start_site
from weights_family import CONTENT, DIGEST, sha256, source

from seedqueue.models import weights
from seedqueue.models.downloads import HUB, Token, fetch
from seedqueue.models.errors import (
    WeightsByHand,
    WeightsCorrupt,
    WeightsFolderUnusable,
    WeightsGated,
    WeightsUnreachable,
)
from seedqueue.models.weights import WeightsFile, WeightsSource

SECRET = "hf_secret"


def quiet(file: str, done: int, total: int | None) -> None:
    pass


@pytest.fixture
def new_site() -> Iterator[Callable[[str], Site]]:
    """Start a server under a host name."""
    servers = []

    def start(host: str) -> Site:
        site, server = start_site(host)
        servers.append(server)
        return site

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def site(new_site: Callable[[str], Site]) -> Site:
    return new_site("127.0.0.1")


def one(url: str, **more: str) -> WeightsSource:
    return source(WeightsFile("w.pth", url, **more))  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("moved", [False, True])
def test_a_fetched_file_is_there_whole_and_recorded(site: Site, tmp_path: Path, moved: bool) -> None:
    url = site.serve("/w", CONTENT)
    steps: list[tuple[str, int, int | None]] = []
    folder = tmp_path / "new" / "folder"
    wanted = one(site.redirect("/old", url) if moved else url, sha256=DIGEST[:8])
    new = fetch(folder, wanted, "one", lambda *step: steps.append(step))
    assert new == (folder / "w.pth",)
    assert new[0].read_bytes() == CONTENT
    assert steps[-1] == ("w.pth", len(CONTENT), len(CONTENT))
    assert len(steps) > 1
    assert names(folder) == ["SHA256SUMS", "w.pth"]
    assert (folder / "SHA256SUMS").read_text() == f"{DIGEST}  w.pth\n"


def test_all_files_are_fetched_and_an_optional_one_may_not_exist(site: Site, tmp_path: Path) -> None:
    files = [
        WeightsFile("net/variables/index", site.serve("/i", b"index")),
        WeightsFile("net/graph.pb", site.serve("/g", b"graph")),
        WeightsFile("net/more.json", site.url + "/absent", optional=True),
        WeightsFile("net/never.json", None, optional=True),
    ]
    (tmp_path / "SHA256SUMS").write_text(f"{'1' * 64}  other.pth\n")
    new = fetch(tmp_path, source(*files), "one", quiet)
    assert new == (tmp_path / "net/variables/index", tmp_path / "net/graph.pb")
    lines = (f"{sha256(b'graph')}  net/graph.pb", f"{sha256(b'index')}  net/variables/index", f"{'1' * 64}  other.pth")
    assert (tmp_path / "SHA256SUMS").read_text().splitlines() == list(lines)


def test_what_is_there_and_right_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    files = (WeightsFile("a", site.serve("/a", b"a")), WeightsFile("b", site.serve("/b", b"b"), also=("c",)))
    (tmp_path / "c").write_bytes(b"put there by hand")
    assert fetch(tmp_path, source(*files), "one", quiet) == (tmp_path / "a",)
    assert fetch(tmp_path, source(*files), "one", quiet) == ()
    assert [path for path, _ in site.asked] == ["/a"]
    assert set(weights.listed(tmp_path)) == {"a", "c"}
    # Now that it is listed, damage is noticed; the right file takes its place.
    (tmp_path / "a").write_bytes(b"damaged")
    with pytest.raises(WeightsCorrupt):
        weights.require(tmp_path, source(*files), "one")
    assert fetch(tmp_path, source(*files), "one", quiet) == (tmp_path / "a",)
    assert (tmp_path / "a").read_bytes() == b"a"


def test_a_failed_fetch_leaves_nothing(site: Site, tmp_path: Path) -> None:
    for url in (site.url + "/absent", site.cut("/cut"), site.refuse("/down", 503), "http://[::1", "nowhere"):
        with pytest.raises(WeightsUnreachable) as caught:
            fetch(tmp_path, one(url), "one", quiet)
        assert url in str(caught.value)
        assert f"put it here as {tmp_path / 'w.pth'}" in str(caught.value)
        assert names(tmp_path) == []


def test_nobody_listening(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnreachable, match="download the file on another machine"):
        fetch(tmp_path, one("http://127.0.0.1:9/w.pth"), "one", quiet)


def test_an_interrupted_fetch_leaves_nothing_partial(site: Site, tmp_path: Path) -> None:
    def interrupt(file: str, done: int, total: int | None) -> None:
        if file == "b":
            raise KeyboardInterrupt

    files = (WeightsFile("a", site.serve("/a", b"a")), WeightsFile("b", site.serve("/b", CONTENT)))
    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, source(*files), "one", interrupt)
    assert names(tmp_path) == ["SHA256SUMS", "a"]


@pytest.mark.parametrize("known", ["published", "in the name", "listed"])
def test_a_wrong_file_replaces_nothing(site: Site, tmp_path: Path, known: str) -> None:
    name = "w-00000000.pth" if known == "in the name" else "w.pth"
    file = WeightsFile(name, site.serve("/w", CONTENT), sha256="0000" if known == "published" else None)
    (tmp_path / name).write_bytes(b"damaged before")
    if known == "listed":
        (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n")
    before = names(tmp_path)
    with pytest.raises(
        WeightsCorrupt, match=f"found {DIGEST}; nothing was put in place: that is what {site.url}/w"
    ) as e:
        fetch(tmp_path, source(file), "one", quiet)
    assert ("take the file's line out of" in str(e.value)) == (known == "listed")
    assert (tmp_path / name).read_bytes() == b"damaged before"
    assert names(tmp_path) == before


def test_the_token_goes_to_its_own_server_only(new_site: Callable[[str], Site], tmp_path: Path) -> None:
    hub, cdn = new_site("127.0.0.1"), new_site("localhost")
    urls = (
        hub.redirect("/a", cdn.serve("/signed", b"a")),
        hub.redirect("/b", hub.serve("/near", b"b")),
        cdn.serve("/c", b"c"),
        f"http://{hub.authority}@{cdn.authority}/c",
        cdn.redirect("/d", hub.url + "/near"),
    )
    files = (WeightsFile(f"{number}", url) for number, url in enumerate(urls))
    fetch(tmp_path, source(*files), "one", quiet, Token(SECRET, hub.url))
    shown = f"Bearer {SECRET}"
    assert hub.asked == [("/a", shown), ("/b", shown), ("/near", shown), ("/near", None)]
    assert [path for path, _ in cdn.asked] == ["/signed", "/c", "/c", "/d"]
    assert not any(SECRET in str(authorization) for _, authorization in cdn.asked)


def test_by_default_the_token_is_huggingfaces() -> None:
    token = Token(SECRET)
    assert token.headers_for(f"{HUB}/google/cxr-foundation") == {"Authorization": f"Bearer {SECRET}"}
    for other in (
        "http://huggingface.co/w",
        "https://huggingface.co:8443/w",
        "https://huggingface.co.example.org/w",
        "https://cdn.huggingface.co/w",
        "https://huggingface.co@example.org/w",
        "https://example.org/huggingface.co",
    ):
        assert token.headers_for(other) == {}
    assert Token().headers_for(HUB) == {}
    assert SECRET not in repr(token)
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        Token(f"{SECRET}\n")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("token", ["", SECRET])
def test_a_gate_says_what_to_do(site: Site, tmp_path: Path, code: int, token: str) -> None:
    url = site.refuse("/w", code)
    gated = source(WeightsFile("w", url), gate="accept the terms there and set HF_TOKEN")
    with pytest.raises(WeightsGated) as caught:
        fetch(tmp_path, gated, "one", quiet, Token(token, site.url))
    message = str(caught.value)
    for part in (
        url,
        str(code),
        gated.page,
        "accept the terms there and set HF_TOKEN",
        "`seedqueue weights fetch one`",
    ):
        assert part in message
    assert ("to the token in HF_TOKEN" in message) == bool(token)
    assert SECRET not in message
    assert names(tmp_path) == []


def test_a_refusal_is_a_gate_only_where_there_is_one_or_a_token_would_help(site: Site, tmp_path: Path) -> None:
    open_to_all = one(site.refuse("/w", 403))
    with pytest.raises(WeightsUnreachable, match="the server answered 403"):
        fetch(tmp_path, open_to_all, "one", quiet)
    with pytest.raises(WeightsGated, match="ask for access there and set HF_TOKEN"):
        fetch(tmp_path, open_to_all, "one", quiet, Token(origin=site.url))


def test_what_only_a_person_can_download_is_not_begun(site: Site, tmp_path: Path) -> None:
    files = (WeightsFile("a", site.serve("/a", b"a")), WeightsFile("b", None))
    with pytest.raises(WeightsByHand) as caught:
        fetch(tmp_path, source(*files, gate="a credentialed account"), "one", quiet)
    for part in ("https://example.org/weights", "a credentialed account", "`seedqueue weights add one PATH`"):
        assert part in str(caught.value)
    assert site.asked == []
    (tmp_path / "b").write_bytes(b"b")
    assert fetch(tmp_path, source(*files), "one", quiet) == (tmp_path / "a",)


def test_a_folder_that_cannot_be_written_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WeightsFolderUnusable, match="File exists"):
        fetch(tmp_path / "file", one(site.serve("/w", CONTENT)), "one", quiet)
