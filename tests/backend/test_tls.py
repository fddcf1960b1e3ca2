"""Label Studio and Redis behind TLS with a certificate of the lab's own authority; Redis with a password."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
import trustme
from redis import Redis
from rq.worker import SimpleWorker
from site_server import PNG, Site, start_site
from tls_front import tls_front

from seedqueue.backend import embedded_redis
from seedqueue.backend.broker import Broker
from seedqueue.backend.children import Children
from seedqueue.backend.context import Context
from seedqueue.backend.doctor import server
from seedqueue.backend.errors import (
    CertificateRefused,
    CertificatesUnusable,
    InvalidSetting,
    RedisPasswordRefused,
    RedisUnreachable,
)
from seedqueue.backend.fetch import ImageFetcher
from seedqueue.backend.health import is_healthy
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.settings import load
from seedqueue.models.errors import UnreadableImage

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
def site() -> Iterator[Site]:
    """A Label Studio, or what seedqueue asks of one."""
    site, server = start_site("127.0.0.1")
    site.serve("/api/projects/1", b'{"id": 1}')
    site.serve("/api/projects/1/", b'{"id": 1}')
    site.serve("/data/upload/1/x.png")
    site.serve("/health", b"{}")
    yield site
    server.shutdown()
    server.server_close()


def place(site: Site) -> tuple[str, int]:
    return "127.0.0.1", int(site.url.rpartition(":")[2])


@pytest.fixture
def label_studio(authority: trustme.CA, site: Site) -> Iterator[tuple[str, Site]]:
    with tls_front(authority, place(site)) as port:
        yield f"https://127.0.0.1:{port}", site


@pytest.fixture
def opened() -> Iterator[Callable[[str], tuple[Studio, ImageFetcher]]]:
    """A Label Studio as it is seen at a URL, and one who fetches images from it and from this machine."""
    with ExitStack() as stack:

        def open_at(url: str, token: str = "a" * 40) -> tuple[Studio, ImageFetcher]:
            studio = Studio(url, token)
            stack.callback(studio.close)
            fetcher = ImageFetcher(studio, frozenset({"127.0.0.1", "localhost"}), 1000)
            stack.callback(fetcher.close)
            return studio, fetcher

        yield open_at


Opened = Callable[..., tuple[Studio, ImageFetcher]]


@pytest.mark.parametrize("by", ["file", "folder"])
def test_label_studio_with_a_certificate_of_the_labs_own_authority(
    by: str, label_studio: tuple[str, Site], trusted: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, site = label_studio
    if by == "file":
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    else:
        (trusted.parent / f"{subject_hash(trusted)}.0").symlink_to(trusted)
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.setenv("SSL_CERT_DIR", str(trusted.parent))
    studio, fetcher = opened(url)
    assert studio.call("GET", "/api/projects/1") == {"id": 1}
    assert studio.sdk.projects.get(1).id == 1
    assert fetcher.fetch(5, "/data/upload/1/x.png").content == PNG
    assert is_healthy(url)
    with Context(load({"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": "a" * 40})) as context:
        assert [line.level for line in server.reachable(context)] == ["green"]
    assert {token for _, token in site.asked if token} == {f"Token {'a' * 40}"}


def subject_hash(certificate: Path) -> str:
    """The name that OpenSSL looks for in a folder of authorities."""
    told = subprocess.run(
        ["openssl", "x509", "-noout", "-subject_hash", "-in", certificate], capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


@pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")  # by the SDK
def test_a_personal_access_token_is_renewed_at_label_studio_itself_below_a_path_too(
    label_studio: tuple[str, Site], trusted: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, site = label_studio
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    token = jwt.encode({"token_type": "refresh", "exp": 4_000_000_000}, "k" * 32)
    access = jwt.encode({"token_type": "access", "exp": 4_000_000_000}, "k" * 32)
    for path in ("", "/studio"):
        site.asked.clear()
        site.serve(f"{path}/api/token/refresh/", json.dumps({"access": access}).encode())
        site.serve(f"{path}/data/upload/1/x.png")
        _, fetcher = opened(url + path, token)
        assert fetcher.fetch(5, "/data/upload/1/x.png").content == PNG
        assert (f"{path}/data/upload/1/x.png", f"Bearer {access}") in site.asked
        assert all(asked.startswith(f"{path}/") for asked, _ in site.asked)


def test_a_certificate_that_is_not_trusted_is_named_with_its_mend_and_gets_no_token(
    label_studio: tuple[str, Site], opened: Opened
) -> None:
    url, site = label_studio
    studio, fetcher = opened(url)
    with pytest.raises(CertificateRefused, match="; set SSL_CERT_FILE"):
        studio.call("GET", "/api/projects/1")
    with pytest.raises(CertificateRefused, match="; set SSL_CERT_FILE"), studio.translated():
        studio.sdk.projects.get(1, request_options={"max_retries": 0})
    with pytest.raises(CertificateRefused, match="; set SSL_CERT_FILE"):
        fetcher.fetch(5, "/data/upload/1/x.png")
    with (
        Context(load({"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": "a" * 40})) as context,
        pytest.raises(CertificateRefused, match="; set SSL_CERT_FILE"),
    ):
        server.reachable(context)
    assert site.asked == []


def test_an_image_host_whose_certificate_is_not_trusted_is_named_with_its_mend(
    label_studio: tuple[str, Site], opened: Opened
) -> None:
    url, site = label_studio
    _, fetcher = opened("http://127.0.0.1:9")
    with pytest.raises(
        UnreadableImage, match=r"127\.0\.0\.1 does not answer: .*CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE"
    ):
        fetcher.fetch(5, f"{url}/data/upload/1/x.png")
    assert site.asked == []


@pytest.mark.parametrize("form", ["https://localhost:{port}", "https://127.0.0.1:{port}"])
def test_an_image_host_of_the_labs_own_authority_is_asked_by_its_name(
    form: str, authority: trustme.CA, site: Site, trusted: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judged address is connected to, and the certificate is that of the name, not of the address."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    name = form.split("/")[2].split(":")[0]
    with tls_front(authority, place(site), names=(name,)) as port:
        _, fetcher = opened("http://127.0.0.1:9")
        assert fetcher.fetch(5, f"{form.format(port=port)}/data/upload/1/x.png").content == PNG
        other = form.replace(name, {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}[name]).format(port=port)
        with pytest.raises(UnreadableImage, match=r"mismatch.*; use a name that the certificate is for"):
            fetcher.fetch(5, f"{other}/data/upload/1/x.png")
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("names", "ends", "mend"),
    [
        (("ls.example.org",), None, "; use a name that the certificate is for"),
        (("127.0.0.1",), datetime(2020, 1, 1, tzinfo=UTC), "; renew the certificate"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told_with_its_own_mend(
    names: tuple[str, ...],
    ends: datetime | None,
    mend: str,
    authority: trustme.CA,
    site: Site,
    trusted: Path,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with tls_front(authority, place(site), names=names, ends=ends) as port:
        studio, _ = opened(f"https://127.0.0.1:{port}")
        with pytest.raises(CertificateRefused, match=mend):
            studio.call("GET", "/api/projects/1")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_is_none_is_named(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(CertificatesUnusable, match="SSL_CERT_FILE"):
        Studio("http://127.0.0.1:9", "a" * 40)


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


def test_the_authority_of_redis_may_stand_in_ssl_cert_file(
    redis: str, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    broker = Broker(redis.format(password=PASSWORD, ca="").partition("?")[0], "tls")
    broker.ping()
    broker.close()


@pytest.mark.parametrize("password", [":hunter2", "seedqueue:hunter2", ""])
def test_a_wrong_password_is_named_and_not_told(password: str, redis: str, trusted: Path) -> None:
    broker = Broker(
        redis.format(password="", ca=trusted).replace("//:@", f"//{password}@" if password else "//"), "tls"
    )
    with pytest.raises(RedisPasswordRefused, match="refuses the user or password in REDIS_URL") as caught:
        broker.ping()
    assert "hunter2" not in str(caught.value)
    broker.close()


def test_an_authority_that_redis_certificate_is_not_of_is_named(redis: str, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    stranger = Broker(redis.format(password=PASSWORD, ca=other), "tls")
    with pytest.raises(RedisUnreachable, match=r"certificate verify failed.* add .ssl_ca_certs=FILE") as caught:
        stranger.ping()
    assert PASSWORD not in str(caught.value)
    stranger.close()


def test_a_certificate_of_another_host_is_not_taken_for_that_of_redis(
    authority: trustme.CA, trusted: Path, site: Site
) -> None:
    with tls_front(authority, place(site), names=("elsewhere.lab",)) as port:
        broker = Broker(f"rediss://:{PASSWORD}@127.0.0.1:{port}/0?ssl_ca_certs={trusted}", "tls")
        with pytest.raises(RedisUnreachable, match="mismatch"):
            broker.ping()
        broker.close()
    assert site.asked == []


@pytest.mark.parametrize(
    "url",
    ["redis://:hun/ter2@127.0.0.1:1", "redis://:hun?ter2@127.0.0.1:1", "redis:hunter2@r:x", "rediss://:hunter2@r:x"],
)
def test_no_part_of_a_password_is_told_where_the_url_is_wrong(url: str) -> None:
    with pytest.raises((InvalidSetting, RedisUnreachable)) as caught:
        Broker(url, "tls").ping()
    assert "hun" not in str(caught.value)
    assert "ter2" not in str(caught.value)


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
