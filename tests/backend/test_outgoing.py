"""What goes out while an image is fetched: to whom, and what it carries. Every connection ends on this machine."""

from __future__ import annotations

import gzip
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import pytest
from site_server import PNG, Site, start_site

from seedqueue.backend.errors import InvalidSetting, LabelStudioUnreachable, TokenRefused
from seedqueue.backend.fetch import CONNECT_SECONDS, ImageFetcher, allowed_hosts, is_image_path
from seedqueue.backend.label_studio import Studio
from seedqueue.models.errors import UnreadableImage

LS = "https://ls.example.org/studio"
TOKEN = "a" * 40
PUBLIC = "93.184.215.14"


@contextmanager
def serving() -> Iterator[Site]:
    site, server = start_site("127.0.0.1")
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def own() -> Iterator[Site]:
    """Label Studio."""
    with serving() as site:
        yield site


@pytest.fixture
def other() -> Iterator[Site]:
    with serving() as site:
        yield site


Fetch = Callable[..., bytes]


@pytest.fixture
def fetch(own: Site) -> Iterator[Fetch]:
    fetchers: dict[tuple[str, str, str], ImageFetcher] = {}

    def go(uri: str, hosts: str = "", url: str = own.url, public_url: str = "") -> bytes:
        key = (hosts, url, public_url)
        if key not in fetchers:
            fetchers[key] = ImageFetcher(Studio(url, TOKEN, public_url), allowed_hosts(hosts), 1000)
        return fetchers[key].fetch(5, uri).content

    yield go
    for fetcher in fetchers.values():
        fetcher.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What names mean: the addresses at each question, the last ones stay; a name that is not there is unknown."""
    meant: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *more: Any, **options: Any) -> Any:
        if host not in meant:
            return real(host, port, *more, **options)
        now = meant[host].pop(0) if len(meant[host]) > 1 else meant[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in now]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return meant


@pytest.fixture(autouse=True)
def loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here sends anything elsewhere, even where what it tests is broken."""
    real = httpcore.SyncBackend.connect_tcp

    def connect(self: httpcore.SyncBackend, host: str, *more: Any, **options: Any) -> Any:
        assert host == "localhost" or ipaddress.ip_address(host).is_loopback
        return real(self, host, *more, **options)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)


@pytest.fixture
def connected(other: Site, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every connection is noted and led to `other`, wherever it was meant to go."""
    noted: list[tuple[str, int]] = []
    real = httpcore.SyncBackend.connect_tcp
    port = int(other.url.rpartition(":")[2])

    def connect(self: httpcore.SyncBackend, host: str, to: int, *more: Any, **options: Any) -> Any:
        noted.append((host, to))
        return real(self, "127.0.0.1", port, *more, **options)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return noted


def test_a_name_that_means_another_address_a_moment_later_does_not_matter(
    own: Site, names: dict[str, list[list[str]]], fetch: Fetch
) -> None:
    """DNS rebinding: what was judged is what is connected to; nobody listens at 127.0.0.99."""
    names["images.example.org"] = [["127.0.0.1"], ["127.0.0.99"]]
    uri = own.serve("/x.png").replace("127.0.0.1", "images.example.org")
    assert fetch(uri, hosts="images.example.org") == PNG
    assert own.headers[-1]["Host"] == uri.split("/")[2]
    assert names["images.example.org"] == [["127.0.0.99"]]  # nobody has asked again


def test_a_name_that_turns_inner_between_two_connections_is_refused(
    names: dict[str, list[list[str]]], connected: list[tuple[str, int]], other: Site, fetch: Fetch
) -> None:
    names["images.example.org"] = [[PUBLIC], ["127.0.0.1"]]
    other.answers["/x.png"] = (200, {"Content-Length": "1", "Connection": "close"}, b"x")
    assert fetch("http://images.example.org/x.png", hosts="*") == b"x"
    with pytest.raises(UnreadableImage, match=r"127\.0\.0\.1 of an inner network"):
        fetch("http://images.example.org/x.png", hosts="*")
    assert connected == [(PUBLIC, 80)]


def test_the_next_address_of_a_host_is_tried(own: Site, names: dict[str, list[list[str]]], fetch: Fetch) -> None:
    names["images.example.org"] = [["127.0.0.99", "127.0.0.1"]]
    uri = own.serve("/x.png").replace("127.0.0.1", "images.example.org")
    assert fetch(uri, hosts="images.example.org") == PNG


def test_a_host_of_a_hundred_dead_addresses_takes_no_longer_than_one(
    names: dict[str, list[list[str]]], fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def hang(self: httpcore.SyncBackend, host: str, port: int, timeout: float, *more: Any) -> Any:
        tried.append(timeout)
        raise httpcore.ConnectTimeout("timed out")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", hang)
    monkeypatch.setattr(httpcore.SyncBackend, "sleep", lambda self, seconds: None)
    names["images.example.org"] = [[f"93.184.215.{last}" for last in range(100)]]
    with pytest.raises(UnreadableImage, match="does not answer: timed out"):
        fetch("http://images.example.org/x.png", hosts="*")
    assert sum(tried) == pytest.approx(3 * CONNECT_SECONDS, abs=0.1)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "no image is ever fetched"),
        ("http://[::ffff:169.254.169.254]/", "no image is ever fetched"),
        ("http://[fd00:ec2::254]/", "no image is ever fetched"),
        ("http://0.0.0.0:6379/", "no image is ever fetched"),
        ("http://2852039166/", "no image is ever fetched"),
        ("http://0x7f.1:6379/", "inner network"),
        ("http://localhost:6379/", "inner network"),
        ("http://[::1]:6379/", "inner network"),
        ("http://10.0.0.7/x.png", "inner network"),
        ("//192.168.0.1/x.png", "inner network"),
        ("file:///etc/passwd", "no address"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "no address"),
        ("http://%31%32%37.0.0.1/", "no address"),
        ("http://127.0.0.1\\@images.example.org/", "no address"),
    ],
)
def test_nobody_is_connected_to_where_label_studio_redirects_to_the_inside(
    location: str, reason: str, own: Site, connected: list[tuple[str, int]], fetch: Fetch, other: Site
) -> None:
    other.redirect("/data/upload/1/x.png", location)  # all connections end at `other`: Label Studio's first one too
    for hosts in ("", "*", "minio.lab:9000"):
        with pytest.raises(UnreadableImage, match=reason):
            fetch("/data/upload/1/x.png", hosts=hosts)
    with pytest.raises(UnreadableImage):
        fetch(location, hosts="*")
    assert {f"http://{host}:{port}" for host, port in connected} == {own.url}


def test_a_listed_port_opens_no_other(own: Site, connected: list[tuple[str, int]], other: Site, fetch: Fetch) -> None:
    other.redirect("/data/upload/1/x.png", "http://127.0.0.1:6379/")
    with pytest.raises(UnreadableImage, match="inner network"):
        fetch("/data/upload/1/x.png", hosts="127.0.0.1:9000")
    assert {f"http://{host}:{port}" for host, port in connected} == {own.url}


@pytest.mark.parametrize(
    "uri",
    [
        "http://label-studio.example:8080@evil.example/data/upload/1/x.png",
        "http://label-studio.example@evil.example:8080/data/upload/1/x.png",
        "http://label-studio.example:8080#@evil.example/data/upload/1/x.png",
        "http://label-studio.example/data/upload/1/x.png",  # another port
        "http://label-studio.example.:8080/data/upload/1/x.png",
        "http://label-studio.example.evil.example:8080/data/upload/1/x.png",
        "http://lаbel-studio.example:8080/data/upload/1/x.png",  # a Cyrillic letter
        "http://label-studio.example:8080\\@evil.example/data/upload/1/x.png",
        "http://label-studio.example:8080\t.evil.example/data/upload/1/x.png",
        "https://label-studio.example:8080/data/upload/1/x.png",
        "//evil.example/data/upload/1/x.png",
        "/\\evil.example/data/upload/1/x.png",
        "/data/upload/../../api/users/x.png",
    ],
)
def test_the_token_goes_to_label_studio_alone(
    uri: str, names: dict[str, list[list[str]]], connected: list[tuple[str, int]], other: Site, fetch: Fetch
) -> None:
    """Any host may be fetched from here, and all of them are `other`, which notes what it is told."""
    label_studio = "http://label-studio.example:8080"
    for host in ("evil.example", "label-studio.example", "label-studio.example.", "label-studio.example.evil.example"):
        names[host] = [[PUBLIC]]
    names["xn--lbel-studio-w7h.example"] = [[PUBLIC]]
    with pytest.raises(UnreadableImage):
        fetch(uri, hosts="*", url=label_studio)
    assert TOKEN not in str(other.headers)
    other.serve("/data/upload/1/x.png")
    for good in ("/data/upload/1/x.png", "HTTP://user:pw@LABEL-studio.EXAMPLE:8080/data/upload/1/x.png"):
        assert fetch(good, hosts="*", url=label_studio) == PNG
        assert other.asked[-1] == ("/data/upload/1/x.png", f"Token {TOKEN}")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/data/upload/1/x.png", True),
        ("/data/local-files/?d=a/../b.png", True),  # Label Studio itself keeps to its folder
        ("/tasks/5/presign/?fileuri=x", True),
        ("/tasks/5/resolve/?fileuri=x", True),
        ("/projects/5/resolve/?fileuri=x", True),
        ("/storage-data/uploaded/?filepath=x", True),
        ("/data/avatars/1.png", False),
        ("/api/current-user/token", False),
        ("/api/projects/1/export", False),
        ("/data/../api/current-user/token", False),
        ("/data/upload/../../api/current-user/token", False),
        ("/data/upload/%2e%2e/%2e%2e/api/current-user/token", False),
        ("/data/upload/.%252e/.%252e/api/users", False),
        ("/data/upload/..%5c..%5capi/users", False),
        ("/tasks/5/resolve", False),
        ("/tasks/5/annotations/", False),
        ("/tasks/x/../../api/resolve/", False),
        ("/logout", False),
        ("//data/upload/x", False),
        ("/data", False),
    ],
)
def test_only_paths_of_images_get_the_token(path: str, expected: bool) -> None:
    assert is_image_path(LS + path, LS) is expected


def test_a_path_outside_of_label_studios_own_gets_none() -> None:
    assert not is_image_path("https://ls.example.org/data/upload/1/x.png", LS)
    assert not is_image_path("https://ls.example.org/studio2/data/upload/1/x.png", LS)


def test_other_paths_of_label_studio_are_asked_without_the_token_and_their_answers_are_the_images_fault(
    own: Site, fetch: Fetch
) -> None:
    own.serve("/static/x.png")
    assert fetch("/static/x.png") == PNG
    own.refuse("/api/projects/1/export", 401)
    own.refuse("/neighbour/x.png", 503)
    with pytest.raises(UnreadableImage, match="HTTP 401"):
        fetch("/api/projects/1/export")
    with pytest.raises(UnreadableImage, match="HTTP 503"):
        fetch(f"{own.url}/neighbour/x.png")
    assert {token for _, token in own.asked} == {None}
    own.refuse("/data/upload/1/x.png", 401)
    with pytest.raises(TokenRefused):
        fetch("/data/upload/1/x.png")
    own.refuse("/data/upload/1/x.png", 503)
    with pytest.raises(LabelStudioUnreachable):
        fetch("/data/upload/1/x.png")


@pytest.mark.parametrize(
    ("uri", "path", "token"),
    [
        ("/data/upload/1/x.png", "/studio/data/upload/1/x.png", True),
        ("/studio/data/upload/1/x.png", "/studio/data/upload/1/x.png", True),  # as Label Studio writes it
        ("{own}/studio/data/upload/1/x.png", "/studio/data/upload/1/x.png", True),
        ("https://ls.example.org/lab/data/upload/1/x.png", "/studio/data/upload/1/x.png", True),
        ("/lab/data/upload/1/x.png", "/studio/data/upload/1/x.png", True),
        ("{own}/data/upload/1/x.png", "/data/upload/1/x.png", False),  # another application there
        ("s3://b/x.png", "/studio/tasks/5/presign/?fileuri=czM6Ly9iL3gucG5n", True),
    ],
)
def test_label_studio_below_a_path(uri: str, path: str, token: bool, own: Site, fetch: Fetch) -> None:
    own.serve(path)
    assert fetch(uri.format(own=own.url), url=f"{own.url}/studio", public_url="https://ls.example.org/lab") == PNG
    assert own.asked == [(path, f"Token {TOKEN}" if token else None)]


def test_nothing_goes_through_a_proxy_of_the_environment(
    own: Site, other: Site, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, other.url)
    assert fetch(own.serve("/data/upload/1/x.png")) == PNG
    own.cut("/data/upload/1/y.png")
    own.serve("/health")
    with pytest.raises(UnreadableImage):  # and not "Label Studio does not answer", as the proxy would have said
        fetch("/data/upload/1/y.png")
    assert other.asked == []


def test_cookies_are_not_carried_along(own: Site, fetch: Fetch) -> None:
    own.serve("/data/upload/1/x.png", **{"Set-Cookie": "sessionid=secret; Path=/"})
    fetch("/data/upload/1/x.png")
    own.serve("/api/users/x.png")
    fetch("/api/users/x.png")
    assert [headers.get("Cookie") for headers in own.headers] == [None, None]


def test_a_password_in_an_address_goes_to_its_host_alone(other: Site, fetch: Fetch) -> None:
    with serving() as third:
        other.redirect("/x.png", third.serve("/y.png"))
        assert fetch(f"http://reader:hunter%402@{other.authority}/x.png", hosts="127.0.0.1") == PNG
        assert other.asked == [("/x.png", "Basic cmVhZGVyOmh1bnRlckAy")]
        assert third.asked == [("/y.png", None)]


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://reader:hunter2@pacs/x.png",
        "ftp://reader:hunter2/hunter2@pacs/x.png",
        "http://reader:hunter2@pacs.invalid/x.png",
        "http://reader:hunter2@pacs.invalid:99999/x.png",
        "http://reader:hunter2 @pacs.invalid/x.png",
        "http://reader:hunter2@127.0.0.1:9/x.png",
        "http://reader:hunter2@169.254.169.254/x.png",
        "http://reader:hunter2@{other}/missing.png",
        "http://reader:hunter2@{other}/cut.png",
        "http://reader:hunter2@{other}/away.png",
        "ftp://pacs/x.png?X-Amz-Signature=hunter2",
        "http://127.0.0.1:9/x.png?X-Amz-Signature=hunter2",
        "s3://reader:hunter2@b/x.png",
    ],
)
def test_passwords_and_signatures_are_in_no_reason_and_no_log(
    uri: str, other: Site, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # one step below what `seedqueue` lets others log
    other.cut("/cut.png")
    other.redirect("/away.png", "http://reader:hunter2@pacs.invalid/y.png?sig=hunter2")
    for hosts in ("", "*", "127.0.0.1,pacs.invalid"):
        with pytest.raises(UnreadableImage) as caught:
            fetch(uri.format(other=other.authority), hosts=hosts)
        assert "hunter2" not in str(caught.value)
    assert "hunter2" not in caplog.text


def test_only_encodings_of_bounded_growth_are_unpacked(own: Site, fetch: Fetch) -> None:
    own.serve("/x.png", gzip.compress(b"x" * 1000), **{"Content-Encoding": "gzip"})
    assert fetch("/x.png") == b"x" * 1000
    assert own.headers[-1]["Accept-Encoding"] == "identity"
    own.serve("/x.png", gzip.compress(b"x" * 10_000_000), **{"Content-Encoding": "gzip"})
    with pytest.raises(UnreadableImage, match="larger than the limit"):
        fetch("/x.png")
    own.serve("/x.png", b"no gzip", **{"Content-Encoding": "gzip"})
    with pytest.raises(UnreadableImage, match="not encoded as it says"):
        fetch("/x.png")
    for encoding in ("zstd", "br", "gzip, gzip", "\x7f"):
        own.serve("/x.png", b"x", **{"Content-Encoding": encoding})
        with pytest.raises(UnreadableImage, match=r"encoded as .* not asked for|does not answer"):
            fetch("/x.png")


@pytest.mark.parametrize("setting", ["https://minio.lab", "minio.lab/bucket", "a.org, user@minio.lab"])
def test_a_listed_host_that_is_none_is_told(setting: str) -> None:
    with pytest.raises(InvalidSetting, match=r"SEEDQUEUE_IMAGE_HOSTS=.* is no host; give names"):
        allowed_hosts(setting)
