"""Which addresses images may come from, however they are written, and which hosts count as named."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedqueue.backend.addresses import Hosts, admitted, standing
from seedqueue.models.errors import UnreadableImage

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (PUBLIC, "public"),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", "public"),
        ("::ffff:93.184.215.14", "public"),
        ("127.0.0.1", "inner"),
        ("127.255.0.1", "inner"),
        ("::1", "inner"),
        ("10.1.2.3", "inner"),
        ("172.16.0.1", "inner"),
        ("192.168.0.9", "inner"),
        ("100.64.0.1", "inner"),
        ("198.18.0.1", "inner"),
        ("fd12::1", "inner"),
        ("::ffff:10.1.2.3", "inner"),
        ("64:ff9b::a01:203", "inner"),  # 10.1.2.3 behind NAT64
        ("2002:7f00:1::1", "inner"),  # 127.0.0.1 in 6to4
        ("169.254.169.254", "never"),
        ("169.254.170.2", "never"),
        ("::ffff:169.254.169.254", "never"),
        ("::169.254.169.254", "never"),
        ("64:ff9b::a9fe:a9fe", "never"),
        ("64:ff9b:1::a9fe:a9fe", "never"),
        ("2002:a9fe:a9fe::1", "never"),
        ("fe80::1%eth0", "never"),
        ("fec0::1", "never"),
        ("fd00:ec2::254", "never"),
        ("fd20:ce::254", "never"),
        ("100.100.100.200", "never"),
        ("168.63.129.16", "never"),
        ("192.0.0.192", "never"),
        ("0.0.0.0", "never"),
        ("0.1.2.3", "never"),
        ("::", "never"),
        ("224.0.0.1", "never"),
        ("ff02::1", "never"),
        ("240.0.0.1", "never"),
        ("255.255.255.255", "never"),
    ],
)
def test_standing(address: str, expected: str) -> None:
    assert standing(address) == expected


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_never_judged_more_kindly(address: Any) -> None:
    packed = address.packed.hex()
    wrapped = (f"::ffff:{address}", f"64:ff9b::{address}", f"2002:{packed[:4]}:{packed[4:]}::1")
    assert {standing(one) for one in wrapped} == {standing(str(address))}


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "::1"])
def test_loopback_is_found_however_it_is_written(host: str) -> None:
    with pytest.raises(UnreadableImage, match=r"inner network: it is not allowed; add it to SEEDQUEUE_IMAGE_HOSTS"):
        admitted(host, 80, named=False)


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "2852039166", "::ffff:169.254.169.254", "0.0.0.0"])
@pytest.mark.parametrize("named", [False, True])
def test_what_nobody_may_reach(host: str, named: bool) -> None:
    with pytest.raises(UnreadableImage, match="no image is ever fetched"):
        admitted(host, 80, named=named)


def test_a_name_with_one_inner_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in (PUBLIC, "10.0.0.7", PUBLIC)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: found)
    with pytest.raises(UnreadableImage, match=r"10\.0\.0\.7 of an inner network"):
        admitted("images.example.org", 80, named=False)
    assert admitted("images.example.org", 80, named=True) == [PUBLIC, "10.0.0.7"]


def test_an_unknown_name() -> None:
    with pytest.raises(UnreadableImage, match="its name is not known"):
        admitted("no-such-host.invalid", 80, named=True)


@pytest.mark.parametrize(
    ("entry", "host", "port", "named"),
    [
        ("minio.lab", "minio.lab", 9000, True),
        ("minio.lab", "MINIO.lab.", 80, True),
        ("minio.lab.", "minio.lab", 80, True),
        ("minio.lab:9000", "minio.lab", 9000, True),
        ("minio.lab:9000", "minio.lab", 6379, False),
        ("minio.lab:80", "minio.lab", 81, False),
        ("minio.lab", "evil.minio.lab", 80, False),
        ("minio.lab", "minio.lab.evil", 80, False),
        ("bücher.example", "xn--bcher-kva.example", 443, True),
        ("10.0.0.5", "10.0.0.5", 80, True),
        ("::1", "::1", 80, True),
        ("[::1]", "::1", 80, True),
        ("[::1]:8080", "::1", 8080, True),
        ("[::1]:8080", "::1", 80, False),
        ("*", "minio.lab", 80, False),
    ],
)
def test_named_hosts(entry: str, host: str, port: int, named: bool) -> None:
    assert Hosts([entry]).names(host, port) is named
    assert Hosts([entry]).any is (entry == "*")


@pytest.mark.parametrize("entry", ["http://minio.lab", "minio.lab/bucket", "user@minio.lab", "minio.lab:x", "[::1"])
def test_what_is_no_host(entry: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        Hosts([entry])
