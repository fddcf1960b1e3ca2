"""Label Studio itself: whether it answers, what token it is asked with, its version."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx

from seedqueue.backend.context import Context
from seedqueue.backend.doctor.lines import Line
from seedqueue.backend.errors import TokenRefused
from seedqueue.backend.health import SECONDS
from seedqueue.backend.label_studio import certificates, unreachable

REACHABLE, TOKEN, VERSION, BACKEND = "Label Studio", "token", "Label Studio's version", "backend"
TESTED = "1.23"
SOON = timedelta(days=14)
LEGACY = "legacy token"
PERSONAL = "personal access token"


def reachable(context: Context) -> Sequence[Line]:
    url = context.settings.label_studio_url
    try:
        with certificates():
            answer = httpx.get(f"{url}/health", timeout=SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise unreachable(url, error) from error
    if answer.status_code == 200:
        return [Line(REACHABLE, "green", f"It answers at {url}.")]
    mend = "Set LABEL_STUDIO_URL to Label Studio's address, or look into its log."
    return [Line(REACHABLE, "red", f"{url}/health answers {answer.status_code}, which is not how it should.", mend)]


def token(context: Context) -> Sequence[Line]:
    """Whether it is accepted, which kind it is, and when it ends."""
    key = context.settings.label_studio_api_key
    if not key.isascii():  # no header could carry it
        return [token_refused(key, "")]
    try:
        who = context.studio.call("GET", "/api/current-user/whoami")
    except TokenRefused as error:
        return [token_refused(key, str(error))]
    return [token_accepted(key, str(who.get("email") or who.get("username") or who["id"]), datetime.now(UTC))]


def token_kind(key: str) -> str:
    """What a token looks like: a personal access token is a JWT, a legacy one 40 hexadecimal digits."""
    if key.count(".") == 2:
        return PERSONAL
    return LEGACY if re.fullmatch(r"[0-9a-f]{40}", key) else "token of no known kind"


def token_end(key: str) -> datetime | None:
    """When a personal access token ends, as it says itself; None where it does not say."""
    body = key.split(".")[1] if key.count(".") == 2 else ""
    try:
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return datetime.fromtimestamp(found["exp"], UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None


def token_refused(key: str, message: str) -> Line:
    """The mend differs by kind: legacy tokens are off in a new organisation, and none becomes valid by waiting."""
    kind = token_kind(key)
    told = f"Label Studio refuses the {kind} in LABEL_STUDIO_API_KEY."
    make = "Make a personal access token under Account & Settings and set LABEL_STUDIO_API_KEY to it"
    if "legacy token authentication has been disabled" in message:
        told += " Legacy tokens are turned off in its organisation."
        return Line(TOKEN, "red", told, f"{make}, or turn legacy tokens on under Organization > API Tokens Settings.")
    return Line(TOKEN, "red", told, f"{make}; copy it whole: a {PERSONAL} has two dots in it.")


def token_accepted(key: str, user: str, now: datetime) -> Line:
    kind, ends = token_kind(key), token_end(key)
    if ends is not None and ends - now < SOON:
        mend = "Make a new one under Account & Settings before that and set LABEL_STUDIO_API_KEY to it."
        return Line(TOKEN, "yellow", f"The {kind} of {user} is valid, but ends on {ends:%Y-%m-%d}.", mend)
    return Line(TOKEN, "green", f"The {kind} of {user} is valid.")


def version(context: Context) -> Sequence[Line]:
    found = context.studio.call("GET", "/api/version")
    return [version_line(str(found.get("release") or ""), str(found.get("edition") or ""))]


def version_line(release: str, edition: str) -> Line:
    """Green for the minor version that the tests run on, whatever its patch."""
    told = " ".join(part for part in ("Label Studio", edition, release or "of unknown version") if part)
    if release == TESTED or release.startswith(f"{TESTED}."):
        return Line(VERSION, "green", f"{told}, which seedqueue is tested with.")
    mend = f"Nothing is to be done if all else is green; else try Label Studio {TESTED}."
    return Line(VERSION, "yellow", f"{told}; seedqueue is tested with {TESTED}.", mend)


def backend(context: Context) -> Sequence[Line]:
    """Whether ours answers here; what Label Studio reaches is asked with a project."""
    url = context.settings.backend_url
    try:
        found = httpx.get(f"{url}/health", timeout=SECONDS)
        ours = found.status_code == 200 and found.json().get("model_class") == "SeedQueue"
        told = "something else answers there" if not ours else ""
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
        told = str(error) or type(error).__name__
    if not told:
        return [Line(BACKEND, "green", f"It answers at {url}.")]
    mend = "Start `seedqueue serve`, or set SEEDQUEUE_BACKEND_URL to where it is. Only Label Studio must reach it."
    return [Line(BACKEND, "yellow", f"It does not answer at {url} from here ({told}).", mend)]
