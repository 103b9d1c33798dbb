"""Who sees what: crew, auditors, and admins with a patron looking over their shoulder."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from local.running_stack import RunningStack
from tests.browser.visits import enter, row_of
from tests.dock import Dock
from tests.suites import LONG

EVENT = "/g/sunset-charter"
MONEY = re.compile(r"\$\d")
Axe = Callable[[Page], None]


def test_crew_sees_events_and_rosters_and_no_money(
    page: Page, stack: RunningStack, axe: Axe
) -> None:
    payment = Dock(stack).sign_in().logged()
    enter(page.context, stack, "crew")
    page.goto("/")
    expect(page.get_by_role("article").first).to_be_visible()
    for name in ("Log Payment", "Export CSV"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_role("switch")).to_have_count(0)
    expect(page.get_by_text(MONEY)).to_have_count(0)
    page.goto(f"{EVENT}?tab=payments")
    expect(page.get_by_text("Jane Doe", exact=True)).to_be_visible()
    expect(page.get_by_role("tab")).to_have_count(1)
    expect(page.get_by_role("button", name=re.compile("^Log"))).to_have_count(0)
    axe(page)
    for query in (f"payment={payment['payment_id']}", "patron=jane.doe@example.com"):
        page.goto(f"{EVENT}?{query}")
        expect(page.get_by_role("heading", name="Your account can’t see payments")).to_be_visible()
        expect(page.get_by_text(MONEY)).to_have_count(0)
    axe(page)


@LONG
def test_auditors_can_read_and_export_but_change_nothing(
    page: Page, stack: RunningStack, axe: Axe
) -> None:
    payment = Dock(stack).sign_in().logged()
    enter(page.context, stack, "auditor")
    page.goto("/")
    expect(page.get_by_role("article").filter(has_text="Sunset Charter")).to_contain_text("$")
    expect(page.get_by_role("button", name="Export CSV")).to_be_visible()
    expect(page.get_by_role("button", name="Log Payment")).to_have_count(0)
    expect(page.get_by_role("switch")).to_have_count(0)
    page.goto(f"{EVENT}?tab=payments")
    row = row_of(page, payment["payment_id"])
    expect(row).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^(Log|Void)"))).to_have_count(0)
    axe(page)
    row.get_by_role("link", name=re.compile("^#")).click()
    expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Void"))).to_have_count(0)


@LONG
def test_turning_admin_tools_off_hides_all_amounts_in_this_tab(
    page: Page, admin: Dock, axe: Axe
) -> None:
    payment = admin.logged()
    page.goto(f"{EVENT}?payment={payment['payment_id']}")
    expect(page.get_by_text(MONEY).first).to_be_visible()
    tools = page.get_by_role("switch", name="Admin tools")
    tools.click()
    expect(tools).to_have_attribute("aria-checked", "false")
    expect(tools).to_be_focused()
    expect(page.get_by_role("heading", name="Payments are hidden")).to_be_visible()
    expect(page.get_by_text(MONEY)).to_have_count(0)
    axe(page)
    for path in (EVENT, "/"):
        page.goto(path)
        expect(page.get_by_text("Sunset Charter").first).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("^(Log|Void|Export)"))).to_have_count(0)
        expect(page.get_by_text("$")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("article").first).to_be_visible()
    expect(page.get_by_text("$")).to_have_count(0)

    other = page.context.new_page()  # another tab is another screen
    other.goto("/")
    expect(other.get_by_text(MONEY).first).to_be_visible()
    other.close()
    page.get_by_role("switch", name="Admin tools").click()
    expect(page.get_by_text(MONEY).first).to_be_visible()
