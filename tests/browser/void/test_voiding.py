"""Voiding a payment, with and without a correction, for every answer from the server."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from shared.text import dollars
from tests.browser.visits import row_of
from tests.dock import Dock
from tests.suites import LONG, later

PAYMENTS = "/g/sunset-charter?tab=payments"
VOID = re.compile(r"/api/payments/[^/]+/void$")
Axe = Callable[[Page], None]


def open_void(page: Page, payment: dict[str, Any]) -> Locator:
    page.goto(PAYMENTS)
    row_of(page, payment["payment_id"]).get_by_role("button", name=re.compile("^Void")).click()
    return page.get_by_role("dialog", name=f"Void #{payment['seq']:06}")


def void_of(dock: Dock, payment_id: str) -> str:
    answer = dock.call("GET", f"/api/payments/{payment_id}").json["payment"]
    return str(answer["voided_by"] or "")


def voids_of(dock: Dock, payment_id: str) -> list[dict[str, Any]]:
    listed = dock.call("GET", "/api/payments?event_id=sunset-charter&limit=100").json["payments"]
    return [each for each in listed if each.get("voids") == payment_id]


def test_a_voided_payment_stays_struck_through_and_compliance_gets_a_mail(
    page: Page, admin: Dock, axe: Axe
) -> None:
    payment = admin.logged()
    dialog = open_void(page, payment)
    expect(dialog.get_by_label("Reason")).to_be_focused()
    axe(page)
    dialog.get_by_role("button", name="Void payment").click()
    expect(dialog.get_by_text("Choose a reason.")).to_be_visible()
    expect(dialog.get_by_label("Reason")).to_be_focused()
    axe(page)
    dialog.get_by_label("Reason").select_option("payment_returned")
    expect(dialog.get_by_role("row", name=re.compile("Counts as"))).to_contain_text("$0.00")
    dialog.get_by_label("Why").fill("The bank sent it back")
    dialog.get_by_role("button", name="Void payment").click()
    expect(dialog).to_be_hidden()

    void_id = void_of(admin, payment["payment_id"])
    row, void_row = row_of(page, payment["payment_id"]), row_of(page, void_id)
    expect(row).to_have_class(re.compile("voided"))
    expect(row.get_by_role("button", name=re.compile("^Void"))).to_have_count(0)
    expect(row.get_by_role("link", name=re.compile("^#"))).to_be_focused()
    expect(void_row).to_contain_text(f"Voids #{payment['seq']:06}")
    axe(page)
    row.get_by_role("link", name=re.compile("^Voided by #")).click()
    expect(page).to_have_url(re.compile(void_id))
    expect(page.get_by_role("main").get_by_text("Payment bounced or returned")).to_be_visible()
    axe(page)
    page.get_by_role("table").get_by_role("link", name=f"#{payment['seq']:06}").click()
    expect(page.get_by_text("Voided by #")).to_be_visible()
    expect(page.get_by_text("The bank sent it back")).to_be_visible()
    axe(page)
    mail = admin.await_mail(void_id)
    assert "The bank sent it back" in mail["text"]


def test_a_wrong_amount_is_corrected_in_one_step(page: Page, admin: Dock, axe: Axe) -> None:
    payment = admin.logged(method="check", reference=str(uuid.uuid4().int)[:7])
    right = f"{int(payment['amount'][:-3]) + 1}.00"
    shown = f"${int(right[:-3]):,}.00"
    page.goto(f"/g/sunset-charter?payment={payment['payment_id']}")
    page.get_by_role("button", name="Void or correct").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Void #"))
    dialog.get_by_label("Reason").select_option("wrong_amount")
    expect(dialog.get_by_role("combobox", name="Patron")).to_have_value("Jane Doe")
    dialog.get_by_role("button", name="Void and correct").click()
    expect(dialog.get_by_role("alert").filter(has_text="the same as the original")).to_be_visible()
    expect(dialog.get_by_role("textbox", name="Amount")).to_be_focused()
    dialog.get_by_role("textbox", name="Amount").fill(right)
    expect(dialog.get_by_role("row", name=re.compile("^Amount"))).to_contain_text(shown)
    axe(page)
    dialog.get_by_role("textbox", name="Amount").press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("and replaced by")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()

    void_id = void_of(admin, payment["payment_id"])
    page.get_by_text("and replaced by").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(shown)
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()
    axe(page)
    corrected_id = page.url.split("payment=")[1]
    corrected = admin.call("GET", f"/api/payments/{corrected_id}").json["payment"]
    assert (corrected["amount"], corrected["reference"]) == (right, payment["reference"])
    void_mail, mail = (admin.await_mail(each) for each in (void_id, corrected_id))
    number, after = f"#{payment['seq']:06}", f"#{corrected['seq']:06}"
    taken = dollars(-payment["amount_cents"])
    assert f" of {number} {taken} check - Jane Doe - " in void_mail["subject"]
    assert f"{after} {shown} check replaces {number} - Jane Doe - " in mail["subject"]
    assert f"{after} ({corrected_id})" in void_mail["html"]
    assert f"{number} ({payment['payment_id']})" in mail["html"]
    assert "wrong amount" in mail["html"]


@LONG
def test_a_wrong_patron_and_method_are_corrected(page: Page, admin: Dock) -> None:
    payment = admin.logged()
    dialog = open_void(page, payment)
    dialog.get_by_label("Reason").select_option("wrong_patron")
    dialog.get_by_role("combobox", name="Patron").fill("bjork")
    page.get_by_role("option", name="Björk Sigurðardóttir").click()
    dialog.get_by_role("radio", name="Check").check(force=True)
    dialog.get_by_role("button", name="Void and correct").click()
    expect(dialog.get_by_text("Enter the check number.")).to_be_visible()
    expect(dialog.get_by_label("Check number")).to_be_focused()
    dialog.get_by_label("Check number").fill(str(uuid.uuid4().int)[:7])
    dialog.get_by_role("button", name="Void and correct").click()
    expect(dialog).to_be_hidden()
    corrected = page.get_by_role("row").filter(has_text="bjork.s@example.org").first
    expect(corrected).to_contain_text("check")
    expect(row_of(page, payment["payment_id"])).to_have_class(re.compile("voided"))


@LONG
def test_a_lost_answer_is_retried_and_voids_once(page: Page, admin: Dock, axe: Axe) -> None:
    payment = admin.logged()
    dialog = open_void(page, payment)
    dialog.get_by_label("Reason").select_option("entered_twice")

    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(VOID, lose_answer)
    dialog.get_by_role("button", name="Void payment").click()
    expect(dialog.get_by_text("Retrying is safe")).to_be_visible()
    expect(dialog.get_by_role("button", name="Retry")).to_be_focused()
    axe(page)
    page.unroute(VOID)
    dialog.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("Already saved — not voided twice.")).to_be_visible()
    assert len(voids_of(admin, payment["payment_id"])) == 1


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {"void": {"payment_id": "pay_1"}}),
        later(422, {"code": "invalid_fields", "errors": [None]}),
        later(409, {"code": "possible_duplicate", "payments": [None]}),
    ],
)
def test_an_answer_that_makes_no_sense_can_be_retried(
    page: Page, admin: Dock, status: int, answer: dict[str, Any]
) -> None:
    payment = admin.logged()
    dialog = open_void(page, payment)
    dialog.get_by_label("Reason").select_option("entered_twice")
    page.route(VOID, lambda route: route.fulfill(status=status, json=answer))
    dialog.get_by_role("button", name="Void payment").click()
    expect(dialog.get_by_text("Retrying is safe")).to_be_visible()
    page.unroute(VOID)
    dialog.get_by_role("button", name="Retry").click()
    expect(dialog).to_be_hidden()
    assert len(voids_of(admin, payment["payment_id"])) == 1


@LONG
def test_a_void_sent_before_a_reload_is_found_again(page: Page, admin: Dock) -> None:
    payment = admin.logged()
    dialog = open_void(page, payment)
    dialog.get_by_label("Reason").select_option("entered_twice")
    page.route(VOID, lambda route: route.abort())
    dialog.get_by_role("button", name="Void payment").click()
    expect(dialog.get_by_text("Retrying is safe")).to_be_visible()
    page.unroute(VOID)
    page.once("dialog", lambda question: question.accept())  # the browser asks before it leaves
    page.reload()
    expect(dialog.get_by_text("You left the page before the server answered.")).to_be_visible()
    dialog.get_by_role("button", name="Retry").click()
    expect(dialog).to_be_hidden()
    assert len(voids_of(admin, payment["payment_id"])) == 1


@LONG
def test_a_payment_that_someone_else_voided_is_reported(page: Page, admin: Dock, axe: Axe) -> None:
    payment = admin.logged()
    dialog = open_void(page, payment)
    dialog.get_by_label("Reason").select_option("entered_twice")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"/api/payments/{payment['payment_id']}/void"
    assert admin.call("POST", path, {"reason": "entered_twice"}, key).status == 200
    dialog.get_by_role("button", name="Void payment").click()
    expect(dialog.get_by_role("alert").filter(has_text="already voided")).to_be_visible()
    expect(dialog.get_by_role("button", name="Void payment")).to_have_count(0)
    axe(page)
    dialog.get_by_role("link", name="See the payment").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Voided by #")).to_be_visible()


@LONG
def test_a_correction_that_looks_like_a_duplicate_asks_first(
    page: Page, admin: Dock, axe: Axe
) -> None:
    other = admin.logged()
    payment = admin.logged()
    dialog = open_void(page, payment)
    dialog.get_by_label("Reason").select_option("wrong_amount")
    dialog.get_by_role("textbox", name="Amount").fill(other["amount"])
    dialog.get_by_role("button", name="Void and correct").click()
    panel = dialog.get_by_role("region", name="A payment like the corrected one")
    expect(panel).to_contain_text(f"#{other['seq']:06}")
    expect(panel.get_by_role("button", name="Go back")).to_be_focused()
    axe(page)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(dialog.get_by_role("textbox", name="Amount")).to_be_focused()
    dialog.get_by_role("button", name="Void and correct").click()
    panel.get_by_role("button", name="void and correct").click()
    expect(dialog).to_be_hidden()
    listed = admin.call("GET", "/api/payments?event_id=sunset-charter&limit=100").json["payments"]
    assert [other["payment_id"]] in [each["acknowledged_duplicates"] for each in listed]


def test_the_servers_errors_are_shown_at_their_fields(page: Page, admin: Dock) -> None:
    payment = admin.logged()
    dialog = open_void(page, payment)
    dialog.get_by_label("Reason").select_option("wrong_amount")
    dialog.get_by_role("textbox", name="Amount").fill("900000")
    dialog.get_by_role("button", name="Void and correct").click()
    expect(dialog.get_by_text(re.compile("up to"))).to_be_visible()
    expect(dialog.get_by_role("textbox", name="Amount")).to_be_focused()
    expect(dialog.get_by_role("textbox", name="Amount")).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Escape")
    page.get_by_role("alertdialog").get_by_role("button", name="Leave").click()
    expect(dialog).to_be_hidden()
    assert voids_of(admin, payment["payment_id"]) == []


@LONG
def test_an_ended_session_is_renewed_in_place(page: Page, admin: Dock) -> None:
    payment = admin.logged()
    dialog = open_void(page, payment)
    dialog.get_by_label("Reason").select_option("other")
    dialog.get_by_label("Why").fill("Nobody came")
    page.context.clear_cookies()
    dialog.get_by_role("button", name="Void payment").click()
    sign_in = page.get_by_role("dialog", name="Welcome aboard")
    sign_in.get_by_label("Password").fill("anchors-aweigh")
    sign_in.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_hidden()
    (void,) = voids_of(admin, payment["payment_id"])
    assert void["note"] == "Nobody came"
