"""Pictures of every view of the admin's page, on phantoms with a drawn history, from a real browser and stack.

    make screenshots                     # into docs/pictures; OUT=folder elsewhere

Two of them, page-seed.png and page-map.png, are in the README. An annotator labels the seed queue, then some more,
so that there are versions and a learning curve.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from admin_page import VIEWS, AdminPage
from browsing import DESKTOP, PHONE, chromium, find_chromium, watched
from learning import LABEL_STUDIO, after, begin, eventually, queue, say
from phantom_truth import phantom_truth
from PIL import Image
from playwright.sync_api import Browser, expect
from taught import Taught

from seedqueue.backend.children import Children
from seedqueue.backend.demo.label_studio import LabelStudioServer
from seedqueue.backend.demo.phantoms import write_phantoms

LARGEST, COLOURS = 200_000, 256  # bytes of a picture, and its colours where it would be larger
BUDGET, AUDIT, MORE = 20, 40, 10
LOOKS = (
    ("", DESKTOP, "light", VIEWS),
    ("-phone", PHONE, "light", VIEWS),
    ("-dark", DESKTOP, "dark", ("map", "learning")),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=160, help="phantoms in the pool")
    given = parser.parse_args()
    executable = find_chromium()
    if executable is None:
        sys.exit("There is no Chromium: install Debian's `chromium`, or name one in SEEDQUEUE_CHROMIUM.")
    given.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        children = opened.enter_context(Children())
        place = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="sq-", ignore_cleanup_errors=True)))
        say("starting Label Studio ...")
        server = LabelStudioServer(children, LABEL_STUDIO, place / "label-studio")
        server.start()
        taught = history(opened, server, place, given.count)
        browser = opened.enter_context(chromium(executable))
        for ending, size, scheme, views in LOOKS:
            for view in views:
                file = given.out / f"page-{view}{ending}.png"
                file.write_bytes(small(shot(browser, taught, view, size, scheme, place)))
                say(f"{file}: {file.stat().st_size / 1000:.0f} kB")


def history(opened: ExitStack, server: LabelStudioServer, place: Path, count: int) -> Taught:
    """A project over phantoms: a seed queue, all of it labelled, and two later versions."""
    truth = phantom_truth(write_phantoms(place / "phantoms", count))
    taught = begin(opened, server, place / "home", truth, embedder="hog")
    studio = taught.backend.context.studio
    studio.call("PATCH", f"/api/projects/{taught.project}", json={"title": "Chest phantoms"})
    queue(taught, taught.backend.request(taught.project, budget=BUDGET, audit=AUDIT))
    say("labelling ...")
    taught.expert.answer(taught.audit)
    taught.expert.answer(taught.seeds)
    labels = after(taught, 1).labels
    for _ in range(2):
        taught.expert.answer(taught.unlabelled()[:MORE])
        labels = after(taught, labels + MORE // 2).labels
    context = taught.backend.context
    eventually(lambda: (drawn := context.maps.newest(taught.project)) and any(drawn.as_fields()["predicted"]))
    return taught


def shot(browser: Browser, taught: Taught, view: str, size: dict[str, int], scheme: str, place: Path) -> bytes:
    """A view as it is first met, once everything in it has come."""
    url = taught.backend.url
    with watched(browser, url, place / "shots", viewport=size, color_scheme=scheme) as found:
        admin = AdminPage(found.page(), url)
        admin.open(view, taught.project)
        page = admin.page
        if view == "projects":
            expect(page.locator(f"[data-project='{taught.project}'] h2")).to_be_visible()
        elif view == "seed":
            admin.queue("standing")
            page.evaluate("() => window.scrollTo(0, 0)")
        elif view == "map":
            expect(page.locator("#map-plot")).to_have_attribute("data-drawn", "true")
            page.locator("#map-queue .why-button").first.click()
            expect(page.locator("#why-panel img")).to_be_visible()
            page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
        elif view == "learning":
            expect(page.locator(".curve circle.dot").first).to_be_visible()
        else:
            expect(page.locator("#doctor[data-worst]")).to_be_visible(timeout=60_000)
        page.wait_for_load_state("networkidle")
        return page.screenshot()


def small(picture: bytes) -> bytes:
    """The picture, with fewer colours where it would be too large."""
    if len(picture) <= LARGEST:
        return picture
    stored = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(stored, "PNG", optimize=True)
    if stored.tell() > LARGEST:
        sys.exit(f"a picture has {stored.tell()} bytes with {COLOURS} colours, more than {LARGEST}: show less")
    return stored.getvalue()


if __name__ == "__main__":
    main()
