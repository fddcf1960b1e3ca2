"""A TCP line to a server of this machine that can be cut for a while and joined again."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Lock, Thread
from types import TracebackType


class Interruptible:
    """Listens on 127.0.0.1:`port` and passes on to `target`, a socket's path or (host, port), unless it is `cut`."""

    def __init__(self, target: str | tuple[str, int]) -> None:
        self._target = target
        self._whole = Event()
        self._whole.set()
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.refused = 0

    def cut(self) -> None:
        """Break every connection, and each new one at once."""
        self._whole.clear()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        self._whole.set()

    def __enter__(self) -> Interruptible:
        Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._whole.is_set():
                self.refused += 1
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET)
            try:
                server.connect(self._target)
            except OSError:
                client.close()
                server.close()
                continue
            Thread(target=self._connect, args=(client, server), daemon=True).start()

    def _connect(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on both ways until one end is closed, or the line is cut."""
        with client, server:
            with self._lock:
                self._open |= {client, server}
            back = Thread(target=pass_on, args=(server, client), daemon=True)
            back.start()
            pass_on(client, server)
            back.join()
            with self._lock:
                self._open -= {client, server}


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Until one of them is closed, then close both to further words."""
    with suppress(OSError):
        while content := source.recv(65536):
            sink.sendall(content)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
