"""The scenes that a patron sees: the waiver page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.scenes.stage import scene
from tests.dock import Dock

WAIVER = "/g/regatta-2027/waiver"


@scene("waiver", who="")
def waiver(page: Page, dock: Dock) -> None:
    page.goto(WAIVER)
    expect(page.get_by_role("heading", name="Sign the waiver")).to_be_visible()


@scene("waiver-errors", who="")
def waiver_errors(page: Page, dock: Dock) -> None:
    waiver(page, dock)
    page.get_by_role("button", name="Sign the waiver").click()
    expect(page.get_by_text("Enter your e-mail.")).to_be_visible()


@scene("waiver-not-on-the-roster", who="")
def waiver_not_on_the_roster(page: Page, dock: Dock) -> None:
    waiver(page, dock)
    page.get_by_label("Full name").fill("Captain Nemo")
    page.get_by_label("E-mail").fill("nemo@example.com")
    page.get_by_role("button", name="Sign the waiver").click()
    expect(page.get_by_text("not on the event's roster. Use")).to_be_visible()


@scene("waiver-signed", who="")
def waiver_signed(page: Page, dock: Dock) -> None:
    answer = dock.call("GET", "/api/events/regatta-2027")
    patron = answer.json["roster"][-1]
    waiver(page, dock)
    page.get_by_label("Full name").fill(patron["name"])
    page.get_by_label("E-mail").fill(patron["email"])
    page.get_by_role("button", name="Sign the waiver").click()
    expect(page.get_by_role("heading", name="The waiver is signed")).to_be_visible()
