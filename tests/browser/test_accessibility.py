"""axe finds nothing on any screen or state, light on a laptop and dark on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from local.stack import LocalStack
from tests.browser.chromium import PHONE
from tests.browser.every_scene import SCENES
from tests.browser.scenes import on_stage, seed
from tests.dock import Dock

AXE = Axe()
TARGETS = {"target-size": {"enabled": True}}  # of WCAG 2.2; axe leaves it off
EVERYTHING = {"resultTypes": ["violations"], "rules": TARGETS}
# Colours and sizes are all that differs in the dark and on a phone: the markup is the same.
WHAT_LOOKS_CHANGE = {
    "resultTypes": ["violations"],
    "runOnly": [
        "color-contrast",
        "target-size",
        "scrollable-region-focusable",
        "link-in-text-block",
    ],
}


@pytest.fixture(scope="module", autouse=True)
def seeded(dock: Dock) -> None:
    seed(dock)


@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_nothing(browser: Browser, stack: LocalStack, dock: Dock, name: str) -> None:
    with on_stage(browser, stack, dock, SCENES[name]) as page:
        found = AXE.run(page, options=EVERYTHING)
        assert found.violations_count == 0, found.generate_report()
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(PHONE)
        found = AXE.run(page, options=WHAT_LOOKS_CHANGE)
        assert found.violations_count == 0, found.generate_report()
