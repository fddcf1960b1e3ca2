"""The reverse proxies that are believed, and the header by which they name who is signed in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from seedqueue.backend.errors import InvalidSetting

Networks = tuple[IPv4Network | IPv6Network, ...]

_NAME = re.compile(r"[A-Za-z0-9-]+")
# What a browser sends of itself, or a proxy with everybody's requests, is no proof of who sits before it.
_BROWSERS = "authorization cookie host origin referer user-agent accept accept-encoding accept-language connection from"
_PROXIES = "forwarded via x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip"
_EVERYBODYS = frozenset(f"{_BROWSERS} {_PROXIES}".split())


def networks(proxies: str) -> Networks:
    """The networks of SEEDQUEUE_PROXIES: addresses or networks, comma-separated. Raises `InvalidSetting`."""
    try:
        return tuple(ip_network(one.strip(), strict=False) for one in proxies.split(",") if one.strip())
    except ValueError as error:
        mend = f"give addresses or networks, such as 127.0.0.1,172.18.0.0/16 ({error})"
        raise InvalidSetting("SEEDQUEUE_PROXIES", proxies, mend) from error


def check_header(name: str) -> None:
    """Raises `InvalidSetting` for a SEEDQUEUE_LOGIN_HEADER that is no header, or one of everybody's requests."""
    if name and (not _NAME.fullmatch(name) or name.lower() in _EVERYBODYS):
        mend = "give the name of a header that the proxy alone sets, such as X-Remote-User: letters, digits and hyphens"
        raise InvalidSetting("SEEDQUEUE_LOGIN_HEADER", name, mend)


def is_among(peer: str, trusted: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether an address lies in one of the networks; an IPv4 address inside an IPv6 one counts as what it means."""
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in trusted)
