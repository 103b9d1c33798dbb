"""No answer, or one that proves nothing: the key is kept until the payment's fate is known."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.log_payment.answers import keys_sent, logged, refuse_once
from tests.browser.payment_form import PaymentForm, any_amount
from tests.browser.routes import PAYMENTS, hold, lose_answer, lose_request
from tests.dock import Dock, until
from tests.suites import LONG, later

# Everything that a receipt needs, but no calendar has this day.
UNSHOWABLE = {"payment_id": "pay_1", "seq": 1, "amount_cents": 1, "logged_at": 2**53 - 1}


def test_after_a_lost_answer_retry_finds_the_payment_already_saved(
    admin_page: Page, dock: Dock
) -> None:
    amount = any_amount()
    keys = keys_sent(admin_page)
    form = PaymentForm(admin_page).open().fill(amount)
    admin_page.route(PAYMENTS, lose_answer)
    form.submit.click()
    expect(form.dialog.get_by_text("could not confirm that this was saved")).to_be_visible()
    expect(form.retry).to_be_focused()
    expect(form.amount).to_be_disabled()
    admin_page.unroute(PAYMENTS)
    form.retry.click()
    expect(form.toast).to_contain_text("Already saved — not logged twice")
    assert len(logged(dock, amount)) == 1
    assert len(set(keys)) == 1


@pytest.mark.parametrize("trouble", ["offline", later("502"), later("no answer to be read")])
def test_after_a_network_failure_the_form_says_that_retrying_is_safe(
    admin_page: Page, dock: Dock, trouble: str
) -> None:
    amount = any_amount()
    form = PaymentForm(admin_page).open().fill(amount)
    if trouble == "offline":
        admin_page.context.set_offline(offline=True)
    elif trouble == "502":
        admin_page.route(PAYMENTS, refuse_once(502, "bad_gateway"))
    else:  # a captive portal
        admin_page.route(PAYMENTS, lambda route: route.fulfill(status=200, body="<h1>Wi-Fi</h1>"))
    form.submit.click()
    expect(form.dialog.get_by_text("Retrying is safe")).to_be_visible()
    admin_page.context.set_offline(offline=False)
    admin_page.unroute(PAYMENTS)
    form.retry.click()
    expect(form.toast).to_contain_text("Logged #")
    assert len(logged(dock, amount)) == 1


@LONG
def test_closing_with_an_unknown_outcome_asks_the_server_first(
    admin_page: Page, dock: Dock
) -> None:
    amount = any_amount()
    form = PaymentForm(admin_page).open().fill(amount)
    admin_page.route(PAYMENTS, lose_answer)
    form.submit.click()
    expect(form.retry).to_be_visible()
    question = admin_page.get_by_role("alertdialog", name="may or may not be saved")
    admin_page.keyboard.press("Escape")
    question.get_by_role("button", name="Go back").click()
    expect(form.dialog).to_be_visible()
    form.dialog.get_by_role("button", name="Close").click()
    question.get_by_role("button", name="Check now").click()
    expect(form.toast).to_contain_text("Already saved — not logged twice")
    expect(form.dialog).to_be_hidden()
    assert len(logged(dock, amount)) == 1


@pytest.mark.parametrize(
    "found", [later({}), later({"payment": {"payment_id": "pay_1"}}), {"payment": UNSHOWABLE}]
)
def test_a_look_up_that_answers_without_the_payment_loses_nothing(
    admin_page: Page, dock: Dock, found: dict[str, Any]
) -> None:
    amount = any_amount()
    keys = keys_sent(admin_page)
    form = PaymentForm(admin_page).open().fill(amount)
    admin_page.route(PAYMENTS, lose_answer)
    admin_page.route("**/by-key/*", lambda route: route.fulfill(json=found))
    form.submit.click()
    expect(form.retry).to_be_visible()
    admin_page.keyboard.press("Escape")
    admin_page.get_by_role("button", name="Check now").click()
    reason = re.compile("The server had a problem|answer could not be understood")
    expect(form.dialog.get_by_text(reason)).to_be_visible()
    (key,) = set(keys)
    assert key in admin_page.evaluate("sessionStorage['scc.pending-payment']")
    admin_page.unroute(PAYMENTS)
    form.retry.click()
    expect(form.toast).to_contain_text("Already saved — not logged twice")
    assert set(keys) == {key}
    assert len(logged(dock, amount)) == 1


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {"payment": UNSHOWABLE}),
        later(422, {"code": "invalid_fields", "errors": [None]}),
        later(409, {"code": "possible_duplicate", "payments": [None]}),
    ],
)
def test_an_answer_that_makes_no_sense_can_be_retried_with_the_same_key(
    admin_page: Page, dock: Dock, status: int, answer: dict[str, Any]
) -> None:
    amount = any_amount()
    keys = keys_sent(admin_page)
    form = PaymentForm(admin_page).open().fill(amount)
    admin_page.route(PAYMENTS, lambda route: route.fulfill(status=status, json=answer))
    form.submit.click()
    expect(form.dialog.get_by_text("Retrying is safe")).to_be_visible()
    admin_page.unroute(PAYMENTS)
    form.retry.click()
    expect(form.toast).to_contain_text("Logged #")
    assert (len(keys), len(set(keys))) == (2, 1)
    assert len(logged(dock, amount)) == 1


@LONG
def test_a_payment_that_never_arrived_can_be_logged_again(admin_page: Page, dock: Dock) -> None:
    amount = any_amount()
    keys = keys_sent(admin_page)
    admin_page.clock.install()
    form = PaymentForm(admin_page).open().fill(amount)
    admin_page.route(PAYMENTS, lose_request)
    form.submit.click()
    expect(form.retry).to_be_visible()
    admin_page.keyboard.press("Escape")
    admin_page.get_by_role("button", name="Check now").click()
    expect(form.dialog.get_by_text("not in the ledger yet")).to_be_visible()
    admin_page.clock.fast_forward(30_000)
    expect(form.notice).to_contain_text("was not saved")
    expect(form.amount).to_be_enabled()
    admin_page.unroute(PAYMENTS)
    form.submit.click()
    expect(form.toast).to_contain_text("Logged #")
    assert len(logged(dock, amount)) == 1
    assert len(set(keys)) == 1


def test_a_reload_before_the_answer_says_that_the_payment_was_saved(
    admin_page: Page, dock: Dock
) -> None:
    amount = any_amount()

    def save_and_hold(route: Route) -> None:
        route.fetch()
        hold(route)

    form = PaymentForm(admin_page).open().fill(amount)
    admin_page.on("dialog", lambda dialog: dialog.accept())
    admin_page.route(PAYMENTS, save_and_hold)
    form.submit.click()

    def saved() -> list[dict[str, Any]]:
        admin_page.wait_for_timeout(50)  # lets the route above run
        return logged(dock, amount)

    until(saved)
    admin_page.reload()
    expect(form.toast).to_contain_text("Already saved — not logged twice")
    expect(form.dialog).to_be_hidden()
    admin_page.get_by_role("tab", name="Payments").click()
    expect(admin_page.get_by_role("row").filter(has_text=f"{float(amount):,.2f}")).to_have_count(1)
    assert len(logged(dock, amount)) == 1
    assert admin_page.evaluate("sessionStorage.length") == 0


@LONG
def test_a_reload_before_the_request_arrived_brings_the_form_back(
    admin_page: Page, dock: Dock
) -> None:
    amount = any_amount()
    keys = keys_sent(admin_page)
    form = PaymentForm(admin_page).open()
    form.fill(amount, "Check", "seamus", reference=("Check number", amount))
    admin_page.on("dialog", lambda dialog: dialog.accept())
    admin_page.route(PAYMENTS, lose_request)
    form.submit.click()
    expect(form.retry).to_be_visible()
    admin_page.reload()
    expect(form.dialog.get_by_text("not in the ledger yet")).to_be_visible()
    expect(form.patron).to_have_value("Séamus O'Brien")
    expect(form.dialog.get_by_label("Check number")).to_have_value(amount)
    admin_page.unroute(PAYMENTS)
    form.retry.click()
    expect(form.toast).to_contain_text("Logged #")
    assert len(logged(dock, amount)) == 1
    assert (len(keys), len(set(keys))) == (2, 1)
