"""TLS in front of a plain server on this machine, with a certificate of a private authority."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Thread

import trustme
from interruptible import pass_on


@contextmanager
def tls_front(
    authority: trustme.CA,
    backend: str | tuple[str, int],
    names: tuple[str, ...] = ("127.0.0.1", "localhost"),
    ends: datetime | None = None,
) -> Iterator[int]:
    """Listen on 127.0.0.1 and pass what comes on to `backend`, a socket's path or (host, port); the port.

    names, ends: of the certificate.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names, not_after=ends).configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_serve, args=(listener, context, backend), daemon=True).start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, context: ssl.SSLContext, backend: str | tuple[str, int]) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        Thread(target=_join, args=(plain, context, backend), daemon=True).start()


def _join(plain: socket.socket, context: ssl.SSLContext, backend: str | tuple[str, int]) -> None:
    try:
        client = context.wrap_socket(plain, server_side=True)
    except (ssl.SSLError, OSError):  # a client that does not trust us hangs up
        plain.close()
        return
    server = socket.socket(socket.AF_UNIX if isinstance(backend, str) else socket.AF_INET)
    with client, server:
        server.connect(backend)
        back = Thread(target=pass_on, args=(server, client), daemon=True)
        back.start()
        pass_on(client, server)
        back.join()
