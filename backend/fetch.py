"""The bytes behind an image URI, whatever storage holds them, and never a token to a foreign host."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit, urlunsplit

import httpx

from seedqueue.backend.addresses import Hosts
from seedqueue.backend.errors import InvalidSetting, LabelStudioUnreachable, TokenRefused
from seedqueue.backend.health import is_healthy
from seedqueue.backend.label_studio import Studio, certificate_mend, certificates, unreachable
from seedqueue.backend.outgoing import Outgoing, Trust
from seedqueue.models.errors import UnreadableImage

CLOUD_SCHEMES = ("s3", "gs", "azure-blob", "azure_blob", "azure")
MAX_REDIRECTS = 5
TRANSIENT = (429, 500, 502, 503, 504)
# What a proxy says while the Label Studio behind it restarts; Label Studio itself tells a storage's fault by 424.
PROXY_FAULTS = (502, 503, 504)
PASSING = " (a passing fault: seed again)"
# For one image, its redirects included: a server that drips bytes would hold a thread beyond the job's time limit.
FETCH_SECONDS = 30.0
READ_SECONDS = 15.0
CONNECT_SECONDS = 5.0

# The path behind which Label Studio signs a URI of a cloud storage; it may itself be served below a path.
_RESOLVED = re.compile(r".*/(?:tasks|projects)/\d+/(?:resolve|presign)/?")

# Where Label Studio 1.23 serves images, below the path that it is itself served under.
_IMAGES = re.compile(
    r"/(?:data/(?:upload|local-files)/|storage-data/uploaded/|(?:tasks|projects)/\d+/(?:resolve|presign)/)"
)
# What a body may be wrapped in: these unpack a thousandfold at most, in steps; others may do more at once.
ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]|^[^/]*//[^/?#]*[\\ ]")

_SIGNATURE_FIELDS = frozenset(
    {"signature", "expires", "awsaccesskeyid", "googleaccessid", "key-pair-id", "policy"}
    | {"sig", "se", "sp", "sv", "sr", "st", "spr", "skoid", "sktid", "skt", "ske", "sks", "skv"}
)


@dataclass(frozen=True)
class Fetched:
    content: bytes
    etag: str


def stable_uri(uri: str) -> str:
    """The URI without a password, and without a signature that expires: what names an image from run to run."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # no address at all, as fetching it will tell
        return uri
    if "@" in parts.netloc and parts.scheme in ("http", "https"):
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        uri = urlunsplit(parts)
    if not parts.query:
        return uri
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.lower() not in _SIGNATURE_FIELDS and not name.lower().startswith(("x-amz-", "x-goog-"))
    ]
    return urlunsplit(parts._replace(query=urlencode(kept)))


def original_uri(uri: str) -> str:
    """The URI as the pool lists it: Label Studio writes `s3://...` as HOST/tasks/ID/resolve/?fileuri=BASE64 elsewhere.

    What is no such address stays as it is.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri
    if not _RESOLVED.fullmatch(parts.path):
        return uri
    encoded = dict(parse_qsl(parts.query)).get("fileuri", "")
    try:
        found = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:  # no base64, or no text
        return uri
    return found if _in_cloud(found) else uri


def _in_cloud(uri: str) -> bool:
    """Whether Label Studio has to sign it. `urlsplit` sees no scheme where there is an underscore in it."""
    return uri.partition("://")[0].lower() in CLOUD_SCHEMES


class _Deadline:
    """When one image must be there."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + FETCH_SECONDS

    def check(self) -> float:
        """The seconds left. Raises `UnreadableImage` where there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise UnreadableImage(f"not fetched within {FETCH_SECONDS:g} s{PASSING}")
        return left

    def timeout(self) -> httpx.Timeout:
        left = self.check()
        return httpx.Timeout(min(READ_SECONDS, left), connect=min(CONNECT_SECONDS, left))


class ImageFetcher:
    """Fetches images for one project's tasks; safe to use from several threads.

    `allowed` are hosts beside Label Studio's. A redirect that Label Studio itself gives (a signed URL of one of its
    storages) is followed without the token to any host with a public address; a redirect given by any other host must
    lead to an allowed host. Loopback and private addresses are for hosts that are listed, and for Label Studio itself
    (`addresses`). Raises `CertificatesUnusable`.
    """

    def __init__(self, studio: Studio, allowed: frozenset[str], max_bytes: int) -> None:
        self._studio = studio
        self._hosts = Hosts(allowed)
        self._max_bytes = max_bytes
        bases = [urlsplit(url).path.rstrip("/") for url in (studio.public_url, studio.url)]
        self._bases = sorted(bases, key=len, reverse=True)
        self._own = _host_port(httpx.URL(studio.url))
        with certificates():
            self._http = Outgoing(self._trust)

    def close(self) -> None:
        self._http.close()

    def fetch(self, task: int, uri: str) -> Fetched:
        """The bytes of one task's image. Raises `UnreadableImage` with what was wrong with it.

        What is wrong with Label Studio or the token is no fault of the image: `LabelStudioUnreachable`,
        `TokenRefused`.
        """
        if not uri:
            raise UnreadableImage("the task has no image field")
        try:
            return self._follow(self._address(task, uri), _Deadline())
        except ValueError as error:  # a port of 99999, half an IPv6 address, in a redirect too
            raise _no_address(uri) from error

    def _follow(self, url: str, deadline: _Deadline) -> Fetched:
        trusted = False
        for _ in range(MAX_REDIRECTS + 1):
            target = self._parsed(url)
            self._check_host(target, trusted)
            answer, location = self._get(target, deadline)
            if location is None:
                return answer
            trusted = self._studio.is_own_host(str(target))
            url = urljoin(str(target), location)
        raise UnreadableImage(f"more than {MAX_REDIRECTS} redirects")

    def _address(self, task: int, uri: str) -> str:
        """Where to ask first: cloud URIs and paths at Label Studio."""
        if _in_cloud(uri):
            encoded = base64.urlsafe_b64encode(uri.encode()).decode()
            return f"{self._studio.url}/tasks/{task}/presign/?fileuri={encoded}"
        return self._studio.url + (self._below(uri) or uri) if uri.startswith("/") else uri

    def _below(self, path: str) -> str | None:
        """A path without the one that Label Studio is served under; None where it is not there."""
        base = next((base for base in self._bases if path.startswith(f"{base}/")), None)
        return None if base is None else path.removeprefix(base)

    def _parsed(self, url: str) -> httpx.URL:
        """One parser decides what is asked, judged and connected to. Label Studio is asked where it is reached."""
        if _FORBIDDEN.search(url):
            raise _no_address(url)
        try:
            target = httpx.URL(url)
            if target.scheme not in ("http", "https") or b"%" in target.raw_host:  # what no host name may hold
                raise _no_address(url)
            if not self._studio.is_own_host(str(target)):
                return target
            own, parts = urlsplit(self._studio.url), urlsplit(str(target))
            below = self._below(parts.path)
            path = parts.path if below is None else own.path + below
            return httpx.URL(urlunsplit(parts._replace(scheme=own.scheme, netloc=own.netloc, path=path)))
        except httpx.InvalidURL as error:
            raise _no_address(url) from error

    def _check_host(self, url: httpx.URL, trusted: bool) -> None:
        if trusted or self._hosts.any or self._trust(*_host_port(url)) == "named" or self._studio.is_own_host(str(url)):
            return
        raise UnreadableImage(f"host {url.host!r} is not allowed; add it to SEEDQUEUE_IMAGE_HOSTS to fetch from it")

    def _trust(self, host: str, port: int) -> Trust:
        if (host, port) == self._own:
            return "own"
        return "named" if self._hosts.names(host, port) else "other"

    def _get(self, url: httpx.URL, deadline: _Deadline) -> tuple[Fetched, str | None]:
        """One request: the bytes, or where it redirects to.

        Label Studio is asked twice where it breaks off, since a proxy that restarts does so once; a file that
        always does is at fault itself, and must not fail the run.
        """
        own = self._studio.is_own_host(str(url))
        tries = 2 if own else 1
        while True:
            tries -= 1
            try:
                return self._ask(url, deadline)
            except httpx.DecodingError as error:
                raise UnreadableImage(f"{url.host} sends what is not encoded as it says: {error}") from error
            except httpx.TransportError as error:
                if own and not is_healthy(self._studio.url):
                    raise unreachable(self._studio.url, error) from error
                if not tries:
                    reason = str(error) or type(error).__name__
                    raise UnreadableImage(f"{url.host} does not answer: {reason}{certificate_mend(reason)}") from error

    def _ask(self, url: httpx.URL, deadline: _Deadline) -> tuple[Fetched, str | None]:
        own = self._studio.is_own_host(str(url)) and is_image_path(str(url), self._studio.url)
        headers = {"Accept-Encoding": "identity"} | (self._studio.headers() if own else {})
        answer = self._http.get(url, headers, deadline.timeout())
        try:
            if answer.has_redirect_location:
                return Fetched(b"", ""), answer.headers["location"]
            self._check_answer(answer, url.host, own)
            return Fetched(self._read(answer, deadline), answer.headers.get("etag", "")), None
        finally:
            answer.close()

    def _check_answer(self, answer: httpx.Response, host: str, own: bool) -> None:
        """own: Label Studio was asked for an image, with the token."""
        if own and answer.status_code == 401:
            raise TokenRefused(self._studio.url, "while fetching an image")
        if own and answer.status_code in PROXY_FAULTS:
            raise LabelStudioUnreachable(self._studio.url, f"HTTP {answer.status_code} while fetching an image")
        if answer.status_code != 200:
            passing = PASSING if answer.status_code in TRANSIENT else ""
            raise UnreadableImage(f"HTTP {answer.status_code} from {host}{passing}")
        if int(answer.headers.get("content-length") or 0) > self._max_bytes:
            raise UnreadableImage(f"larger than the limit of {self._max_bytes} bytes")
        encoding = answer.headers.get("content-encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            raise UnreadableImage(f"{host} sends it encoded as {encoding[:40]!r}, which was not asked for")

    def _read(self, answer: httpx.Response, deadline: _Deadline) -> bytes:
        content = bytearray()
        for chunk in answer.iter_bytes():
            deadline.check()
            content += chunk
            if len(content) > self._max_bytes:
                raise UnreadableImage(f"larger than the limit of {self._max_bytes} bytes")
        return bytes(content)


def is_image_path(url: str, studio: str) -> bool:
    """Whether Label Studio serves images there: nothing else gets the token, task data calls no API with it."""
    path, base = urlsplit(url).path, urlsplit(studio).path.rstrip("/")
    plain = unquote(unquote(path)).replace("\\", "/")
    if ".." in plain.split("/") or not path.startswith(base):
        return False
    return _IMAGES.match(path.removeprefix(base)) is not None


def _host_port(url: httpx.URL) -> tuple[str, int]:
    """As they are connected to."""
    return url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)


def _no_address(uri: str) -> UnreadableImage:
    return UnreadableImage(f"{_shown(uri)!r} is no address that can be fetched")


def _shown(uri: str) -> str:
    """The beginning of a URI, without a password or a signature in it."""
    return re.sub(r"//.*@", "//...@", uri, flags=re.DOTALL).partition("?")[0][:80]


def allowed_hosts(setting: str) -> frozenset[str]:
    """The hosts of `SEEDQUEUE_IMAGE_HOSTS`. Raises `InvalidSetting` where one is none."""
    hosts = frozenset(host.strip().lower() for host in setting.split(",") if host.strip())
    try:
        Hosts(hosts)
    except ValueError as error:
        mend = f"{error}; give names or addresses without http:// and without a path, each with or without :port"
        raise InvalidSetting("SEEDQUEUE_IMAGE_HOSTS", setting, mend) from error
    return hosts
