"""Label Studio's own screens, as a person uses them in a browser."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect


@dataclass(frozen=True)
class LabelStudioScreen:
    """One signed-in person's page."""

    page: Page
    url: str

    def sign_in(self, email: str, password: str) -> None:
        self.page.goto(f"{self.url}/user/login")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(lambda url: "login" not in url)

    def attach(self, project: int, backend_url: str) -> None:
        """Settings > Model > Connect Model."""
        self.page.goto(f"{self.url}/projects/{project}/settings/ml")
        self._button("Connect Model").click()
        self.page.fill("input[name=title]", "seedqueue")
        self.page.fill("input[name=url]", backend_url)
        self._button("Validate and Save").click()
        expect(self.page.get_by_text("Connected", exact=True)).to_be_visible()

    def label_all(self, project: int) -> None:
        """Begin to label, by the Data Manager's button."""
        self.page.goto(f"{self.url}/projects/{project}/data")
        self._button("Label All Tasks").click()

    def expect_task(self, task: int) -> None:
        """The task in front of the annotator is this one."""
        here = "task => document.querySelector('.lsf-current-task__task-id')?.firstChild.textContent === task"
        self.page.wait_for_function(here, arg=str(task))

    def submit(self, choice: str) -> None:
        self.page.locator(".lsf-choice", has=self.page.locator(f'input[name="{choice}"]')).click()
        self.page.get_by_test_id("bottombar-submit-button").click()

    def _button(self, text: str) -> Locator:
        # By its text: their names for screen readers are others.
        return self.page.locator("button", has_text=text)
