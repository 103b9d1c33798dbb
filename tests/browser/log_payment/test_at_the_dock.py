"""What an admin does at the dock, and what compliance then finds."""

from __future__ import annotations

import uuid

from playwright.sync_api import Page, expect

from local.running_stack import RunningStack
from tests.browser.visits import sign_in
from tests.dock import Dock


def test_a_payment_logged_in_the_modal_is_a_mail_in_the_inbox(
    page: Page, stack: RunningStack
) -> None:
    number = str(uuid.uuid4().int)[:6]
    typed, shown = f"1{number[:3]}.5", f"1,{number[:3]}.50"
    page.goto("/g/sunset-charter")
    sign_in(page)
    page.get_by_role("button", name="Log Payment", exact=True).first.click()
    dialog = page.get_by_role("dialog", name="Log payment")
    dialog.get_by_role("combobox", name="Patron").fill("seamus")
    page.get_by_role("option", name="Séamus O'Brien").click()
    dialog.get_by_role("textbox", name="Amount").fill(typed)
    dialog.get_by_role("radio", name="Check").check(force=True)
    dialog.get_by_label("Check number").fill(number)
    expect(dialog.get_by_role("textbox", name="Amount")).to_have_value(shown)
    dialog.get_by_role("button", name="Log payment", exact=True).click()
    expect(dialog).to_be_hidden()
    page.get_by_role("tab", name="Payments").click()
    row = page.get_by_role("row").filter(has_text=number)
    expect(row).to_contain_text(f"${shown}")
    expect(row).to_contain_text("Sent", timeout=20_000)

    page.goto(stack.mail_url)
    page.get_by_role("main").get_by_text(f"${shown}").first.click()
    expect(page.get_by_text("Séamus O'Brien").first).to_be_visible()
    with page.expect_popup() as opened:
        page.frame_locator("iframe").get_by_role("link", name="Open in the app").click()
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text(f"${shown}")

    dock = Dock(stack).sign_in()
    answer = dock.call("GET", "/api/payments?event_id=sunset-charter")
    logged = [each for each in answer.json["payments"] if each["reference"] == number]
    assert len(logged) == 1
    mail = dock.await_mail(logged[0]["payment_id"])
    assert "o'brien+dock@example.com" in mail["text"]
    assert "admin@shipcaptaincrew.example" in mail["text"]


def test_crew_sees_the_roster_and_no_money(page: Page) -> None:
    page.goto("/g/sunset-charter")
    sign_in(page, "crew")
    expect(page.get_by_text("Jane Doe").first).to_be_visible()
    expect(page.get_by_role("button", name="Log Payment")).to_have_count(0)
    expect(page.get_by_text("$")).to_have_count(0)
