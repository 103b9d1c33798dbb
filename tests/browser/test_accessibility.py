"""axe finds no problems on any screen or state, light on a laptop and dark on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from local.running_stack import RunningStack
from tests.browser.chromium import PHONE
from tests.browser.scenes.every import SCENES
from tests.browser.scenes.stage import on_stage, seed
from tests.browser.visits import check_accessible
from tests.dock import Dock


@pytest.fixture(scope="module", autouse=True)
def seeded(dock: Dock) -> None:
    seed(dock)


@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_no_problems(
    browser: Browser, stack: RunningStack, dock: Dock, name: str
) -> None:
    with on_stage(browser, stack, dock, SCENES[name]) as page:
        check_accessible(page, dark=PHONE)
