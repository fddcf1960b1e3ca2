"""A real Chromium, and pages that are watched: what fails in them fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 20_000.0  # milliseconds: the machine is shared
# What the page asks and may be told that there is none: Chromium itself writes a line about each.
MAY_BE_MISSING = ("/map",)


def find_chromium() -> str | None:
    """The browser on this machine, or None."""
    return os.environ.get("SEEDQUEUE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium(executable: str) -> Iterator[Browser]:
    """A running browser. The map is drawn with WebGL, which a machine without a GPU computes by SwiftShader."""
    arguments = ["--enable-unsafe-swiftshader", "--disable-dev-shm-usage"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A browser context whose pages are ours: their errors, and whatever they ask of others."""

    context: BrowserContext
    origin: str
    wrong: list[str] = field(default_factory=list)

    def page(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))
        page.on("console", self._said)
        page.on("request", self._asked)
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def _said(self, message: ConsoleMessage) -> None:
        missing = urlsplit(message.location["url"]).path.endswith(MAY_BE_MISSING) and "404" in message.text
        if message.type == "error" and not missing:
            self.wrong.append(f"{message.location['url']}: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.wrong.append(f"{request.frame.url} asked another machine for {request.url}")


@contextmanager
def watched(browser: Browser, origin: str, shots: Path, **options: Any) -> Iterator[Watched]:
    """Pages of one origin; in the end anything wrong is raised."""
    with pictured(browser, shots, **options) as context:
        found = Watched(context, origin)
        yield found
        assert not found.wrong, "\n".join(found.wrong)


@contextmanager
def pictured(browser: Browser, shots: Path, **options: Any) -> Iterator[BrowserContext]:
    """A context of its own; in the end a picture of each of its pages lies in `shots`."""
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    try:
        yield context
    finally:
        for number, page in enumerate(context.pages):
            picture(page, shots / f"last-{number}.png")
        context.close()


def picture(page: Page, file: Path) -> None:
    """What the page looked like, for whoever reads why a test failed."""
    try:
        page.screenshot(path=file)
        print(f"the browser's last page: {file}")
    except BrowserError as error:
        print(f"no picture of {page.url}: {error}")


def serious(page: Page) -> list[str]:
    """What axe-core finds in the page that keeps people out: rule, impact and where."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']} at {[node['target'] for node in one['nodes']][:5]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
