"""What the doctor concludes from what it sees of Label Studio, of the link to it and of the queue."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seedqueue.backend import publish
from seedqueue.backend.connection import Connection, webhook_headers
from seedqueue.backend.doctor import images, link, order, scratch, server
from seedqueue.backend.doctor.lines import Examination, Line, refused, told, worst
from seedqueue.backend.errors import LabelStudioUnreachable, NoSeedQueue
from seedqueue.backend.label_config import labelling_of_xml
from seedqueue.backend.label_studio import Studio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "http://studio.example:8080"
LEGACY_TOKEN = "0123456789abcdef0123456789abcdef01234567"


def personal_token(ends: datetime | None) -> str:
    body = {"token_type": "refresh", **({"exp": ends.timestamp()} if ends else {})}
    middle = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{middle}.c2lnbmVk"


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio(URL, LEGACY_TOKEN)
    yield made
    made.close()


def test_what_was_skipped_is_not_the_worst() -> None:
    green, yellow, red, skipped = (Line("x", level, "") for level in ("green", "yellow", "red", "skipped"))
    assert worst([]) == "green"
    assert worst([green, skipped]) == "green"
    assert worst([green, skipped, yellow]) == "yellow"
    assert worst([yellow, red, green]) == "red"
    assert told([green, Line("y", "red", "Bad.", "Mend it.")]) == {
        "worst": "red",
        "lines": [
            {"check": "x", "level": "green", "message": "", "mend": ""},
            {"check": "y", "level": "red", "message": "Bad.", "mend": "Mend it."},
        ],
    }


def test_an_error_of_ours_is_a_red_line_with_its_mend() -> None:
    assert refused("x", NoSeedQueue(3)) == Line(
        "x", "red", "Project 3 has no seed queue.", "Make one: `seedqueue seed --project 3`."
    )
    line = refused("x", LabelStudioUnreachable("http://a.b:1", "refused"))
    assert line.message == "Label Studio does not answer at http://a.b:1 (refused)."
    assert line.mend == "Start it, or set LABEL_STUDIO_URL to its address."


def test_a_check_whose_need_is_unmet_is_skipped_and_not_tried() -> None:
    shown: list[Line] = []
    found = Examination(shown.append)

    def fails() -> Sequence[Line]:
        raise NoSeedQueue(3)

    def never() -> Sequence[Line]:
        raise AssertionError("it was tried")

    def unwritable() -> Sequence[Line]:
        raise PermissionError(13, "Permission denied", "/home/x")

    found.look("good", lambda: [Line("good", "yellow", "Fine.")])
    found.look("bad", fails, ["good"])
    found.look("worse", never, ["good", "bad"])
    found.look("worst", never, ["worse"])
    found.look("unheard of", never, ["nothing"])
    found.look("folder", unwritable)
    levels = [(line.check, line.level) for line in found.lines]
    assert levels == [
        ("good", "yellow"),
        ("bad", "red"),
        ("worse", "skipped"),
        ("worst", "skipped"),
        ("unheard of", "skipped"),
        ("folder", "red"),
    ]
    assert "'bad'" in found.lines[2].message
    assert "/home/x" in found.lines[5].message
    assert shown == found.lines


def test_kinds_of_token() -> None:
    assert server.token_kind(LEGACY_TOKEN) == server.LEGACY
    assert server.token_kind(personal_token(NOW)) == server.PERSONAL
    assert server.token_kind("secret") == "token of no known kind"


def test_a_token_that_ends_soon_is_yellow() -> None:
    late, soon = NOW + timedelta(days=100), NOW + timedelta(days=13)
    assert server.token_end(personal_token(late)) == late
    for odd in (LEGACY_TOKEN, personal_token(None), "a.b.c", "a.!.c", "..", f"a.{base64.b64encode(b'[1]').decode()}.c"):
        assert server.token_end(odd) is None
        assert server.token_accepted(odd, "a@b.c", NOW).level == "green"
    assert server.token_accepted(personal_token(late), "a@b.c", NOW).level == "green"
    line = server.token_accepted(personal_token(soon), "a@b.c", NOW)
    assert line.level == "yellow"
    assert "2026-01-14" in line.message
    assert line.mend


def test_a_refused_token_is_told_by_its_kind() -> None:
    line = server.token_refused(LEGACY_TOKEN, "... legacy token authentication has been disabled ...")
    assert "legacy token in LABEL_STUDIO_API_KEY. Legacy tokens are turned off" in line.message
    assert "API Tokens Settings" in line.mend
    other = server.token_refused(personal_token(None), "Invalid token.")
    assert (other.level, "personal access token" in other.message) == ("red", True)
    assert "turned off" not in other.message
    assert LEGACY_TOKEN not in line.message + line.mend


@pytest.mark.parametrize(
    ("release", "level"),
    [("1.23.2", "green"), ("1.23", "green"), ("1.230.0", "yellow"), ("1.22.9", "yellow"), ("", "yellow")],
)
def test_versions(release: str, level: str) -> None:
    assert server.version_line(release, "Community").level == level


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:9090", True),
        ("http://localhost:9090", True),
        ("http://backend:9090", True),
        ("http://10.1.2.3", True),
        ("http://172.20.0.3:9090", True),
        ("http://192.168.0.7:9090", True),
        ("http://[::1]:9090", True),
        ("http://backend.internal", True),
        ("http://8.8.8.8:9090", False),
        ("https://seedqueue.example.org", False),
    ],
)
def test_private_addresses(url: str, private: bool) -> None:
    assert link.is_private(url) == private


def test_a_refused_private_address_names_its_variable() -> None:
    refusal = "Label Studio answered 403: URL resolves to a reserved network address (block: 127.0.0.0/8)"
    ok = 'Label Studio answered 400: Invalid pk "0" - object does not exist.'
    both = link.private_line("http://10.0.0.1", {"ML_BLOCK_LOCAL_IP": refusal, "SSRF_PROTECTION_ENABLED": refusal})
    assert both.level == "red"
    assert both.mend == "Start Label Studio with ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false."
    one = link.private_line("http://10.0.0.1", {"ML_BLOCK_LOCAL_IP": ok, "SSRF_PROTECTION_ENABLED": refusal})
    assert "ML_BLOCK_LOCAL_IP" not in one.mend
    assert (
        link.private_line("http://10.0.0.1", {"ML_BLOCK_LOCAL_IP": ok, "SSRF_PROTECTION_ENABLED": ok}).level == "green"
    )


def linked(title: str = "Seed queue 1", state: str = "CO", error: str = "") -> Connection:
    return Connection(1, title, "http://b:9090", None, "", state, error)


def test_what_label_studio_reaches() -> None:
    assert link.reached_line(linked()).level == "green"
    assert link.reached_line(linked(state="TR")).level == "green"
    gone = link.reached_line(linked(state="DI"))
    assert (gone.level, "ML_BLOCK_LOCAL_IP" in gone.mend) == ("red", True)
    odd = link.reached_line(linked(state="ER", error="401 Client Error"))
    assert (odd.level, "401 Client Error" in odd.message) == ("red", True)


def hook(**changes: Any) -> dict[str, Any]:
    whole = {"url": "http://b/webhook", "is_active": True, "send_for_all_actions": True, "headers": {}, "actions": []}
    return whole | changes


def test_a_webhook_that_loses_events_is_red() -> None:
    headers = webhook_headers("seed", "queue")
    assert link.webhook_line([hook()], {}, 1).level == "green"
    assert link.webhook_line([hook(headers=headers)], headers, 1).level == "green"
    assert link.webhook_line([hook(headers=headers)], {}, 1).level == "green"  # more than is asked for
    assert "Remove the connection" in link.webhook_line([], {}, 1).mend
    off = link.webhook_line([hook(is_active=False)], {}, 1)
    assert (off.level, "turned off" in off.message) == ("red", True)
    for wrong in ({}, None, webhook_headers("seed", "other")):
        line = link.webhook_line([hook(headers=wrong)], headers, 7)
        assert line.level == "red"
        assert "BASIC_AUTH_USER" in line.message
        assert "seedqueue attach --project 7" in line.mend
    assert link.webhook_line([hook(headers={}), hook(headers=headers)], headers, 1).level == "green"


def test_a_webhook_that_keeps_some_events_back_is_yellow() -> None:
    line = link.webhook_line([hook(send_for_all_actions=False, actions=["ANNOTATION_CREATED"])], {}, 1)
    assert line.level == "yellow"
    assert "ANNOTATION_UPDATED" in line.message
    assert "ANNOTATION_CREATED," not in line.message
    every = sorted(link.WANTED)
    assert link.webhook_line([hook(send_for_all_actions=False, actions=every)], {}, 1).level == "green"


def test_an_event_that_does_not_arrive_is_red() -> None:
    fault = Line(link.WEBHOOK, "red", "It lacks the header.", "Put it in.")
    assert link.event_line(0.3, 1, [fault]).level == "green"
    lost = link.event_line(None, 5, [Line(link.ATTACHED, "green", ""), Line("disk", "red", "Full.", "Make room.")])
    assert (lost.level, "seedqueue attach --project 5" in lost.mend) == ("red", True)
    caused = link.event_line(None, 5, [fault])
    assert (caused.level, caused.mend) == ("red", "Put it in.")
    assert "'webhook' above" in caused.message


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("/data/upload/1/x.png", images.UPLOAD),
        (f"{URL}/data/upload/1/x.png", images.UPLOAD),
        ("/data/local-files/?d=set/x.png", images.LOCAL),
        (f"{URL}/data/local-files/?d=set/x.png", images.LOCAL),
        ("http://images.example/data/upload/x.png", "web server images.example"),
        ("s3://bucket/x.png", "S3"),
        ("gs://bucket/x.png", "Google Cloud Storage"),
        ("azure_blob://bucket/x.png", "Azure Blob Storage"),
        (f"{URL}/tasks/3/resolve/?fileuri={base64.urlsafe_b64encode(b's3://b/x.png').decode()}", "S3"),
        ("", images.NONE),
        ("http://[::1", "no address"),
    ],
)
def test_kinds_of_storage(studio: Studio, uri: str, kind: str) -> None:
    assert images.storage_kind(uri, studio) == kind


def test_one_unreadable_image_is_yellow_and_none_readable_red() -> None:
    assert images.read_line("S3", 3, (8, 9), []).level == "green"
    some = images.read_line("S3", 3, (8, 9), [(1, "HTTP 404 from a")])
    assert (some.level, "task 1: HTTP 404 from a" in some.message) == ("yellow", True)
    none = images.unread_line("S3", [(1, "HTTP 404 from a"), (2, "HTTP 500 from a")])
    assert (none.level, none.mend) == ("red", images.CLOUD_MEND)
    host = images.unread_line(
        "web server a", [(1, "host 'a' is not allowed; add it to SEEDQUEUE_IMAGE_HOSTS to fetch")]
    )
    assert host.message.endswith("host 'a' is not allowed.")
    assert host.mend == "Add it to SEEDQUEUE_IMAGE_HOSTS to fetch."
    certificate = images.unread_line("web server a", [(1, "a does not answer: no; set SSL_CERT_FILE to a file")])
    assert (certificate.message[-20:], certificate.mend) == ("does not answer: no.", "Set SSL_CERT_FILE to a file.")
    assert "LOCAL_FILES_SERVING_ENABLED" in images.unread_line(images.LOCAL, [(1, "HTTP 404")]).mend


@pytest.mark.parametrize("pages", [0, 1, 9, 10, 11, 25, 1000])
def test_pages_are_spread_over_the_whole(pages: int) -> None:
    spread = images.spread(pages, 10)
    assert spread == sorted(set(spread))
    assert len(spread) == min(max(1, pages), 10)
    assert (spread[0], spread[-1]) == (1, max(1, pages))


def test_label_configs() -> None:
    image, choices = '<Image name="i" value="$image"/>', '<Choices name="c" toName="i"><Choice value="a"/></Choices>'
    text = '<TextArea name="note" toName="i"/>'
    both = images.config_line(labelling_of_xml(f"<View>{image}{choices}{text}</View>"))
    assert both.level == "green"
    assert both.message == "It asks for one of 1 classes an image. Not learnt: note."
    nothing = images.config_line(labelling_of_xml(f"<View>{image}{text}</View>"))
    assert (nothing.level, "Labeling Interface" in nothing.mend) == ("yellow", True)


def described(**changes: Any) -> dict[str, Any]:
    return {"sampling": publish.SAMPLING, "model_version": "Seed queue 1", "maximum_annotations": 1} | changes


def test_a_queue_in_place() -> None:
    [line] = order.place_lines(described(), "Seed queue 1", linked())
    assert line.level == "green"
    [line] = order.place_lines(described(), "Seed queue 1", None)
    assert line.level == "green"
    [line] = order.place_lines(described(sampling="Sequential sampling"), "Seed queue 1", linked())
    assert (line.level, "Task Sampling" in line.mend) == ("red", True)
    for stands in ("Seed queue 2", None, ""):
        [line] = order.place_lines(described(model_version=stands), "Seed queue 1", linked())
        assert (line.level, "prelabel" in line.mend) == ("red", True)
    [line] = order.place_lines(described(), "Seed queue 1", linked("seedqueue"))
    assert (line.level, "'seedqueue'" in line.message) == ("yellow", True)
    [line] = order.place_lines(described(maximum_annotations=2), "Seed queue 1", linked())
    assert line.level == "yellow"
    assert len(order.place_lines(described(sampling="x", model_version="y"), "Seed queue 1", linked("z"))) == 3


def test_members_shuffle() -> None:
    assert order.members_line(None).level == "green"
    assert order.members_line(1).level == "green"
    line = order.members_line(3)
    assert (line.level, "among the first 4 tasks" in line.message) == ("yellow", True)


def test_the_order_is_the_recorded_one() -> None:
    assert order.order_line([], [7, 8], "V").level == "green"
    assert order.order_line([3, 1, 2], [3, 1, 2, 9], "V").level == "green"
    swapped = order.order_line([3, 1, 2], [3, 2, 1, 9], "V")
    assert swapped.level == "red"
    assert swapped.message == "From place 2 on Label Studio serves the tasks 2, 1 where 'V' has 1, 2."
    short = order.order_line([3, 1, 2], [3, 1], "V")
    assert (short.level, "serves the tasks none where 'V' has 2" in short.message) == ("red", True)
    assert order.order_line([3, 1, 2], [9, 3, 1, 2], "V").level == "red"


def test_what_a_new_annotator_gets() -> None:
    assert scratch.served_line([3, 1, 2], 3, "V").level == "green"
    held = scratch.served_line([3, 1, 2], 1, "V")
    assert (held.level, "number 2 of what is left" in held.message) == ("yellow", True)
    assert scratch.served_line([3, 1, 2], 9, "V").level == "red"
    assert scratch.served_line([3, 1, 2], None, "V").level == "red"
    assert scratch.served_line([], 9, "V").level == "skipped"
