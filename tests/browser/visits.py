"""Coming to the app as somebody who is signed in, and what every screen must keep to."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page

from local.stack import LocalStack
from tests.dock import Dock

SENT_MS = 30_000


def enter(context: BrowserContext, stack: LocalStack, who: str = "admin") -> Dock:
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


def row_of(page: Page, payment_id: str) -> Locator:
    return page.locator(f"tr[data-payment-id='{payment_id}']")


def check_accessible(page: Page) -> None:
    """No violation of axe's rules, in light and in dark."""
    page.emulate_media(reduced_motion="reduce")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        assert found == [], [
            (scheme, each["id"], [node["target"] for node in each["nodes"]]) for each in found
        ]
