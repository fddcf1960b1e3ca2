"""The admin's page under /ui/, as a person uses it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

VIEWS = ("projects", "seed", "map", "learning", "health")
RUN_SECONDS = 90_000.0  # milliseconds: embedding on a busy machine


@dataclass(frozen=True)
class AdminPage:
    """An open page; `url` is the backend's."""

    page: Page
    url: str

    def open(self, view: str, project: int | None = None) -> Locator:
        """Go to a view by its address, and give its root."""
        of_a_project = f"project/{project}/{view}" if view in ("seed", "map", "learning") else view
        health = f"health/{project}" if view == "health" and project is not None else of_a_project
        self.page.goto(f"{self.url}/ui/#/{health}")
        return self.root(view)

    def root(self, view: str) -> Locator:
        found = self.page.locator(f"#view-{view}")
        expect(found).to_be_visible()
        return found

    def ask(self, budget: int, embedder: str = "hog", audit: int = 0) -> None:
        """Fill in the form of the seed queue."""
        self.page.locator("#budget").fill(str(budget))
        self.page.locator("#embedder").select_option(embedder)
        if audit:
            self.page.locator("#more-choices summary").click()
            self.page.locator("#audit").fill(str(audit))

    def dry_run(self, project: int, budget: int) -> list[int]:
        """From the list of projects, where it stands, to what would be chosen."""
        expect(self.open("projects").locator(f"[data-project='{project}']")).to_be_visible()
        self.open("seed", project)
        self.ask(budget)
        self.page.locator("#dry-run").click()
        return self.queue("chosen")

    def confirm(self) -> None:
        self.page.locator("#confirm-yes").click()

    def queue(self, part: str, count: int | None = None) -> list[int]:
        """The tasks of a queue that is shown, `chosen` or `standing`, once it is there with its pictures."""
        shown = self.page.locator(f"#{part}")
        expect(shown).to_be_visible(timeout=RUN_SECONDS)
        if count is not None:
            expect(shown).to_have_attribute("data-count", str(count), timeout=RUN_SECONDS)
        loaded = f"""() => [...document.querySelectorAll('#{part} li')].every((one) =>
            {{ one.scrollIntoView(); return one.querySelector('img')?.naturalWidth > 0; }})"""
        self.page.wait_for_function(loaded)
        return [int(one.get_attribute("data-task") or 0) for one in shown.locator("li").all()]
