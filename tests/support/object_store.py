"""An object store on this machine for the tests: moto's S3 server as a child process."""

from __future__ import annotations

import time
import uuid
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx

from seedqueue.backend.children import Children, free_port, last_lines
from seedqueue.backend.tables import Home

PYTHON = Path(__file__).resolve().parents[2] / ".venv-moto/bin/python"
PROGRAM = Path(__file__).with_name("serve_moto.py")
BUCKET = "seedqueue"
START_SECONDS = 60.0
# moto takes from it which service is meant, and believes the rest.
AUTHORISATION = "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@dataclass(frozen=True)
class ObjectStore:
    """A running S3 with one bucket."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which LanceDB finds it."""
        return {
            "AWS_ENDPOINT": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_REGION": "us-east-1",
        }

    def new_place(self) -> str:
        """The URL of a home that nobody has used yet."""
        return f"s3://{BUCKET}/{uuid.uuid4().hex[:12]}"


def start(children: Children, log_file: Path) -> ObjectStore:
    """Start the server and make the bucket; it ends with `children`."""
    if not PYTHON.exists():
        raise FileNotFoundError(f"{PYTHON} is missing: `make install` makes it")
    port = free_port()
    store = ObjectStore(f"http://127.0.0.1:{port}")
    server = children.start("moto", [PYTHON, PROGRAM, str(port)], log_file=log_file)
    deadline = time.monotonic() + START_SECONDS
    while not _make_bucket(store):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"moto does not start: {last_lines(log_file)}")
        time.sleep(0.02)
    return store


def open_home(place: Path | str) -> Home:
    """The home at a place that only this process uses: no lock over others is needed."""
    return Home(place, lambda name: nullcontext())


def _make_bucket(store: ObjectStore) -> bool:
    """False where nobody listens yet."""
    try:
        made = httpx.put(f"{store.endpoint}/{BUCKET}", headers={"Authorization": AUTHORISATION}, timeout=30)
    except httpx.TransportError:
        return False
    made.raise_for_status()
    return True
