"""What the long proofs of load share: pictures, events as Label Studio sends them, and where results go."""

from __future__ import annotations

import http.client
import io
import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"
RESULTS = Path(__file__).resolve().parents[2] / "build/soak.jsonl"
MINUTES = float(os.environ.get("SEEDQUEUE_SOAK_MINUTES", "30"))
TASKS = int(os.environ.get("SEEDQUEUE_SOAK_TASKS", "50000"))


def note(what: str, expected: str, seen: object, met: bool) -> None:
    """One figure, as it was seen."""
    RESULTS.parent.mkdir(exist_ok=True)
    told = {"what": what, "expected": expected, "seen": seen, "met": met}
    with RESULTS.open("a") as sink:
        sink.write(json.dumps(told) + "\n")
    print(f"{what}: {seen} (expected {expected}){'' if met else ': MISSED'}")


def pictures(count: int, side: int = 16, seed: int = 0) -> dict[str, bytes]:
    """Small grey noise, each picture another one."""
    rng = np.random.default_rng(seed)
    made: dict[str, bytes] = {}
    for number in range(count):
        stream = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (side, side), dtype=np.uint8)).save(stream, "PNG")
        made[f"{seed}-{number:06d}.png"] = stream.getvalue()
    return made


def event(name: str, project: int, task: int, annotation: int) -> bytes:
    body = json.loads((PAYLOADS / f"{name}.json").read_text())["body"]
    body["project"]["id"] = project
    for key, value in (("task", task), ("annotation", annotation)):
        if isinstance(body.get(key), dict):
            body[key]["id"] = value
    return json.dumps(body).encode()


def post(url: str, body: bytes) -> int:
    """As Label Studio delivers events: a connection each."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("POST", "/webhook", body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()
