"""A small S3 over real HTTP: one bucket to list, head and get from, signed URLs checked as S3 checks them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

ACCESS_KEY = "seedqueue-tests"
SECRET_KEY = "a secret between Label Studio and its storage"
UNRESERVED = "-_.~"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `key` is empty where it was about the bucket."""

    method: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # by lower-case name

    @property
    def presigned(self) -> bool:
        """Whether it came through a signed URL: no key of the storage was needed to send it."""
        return "X-Amz-Signature" in self.query


class S3Server:
    """Serves `objects` of `bucket` at `url`, path style; every request is noted in `asked`.

    A signed URL must carry the right signature, and nothing else that proves who asks: like S3 it answers
    400 where an Authorization header comes with it.
    """

    def __init__(self, bucket: str, objects: dict[str, bytes]) -> None:
        self.bucket = bucket
        self.objects = dict(objects)
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def storage(self, project: int, **changes: object) -> dict[str, object]:
        """What `POST /api/storages/s3` takes to attach this bucket to a project."""
        return {
            "project": project,
            "title": "bucket",
            "bucket": self.bucket,
            "s3_endpoint": self.url,
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
            "use_blob_urls": True,
            **changes,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send()

            def do_HEAD(self) -> None:
                self._send()

            def _send(self) -> None:
                status, kind, body = outer._answer(self.command, self.path, dict(self.headers.items()))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", f'"{hashlib.md5(body).hexdigest()}"')
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """The test's output is no place for an access log."""

        return Handler

    def _answer(self, method: str, target: str, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        parts = urlsplit(target)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        pairs = (pair.partition("=") for pair in parts.query.split("&") if pair)
        asked = Asked(
            method,
            key,
            {unquote(name): unquote(value) for name, _, value in pairs},
            {name.lower(): value for name, value in headers.items()},
        )
        self.asked.append(asked)
        if refusal := _refusal(asked, parts.path):
            return _error(*refusal)
        if bucket != self.bucket:
            return _error(404, "NoSuchBucket")
        if not key:
            return 200, "application/xml", self._listing(asked.query)
        if key not in self.objects:
            return _error(404, "NoSuchKey")
        return 200, "binary/octet-stream", self.objects[key]

    def _listing(self, query: Mapping[str, str]) -> bytes:
        """ListObjects and ListObjectsV2, all of it in one page."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        keys = [key for key in sorted(self.objects) if key.startswith(prefix)]
        if delimiter:
            keys = [key for key in keys if delimiter not in key.removeprefix(prefix)]
        shown = [quote(key) if query.get("encoding-type") == "url" else escape(key) for key in keys]
        contents = "".join(
            f"<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<Size>{len(self.objects[key])}</Size></Contents>"
            for key, name in zip(keys, shown, strict=True)
        )
        about = f"<KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>"
        return f"<ListBucketResult>{about}{contents}</ListBucketResult>".encode()

    def __enter__(self) -> S3Server:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _refusal(asked: Asked, path: str) -> tuple[int, str] | None:
    """Status and code of the error that S3 would give, None where the request is in order."""
    authorisation = asked.headers.get("authorization", "")
    if asked.presigned:
        if authorisation:
            return 400, "InvalidArgument"
        if asked.query["X-Amz-Signature"] != _signature(asked, path):
            return 403, "SignatureDoesNotMatch"
    elif f"Credential={ACCESS_KEY}/" not in authorisation:
        return 403, "AccessDenied"
    return None


def _signature(asked: Asked, path: str) -> str:
    """Signature version 4 of a signed URL, made anew from what arrived."""
    query = sorted((quote(n, UNRESERVED), quote(v, UNRESERVED)) for n, v in asked.query.items())
    signed_headers = asked.query.get("X-Amz-SignedHeaders", "")
    canonical = [
        asked.method,
        quote(unquote(path), "/" + UNRESERVED),
        "&".join(f"{name}={value}" for name, value in query if name != "X-Amz-Signature"),
        *(f"{name}:{asked.headers.get(name, '').strip()}" for name in signed_headers.split(";")),
        "",
        signed_headers,
        "UNSIGNED-PAYLOAD",
    ]
    scope = asked.query.get("X-Amz-Credential", "").partition("/")[2]
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", asked.query.get("X-Amz-Date", ""), scope, digest])
    key = f"AWS4{SECRET_KEY}".encode()
    for part in [*scope.split("/"), text]:
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _error(status: int, code: str) -> tuple[int, str, bytes]:
    return status, "application/xml", f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
