"""The connection to Label Studio: the SDK's client, plain calls beside it, errors with names."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError

from seedqueue.backend.errors import (
    CertificateRefused,
    CertificatesUnusable,
    LabelStudioRefused,
    LabelStudioUnreachable,
    ProjectNotFound,
    TokenMissing,
    TokenRefused,
)
from seedqueue.backend.settings import Settings

# Deleting a version of 10,000 predictions takes Label Studio 47 s on sqlite.
SLOW_CALL_SECONDS = 600.0
LONGEST_DETAIL = 300
LOCKED = "database is locked"
LOCKED_PAUSES = (0.2, 1.0, 3.0)
HTML_TAG = re.compile(r"<[^>]*>")
CALL = httpx.Timeout(120.0, connect=5.0)
# Label Studio judges a token when it comes to the request, by its own clock.
TOKEN_MARGIN = timedelta(seconds=60)


class Studio:
    """One Label Studio, seen with one token; legacy tokens and personal access tokens alike.

    `sdk` is label-studio-sdk's client; `call` serves the routes that the SDK wraps slowly or not at all.
    """

    def __init__(self, url: str, api_key: str, public_url: str = "") -> None:
        if not api_key:
            raise TokenMissing
        self.url = url.rstrip("/")
        self.public_url = public_url or self.url
        with certificates():
            self.http = httpx.Client(timeout=CALL, follow_redirects=False)
        with self.translated():
            self.sdk = LabelStudio(base_url=self.url, api_key=api_key, httpx_client=self.http)
        # The SDK would send a personal access token beside the path that Label Studio is served under.
        self.sdk._client_wrapper._tokens_client._base_url = f"{self.url}/"

    def close(self) -> None:
        self.http.close()

    def headers(self) -> dict[str, str]:
        """The Authorization header of the moment: an access token made from a PAT lives 300 s."""
        with self.translated():
            self._renew_access_token()
            headers: dict[str, str] = self.sdk._client_wrapper.get_headers()
        return {"Authorization": headers["Authorization"]}

    def _renew_access_token(self) -> None:
        """A new access token while the old one still holds: the SDK would use it to its last moment."""
        tokens = self.sdk._client_wrapper._tokens_client
        with tokens._token_refresh_lock:
            ends = tokens._access_token_expiration  # None for a legacy token, and before the first use of a PAT
            if ends is not None and ends - datetime.now(UTC) < TOKEN_MARGIN:
                tokens._set_access_token(tokens.refresh().access)

    def call(
        self,
        method: str,
        path: str,
        *,
        project: int | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        slow: bool = False,
        missing_ok: bool = False,
    ) -> Any:
        """One plain API call; the decoded JSON, or None where the answer has no body.

        `missing_ok`: a 404 is None too, as when what is to be deleted is gone already.
        """
        timeout = httpx.Timeout(SLOW_CALL_SECONDS, connect=5.0) if slow else CALL
        with self.translated(project):
            answer = self._request(method, self.url + path, params=params, json=json, timeout=timeout)
            if answer.status_code == 404 and missing_ok:
                return None
            if answer.status_code >= 300:  # a redirect too: following it would turn a POST into a GET
                raise ApiError(status_code=answer.status_code, body=_body(answer), headers=dict(answer.headers))
            return answer.json() if answer.content else None

    def _request(self, method: str, url: str, **content: Any) -> httpx.Response:
        """One request, repeated where sqlite was locked by another's write; a part of it may be done."""
        for pause in LOCKED_PAUSES:
            answer = self.http.request(method, url, headers=self.headers(), **content)
            if answer.status_code != 500 or LOCKED not in answer.text:
                return answer
            time.sleep(pause)
        return self.http.request(method, url, headers=self.headers(), **content)

    def is_own_host(self, url: str) -> bool:
        """Whether the token may travel to this absolute URL: Label Studio itself and nobody else."""
        return _origin(url) in (_origin(self.url), _origin(self.public_url))

    @contextmanager
    def translated(self, project: int | None = None) -> Iterator[None]:
        """Errors of the SDK and of HTTP become ours; a 404 is about `project` when one is given."""
        try:
            yield
        except ApiError as error:
            raise self._named(error, project) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise unreachable(self.url, error) from error
        except ValueError as error:
            raise LabelStudioUnreachable(self.url, f"its answer is not JSON: {error}") from error

    def _named(self, error: ApiError, project: int | None) -> Exception:
        code, detail = error.status_code or 0, _detail(error.body)
        if code == 401:
            return TokenRefused(self.url, detail)
        if code == 404 and project is not None:
            return ProjectNotFound(project, self.url)
        location = (error.headers or {}).get("location")
        if location and 300 <= code < 400:
            detail = _redirected(urljoin(self.url, location))
        return LabelStudioRefused(self.url, code, detail)


def unreachable(url: str, error: Exception) -> LabelStudioUnreachable | CertificateRefused:
    """What a connection that failed is called."""
    reason = str(error) or type(error).__name__
    mend = certificate_mend(reason)
    return CertificateRefused(url, reason, mend) if mend else LabelStudioUnreachable(url, reason)


def certificate_mend(reason: str) -> str:
    """What to do about a certificate that was not accepted, "; ..." without a stop; "" where it is about none."""
    if "CERTIFICATE_VERIFY_FAILED" not in reason:
        return ""
    if "mismatch" in reason:
        return "; use a name that the certificate is for, or have one made for this name"
    if "expired" in reason or "not yet valid" in reason:
        return "; renew the certificate, or set this machine's clock"
    return "; set SSL_CERT_FILE to a file with your authority's certificate, for the backend and for every worker"


@contextmanager
def certificates() -> Iterator[None]:
    """What is wrong with the file of authorities becomes `CertificatesUnusable`."""
    try:
        yield
    except OSError as error:  # ssl's errors are too
        raise CertificatesUnusable(str(error)) from error


def connect(settings: Settings) -> Studio:
    """The `Studio` of the settings. Raises `TokenMissing`; nothing is called yet but a PAT's refresh."""
    return Studio(settings.label_studio_url, settings.label_studio_api_key, settings.label_studio_public_url)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _redirected(location: str) -> str:
    scheme, authority, *_ = urlsplit(location)
    return f"it redirects to {location}. Set LABEL_STUDIO_URL to that address: {scheme}://{authority}"


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text[:300]


def _detail(body: Any) -> str:
    """The sentences in an error's body, which may stand in lists per field and hold HTML."""
    if isinstance(body, Mapping):
        return _detail(body.get("validation_errors") or body.get("detail") or list(body.values()))
    if isinstance(body, list):
        return "; ".join(_detail(part) for part in body)
    return " ".join(HTML_TAG.sub("", str(body)).split())[:LONGEST_DETAIL]
