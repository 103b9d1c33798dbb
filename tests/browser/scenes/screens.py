"""The scenes of signing in, the lists of events and payments, and the inbox."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.routes import hold
from tests.browser.scenes.stage import EVENT, SENT, scene
from tests.dock import Dock


@scene("sign-in", who="")
def sign_in(page: Page, dock: Dock) -> None:
    page.goto("/")
    expect(page.get_by_label("E-mail")).to_be_focused()


@scene("sign-in-refused", who="")
def sign_in_refused(page: Page, dock: Dock) -> None:
    sign_in(page, dock)
    page.get_by_label("E-mail").fill("admin@shipcaptaincrew.example")
    page.get_by_label("Password").fill("a wrong one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text="incorrect")).to_be_visible()


@scene("loading")
def loading(page: Page, dock: Dock) -> None:
    page.route("**/api/**", hold)
    page.goto("/")


@scene("events")
def events(page: Page, dock: Dock) -> None:
    page.goto("/")
    expect(page.get_by_role("link", name="Sunset Charter")).to_be_visible()


@scene("event-roster")
def event_roster(page: Page, dock: Dock) -> None:
    """Of an event that few tests log for: its rows show sums while one page holds all payments."""
    dock.logged(event_id="harbor-lights")
    page.goto("/g/harbor-lights")
    expect(page.get_by_text(re.compile(r"already logged \$")).first).to_be_visible()


@scene("event-payments")
def event_payments(page: Page, dock: Dock) -> None:
    page.goto(f"{EVENT}?tab=payments")
    mailed = re.compile("Sent|In the inbox")
    expect(page.get_by_role("row").nth(1)).to_contain_text(mailed, timeout=SENT)


@scene("inbox", who="")
def inbox(page: Page, dock: Dock) -> None:
    page.goto(dock.stack.mail_url)
    page.get_by_role("main").get_by_text("check - Séamus O'Brien").first.click()
    expect(page.frame_locator("iframe").get_by_text("1042").first).to_be_visible()


@scene("event-crew", who="crew")
def event_crew(page: Page, dock: Dock) -> None:
    page.goto(EVENT)
    expect(page.get_by_text("Jane Doe").first).to_be_visible()
