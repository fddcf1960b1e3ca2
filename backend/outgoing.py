"""HTTP to hosts that others choose: every connection is judged where it is made, and nothing is carried along.

No cookies, no `.netrc`, no proxy of the environment (it would resolve names itself, unjudged), no line in a log with
the address in it. A connection that is kept is kept under the host's name and port, and was judged when it was made.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

import httpcore
import httpx

from seedqueue.backend.addresses import admitted

# Own: Label Studio's, which the admin has set, unjudged. Named: listed, inner addresses too. Other: public ones alone.
Trust = Literal["own", "named", "other"]
Trusts = Callable[[str, int], Trust]  # of a host, as it is connected to, and a port

KEPT = 20
TRIED = 4  # addresses of a host, which share the time for connecting: a name may have a hundred where nobody answers


class _Judging(httpcore.NetworkBackend):
    """Connects to the addresses that were judged, one after the other. Raises `UnreadableImage` for others."""

    def __init__(self, trusts: Trusts) -> None:
        self._trusts = trusts
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        trust = self._trusts(host, port)
        if trust == "own":
            return self._plain.connect_tcp(host, port, timeout, local_address, socket_options)
        *others, last = admitted(host, port, named=trust == "named")[:TRIED]
        share = None if timeout is None else timeout / (len(others) + 1)
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._plain.connect_tcp(address, port, share, local_address, socket_options)
        return self._plain.connect_tcp(last, port, share, local_address, socket_options)

    def connect_unix_socket(self, *arguments: object, **options: object) -> httpcore.NetworkStream:
        raise httpcore.UnsupportedProtocol("no socket of this machine is connected to")

    def sleep(self, seconds: float) -> None:
        self._plain.sleep(seconds)


class Outgoing:
    """Single GET requests, redirects not followed; safe to use from several threads.

    TLS as httpx does it: SSL_CERT_FILE, SSL_CERT_DIR, else certifi's authorities. retries: of a connection that is
    not made.
    """

    def __init__(self, trusts: Trusts, retries: int = 2) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=None,
            max_keepalive_connections=KEPT,
            keepalive_expiry=5.0,
            retries=retries,
            network_backend=_Judging(trusts),
        )

    def close(self) -> None:
        self._pool.close()

    def get(self, url: httpx.URL, headers: dict[str, str], timeout: httpx.Timeout) -> httpx.Response:
        """The answer, whose body is still to be read; the caller closes it. Raises `httpx.TransportError`.

        A user and password in the URL go to that host, as Basic Auth.
        """
        if url.userinfo and "Authorization" not in headers:
            pair = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
            headers = {**headers, "Authorization": f"Basic {pair}"}
        request = httpx.Request("GET", url, headers={**headers, "User-Agent": "seedqueue", "Accept": "*/*"})
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        with _as_httpx():
            answer = self._pool.handle_request(
                httpcore.Request("GET", target, headers=request.headers.raw, extensions={"timeout": timeout.as_dict()})
            )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), request=request)


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Errors of httpcore become those of the same name of httpx."""
    try:
        yield
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, httpcore.ProxyError) as error:
        raise getattr(httpx, type(error).__name__, httpx.TransportError)(str(error)) from error
    except httpcore.UnsupportedProtocol as error:
        raise httpx.UnsupportedProtocol(str(error)) from error
