"""axe finds no problems on any screen or state, light on a laptop and dark on a phone.

The markup is the same for both; the long suite looks at the second, too.
"""

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
        check_accessible(page)


@pytest.mark.long
@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_no_problems_in_the_dark_on_a_phone(
    browser: Browser, stack: RunningStack, dock: Dock, name: str
) -> None:
    with on_stage(browser, stack, dock, SCENES[name]) as page:
        check_accessible(page, "dark", PHONE)
