"""Label Studio and Redis behind TLS with a certificate of the lab's own authority; Redis with a password."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from redis import Redis
from rq.worker import SimpleWorker
from site_server import PNG, Site, start_site
from tls_front import tls_front

from seedqueue.backend import embedded_redis
from seedqueue.backend.broker import Broker
from seedqueue.backend.children import Children
from seedqueue.backend.errors import CertificateRefused, RedisUnreachable
from seedqueue.backend.fetch import ImageFetcher
from seedqueue.backend.health import is_healthy
from seedqueue.backend.label_studio import Studio

PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's certificate in a file."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    return file


@pytest.fixture
def label_studio(authority: trustme.CA) -> Iterator[tuple[str, Site]]:
    site, server = start_site("127.0.0.1")
    site.serve("/api/projects/1", b'{"id": 1}')
    site.serve("/data/upload/1/x.png")
    site.serve("/health", b"{}")
    with tls_front(authority, ("127.0.0.1", server.server_port)) as port:
        yield f"https://127.0.0.1:{port}", site
    server.shutdown()
    server.server_close()


def test_label_studio_with_a_certificate_of_the_labs_own_authority(
    label_studio: tuple[str, Site], trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, site = label_studio
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    studio = Studio(url, "a" * 40)
    fetcher = ImageFetcher(studio, frozenset(), 1000)
    assert studio.call("GET", "/api/projects/1") == {"id": 1}
    assert fetcher.fetch(5, "/data/upload/1/x.png").content == PNG
    assert is_healthy(url)
    assert {token for _, token in site.asked if token} == {f"Token {'a' * 40}"}
    fetcher.close()
    studio.close()


def test_a_certificate_that_is_not_trusted_is_named_with_its_mend_and_gets_no_token(
    label_studio: tuple[str, Site],
) -> None:
    url, site = label_studio
    studio = Studio(url, "a" * 40)
    fetcher = ImageFetcher(studio, frozenset(), 1000)
    with pytest.raises(CertificateRefused, match="SSL_CERT_FILE"):
        studio.call("GET", "/api/projects/1")
    with pytest.raises(CertificateRefused, match="SSL_CERT_FILE"):
        fetcher.fetch(5, "/data/upload/1/x.png")
    assert site.asked == []
    fetcher.close()
    studio.close()


@pytest.fixture
def redis(authority: trustme.CA, tmp_path: Path) -> Iterator[str]:
    """A real Redis that asks for a password, behind TLS; `{password}` and `{ca}` are left open."""
    path = tmp_path / "redis.sock"
    with Children() as children:
        server = children.start("redis", [*embedded_redis.command(path), "--requirepass", PASSWORD])
        _wait(server, path)
        with tls_front(authority, str(path)) as port:
            yield f"rediss://:{{password}}@127.0.0.1:{port}/0?ssl_ca_certs={{ca}}"


def test_redis_behind_tls_with_a_password(redis: str, trusted: Path) -> None:
    broker = Broker(redis.format(password=PASSWORD, ca=trusted), "tls")
    broker.note("word", {"a": 1}, 60)
    assert broker.noted("word") == {"a": 1}
    with broker.lock("one"):
        assert not broker.first_in("x", 60) or broker.noted("word")
    job_id = broker.enqueue("control", "health.is_healthy", "http://127.0.0.1:9")
    queue = broker.queue("control")
    SimpleWorker([queue], connection=broker.redis, serializer=queue.serializer).work(burst=True, logging_level="ERROR")
    job = broker.job(job_id)
    assert job is not None
    assert job.return_value() is False
    broker.close()


def test_a_wrong_password_and_an_unknown_authority_are_named_and_the_password_is_not(
    redis: str, trusted: Path, tmp_path: Path
) -> None:
    wrong = Broker(redis.format(password="hunter2", ca=trusted), "tls")
    with pytest.raises(RedisUnreachable, match="password") as caught:
        wrong.ping()
    assert "hunter2" not in str(caught.value)
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    stranger = Broker(redis.format(password=PASSWORD, ca=other), "tls")
    with pytest.raises(RedisUnreachable, match="certificate verify failed") as caught:
        stranger.ping()
    assert PASSWORD not in str(caught.value)
    wrong.close()
    stranger.close()


def _wait(server: subprocess.Popen[bytes], path: Path) -> None:
    with Redis(unix_socket_path=str(path), password=PASSWORD) as client:
        while server.poll() is None:
            try:
                client.ping()
                return
            except OSError:
                continue
            except Exception as error:
                if "connect" not in str(error).lower():
                    raise
    raise AssertionError(f"Redis ended with {server.returncode}")
