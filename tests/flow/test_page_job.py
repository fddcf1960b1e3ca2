"""The main job, by nothing but a browser: attach, seed, look at the map, label, watch the learning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from admin_page import AdminPage
from annotating import Expert
from image_server import ImageServer
from label_studio_screen import LabelStudioScreen
from phantom_truth import phantom_truth
from playwright.sync_api import Page, expect
from running import Backend
from taught import Annotators
from truth import Truth

SWITCHED = ("sampling", "model_version")  # what a published queue changes in the project
SOME = re.compile(r"[1-9]\d*")
SECONDS = 120_000.0  # milliseconds: a lost event is made up for after a minute


@pytest.fixture(scope="module")
def truth(phantoms: list[Path]) -> Truth:
    return phantom_truth(phantoms)


def test_the_main_job_in_a_browser(
    backend: Backend,
    images: ImageServer,
    truth: Truth,
    annotators: Annotators,
    admin: AdminPage,
    label_studio_screen: LabelStudioScreen,
) -> None:
    project = backend.new_project(images.urls(), truth.label_config)
    admin.open("projects")
    expect(admin.page.locator("#project-list")).to_have_attribute("data-projects", re.compile(r"\d+"))
    label_studio_screen.attach(project, backend.url)
    queue = seeded(backend, images, admin, project)

    label_studio_screen.label_all(project)
    label_studio_screen.expect_task(queue[0])
    label_studio_screen.submit("finding")
    label_studio_screen.expect_task(queue[1])
    label_studio_screen.submit("no finding")
    label_studio_screen.expect_task(queue[2])

    expert = Expert(annotators(project, 1)[0], truth)
    [own] = expert.work(1)  # the third is the other annotator's, who looks at it
    assert own.task == queue[3]
    admin.open("learning", project)
    expect(admin.page.locator("#learning-serving")).to_contain_text("No model serves yet")
    label_studio_screen.submit("no finding")
    label_studio_screen.expect_task(queue[4])
    label_studio_screen.page.close()
    expert.answer(queue[4:])
    learning_is_seen(admin.page)


def seeded(backend: Backend, images: ImageServer, admin: AdminPage, project: int) -> list[int]:
    """From the list of projects to a queue that stands, by way of a dry run and the map."""
    page, before = admin.page, backend.described(project)
    page.reload()
    card = admin.root("projects").locator(f"[data-project='{project}']")
    expect(card).to_contain_text("no seed queue")
    card.get_by_role("link", name="Make a seed queue").click()
    admin.ask(8, audit=12)
    images.gate.clear()
    page.locator("#dry-run").click()
    running = page.locator("#run-active")
    expect(running).to_have_attribute("data-state", "embedding")
    expect(page.locator("#run-told")).to_contain_text("of 40 images")
    images.gate.set()
    chosen = admin.queue("chosen")
    expect(running).to_have_count(0)
    untouched = backend.described(project)
    assert [untouched[name] for name in SWITCHED] == [before[name] for name in SWITCHED]
    page.locator("#publish-chosen").click()
    admin.confirm()
    assert admin.queue("standing", len(chosen)) == chosen
    page.locator("#project-nav").get_by_role("link", name="Map").click()
    plot = admin.root("map").locator("#map-plot")
    expect(plot).to_have_attribute("data-chosen", str(len(chosen)), timeout=SECONDS)
    expect(plot).to_have_attribute("data-points", "40")
    assert marked(page) == [str(rank) for rank in range(1, len(chosen) + 1)]
    return chosen


def marked(page: Page) -> list[str]:
    """The ranks that are drawn on the map."""
    return sorted(page.locator("#map-plot .textpoint").all_text_contents(), key=int)


def learning_is_seen(page: Page) -> None:
    """The first version appears in an open page by itself, with its curve, figures, confusion and worst cases."""
    serving = page.locator("#learning-serving")
    expect(serving).to_have_text(re.compile(r"linear-\d+"), timeout=SECONDS)
    expect(page.locator("#versions [data-promoted=true]")).to_have_count(1)
    curve = page.locator(".curve[data-family=classes]")
    expect(curve).to_have_attribute("data-points", SOME)
    expect(curve.locator("circle.dot").first).to_be_visible()
    expect(curve.locator(".advice")).not_to_be_empty()
    expect(page.locator("table.confusion tbody tr")).to_have_count(2)
