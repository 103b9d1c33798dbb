"""A real Chromium on the deployed stack."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from local.stack import LocalStack
from tests.browser.visits import check_accessible, enter
from tests.dock import Dock

SCREENS = Path(__file__).parents[2] / "docs" / "screens"


def _chromium() -> str:
    named = os.environ.get("SCC_CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, (
        "Chromium is missing: `make test` installs it with apt, or name it in SCC_CHROMIUM"
    )
    return found


@pytest.fixture(scope="module")  # while it runs, no other test may run an event loop
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, stack: LocalStack) -> Iterator[Page]:
    """A tab on the app that fails the test on any script error or refused resource."""
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1280, "height": 800}, locale="en-US"
    )
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on(
        "console",
        lambda line: complaints.append(line.text) if "Content Security" in line.text else None,
    )
    yield tab
    context.close()
    assert complaints == []


def screenshot(page: Page, name: str) -> None:
    """Keep a picture for the README when SCC_SCREENS is set; otherwise nothing."""
    if os.environ.get("SCC_SCREENS"):
        SCREENS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENS / f"{name}.png")


@pytest.fixture
def admin(page: Page, stack: LocalStack) -> Dock:
    """`page` is the admin's, who is returned."""
    return enter(page.context, stack)


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Asserts that what a page shows has no violation of axe's rules, in light and in dark."""
    return check_accessible
