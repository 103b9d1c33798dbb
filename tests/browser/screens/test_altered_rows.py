"""Rows that were altered behind the API's back: never shown as genuine, never left out unsaid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.running_stack import RunningStack
from tests.dock import Dock
from tests.ops.voyage import Voyage, set_sail
from tests.suites import later

Axe = Callable[[Page], None]
NAMED = "#000001 of {} (Jane Doe) is not as it was written: tell operations"


@pytest.fixture(scope="module")
def voyage(stack: RunningStack) -> Voyage:
    return set_sail(Dock(stack).sign_in(), 2)


@pytest.fixture(
    params=[{"amount_cents": 100_000}, later({"note": 5})],
    ids=["forged", "unreadable"],
)
def altered(admin: Dock, voyage: Voyage, request: pytest.FixtureRequest) -> Iterator[Voyage]:
    with voyage.restored():
        voyage.put(voyage.row(1) | request.param)
        yield voyage


def test_an_altered_row_is_named_above_the_events_payments(
    page: Page, altered: Voyage, axe: Axe
) -> None:
    page.goto(f"/g/{altered.event_id}?tab=payments")
    expect(page.get_by_text(NAMED.format(altered.event_id))).to_be_visible()
    expect(page.get_by_role("link", name="#000002")).to_be_visible()
    expect(page.get_by_role("link", name="#000001")).to_have_count(0)
    expect(page.get_by_text("$1,000.00")).to_have_count(0)
    axe(page)


def test_an_altered_row_is_named_in_the_patrons_history(page: Page, altered: Voyage) -> None:
    email = altered.row(2)["patron_email"]
    page.goto(f"/g/{altered.event_id}?patron={email}")
    expect(page.get_by_text(NAMED.format(altered.event_id))).to_be_visible()


def test_a_row_that_is_altered_while_it_is_shown_is_taken_away(
    page: Page, admin: Dock, voyage: Voyage
) -> None:
    page.goto(f"/g/{voyage.event_id}?tab=payments")
    expect(page.get_by_role("link", name="#000001")).to_be_visible()
    with voyage.restored():
        voyage.put(voyage.row(1) | {"amount_cents": 1})
        page.evaluate("dispatchEvent(new Event('focus'))")
        expect(page.get_by_text(NAMED.format(voyage.event_id))).to_be_visible()
        expect(page.get_by_role("link", name="#000001")).to_have_count(0)


def test_the_page_of_an_altered_payment_leads_back_and_offers_no_second_try(
    page: Page, altered: Voyage, axe: Axe
) -> None:
    entry: dict[str, Any] = altered.payments[0]
    page.goto(f"/g/{altered.event_id}?payment={entry['payment_id']}")
    expect(page.get_by_role("heading", name="This entry is not as it was written")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    assert "`" not in page.locator("main").inner_text()
    axe(page)
    page.get_by_role("link", name="The event’s payments").click()
    expect(page.get_by_role("link", name="#000002")).to_be_visible()
