"""Events, an event, a payment's page and a patron's history, and that each keeps its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.routes import hold
from tests.browser.visits import SENT_MS, row_of
from tests.dock import Dock
from tests.suites import LONG, later

EVENT = "/g/sunset-charter"
Axe = Callable[[Page], None]


def selected_tab(page: Page, name: str) -> None:
    expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")


def test_events_show_their_totals_and_can_be_filtered(page: Page, admin: Dock, axe: Axe) -> None:
    admin.logged(amount="41.50", patron_email="lee@example.com", acknowledge_duplicates=[])
    page.goto("/")
    card = page.get_by_role("article").filter(has_text="Sunset Charter")
    expect(card).to_contain_text("28 on the roster")
    expect(card).to_contain_text(re.compile(r"\$[\d,]+\.\d\d"))
    expect(card.locator("time")).to_have_attribute("title", re.compile(r"UTC$"))
    axe(page)
    page.get_by_role("searchbox", name="Filter events").fill("ile de re")
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 of")).to_be_visible()
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.get_by_role("heading", name="No match")).to_be_visible()
    axe(page)


@LONG
def test_arrow_keys_open_tabs_and_reload_and_back_keep_them(page: Page, admin: Dock) -> None:
    payment = admin.logged()
    page.goto(EVENT)
    selected_tab(page, "Roster")
    page.get_by_role("tab", name="Roster").press("ArrowRight")
    selected_tab(page, "Payments")
    expect(page.get_by_role("tab", name="Payments")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/g/sunset-charter\?tab=payments$"))
    page.reload()
    selected_tab(page, "Payments")
    row_of(page, payment["payment_id"]).get_by_role("link", name=re.compile("^#")).click()
    expect(page).to_have_url(re.compile(rf"\?payment={payment['payment_id']}$"))
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("cash")
    expect(heading).to_be_focused()
    expect(page).to_have_title(re.compile(rf"^#{payment['seq']:06} · Sunset Charter"))
    page.go_back()
    selected_tab(page, "Payments")
    expect(row_of(page, payment["payment_id"])).to_be_visible()
    page.get_by_role("tab", name="Payments").press("Home")
    selected_tab(page, "Roster")


@LONG
def test_the_back_button_returns_to_where_the_list_was_left(page: Page, admin: Dock) -> None:
    page.set_viewport_size({"width": 375, "height": 600})
    page.goto("/")
    last = page.get_by_role("article").last.get_by_role("link")
    last.click()
    expect(page.get_by_role("tablist")).to_be_visible()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(last).to_be_in_viewport()
    page.wait_for_function("scrollY > 300")


def test_a_payments_page_shows_its_trail_and_its_place_in_the_ledger(
    page: Page, admin: Dock, axe: Axe
) -> None:
    payment = admin.logged(method="check", reference="77012", note="For two")
    admin.await_mail(payment["payment_id"])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{EVENT}?payment={payment['payment_id']}")
    trail = page.get_by_role("list").filter(has_text="Audit mail queued")
    expect(trail.get_by_role("listitem")).to_have_text([
        re.compile(rf"^Logged.*#{payment['seq']:06} by admin@"),
        re.compile("^Audit mail queued"),
        re.compile("^Sent.*Accepted by Gmail"),
    ])  # fmt: skip
    sent = trail.get_by_role("listitem").last.locator("time")
    expect(sent).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    for text in (payment["hash"], payment["prev_hash"], payment["payment_id"], "77012", "For two"):
        expect(page.get_by_text(text, exact=True)).to_be_visible()
    page.get_by_role("button", name="Copy the hash").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == payment["hash"]
    axe(page)


@LONG
def test_an_acknowledged_duplicate_is_linked(page: Page, admin: Dock) -> None:
    first = admin.logged(patron_email="x@example.com")
    again = admin.logged(
        patron_email="x@example.com",
        amount=first["amount"],
        acknowledge_duplicates=[first["payment_id"]],
    )
    page.goto(f"{EVENT}?payment={again['payment_id']}")
    page.get_by_role("link", name=f"#{first['seq']:06}").first.click()
    expect(page).to_have_url(re.compile(first["payment_id"]))


def test_a_patrons_history_spans_events(page: Page, admin: Dock, axe: Axe) -> None:
    email = "o'brien+dock@example.com"
    here = admin.logged(patron_email=email)
    there = admin.logged(patron_email=email, event_id="harbor-lights")
    page.goto(EVENT)
    page.get_by_role("searchbox", name="Search the roster").fill("seamus")
    page.get_by_role("link", name="Séamus O'Brien").click()
    expect(page.get_by_role("heading", level=1, name="Séamus O'Brien")).to_be_focused()
    expect(row_of(page, here["payment_id"])).to_contain_text("Sunset Charter")
    expect(row_of(page, there["payment_id"])).to_contain_text("Harbor Lights Dinner Cruise")
    axe(page)
    page.reload()
    row_of(page, there["payment_id"]).get_by_role("link", name=re.compile("^#")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("cash")
    page.get_by_role("link", name="All payments by this patron").click()
    expect(row_of(page, here["payment_id"])).to_be_visible()
    assert quote(email, safe="") in page.url.replace("%20", "+")


@LONG
def test_the_staging_copy_stays_the_staging_copy(page: Page, admin: Dock) -> None:
    payment = admin.logged()
    page.goto("/_staging/g/sunset-charter?tab=payments")
    row_of(page, payment["payment_id"]).get_by_role("link", name=re.compile("^#")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("cash")
    expect(page).to_have_url(re.compile(r"/_staging/g/sunset-charter\?payment="))
    page.reload()
    page.get_by_role("link", name="All payments by this patron").click()
    expect(page).to_have_url(re.compile(r"/_staging/g/sunset-charter\?patron="))
    expect(row_of(page, payment["payment_id"])).to_be_visible()


@pytest.mark.parametrize(
    ("path", "title", "way_on"),
    [
        ("/_staging/g/sunset-charter?payment=pay_0", "There is no such payment", "payments"),
        later("/g/no-such-event?tab=payments", "There is no such event", "All events"),
        later(
            "/_staging/g/no-such-event?patron=jane.doe@example.com", "There is no such event", "All"
        ),
    ],
)
def test_a_wrong_address_leads_back_to_a_screen(
    page: Page, admin: Dock, path: str, title: str, way_on: str
) -> None:
    page.goto(path)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    page.get_by_role("main").get_by_role("link", name=way_on).click()
    expect(page.get_by_role("heading", name=re.compile("Events|Sunset Charter"))).to_be_visible()
    assert ("/_staging/" in page.url) == ("/_staging/" in path)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        later(f"{EVENT}?payment=pay_0", "There is no such payment"),
        later("/g/no-such-event?tab=payments", "There is no such event"),
        later("/g/no-such-event?patron=jane.doe@example.com", "There is no such event"),
        later("/g/empty-hold", "No one is on the roster"),
        ("/g/empty-hold?tab=payments", "No payments yet"),
    ],
)
def test_empty_screens_explain_that_they_are_empty(
    page: Page, admin: Dock, axe: Axe, path: str, title: str
) -> None:
    page.goto(path)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    axe(page)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", "The events could not be loaded"),
        later(EVENT, "The event could not be loaded"),
        later(f"{EVENT}?payment=pay_1", "The payment could not be loaded"),
        later(f"{EVENT}?tab=payments", "The payments could not be loaded"),
    ],
)
def test_a_screen_that_fails_shows_an_error_and_a_retry(
    page: Page, admin: Dock, axe: Axe, path: str, title: str
) -> None:
    payment = admin.logged()
    which = "**/api/payments?**" if "tab" in path else re.compile(r"/api/(events|payments/)")
    page.route(which, lambda route: route.fulfill(status=500, body="{}"))
    page.goto(path.replace("pay_1", payment["payment_id"]))
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    axe(page)
    page.unroute(which)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name=title)).to_have_count(0)
    expect(page.get_by_text(re.compile(r"\$[\d,]+\.\d\d")).first).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/", *map(later, (EVENT, f"{EVENT}?payment=pay_1", f"{EVENT}?patron=x@y.z"))]
)
def test_a_loading_screen_shows_a_skeleton(page: Page, admin: Dock, axe: Axe, path: str) -> None:
    page.route(re.compile(r"/api/(events|payments)"), hold)
    page.goto(path)
    expect(page.get_by_role("main").locator("[aria-busy=true] .skeleton").first).to_be_visible()
    axe(page)


def test_going_offline_is_shown_and_recovers(page: Page, admin: Dock, axe: Axe) -> None:
    page.goto("/")
    expect(page.get_by_role("article").first).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    page.get_by_role("article").first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="The event could not be loaded")).to_be_visible()
    axe(page)
    page.context.set_offline(False)
    expect(page.get_by_role("tablist")).to_be_visible()
    expect(page.get_by_text("You are offline.")).to_be_hidden()


def test_a_row_follows_its_mail_and_never_calls_it_sent_early(
    page: Page, admin: Dock, axe: Axe
) -> None:
    admin.sandbox("DELETE", "/sandbox/faults")
    admin.sandbox("POST", "/sandbox/faults", [{"kind": "down"}])
    try:
        payment = admin.logged()
        page.goto(f"{EVENT}?tab=payments")
        chip = row_of(page, payment["payment_id"]).locator("[data-part=audit]")
        expect(chip).to_contain_text("Queued")
        expect(chip).to_have_attribute("data-tone", "warn", timeout=SENT_MS)  # a try has failed
        assert "Sent" not in (chip.text_content() or "")
        row_of(page, payment["payment_id"]).get_by_role("link", name=re.compile("^#")).click()
        step = page.get_by_role("listitem").filter(has_text="Not sent yet")
        expect(step).to_be_visible()
        expect(page.get_by_role("listitem").filter(has_text="Tried")).to_be_visible()
        axe(page)
    finally:
        admin.sandbox("DELETE", "/sandbox/faults")
    expect(step).to_have_count(0, timeout=60_000)
    expect(page.get_by_role("listitem").filter(has_text="Accepted by Gmail")).to_be_visible()


def test_on_a_tablet_each_column_stands_below_its_heading(page: Page, admin: Dock) -> None:
    admin.logged()
    page.set_viewport_size({"width": 820, "height": 800})
    page.goto(f"{EVENT}?tab=payments")
    expect(page.get_by_role("cell").first).to_be_visible()
    headings, cells = page.get_by_role("columnheader"), page.get_by_role("row").nth(1)
    lefts = "places => places.map(place => Math.round(place.getBoundingClientRect().left))"
    columns: list[int] = cells.get_by_role("cell").evaluate_all(lefts)
    assert headings.evaluate_all(lefts) == columns
    assert len(columns) == 6


def test_two_admins_see_each_others_payments(page: Page, admin: Dock) -> None:
    page.goto(f"{EVENT}?tab=payments")
    expect(page.get_by_role("table")).to_be_visible()
    payment = admin.logged(patron_email="marcus.bell@example.com", event_id="regatta-2027")
    other = admin.logged()
    page.evaluate("dispatchEvent(new Event('focus'))")  # the admin comes back to this window
    row = row_of(page, other["payment_id"])
    expect(row).to_be_visible()
    expect(row_of(page, payment["payment_id"])).to_have_count(0)
    expect(row.locator("[data-part=audit]")).to_contain_text("Sent", timeout=SENT_MS)
