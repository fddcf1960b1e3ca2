"""Whether an HTTP server answers its /health: Label Studio's and ours alike."""

from __future__ import annotations

import httpx

SECONDS = 5.0


def is_healthy(url: str) -> bool:
    """One look, at most some seconds long, and never through a proxy of the environment."""
    try:
        with httpx.Client(transport=httpx.HTTPTransport(), timeout=SECONDS) as client:
            return client.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False
