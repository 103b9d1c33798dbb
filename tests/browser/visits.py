"""Signing in, finding a row, and the accessibility check for every screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize, expect

from local.running_stack import RunningStack
from tests.browser.chromium import WIDE
from tests.dock import Dock

Scheme = Literal["light", "dark"]
SENT_MS = 30_000
AXE = Axe()
TARGETS = {"target-size": {"enabled": True}}  # WCAG 2.2; off by default in axe
EVERYTHING = {"resultTypes": ["violations"], "rules": TARGETS}
# Only colors and sizes differ in the dark and on a phone: the markup is the same.
WHAT_LOOKS_CHANGE = {
    "resultTypes": ["violations"],
    "runOnly": [
        "color-contrast",
        "target-size",
        "scrollable-region-focusable",
        "link-in-text-block",
    ],
}


def enter(context: BrowserContext, stack: RunningStack, who: str = "admin") -> Dock:
    """Sign the tab's session in; return the same person's view without a browser."""
    dock = Dock(stack).sign_in(who)
    name, value = dock.cookie.split("=", 1)
    # A __Host- cookie is Secure; browsers take it from localhost without TLS.
    context.add_cookies(
        [
            {
                "name": name,
                "value": value,
                "domain": "localhost",
                "path": "/",
                "secure": True,
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )
    return dock


def sign_in(page: Page, name: str = "admin") -> None:
    """Sign in through the dialog that is open."""
    page.get_by_label("E-mail").fill(f"{name}@shipcaptaincrew.example")
    page.get_by_label("Password").fill("anchors-aweigh")
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def row_of(page: Page, payment_id: str) -> Locator:
    return page.locator(f"tr[data-payment-id='{payment_id}']")


def check_accessible(page: Page, scheme: Scheme = "light", size: ViewportSize = WIDE) -> None:
    """No violation of axe's rules, in this color scheme at this size of the window."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(size)
    assert_no_violations(page, EVERYTHING if scheme == "light" else WHAT_LOOKS_CHANGE)


def assert_no_violations(page: Page, options: Mapping[str, Any]) -> None:
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.axe_script)
    found = AxeResults(page.evaluate("options => axe.run(options)", dict(options)))
    assert found.violations_count == 0, found.generate_report()
