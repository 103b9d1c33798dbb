"""axe finds no problems on any screen or state, light on a laptop and dark on a phone.

`make test` looks at two screens and two dialogs, the long suite at every scene.
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
from tests.suites import LONG, later

OF_MAKE_TEST = (
    "events-ailing-mails",
    "event-auditor",
    "payment-errors",
    "void-correction",
)


@pytest.fixture(scope="module", autouse=True)
def seeded(dock: Dock) -> None:
    seed(dock)


@pytest.mark.parametrize(
    "name",
    [each if each in OF_MAKE_TEST else later(each) for each in SCENES],
)
def test_axe_finds_no_problems(
    browser: Browser, stack: RunningStack, dock: Dock, name: str
) -> None:
    with on_stage(browser, stack, dock, SCENES[name]) as page:
        check_accessible(page)


@LONG
@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_no_problems_in_the_dark_on_a_phone(
    browser: Browser, stack: RunningStack, dock: Dock, name: str
) -> None:
    with on_stage(browser, stack, dock, SCENES[name]) as page:
        check_accessible(page, "dark", PHONE)


def test_the_scenes_that_stand_for_the_others_exist() -> None:
    assert not [each for each in OF_MAKE_TEST if each not in SCENES]
