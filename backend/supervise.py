"""`seedqueue serve`: the web app, the workers and, where none is given, Redis, on one machine."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from seedqueue.backend import embedded_redis
from seedqueue.backend.broker import Broker, without_password
from seedqueue.backend.children import Children, Death, signals_interrupt, until_interrupted
from seedqueue.backend.errors import PortInUse, ServeFailed, TokenMissing
from seedqueue.backend.health import is_healthy
from seedqueue.backend.settings import Settings, child_environment

START_SECONDS = 120.0
# A worker finishes the batch it has in hand; its shard is taken over where it does not.
GRACE_SECONDS = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    @property
    def local_url(self) -> str:
        """The app as this machine reaches it."""
        # uvicorn listens on `::` for IPv6 alone.
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def serve(settings: Settings, address: Address, workers: int, say: Say) -> None:
    """Run everything until SIGINT or SIGTERM, then end every child.

    Raises `TokenMissing`, `PortInUse`, `RedisUnreachable`, `ServeFailed` where the app does not come up.
    """
    if not settings.label_studio_api_key:
        raise TokenMissing
    _check_port(address)
    with signals_interrupt(), Children(grace=GRACE_SECONDS) as children:
        try:
            redis_url = settings.redis_url or embedded_redis.start(children, settings.home)
            Broker(redis_url, settings.namespace).ping()
            _start(children, settings, address, workers, redis_url)
            _wait(children, address)
            redis = without_password(settings.redis_url) or "its own"
            say(f"seedqueue serves {settings.label_studio_url} at {address.local_url}")
            say(f"  workers {workers} · Redis {redis} · home {settings.home} · weights {settings.weights}")
            say(f"  its page: {address.local_url}/ui/")
            say(f"  attach it: seedqueue attach --project <number> · stop it: Ctrl-C (process {os.getpid()})")
            until_interrupted(lambda: _report(children.poll(), say))
        except KeyboardInterrupt:
            pass
    say("stopped")


def _start(children: Children, settings: Settings, address: Address, workers: int, redis_url: str) -> None:
    threads = settings.threads or max(1, (os.cpu_count() or 1) // max(1, workers))
    env = child_environment(REDIS_URL=redis_url, SEEDQUEUE_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    worker = [sys.executable, "-m", "seedqueue.backend.cli", "worker"]
    for number in range(1, workers + 1):
        children.start(f"worker {number}", [*worker, "--lane", "control", "--lane", "embed"], env=env, keep_alive=True)
    if workers:  # a training takes minutes: queues are made and kept meanwhile
        children.start("learner", [*worker, "--lane", "learn"], env=env, keep_alive=True)
    app = ["seedqueue.backend.asgi:app", "--host", address.host, "--port", str(address.port)]
    # Who connects is judged by the address that he has (SEEDQUEUE_PROXIES), not by one that a header tells.
    options = ["--log-level", "warning", "--no-access-log", "--no-proxy-headers"]
    children.start("web", [sys.executable, "-m", "uvicorn", *app, *options], env=env, keep_alive=True)


def _wait(children: Children, address: Address) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_healthy(address.local_url):
        if "web" not in children.running():
            raise ServeFailed("the web app ended while starting; its message is above")
        if time.monotonic() > deadline:
            raise ServeFailed(f"the web app did not answer within {START_SECONDS:.0f} s")
        time.sleep(0.1)


def _check_port(address: Address) -> None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise PortInUse(address.host, address.port, error.strerror or str(error)) from error


def _report(deaths: list[Death], say: Say) -> None:
    for death in deaths:
        if death.restarts_in is None:
            raise ServeFailed(f"{death.name} ended with {death.returncode}")
        say(f"{death.name} ended with {death.returncode}; again in {death.restarts_in:.1f} s")
