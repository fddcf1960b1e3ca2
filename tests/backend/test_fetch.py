"""Bytes behind a URI, from real servers: who gets the token, who is asked at all, what is too much."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from site_server import PNG, Site, start_site

from seedqueue.backend import fetch as fetching
from seedqueue.backend.errors import LabelStudioUnreachable, TokenRefused
from seedqueue.backend.fetch import ImageFetcher, allowed_hosts, original_uri, stable_uri
from seedqueue.backend.label_studio import Studio
from seedqueue.models.errors import UnreadableImage

TOKEN = "a" * 40


@pytest.fixture
def new_site() -> Iterator[Callable[[str], Site]]:
    """Start a server at a host name of this machine; each has a port of its own."""
    servers: list[ThreadingHTTPServer] = []

    def start(host: str = "127.0.0.1") -> Site:
        site, server = start_site(host)
        servers.append(server)
        return site

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def own(new_site: Callable[..., Site]) -> Site:
    """Label Studio's host."""
    return new_site()


@pytest.fixture
def other(new_site: Callable[..., Site]) -> Site:
    """Another host, which is nobody's storage."""
    return new_site("localhost")


@pytest.fixture
def fetch(own: Site) -> Iterator[Callable[..., bytes]]:
    """Fetch one image of task 5."""
    fetchers: list[ImageFetcher] = []

    def go(uri: str, hosts: str = "", limit: int = 1000, public_url: str = "", url: str = own.url) -> bytes:
        fetchers.append(ImageFetcher(Studio(url, TOKEN, public_url), allowed_hosts(hosts), limit))
        return fetchers[-1].fetch(5, uri).content

    yield go
    for fetcher in fetchers:
        fetcher.close()


Fetch = Callable[..., bytes]


@pytest.mark.parametrize(
    ("uri", "stable"),
    [
        ("https://b.s3.amazonaws.com/a.png?X-Amz-Signature=1&X-Amz-Expires=60", "https://b.s3.amazonaws.com/a.png"),
        ("https://b/a.png?AWSAccessKeyId=k&Signature=s&Expires=1", "https://b/a.png"),
        ("https://storage.googleapis.com/b/a.png?X-Goog-Signature=1&X-Goog-Date=2", "https://storage.googleapis.com/b/a.png"),
        ("https://b/a.png?GoogleAccessId=k&Expires=1&Signature=s", "https://b/a.png"),
        ("https://x.blob.core.windows.net/c/a.png?sv=1&se=2&sr=b&sp=r&sig=3", "https://x.blob.core.windows.net/c/a.png"),
        ("https://b/a.png?version=3&X-Amz-Signature=1", "https://b/a.png?version=3"),
        ("/data/local-files/?d=set/x.png", "/data/local-files/?d=set%2Fx.png"),
        ("s3://bucket/a b.png", "s3://bucket/a b.png"),
        ("/data/upload/1/x.png", "/data/upload/1/x.png"),
        ("http://[broken", "http://[broken"),
        ("http://user:pw@b/a.png", "http://b/a.png"),
        ("http://user:p@w@b:8/a.png?version=3&sig=1", "http://b:8/a.png?version=3"),
        ("s3://b@c/a.png", "s3://b@c/a.png"),
    ],
)  # fmt: skip
def test_a_uri_without_its_signature(uri: str, stable: str) -> None:
    assert stable_uri(uri) == stable


def test_two_files_of_one_folder_stay_two() -> None:
    assert stable_uri("/data/local-files/?d=a.png") != stable_uri("/data/local-files/?d=b.png")


@given(st.text(max_size=30) | st.text(max_size=20).map("http://b/?".__add__) | st.text().map("http://u@".__add__))
def test_any_uri_has_a_stable_form_that_stays(uri: str) -> None:
    assert stable_uri(stable_uri(uri)) == stable_uri(uri)


def resolved(uri: str, path: str = "/tasks/3/resolve/", padded: bool = True) -> str:
    """The address that Label Studio writes in place of a cloud storage's URI."""
    encoded = base64.urlsafe_b64encode(uri.encode()).decode()
    return f"{path}?fileuri={encoded if padded else encoded.rstrip('=')}"


@pytest.mark.parametrize(
    "uri", ["s3://b/a.png", "gs://b/ü b/?c=1&d.dcm", "azure-blob://c/x>>>y???.png", "azure_blob://c/x"]
)
@pytest.mark.parametrize("host", ["", "http://ls:8080", "https://ls/below/a/path"])
def test_a_resolved_uri_is_its_original_again(uri: str, host: str) -> None:
    for path in ("/tasks/3/resolve/", "/tasks/3/presign/", "/tasks/12/resolve", "/projects/4/resolve/"):
        assert original_uri(resolved(uri, host + path)) == uri
        assert original_uri(resolved(uri, host + path, padded=False)) == uri
    assert original_uri(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/data/upload/1/x.png",
        "http://h/x.png?fileuri=czM6Ly9iL2E=",
        "/tasks/3/resolve/",
        "/tasks/3/resolve/?fileuri=",
        "/tasks/3/resolve/?fileuri=***",
        "/tasks/3/resolve/?fileuri=_-_-",
        "/tasks/x/resolve/?fileuri=czM6Ly9iL2E=",
        "http://[half/tasks/3/resolve/?fileuri=czM6Ly9iL2E=",
        resolved("http://elsewhere/x.png"),
        resolved("file:///etc/passwd"),
        resolved("/data/upload/1/x.png"),
        resolved("s3:/b/x.png"),
    ],
)
def test_what_is_no_resolved_cloud_uri_stays_as_it_is(uri: str) -> None:
    assert original_uri(uri) == uri


@given(st.text(max_size=60))
def test_any_text_has_an_original(text: str) -> None:
    original_uri(text)
    assert original_uri(resolved(f"s3://{text}")) in (f"s3://{text}", resolved(f"s3://{text}"))


def test_label_studio_gets_the_token(own: Site, fetch: Fetch) -> None:
    own.serve("/data/upload/1/x.png")
    assert fetch("/data/upload/1/x.png") == PNG
    assert fetch(f"{own.url}/data/upload/1/x.png") == PNG
    assert own.asked == [("/data/upload/1/x.png", f"Token {TOKEN}")] * 2


def test_the_query_of_a_local_file_reaches_label_studio(own: Site, fetch: Fetch) -> None:
    own.serve("/data/local-files/?d=set/x%20y.png")
    assert fetch("/data/local-files/?d=set/x%20y.png") == PNG


def test_an_etag_is_noted(own: Site) -> None:
    own.serve("/x.png", ETag='"7"')
    fetcher = ImageFetcher(Studio(own.url, TOKEN), frozenset(), 1000)
    assert fetcher.fetch(5, "/x.png").etag == '"7"'
    fetcher.close()


def test_a_foreign_host_is_asked_only_when_allowed_and_never_gets_the_token(other: Site, fetch: Fetch) -> None:
    uri = other.serve("/x.png")
    with pytest.raises(UnreadableImage, match="host 'localhost' is not allowed; add it to SEEDQUEUE_IMAGE_HOSTS"):
        fetch(uri, hosts="images.example.org")
    assert other.asked == []
    assert fetch(uri, hosts="images.example.org, LocalHost ") == PNG
    assert fetch(uri, hosts=other.authority) == PNG  # of one port alone
    with pytest.raises(UnreadableImage, match="inner network"):
        fetch(uri, hosts="*")
    with pytest.raises(UnreadableImage, match="not allowed"):
        fetch(uri, hosts="localhost:1")
    assert other.asked == [("/x.png", None)] * 2


def test_another_port_of_label_studios_machine_is_a_foreign_host(new_site: Callable[..., Site], fetch: Fetch) -> None:
    neighbour = new_site()
    uri = neighbour.serve("/x.png")
    with pytest.raises(UnreadableImage, match="not allowed"):
        fetch(uri)
    assert fetch(uri, hosts="127.0.0.1") == PNG
    assert neighbour.asked == [("/x.png", None)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_from_label_studio_is_followed_without_the_token(
    host: str, own: Site, new_site: Callable[..., Site], fetch: Fetch
) -> None:
    storage = new_site(host)
    own.redirect("/data/upload/1/x.png", storage.serve("/signed?X-Amz-Signature=1"))
    with pytest.raises(UnreadableImage, match="inner network"):
        fetch("/data/upload/1/x.png")
    assert storage.asked == []
    assert fetch("/data/upload/1/x.png", hosts=host) == PNG
    assert own.asked == [("/data/upload/1/x.png", f"Token {TOKEN}")] * 2
    assert storage.asked == [("/signed?X-Amz-Signature=1", None)]


def test_a_redirect_from_an_allowed_host_must_lead_to_an_allowed_one(
    new_site: Callable[..., Site], other: Site, fetch: Fetch
) -> None:
    secret = new_site()
    uri = other.redirect("/x.png", secret.serve("/metadata"))
    with pytest.raises(UnreadableImage, match=r"host '127\.0\.0\.1' is not allowed"):
        fetch(uri, hosts="localhost")
    assert secret.asked == []
    assert fetch(uri, hosts="localhost,127.0.0.1") == PNG


def test_the_trust_in_a_storage_ends_there(own: Site, other: Site, new_site: Callable[..., Site], fetch: Fetch) -> None:
    secret = new_site()
    own.redirect("/data/upload/1/x.png", other.redirect("/signed", secret.serve("/metadata")))
    with pytest.raises(UnreadableImage, match=r"host '127\.0\.0\.1' is not allowed"):
        fetch("/data/upload/1/x.png", hosts="localhost")
    assert secret.asked == []


def test_relative_redirects_and_circles(own: Site, fetch: Fetch) -> None:
    own.redirect("/a/x.png", "../b/x.png")
    own.serve("/b/x.png")
    assert fetch("/a/x.png") == PNG
    own.redirect("/c.png", "/c.png")
    with pytest.raises(UnreadableImage, match="more than 5 redirects"):
        fetch("/c.png")


@pytest.mark.parametrize("uri", ["s3://bucket/a b.png", "gs://bucket/ü.png", "azure-blob://c/x.png"])
def test_a_cloud_uri_is_resolved_by_label_studio(uri: str, own: Site, other: Site, fetch: Fetch) -> None:
    path = f"/tasks/5/presign/?fileuri={base64.urlsafe_b64encode(uri.encode()).decode()}"
    own.redirect(path, other.serve("/signed"))
    assert fetch(uri, hosts="localhost") == PNG
    assert own.asked == [(path, f"Token {TOKEN}")]
    assert other.asked == [("/signed", None)]


def test_label_studios_public_address_is_asked_where_it_is_reached(own: Site, fetch: Fetch) -> None:
    own.serve("/data/upload/1/x.png")
    assert fetch("https://ls.example.org/data/upload/1/x.png", public_url="https://ls.example.org") == PNG
    assert own.asked == [("/data/upload/1/x.png", f"Token {TOKEN}")]


def test_a_redirect_to_label_studios_public_address_is_too(own: Site, fetch: Fetch) -> None:
    own.redirect("/tasks/5/x.png", "https://ls.example.org/data/upload/1/x.png")
    own.serve("/data/upload/1/x.png")
    assert fetch("/tasks/5/x.png", public_url="https://ls.example.org") == PNG
    assert own.asked[-1] == ("/data/upload/1/x.png", f"Token {TOKEN}")


def test_a_file_larger_than_the_limit(own: Site, fetch: Fetch) -> None:
    own.serve("/fits.png", b"x" * 100)
    own.serve("/large.png", b"x" * 101)
    own.answers["/unsaid.png"] = (200, {}, b"x" * 101)
    own.answers["/lies.png"] = (200, {"Content-Length": "5000"}, b"")
    assert len(fetch("/fits.png", limit=100)) == 100
    for path in ("/large.png", "/unsaid.png", "/lies.png"):
        with pytest.raises(UnreadableImage, match="larger than the limit of 100 bytes"):
            fetch(path, limit=100)


def test_a_file_of_unsaid_length_is_read_whole(own: Site, fetch: Fetch) -> None:
    content = hashlib.sha256(b"").digest() * 3000
    own.answers["/unsaid.png"] = (200, {}, content)
    assert fetch("/unsaid.png", limit=200_000) == content


def test_an_image_has_one_deadline(own: Site, other: Site, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FETCH_SECONDS", 0.5)
    own.drips = other.drips = True
    began = time.monotonic()
    with pytest.raises(UnreadableImage, match=r"not fetched within 0\.5 s"):
        fetch(other.serve("/x.png", b"x" * 50), hosts="localhost,127.0.0.1")
    with pytest.raises(UnreadableImage, match=r"not fetched within 0\.5 s"):
        fetch(own.serve("/x.png", b"x" * 50))
    assert time.monotonic() - began < 3  # of 10 s


def test_the_deadline_counts_over_redirects(own: Site, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    own.redirect("/a.png", own.serve("/b.png"))
    now = iter(range(0, 1000, 20))
    monkeypatch.setattr(fetching.time, "monotonic", lambda: next(now))
    with pytest.raises(UnreadableImage, match="not fetched within 30 s"):
        fetch("/a.png")


def test_a_proxy_whose_label_studio_restarts_is_not_the_images_fault(own: Site, other: Site, fetch: Fetch) -> None:
    for status in (502, 503, 504):
        with pytest.raises(LabelStudioUnreachable, match=f"HTTP {status} while fetching an image"):
            fetch(own.refuse("/data/upload/1/x.png", status))
        with pytest.raises(UnreadableImage, match=f"HTTP {status} from localhost .a passing fault"):
            fetch(other.refuse("/x.png", status), hosts="localhost,127.0.0.1")


def test_one_file_that_is_always_cut_off_is_unreadable_while_label_studio_is_well(own: Site, fetch: Fetch) -> None:
    own.cut("/data/upload/1/x.png")
    with pytest.raises(LabelStudioUnreachable):
        fetch("/data/upload/1/x.png")
    own.serve("/health")
    own.asked.clear()
    with pytest.raises(UnreadableImage, match=r"127\.0\.0\.1 does not answer: peer closed"):
        fetch("/data/upload/1/x.png")
    assert [path for path, _ in own.asked] == ["/data/upload/1/x.png", "/health"] * 2


def test_http_errors_are_told(own: Site, other: Site, fetch: Fetch) -> None:
    own.refuse("/broken.png", 500)
    with pytest.raises(UnreadableImage, match=r"HTTP 404 from 127.0.0.1$"):
        fetch("/missing.png")
    with pytest.raises(UnreadableImage, match=r"HTTP 500 from 127.0.0.1 \(a passing fault: seed again\)"):
        fetch("/broken.png")
    with pytest.raises(UnreadableImage, match="HTTP 401 from localhost"):
        fetch(other.refuse("/private.png", 401), hosts="localhost,127.0.0.1")


def test_a_cut_connection_is_an_unreadable_image(other: Site, fetch: Fetch) -> None:
    with pytest.raises(UnreadableImage, match="localhost does not answer"):
        fetch(other.cut("/cut.png"), hosts="localhost,127.0.0.1")


def test_a_foreign_host_that_is_down_is_an_unreadable_image(nobody: str, fetch: Fetch) -> None:
    with pytest.raises(UnreadableImage, match=r"127\.0\.0\.1 does not answer"):
        fetch(f"http://{nobody}/x.png", hosts="localhost,127.0.0.1")


def test_label_studio_down_is_not_the_images_fault(nobody: str, fetch: Fetch) -> None:
    with pytest.raises(LabelStudioUnreachable, match=nobody):
        fetch("/data/upload/1/x.png", url=f"http://{nobody}")


def test_a_refused_token_is_not_the_images_fault(own: Site, fetch: Fetch) -> None:
    own.refuse("/data/upload/1/x.png", 401)
    with pytest.raises(TokenRefused, match="LABEL_STUDIO_API_KEY"):
        fetch("/data/upload/1/x.png")


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "no image field"),
        ("x.png", "no address"),
        ("file:///etc/passwd", "no address"),
        ("data:image/png;base64,AA==", "no address"),
        ("http://", "not allowed"),
        ("http://[broken", "no address"),
        ("http://h:99999/x.png", "no address"),
        ("http://127.0.0.1@evil/x.png", "host 'evil' is not allowed"),
    ],
)
def test_what_cannot_be_fetched(uri: str, reason: str, fetch: Fetch) -> None:
    with pytest.raises(UnreadableImage, match=reason):
        fetch(uri)


def test_a_redirect_to_nowhere(own: Site, fetch: Fetch) -> None:
    own.redirect("/x.png", "http://[broken")
    with pytest.raises(UnreadableImage, match="no address"):
        fetch("/x.png")


_studio = Studio("http://127.0.0.1:9", TOKEN)


@given(st.text(max_size=20) | st.text(max_size=20).map("http://".__add__))
@settings(deadline=None, max_examples=40)  # httpx tries a connection three times
def test_whatever_task_data_holds_is_fetched_or_named(uri: str) -> None:
    fetcher = ImageFetcher(_studio, frozenset(), 10)
    try:
        fetcher.fetch(5, uri)
    except (UnreadableImage, LabelStudioUnreachable):
        pass
    finally:
        fetcher.close()
