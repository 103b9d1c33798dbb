"""Payments as a file: for one event and for a range of days."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Download, Page, Route, expect

from tests.builders import ZONE
from tests.dock import Dock
from tests.ops.voyage import set_sail
from tests.suites import LONG

Axe = Callable[[Page], None]


def rows_of(download: Download) -> list[dict[str, str]]:
    text = Path(download.path()).read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def leave_for_the_events(page: Page) -> None:
    """Within the app: a link that is followed before the app has started loads a new page."""
    expect(page.get_by_role("heading", name="Sunset Charter")).to_be_visible()
    page.get_by_role("link", name="Ship Captain Crew").click()


def test_an_events_payments_are_downloaded_as_csv(page: Page, admin: Dock) -> None:
    payment = admin.logged(note="Größe, with a comma")
    elsewhere = admin.logged(event_id="harbor-lights")
    page.goto("/g/sunset-charter")
    with page.expect_download() as started:
        page.get_by_role("button", name="Export CSV").click()
    assert started.value.suggested_filename == "payments-sunset-charter.csv"
    rows = {row["payment_id"]: row for row in rows_of(started.value)}
    assert rows[payment["payment_id"]]["amount"] == payment["amount"]
    assert rows[payment["payment_id"]]["note"] == "Größe, with a comma"
    assert rows[payment["payment_id"]]["hash"] == payment["hash"]
    assert elsewhere["payment_id"] not in rows
    expect(page.get_by_text("Payments exported")).to_be_visible()


@LONG
def test_a_range_of_days_includes_both_ends(page: Page, admin: Dock, axe: Axe) -> None:
    logged = [admin.logged(), admin.logged(event_id="harbor-lights")]
    page.goto("/")
    page.get_by_role("button", name="Export CSV").click()
    dialog = page.get_by_role("dialog", name="Export payments")
    axe(page)
    today = datetime.now(ZONE).date()
    expect(dialog.get_by_label("From")).to_have_value(today.replace(day=1).isoformat())
    expect(dialog.get_by_label("To")).to_have_value(today.isoformat())
    expect(dialog.get_by_text("counted in New York time")).to_be_visible()
    dialog.get_by_label("From").fill(today.isoformat())
    dialog.get_by_label("To").fill("2020-01-01")
    dialog.get_by_role("button", name="Download CSV").click()
    expect(dialog.get_by_role("alert")).to_have_text("The last day is before the first.")
    axe(page)
    dialog.get_by_label("To").fill(today.isoformat())
    with page.expect_download() as started:
        dialog.get_by_role("button", name="Download CSV").click()
    ids = {row["payment_id"] for row in rows_of(started.value)}
    assert {each["payment_id"] for each in logged} <= ids
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Export CSV")).to_be_focused()


def test_the_servers_errors_are_shown_in_the_form(page: Page, admin: Dock) -> None:
    page.goto("/")
    page.get_by_role("button", name="Export CSV").click()
    dialog = page.get_by_role("dialog", name="Export payments")
    dialog.get_by_label("From").fill("2020-01-01")
    dialog.get_by_role("button", name="Download CSV").click()
    expect(dialog.get_by_role("alert")).to_contain_text("365 days")
    expect(dialog.get_by_label("To")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@LONG
def test_back_and_forward_close_the_form_and_put_the_focus_on_the_screen(
    page: Page, admin: Dock
) -> None:
    page.goto("/g/sunset-charter")
    leave_for_the_events(page)
    opener = page.locator("[aria-haspopup=dialog]").filter(has_text="Export CSV")
    dialog = page.get_by_role("dialog", name="Export payments")
    opener.click()
    expect(dialog).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sunset Charter")).to_be_focused()
    expect(dialog).to_be_hidden()
    page.go_forward()
    opener.click()
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


@LONG
def test_a_form_that_loads_slowly_does_not_open_over_the_next_screen(
    page: Page, admin: Dock
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/more.html", hold)
    page.goto("/g/sunset-charter")
    leave_for_the_events(page)
    with page.expect_request("**/more.html"):
        page.locator("[aria-haspopup=dialog]").filter(has_text="Export CSV").click()
    page.go_back()
    heading = page.get_by_role("heading", name="Sunset Charter")
    expect(heading).to_be_focused()
    with page.expect_response("**/more.html"):
        held.pop().continue_()
    expect(page.locator("#export-dialog")).to_be_attached()
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(heading).to_be_focused()


def test_a_failed_export_is_reported(page: Page, admin: Dock) -> None:
    page.route("**/api/payments.csv?**", lambda route: route.abort())
    page.goto("/g/sunset-charter")
    button = page.get_by_role("button", name="Export CSV")
    button.click()
    expect(page.get_by_text("The payments could not be exported")).to_be_visible()
    expect(button).to_have_text(re.compile("Export CSV"))


def test_an_export_with_altered_rows_says_how_many(page: Page, admin: Dock) -> None:
    voyage = set_sail(admin, 2)
    with voyage.restored():
        voyage.put(voyage.row(1) | {"amount_cents": 1})
        page.goto(f"/g/{voyage.event_id}")
        with page.expect_download():
            page.get_by_role("button", name="Export CSV").click()
        expect(page.get_by_text("1 row of the file is not as written")).to_be_visible()
