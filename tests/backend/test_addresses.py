"""Which addresses images may come from, however they are written, and that the judged one is the one connected to."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from site_server import PNG, start_site

from seedqueue.backend import fetch as fetching
from seedqueue.backend.addresses import admitted, standing
from seedqueue.backend.fetch import ImageFetcher, is_image_path
from seedqueue.backend.label_studio import Studio
from seedqueue.models.errors import UnreadableImage

LS = "https://ls.example.org/studio"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", "public"),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", "public"),
        ("127.0.0.1", "inner"),
        ("::1", "inner"),
        ("10.1.2.3", "inner"),
        ("172.16.0.1", "inner"),
        ("192.168.0.9", "inner"),
        ("100.64.0.1", "inner"),
        ("fd12::1", "inner"),
        ("::ffff:10.1.2.3", "inner"),
        ("169.254.169.254", "never"),
        ("::ffff:169.254.169.254", "never"),
        ("64:ff9b::a9fe:a9fe", "never"),  # the same behind NAT64
        ("2002:a9fe:a9fe::1", "never"),  # and in 6to4
        ("fe80::1%eth0", "never"),
        ("fd00:ec2::254", "never"),
        ("100.100.100.200", "never"),
        ("0.0.0.0", "never"),
        ("0.1.2.3", "never"),
        ("::", "never"),
        ("224.0.0.1", "never"),
        ("240.0.0.1", "never"),
        ("255.255.255.255", "never"),
    ],
)
def test_standing(address: str, expected: str) -> None:
    assert standing(address) == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "::1"])
def test_loopback_is_found_however_it_is_written(host: str) -> None:
    with pytest.raises(UnreadableImage, match="inner network"):
        admitted(host, 80, named=False)


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "2852039166", "::ffff:169.254.169.254", "0.0.0.0"])
@pytest.mark.parametrize("named", [False, True])
def test_what_nobody_may_reach(host: str, named: bool) -> None:
    with pytest.raises(UnreadableImage, match="no image is ever fetched"):
        admitted(host, 80, named=named)


def test_a_name_with_one_inner_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ["93.184.215.14", "10.0.0.7"])
    with pytest.raises(UnreadableImage, match=r"10\.0\.0\.7 of an inner network"):
        admitted("images.example.org", 80, named=False)
    assert admitted("images.example.org", 80, named=True) == ["93.184.215.14", "10.0.0.7"]


def test_a_name_that_means_another_address_a_moment_later_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is asked for once, and the judged address is the one that is connected to."""
    site, server = start_site("images.example.org")
    uri = site.serve("/x.png")
    asked = answers(monkeypatch, ["127.0.0.1"], ["10.0.0.7"])
    fetcher = ImageFetcher(Studio("http://127.0.0.1:9", "a" * 40), frozenset({"images.example.org"}), 1000)
    try:
        assert fetcher.fetch(1, uri).content == PNG
    finally:
        fetcher.close()
        server.shutdown()
        server.server_close()
    assert asked == ["images.example.org"]


def test_an_unknown_name() -> None:
    with pytest.raises(UnreadableImage, match="its name is not known"):
        admitted("no-such-host.invalid", 80, named=True)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/data/upload/1/x.png", True),
        ("/data/local-files/?d=a/../b.png", True),  # Label Studio itself keeps to its folder
        ("/tasks/5/presign/?fileuri=x", True),
        ("/tasks/5/resolve/?fileuri=x", True),
        ("/projects/5/resolve/?fileuri=x", True),
        ("/storage-data/uploaded/?filepath=x", True),
        ("/api/current-user/token", False),
        ("/api/projects/1/export", False),
        ("/data/../api/current-user/token", False),
        ("/data/%2e%2e/api/current-user/token", False),
        ("/data/%252e%252e/api/users", False),
        ("/data/..%5capi/users", False),
        ("/logout", False),
        ("//data/upload/x", False),
        ("/data", False),
    ],
)
def test_only_paths_of_images_get_the_token(path: str, expected: bool) -> None:
    assert is_image_path(LS + path, LS) is expected


def test_a_path_outside_of_label_studios_own_gets_none() -> None:
    assert not is_image_path("https://ls.example.org/data/upload/1/x.png", LS)


def test_other_paths_of_label_studio_are_asked_without_the_token() -> None:
    site, server = start_site("127.0.0.1")
    site.serve("/static/x.png")
    fetcher = ImageFetcher(Studio(site.url, "a" * 40), frozenset(), 1000)
    try:
        assert fetcher.fetch(1, "/static/x.png").content == PNG
        with pytest.raises(UnreadableImage, match="HTTP 404"):
            fetcher.fetch(1, "/api/projects/1/export")
    finally:
        fetcher.close()
        server.shutdown()
        server.server_close()
    assert [authorization for _, authorization in site.asked] == [None, None]


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:9\\@images.invalid/x.png",
        "http://images.invalid\\.127.0.0.1/x.png",
        "http://127.0.0.1 .images.invalid/x.png",
        "http://images.invalid/\r\nAuthorization: x",
    ],
)
def test_what_parsers_do_not_agree_about_is_no_address(uri: str) -> None:
    fetcher = ImageFetcher(Studio("http://127.0.0.1:9", "a" * 40), frozenset({"*"}), 1000)
    with pytest.raises(UnreadableImage, match="no address that can be fetched"):
        fetcher.fetch(1, uri)
    fetcher.close()


def test_a_password_in_an_address_is_not_told() -> None:
    fetcher = ImageFetcher(Studio("http://127.0.0.1:9", "a" * 40), frozenset(), 1000)
    with pytest.raises(UnreadableImage) as caught:
        fetcher.fetch(1, "ftp://reader:hunter2@pacs/x.png")
    assert "hunter2" not in str(caught.value)
    fetcher.close()


def answers(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> list[str]:
    """Let names mean these addresses, the next ones at each question; the last ones stay. What was asked for."""
    asked: list[str] = []
    left = list(rounds)
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *more: Any, **options: Any) -> Any:
        if host in ("127.0.0.1", "10.0.0.7", "93.184.215.14"):
            return real(host, port, *more, **options)
        asked.append(host)
        now = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in now]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert fetching.admitted is admitted
    return asked
