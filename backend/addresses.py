"""Which IP addresses an image may be fetched from: task data must not reach what only this machine can reach.

A name is resolved once, every address is judged, and the connection is made to the judged address (`outgoing`): what
the name means a moment later (DNS rebinding) does not matter.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Literal

import httpx

from seedqueue.models.errors import UnreadableImage

Standing = Literal["public", "inner", "never"]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Beside what `ipaddress` calls link-local, multicast, unspecified or reserved, and what only newer Pythons know.
NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # "this network" reaches this machine
        "100.100.100.200/32",  # metadata services of clouds that are not link-local: Alibaba,
        "168.63.129.16/32",  # Azure,
        "192.0.0.0/24",  # Oracle, and protocol assignments
        "fd00:ec2::/32",  # AWS
        "fd20:ce::/32",  # Google
        "192.88.99.0/24",  # relays that are no more
        "255.255.255.255/32",
        "3fff::/20",  # documentation
        "fec0::/10",  # the site-local addresses of old
    )
)
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def standing(text: str) -> Standing:
    """Public: for all. Inner (loopback, private, shared): for hosts that the admin has named. Never: for nobody.

    An IPv4 address that is wrapped into one of IPv6 is judged as itself.
    """
    address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return "never"
    if any(address in network for network in NEVER) or (address.is_reserved and not address.is_loopback):
        return "never"
    return "public" if address.is_global else "inner"


def admitted(host: str, port: int, *, named: bool) -> list[str]:
    """The addresses of a host that may be connected to, at least one. named: the admin has listed it.

    Raises `UnreadableImage` where one is not, with what was wrong.
    """
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise UnreadableImage(f"{host} does not answer: its name is not known") from error
    for address in found:  # one bad address is enough: who answers with several may have the next request go there
        judged = standing(address)
        if judged == "never":
            raise UnreadableImage(f"host {host!r} has the address {address}, from which no image is ever fetched")
        if judged == "inner" and not named:
            raise UnreadableImage(
                f"host {host!r} has the address {address} of an inner network: it is not allowed; add it to "
                "SEEDQUEUE_IMAGE_HOSTS by its name to fetch from it"
            )
    return list(dict.fromkeys(found))


class Hosts:
    """The hosts that the admin has named: `name`, or `name:port` for one port alone; `*` for any public one.

    Names are compared as they are connected to: lower case, IDNA, without a dot at the end.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        given = set(entries)
        self.any = "*" in given
        self._named = {_host_port(one) for one in given - {"*"}}

    def names(self, host: str, port: int) -> bool:
        host = host.lower().rstrip(".")
        return (host, None) in self._named or (host, port) in self._named


def _host_port(entry: str) -> tuple[str, int | None]:
    """Raises `ValueError` where it is neither a host nor one with a port."""
    if entry.count(":") > 1 and not entry.startswith("["):  # an IPv6 address
        entry = f"[{entry}]"
    try:
        url = httpx.URL(f"host://{entry}")
    except httpx.InvalidURL as error:
        raise ValueError(f"{entry!r} is no host") from error
    if not url.host or url.userinfo or url.raw_path not in (b"", b"/"):
        raise ValueError(f"{entry!r} is no host")
    return url.raw_host.decode("ascii").lower().rstrip("."), url.port


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(address.packed[-4:])
        return inner or address
    return address
