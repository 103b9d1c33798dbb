"""The installed Chromium, and tabs on the app in it."""

from __future__ import annotations

import os
import shutil
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, ViewportSize

from local.running_stack import RunningStack

WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 375, "height": 740}


WHOLE = ("chromium", "chromium-browser")
SHELL = "chromium-headless-shell"  # the same browser without windows; a page costs it a third


def chromium_path(*, whole: bool = False) -> str:
    """SCC_CHROMIUM, or an installed Chromium. whole: with the windows that people have."""
    names = WHOLE if whole else (SHELL, *WHOLE)
    found = os.environ.get("SCC_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    assert found, (
        "Chromium is missing: `make test` installs it with apt, or name it in SCC_CHROMIUM"
    )
    return found


def launch(playwright: Playwright, *, whole: bool = False) -> Browser:
    """Start Chromium as a strict visitor has it: third-party cookies are blocked."""
    return playwright.chromium.launch(
        executable_path=chromium_path(whole=whole),
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--test-third-party-cookie-phaseout",
        ],
    )


def open_tab(browser: Browser, stack: RunningStack, cookie: str = "", **options: Any) -> Page:
    """Open a tab with its own session. cookie: "name=value" of a signed-in user."""
    settings: dict[str, Any] = {"viewport": WIDE, "locale": "en-US"} | options
    context = browser.new_context(base_url=stack.url, **settings)
    if cookie:
        name, value = cookie.split("=", 1)
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
    return context.new_page()
