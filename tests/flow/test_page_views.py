"""The page's views on a project with a history: for everybody, on a phone, in the dark, whatever texts tasks hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import browsing
import httpx
import pytest
from admin_page import VIEWS, AdminPage
from annotating import Expert
from browsing import PHONE, serious
from image_server import ImageServer
from phantom_truth import phantom_truth
from playwright.sync_api import Browser, Page, expect
from running import Backend
from taught import Annotators, Taught

HOSTILE = "<img src=x onerror=\"window.pwned='yes'\">"
BROKEN = "<script>window.pwned='yes'</script>.png"
FIELD = "<b onclick=alert(1)>patient</b>"
SEEDS, AUDIT, BESIDE = 8, 12, 8


@dataclass(frozen=True)
class Hostile:
    """A seeded, labelled and learnt project: its title, a file, a choice and a field are markup."""

    taught: Taught
    queue: list[int]

    @property
    def project(self) -> int:
        return self.taught.project


@pytest.fixture(scope="module")
def hostile(backend: Backend, phantoms: list[Path], annotators: Annotators) -> Iterator[Hostile]:
    truth = phantom_truth(phantoms, (HOSTILE, "no finding"))
    files = {file.name: file.read_bytes() for file in phantoms}
    files[httpx.URL(f"http://any/{HOSTILE}.png").raw_path.decode().lstrip("/")] = phantoms[0].read_bytes()
    with ImageServer(files) as server:
        uris = [f"{server.url}/{name}" for name in (*truth.images, f"{HOSTILE}.png", BROKEN)]
        project = backend.new_project([], truth.label_config)
        tasks = [{"image": uri, FIELD: HOSTILE if at % 2 else ""} for at, uri in enumerate(uris)]
        studio = backend.context.studio
        studio.call("POST", f"/api/projects/{project}/import", json=tasks)
        studio.call("PATCH", f"/api/projects/{project}", json={"title": HOSTILE})
        backend.attach(project)
        queue = backend.seed(project, budget=SEEDS, audit=AUDIT)
        taught = Taught(backend, project, Expert(annotators(project, 1)[0], truth), queue)
        taught.expert.answer([one.task for one in queue])
        taught.expert.answer(taught.unlabelled()[:BESIDE])
        taught.learnt(1)
        backend.eventually(lambda: shown_labels(taught) == len(queue) + BESIDE, 60, "a map of the labels")
        yield Hostile(taught, [one.task for one in queue])


def shown_labels(taught: Taught) -> int:
    drawn = taught.backend.context.maps.newest(taught.project)
    return len([one for one in drawn.as_fields()["label"] if one]) if drawn else 0


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.slow
def test_a_view_is_for_everybody(hostile: Hostile, admin: AdminPage, view: str) -> None:
    """By axe-core, light and dark; nothing is wider than a phone; no text of a task has become markup."""
    settled(admin, view, hostile)
    page = admin.page
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        settled(admin, view, hostile)
        assert serious(page) == [], f"{view}, {scheme}"
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    settled(admin, view, hostile)
    page.wait_for_function("wide => document.documentElement.scrollWidth <= wide", arg=PHONE["width"])
    assert serious(page) == [], f"{view}, phone"
    assert page.evaluate("() => window.pwned ?? 'no'") == "no"
    assert page.locator("main img[src=x], main script, header img[src=x]").count() == 0
    said = page.locator("body").inner_text()
    assert HOSTILE in said
    assert [word for word in ("NaN", "undefined", "[object", "null") if word in said] == []


def settled(admin: AdminPage, view: str, hostile: Hostile) -> None:
    """The view, with everything in it that comes later."""
    root, project = admin.open(view, hostile.project), hostile.project
    if view == "projects":
        expect(root.locator(f"[data-project='{project}'] h2")).to_have_text(HOSTILE)
    elif view == "seed":
        admin.queue("standing", len(hostile.queue))
        expect(root.locator("#unreadable")).to_contain_text(BROKEN)
        expect(root.locator("#group-field option", has_text=FIELD)).to_have_count(1)
    elif view == "map":
        root.locator("#colour-by").select_option("label")  # before it is drawn, too
        expect(root.locator("#map-plot")).to_have_attribute("data-colour", "label")
        expect(root.locator("#map-legend")).to_contain_text(HOSTILE)
    elif view == "learning":
        expect(root.locator("table.confusion thead")).to_contain_text(HOSTILE)
    else:
        expect(root.locator("#doctor")).to_have_attribute("data-worst", "green", timeout=browsing.PATIENCE * 3)
        expect(root.locator("#workers tbody tr").first).to_be_visible()


@pytest.mark.slow
def test_why_and_changing_the_queue_on_the_map(hostile: Hostile, admin: AdminPage) -> None:
    """A task is added by its number, others by a lasso; one is taken out; it stands as it was asked for."""
    page, queue, backend = admin.page, hostile.queue, hostile.taught.backend
    admin.open("map", hostile.project)
    plot = page.locator("#map-plot")
    expect(plot).to_have_attribute("data-chosen", str(len(queue)))
    why = page.locator(f"#map-queue tr[data-task='{queue[0]}'] .why-button")
    why.click()
    panel = page.locator("#why-panel")
    expect(panel).to_contain_text(f"Rank 1, task {queue[0]}")
    expect(panel.locator("li").first).not_to_be_empty()
    address = f"/projects/{hostile.project}/data?task="
    studio = backend.context.studio.public_url
    expect(panel.get_by_role("link")).to_have_attribute("href", f"{studio}{address}{queue[0]}")
    hover_and_click(page, queue[1], f"{address}{queue[1]}")
    more = next(task for task in hostile.taught.unlabelled() if task not in queue)
    page.locator("#task-number").fill(str(more))
    page.locator("#task-add").click()
    page.locator(f"#take-{queue[-1]}").click()
    expect(plot).to_have_attribute("data-points", "41")
    lasso(page)
    expect(page.locator("#selected-panel")).to_have_attribute("data-count", "41")
    page.locator("#selected-clear").click()
    expect(page.locator("#pending")).to_have_attribute("data-add", "1")
    expect(page.locator("#pending")).to_have_attribute("data-remove", "1")
    page.locator("#pending-publish").click()
    admin.confirm()
    expect(page.locator(f"#map-queue tr[data-task='{more}']")).to_be_visible(timeout=browsing.PATIENCE * 3)
    shown = [int(one.get_attribute("data-task") or 0) for one in page.locator("#map-queue tbody tr").all()]
    assert shown == [*queue[:-1], more]
    assert [one["task"] for one in backend.get(f"/api/projects/{hostile.project}/queue").json()["queue"]] == shown


def hover_and_click(page: Page, task: int, address: str) -> None:
    """Over a point its thumbnail and reason are shown; a click opens the task in Label Studio."""
    plot = page.locator("#map-plot")
    plot.scroll_into_view_if_needed()
    spot = plot.evaluate("(plot, task) => { const { x, y } = plot.spotOf(task); return [x, y]; }", task)
    page.mouse.move(spot[0] - 3, spot[1] - 3)
    page.mouse.move(*spot, steps=3)
    tooltip = page.locator(f"#map-tooltip:has(.why[data-task='{task}'])")
    expect(tooltip).to_contain_text(f"Rank 2, task {task}")
    expect(tooltip.locator("img")).to_be_visible()
    with page.context.expect_page() as opened:
        page.mouse.click(*spot)
    assert address in unquote(opened.value.url).replace("/?", "?")  # or its login, which leads on to it
    opened.value.close()


def lasso(page: Page) -> None:
    """Draw a line around the whole map."""
    page.locator("label:has(#drag-lasso)").click()
    box = page.locator("#map-plot .nsewdrag").first.bounding_box()
    assert box is not None
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = left + box["width"] - 4, top + box["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 1)):
        page.mouse.move(x, y, steps=8)
    page.mouse.up()


@pytest.mark.slow
def test_a_seed_queue_by_the_keyboard_alone(backend: Backend, project: int, admin: AdminPage) -> None:
    page = admin.page
    admin.open("projects")
    reach(page, f"#to-seed-{project}")
    page.keyboard.press("Enter")
    admin.root("seed")
    reach(page, "#budget")
    page.keyboard.press("Control+A")
    page.keyboard.type("5")
    reach(page, "#make-queue")
    page.keyboard.press("Enter")
    reach(page, "#confirm-yes")
    page.keyboard.press("Enter")
    assert len(admin.queue("standing", 5)) == 5
    reach(page, "#undo")
    page.keyboard.press("Enter")
    reach(page, "#confirm-yes")
    page.keyboard.press("Space")
    expect(page.locator("#run-undone")).to_be_visible(timeout=browsing.PATIENCE * 3)
    assert backend.described(project)["sampling"] == "Sequential sampling"


def reach(page: Page, wanted: str, steps: int = 150) -> None:
    """Press Tab until this element has the focus; every stop on the way, and it itself, is seen to have it."""
    expect(page.locator(wanted)).to_be_visible()
    for _ in range(steps):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED, wanted):
            return
    pytest.fail(f"{wanted} is not reached by {steps} presses of Tab")


FOCUSED = """(wanted) => {
  const one = document.activeElement;
  if (one === document.body) return false;
  const style = getComputedStyle(one);
  const seen = style.outlineStyle !== 'none' || style.boxShadow !== 'none';
  if (!seen) throw new Error(`no focus is seen on ${one.outerHTML}`);
  return one.matches(wanted);
}"""


@pytest.mark.slow
def test_a_page_of_another_site_cannot_make_the_browser_act(
    backend: Backend, project: int, chromium: Browser, images: ImageServer, tmp_path: Path
) -> None:
    """The browser says where the request comes from: the route refuses it, and nothing has happened."""
    route = f"{backend.url}/api/projects/{project}/seed"
    images.files["evil.html"] = b"<!doctype html><title>evil</title><form method=post></form>"
    with browsing.pictured(chromium, tmp_path) as context:
        page = context.new_page()
        page.goto(f"{images.url}/evil.html")
        with page.expect_response(route) as answered:
            page.evaluate("url => { document.forms[0].action = url; document.forms[0].submit(); }", route)
        assert (answered.value.status, answered.value.json()["error"]) == (403, "ForeignOrigin")
    for method in ("POST", "DELETE", "PATCH"):
        refused = httpx.request(method, route, headers={"Origin": "http://evil.example"})
        assert (refused.status_code, refused.json()["error"]) == (403, "ForeignOrigin")
    assert backend.context.records.runs(project) == []
