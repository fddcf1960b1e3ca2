"""Which IP addresses an image may be fetched from: task data must not reach what only this machine can reach.

A name is resolved once, every address is judged, and the connection is made to the judged address: what the name
means a moment later (DNS rebinding) does not matter.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Literal

from seedqueue.models.errors import UnreadableImage

Standing = Literal["public", "inner", "never"]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Link-local holds the clouds' metadata service, 169.254.169.254; some clouds have it elsewhere too.
METADATA = frozenset({ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")})
NAT64 = ipaddress.ip_network("64:ff9b::/96")
BROADCAST = ipaddress.ip_address("255.255.255.255")


def standing(text: str) -> Standing:
    """Public: for all. Inner (loopback, private, shared): for hosts that the admin has named. Never: for nobody.

    An IPv4 address that is wrapped into one of IPv6 is judged as itself.
    """
    address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_link_local or address.is_multicast or address.is_unspecified or address in METADATA:
        return "never"
    if address == BROADCAST or (address.is_reserved and not address.is_loopback):
        return "never"
    if isinstance(address, ipaddress.IPv4Address) and address.packed[0] == 0:  # "this network" reaches this machine
        return "never"
    return "public" if address.is_global else "inner"


def admitted(host: str, port: int, *, named: bool) -> list[str]:
    """The addresses of a host that may be connected to. named: the admin has listed it.

    Raises `UnreadableImage` where there are none, with what was wrong.
    """
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise UnreadableImage(f"{host} does not answer: its name is not known") from error
    refused = dict.fromkeys(one for one in found if not _suits(one, named))
    if refused:  # one bad address is enough: whoever answers with several may have the next request go there
        first = next(iter(refused))
        raise UnreadableImage(_reason(host, first))
    return list(dict.fromkeys(found))


def _suits(address: str, named: bool) -> bool:
    judged = standing(address)
    return judged == "public" or (judged == "inner" and named)


def _reason(host: str, address: str) -> str:
    if standing(address) == "never":
        return f"host {host!r} has the address {address}, from which no image is ever fetched"
    return (
        f"host {host!r} has the address {address} of an inner network: it is not allowed; add it to "
        "SEEDQUEUE_IMAGE_HOSTS by its name to fetch from it"
    )


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(address.packed[-4:])
        return inner or address
    return address
