"""The bytes behind an image URI, whatever storage holds them, and never a token to a foreign host."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit, urlunsplit

import httpx

from seedqueue.backend.addresses import admitted
from seedqueue.backend.errors import LabelStudioUnreachable, TokenRefused
from seedqueue.backend.health import is_healthy
from seedqueue.backend.label_studio import Studio, unreachable
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

# Where Label Studio serves images, below the path that it is itself served under.
_IMAGES = re.compile(
    r"/(?:data/(?!avatars/)|storage-data/uploaded/|(?:api/)?(?:tasks|projects)/\d+/(?:resolve|presign)/)"
)
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]|^[^/]*//[^/?#]*[\\ ]")

_SIGNATURE_FIELDS = frozenset(
    {"signature", "expires", "awsaccesskeyid", "googleaccessid", "key-pair-id", "policy"}
    | {"sig", "se", "sp", "sv", "sr", "st", "spr", "skoid", "sktid", "skt", "ske", "sks", "skv"}
)


@dataclass(frozen=True)
class Fetched:
    content: bytes
    etag: str


def stable_uri(uri: str) -> str:
    """The URI without a signature that expires: what names an image from one run to the next."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # no address at all, as fetching it will tell
        return uri
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

    `allowed_hosts` are hosts beside Label Studio's, each `name` or `name:port`; `"*"` allows any with a public
    address. A redirect that Label Studio itself gives (a signed URL of one of its storages) is followed without the
    token to any host with a public address; a redirect given by any other host must lead to an allowed host.
    Loopback and private addresses are for hosts that are listed, and for Label Studio itself (`addresses`).
    """

    def __init__(self, studio: Studio, allowed_hosts: frozenset[str], max_bytes: int) -> None:
        self._studio = studio
        self._allowed = allowed_hosts
        self._max_bytes = max_bytes
        self._http = httpx.Client(
            follow_redirects=False,
            transport=httpx.HTTPTransport(retries=2),
        )

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
        trusted = self._studio.is_own_host(url)
        for _ in range(MAX_REDIRECTS + 1):
            if FORBIDDEN.search(url):  # parsers do not agree about these: one may see another host
                raise _no_address(url)
            self._check_host(url, trusted)
            answer, location = self._get(url, deadline)
            if location is None:
                return answer
            trusted = self._studio.is_own_host(url)
            url = self._reachable(urljoin(url, location))
        raise UnreadableImage(f"more than {MAX_REDIRECTS} redirects")

    def _address(self, task: int, uri: str) -> str:
        """Where to ask first: cloud URIs through Label Studio, its own paths and public address at its URL."""
        if _in_cloud(uri):
            encoded = base64.urlsafe_b64encode(uri.encode()).decode()
            return f"{self._studio.url}/tasks/{task}/presign/?fileuri={encoded}"
        if uri.startswith("/"):
            return self._studio.url + uri
        if urlsplit(uri).scheme.lower() not in ("http", "https"):
            raise _no_address(uri)
        return self._reachable(uri)

    def _reachable(self, url: str) -> str:
        if self._studio.is_own_host(url):
            parts, own = urlsplit(url), urlsplit(self._studio.url)
            return urlunsplit(parts._replace(scheme=own.scheme, netloc=own.netloc))
        return url

    def _check_host(self, url: str, trusted: bool) -> None:
        host = (urlsplit(url).hostname or "").lower()
        if trusted or self._studio.is_own_host(url) or "*" in self._allowed or self._is_named(url):
            return
        raise UnreadableImage(f"host {host!r} is not allowed; add it to SEEDQUEUE_IMAGE_HOSTS to fetch from it")

    def _is_named(self, url: str) -> bool:
        """Whether the admin has listed this host, or this host with this port."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower().rstrip(".")
        return host in self._allowed or f"{host}:{_port(url)}" in self._allowed

    def _get(self, url: str, deadline: _Deadline) -> tuple[Fetched, str | None]:
        """One request: the bytes, or where it redirects to.

        Label Studio is asked twice where it breaks off, since a proxy that restarts does so once; a file that
        always does is at fault itself, and must not fail the run.
        """
        own = self._studio.is_own_host(url)
        tries = 2 if own else 1
        while True:
            tries -= 1
            try:
                return self._ask(url, deadline)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason, broke_off = str(error) or type(error).__name__, isinstance(error, httpx.TransportError)
                if own and broke_off and not is_healthy(self._studio.url):
                    raise unreachable(self._studio.url, error) from error
                if not tries or not broke_off:
                    raise UnreadableImage(f"{urlsplit(url).hostname} does not answer: {reason}") from error

    def _ask(self, url: str, deadline: _Deadline) -> tuple[Fetched, str | None]:
        if self._studio.is_own_host(url):
            headers = self._studio.headers() if is_image_path(url, self._studio.url) else {}
            return self._answer(httpx.Request("GET", url, headers=headers), url, deadline)
        target, host = httpx.URL(url), urlsplit(url).hostname or ""
        addresses = admitted(host, _port(url), named=self._is_named(url))
        for address in addresses:
            # To the address that was judged, under the host's name: in the request, and for its certificate.
            request = httpx.Request(
                "GET",
                target.copy_with(host=address),
                headers={"Host": target.netloc.decode("ascii")},
                extensions={"sni_hostname": target.raw_host.decode("ascii")},
            )
            try:
                return self._answer(request, url, deadline)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if address == addresses[-1]:
                    raise
        raise UnreadableImage(f"host {host!r} has no address")

    def _answer(self, request: httpx.Request, url: str, deadline: _Deadline) -> tuple[Fetched, str | None]:
        request.extensions["timeout"] = deadline.timeout().as_dict()
        answer = self._http.send(request, stream=True)
        try:
            if answer.is_redirect:
                return Fetched(b"", ""), answer.headers["location"]
            self._check_answer(answer, url)
            return Fetched(self._read(answer, deadline), answer.headers.get("etag", "")), None
        finally:
            answer.close()

    def _check_answer(self, answer: httpx.Response, url: str) -> None:
        own = self._studio.is_own_host(url)
        if own and answer.status_code == 401:
            raise TokenRefused(self._studio.url, "while fetching an image")
        if own and answer.status_code in PROXY_FAULTS:
            raise LabelStudioUnreachable(self._studio.url, f"HTTP {answer.status_code} while fetching an image")
        if answer.status_code != 200:
            passing = PASSING if answer.status_code in TRANSIENT else ""
            raise UnreadableImage(f"HTTP {answer.status_code} from {urlsplit(url).hostname}{passing}")
        if int(answer.headers.get("content-length") or 0) > self._max_bytes:
            raise UnreadableImage(f"larger than the limit of {self._max_bytes} bytes")

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
    parts = unquote(unquote(path)).replace("\\", "/").split("/")
    if ".." in parts or not path.startswith(base):
        return False
    return _IMAGES.match(path.removeprefix(base)) is not None


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _no_address(uri: str) -> UnreadableImage:
    return UnreadableImage(f"{_shown(uri)!r} is no address that can be fetched")


def _shown(uri: str) -> str:
    """The beginning of a URI, without a password in it."""
    return re.sub(r"//[^/@]*@", "//...@", uri)[:80]


def allowed_hosts(setting: str) -> frozenset[str]:
    """The hosts of `SEEDQUEUE_IMAGE_HOSTS`."""
    return frozenset(host.strip().lower() for host in setting.split(",") if host.strip())
