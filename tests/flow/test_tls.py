"""Label Studio, Redis and the images all behind TLS of the lab's own authority, Redis with a password: a seed queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from image_server import ImageServer
from running import Backend, Eventually
from tls_front import tls_front

from seedqueue.backend import embedded_redis
from seedqueue.backend.children import Children
from seedqueue.backend.demo.label_studio import LabelStudioServer

pytestmark = pytest.mark.slow

PASSWORD = "correct horse/battery@staple"
ENCODED = "correct%20horse%2Fbattery%40staple"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """The lab's authority, which this process and all its children trust, and no other."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return made


@pytest.fixture
def redis_url(authority: trustme.CA, tmp_path: Path, eventually: Eventually) -> Iterator[str]:
    path = tmp_path / "redis.sock"
    with Children() as children:
        children.start("redis", [*embedded_redis.command(path), "--requirepass", PASSWORD])
        eventually(path.exists, 10, "Redis' socket")
        with tls_front(authority, str(path)) as port:
            yield f"rediss://:{ENCODED}@127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'authority.pem'}"


def test_a_seed_queue_with_everything_behind_tls(
    authority: trustme.CA,
    redis_url: str,
    label_studio: LabelStudioServer,
    images: ImageServer,
    make_backend: Callable[..., Backend],
) -> None:
    with (
        tls_front(authority, place(label_studio.url)) as studio,
        tls_front(authority, place(images.url)) as pictures,
    ):
        backend = make_backend(label_studio_url=f"https://127.0.0.1:{studio}", redis_url=redis_url)
        project = backend.new_project([f"https://127.0.0.1:{pictures}/{name}" for name in images.files])
        backend.attach(project)
        queue = backend.seed(project, budget=3)
        assert len(queue) == 3
        assert backend.described(project)["model_version"] == "Seed queue 1"
        assert set(images.hits) == set(images.files)
        assert PASSWORD not in backend.log_file.read_text()
        assert ENCODED not in backend.log_file.read_text()


def place(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)
