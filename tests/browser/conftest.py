"""A real Chromium on the deployed stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from local.running_stack import RunningStack
from tests.browser.chromium import launch, open_tab
from tests.browser.routes import close
from tests.browser.visits import check_accessible, enter
from tests.dock import Dock
from tests.suites import later

# Other tests run at the same time on few cores; a long wait costs nothing until something fails.
expect.set_options(timeout=20_000)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What an admin does at the dock is done in the whole browser, too, in the long suite."""
    if metafunc.module.__name__.endswith("test_at_the_dock"):
        kinds = ["shell", later("whole")]
        metafunc.parametrize("browser", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")  # while it runs, no other test may run an event loop
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium's headless shell, or the whole browser for a test that asks for it."""
    with sync_playwright() as playwright:
        chromium = launch(playwright, whole=getattr(request, "param", "shell") == "whole")
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def dock(stack: RunningStack) -> Dock:
    """The admin's view of what was written, without the browser."""
    return Dock(stack).sign_in()


@pytest.fixture
def page(browser: Browser, stack: RunningStack) -> Iterator[Page]:
    """A tab on the app, signed out; it fails the test on any script error or refused resource.

    Without motion, which would take half of Chromium's time.
    """
    yield from _watched(open_tab(browser, stack, reduced_motion="reduce"))


@pytest.fixture
def admin_page(browser: Browser, stack: RunningStack, dock: Dock) -> Iterator[Page]:
    """The same, signed in as the admin."""
    yield from _watched(open_tab(browser, stack, reduced_motion="reduce", cookie=dock.cookie))


def _watched(tab: Page) -> Iterator[Page]:
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on(
        "console",
        lambda line: complaints.append(line.text) if "Content Security" in line.text else None,
    )
    yield tab
    close(tab)
    assert complaints == []


@pytest.fixture
def admin(page: Page, stack: RunningStack) -> Dock:
    """Sign `page` in as the admin, who is returned."""
    return enter(page.context, stack)


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Asserts that a page violates none of axe's rules, in light and in dark."""
    return check_accessible
