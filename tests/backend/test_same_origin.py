"""Who may send what changes something: programs, and our own pages."""

import pytest

from seedqueue.backend.same_origin import is_foreign

HOST = "127.0.0.1:9090"


@pytest.mark.parametrize(
    ("site", "origin", "foreign"),
    [
        (None, None, False),  # Label Studio, curl
        ("same-origin", "http://127.0.0.1:9090", False),
        ("none", None, False),
        ("cross-site", "http://evil.example", True),
        ("same-site", "http://127.0.0.1:8080", True),  # another port of this host: Label Studio's pages too
        (None, "http://127.0.0.1:9090", False),
        (None, "http://127.0.0.1:8080", True),
        (None, "null", True),  # a sandboxed frame, a local file
        (None, "http://[", True),
        ("same-origin", "https://lab.example", False),  # behind a proxy that rewrites Host
    ],
)
def test_is_foreign(site: str | None, origin: str | None, foreign: bool) -> None:
    assert is_foreign(site, origin, [HOST, ""]) is foreign


def test_behind_a_proxy_that_rewrites_host_the_name_it_forwards_counts() -> None:
    hosts = ["backend:9090", "Lab.example"]
    assert not is_foreign(None, "http://lab.example", hosts)
    assert is_foreign(None, "http://evil.example", hosts)
    assert is_foreign(None, "", ["backend:9090", ""])  # no name matches no name
