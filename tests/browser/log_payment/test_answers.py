"""What an admin sees for each answer to a payment, and that it is logged once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from local.running_stack import RunningStack
from tests.browser.payment_form import PaymentForm, any_amount
from tests.browser.routes import PAYMENTS, hold, lose_answer, lose_request
from tests.dock import Dock, until


def logged(dock: Dock, amount: str) -> list[dict[str, Any]]:
    """The ledger's payments of this amount; no two tests log the same amount."""
    answer = dock.call("GET", "/api/payments?event_id=sunset-charter&limit=100")
    return [each for each in answer.json["payments"] if each["amount"] == amount]


def keys_sent(page: Page) -> list[str]:
    """Fills with the idempotency key of every payment that the page sends from now on."""
    keys: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/api/payments"):
            keys.append(request.headers["idempotency-key"])

    page.on("request", note)
    return keys


def refuse_once(status: int, code: str, **headers: str) -> Callable[[Route], None]:
    """Answer the first request as a busy or broken API does; let the others through."""
    answered: list[Route] = []

    def handle(route: Route) -> None:
        if answered:
            return route.continue_()
        answered.append(route)
        return route.fulfill(
            status=status,
            headers={"Content-Type": "application/problem+json"} | headers,
            body=f'{{"status": {status}, "code": "{code}", "detail": "Not now.", "errors": []}}',
        )

    return handle


def test_a_saved_payment_is_a_toast_and_a_row_without_a_reload(
    admin_page: Page, dock: Dock
) -> None:
    amount = any_amount()
    form = PaymentForm(admin_page).open().fill(amount)
    admin_page.evaluate("window.notReloaded = true")
    form.submit.click()
    expect(form.toast).to_contain_text(re.compile(r"Logged #\d{6} · \$[\d,.]+ cash · Jane Doe"))
    expect(form.toast).to_contain_text(re.compile(r"Stamped by the server .* UTC\)"))
    row = admin_page.get_by_role("row").filter(has_text=f"{float(amount):,.2f}")
    expect(row).to_contain_text("Sent", timeout=20_000)
    assert admin_page.evaluate("window.notReloaded")
    assert admin_page.evaluate("sessionStorage.length") == 0
    (payment,) = logged(dock, amount)
    assert amount in dock.await_mail(payment["payment_id"])["subject"].replace(",", "")


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


@pytest.mark.parametrize("trouble", ["offline", "502", "no answer to be read"])
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


def test_errors_are_shown_at_their_fields_and_in_a_summary_with_links(
    admin_page: Page,
) -> None:
    keys = keys_sent(admin_page)
    form = PaymentForm(admin_page).open()
    form.amount.fill("1,23")
    form.submit.click()
    summary = form.dialog.get_by_role("alert").filter(has_text="to log this payment")
    expect(summary).to_contain_text("Fix 3 things")
    expect(summary.get_by_role("link")).to_have_count(3)
    expect(form.patron).to_be_focused()
    expect(form.amount).to_have_accessible_description(re.compile("The comma is ambiguous"))
    summary.get_by_role("link", name="The comma is ambiguous").click()
    expect(form.amount).to_be_focused()
    expect(form.amount).to_have_value("1,23")
    summary.get_by_role("link", name="Choose how it was paid").press("Enter")
    expect(form.dialog.get_by_role("radio", name="Credit card")).to_be_focused()
    admin_page.keyboard.press("3")
    expect(summary.get_by_role("link")).to_have_count(2)
    assert keys == []


def test_the_servers_errors_are_shown_at_their_fields_and_nothing_is_cleared(
    admin_page: Page, dock: Dock
) -> None:
    form = PaymentForm(admin_page).open()
    form.fill("100000.01", "Check", reference=("Check number", "909"))
    form.submit.click()
    expect(form.amount).to_be_focused()
    expect(form.amount).to_have_accessible_description(re.compile(r"up to \$100,000"))
    expect(form.patron).to_have_value("Jane Doe")
    expect(form.dialog.get_by_label("Check number")).to_have_value("909")
    amount = any_amount()
    form.amount.fill(amount)
    form.dialog.get_by_label("Check number").fill(amount)
    form.submit.click()
    expect(form.toast).to_contain_text("Logged #")
    assert len(logged(dock, amount)) == 1


def test_a_likely_duplicate_needs_a_confirmation_that_is_recorded(
    admin_page: Page, dock: Dock
) -> None:
    amount = any_amount()
    earlier = dock.logged(amount=amount)
    form = PaymentForm(admin_page).open().fill(amount)
    form.submit.click()
    panel = form.dialog.get_by_role("region", name="Similar payment logged")
    expect(panel).to_contain_text(f"#{earlier['seq']:06d}")
    cancel = panel.get_by_role("button", name="Cancel")
    expect(cancel).to_be_focused()
    with admin_page.context.expect_page() as opened:
        panel.get_by_role("link", name="View").click()
    expect(opened.value.get_by_role("link", name=f"#{earlier['seq']:06d}")).to_be_visible()
    assert opened.value.evaluate("sessionStorage.length") == 0, "the key belongs to one tab"
    opened.value.close()

    cancel.click()
    expect(form.amount).to_be_focused()
    assert len(logged(dock, amount)) == 1
    form.submit.click()
    panel.get_by_role("button", name="It’s a different payment").click()
    expect(form.toast).to_contain_text("Logged #")
    latest, _ = logged(dock, amount)
    assert latest["acknowledged_duplicates"] == [earlier["payment_id"]]
    assert earlier["payment_id"] in dock.await_mail(latest["payment_id"])["text"]


def test_a_busy_ledger_is_retried_silently(admin_page: Page, dock: Dock) -> None:
    amount = any_amount()
    keys = keys_sent(admin_page)
    form = PaymentForm(admin_page).open().fill(amount)
    admin_page.route(PAYMENTS, refuse_once(409, "contention", **{"Retry-After": "0"}))
    form.submit.click()
    expect(form.toast).to_contain_text("Logged #")
    assert (len(keys), len(set(keys))) == (2, 1)
    assert len(logged(dock, amount)) == 1


def test_an_ended_session_is_renewed_in_place_with_form_and_key_kept(
    admin_page: Page, dock: Dock
) -> None:
    amount = any_amount()
    keys = keys_sent(admin_page)
    form = PaymentForm(admin_page).open().fill(amount)
    admin_page.context.clear_cookies()
    form.submit.click()
    sign_in = admin_page.get_by_role("dialog", name="Welcome aboard")
    expect(sign_in).to_contain_text("nothing you typed is lost")
    sign_in.get_by_label("Password").fill("anchors-aweigh")
    sign_in.get_by_role("button", name="Sign in").click()
    expect(form.toast).to_contain_text("Logged #")
    assert (len(keys), len(set(keys))) == (2, 1)
    assert len(logged(dock, amount)) == 1


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


# Everything that a receipt needs, but no calendar has this day.
UNSHOWABLE = {"payment_id": "pay_1", "seq": 1, "amount_cents": 1, "logged_at": 2**53 - 1}


@pytest.mark.parametrize(
    "found", [{}, {"payment": {"payment_id": "pay_1"}}, {"payment": UNSHOWABLE}]
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
        (422, {"code": "invalid_fields", "errors": [None]}),
        (409, {"code": "possible_duplicate", "payments": [None]}),
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


@pytest.mark.parametrize("how", ["double click", "Enter and click", "Ctrl+Enter twice"])
def test_impatient_clicks_log_one_payment(admin_page: Page, dock: Dock, how: str) -> None:
    amount = any_amount()
    keys = keys_sent(admin_page)
    form = PaymentForm(admin_page).open().fill(amount)
    # All in one task, so the page can do nothing in between.
    form.submit.evaluate(
        """(button, how) => {
            const enter = { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true };
            const press = () => button.dispatchEvent(new KeyboardEvent("keydown", enter));
            if (how === "double click") { button.click(); button.click(); }
            else if (how === "Enter and click") { button.form.requestSubmit(); button.click(); }
            else { press(); press(); }
        }""",
        how,
    )
    expect(form.toast).to_contain_text("Logged #")
    assert len(keys) == 1
    assert len(logged(dock, amount)) == 1


def test_the_staging_copy_logs_payments_too(
    admin_page: Page, dock: Dock, stack: RunningStack
) -> None:
    amount = any_amount()
    form = PaymentForm(admin_page).open("/_staging/g/sunset-charter").fill(amount)
    form.submit.click()
    expect(form.toast).to_contain_text("Logged #")
    assert len(logged(dock, amount)) == 1
    assert admin_page.url.startswith(f"{stack.url}/_staging/g/sunset-charter")
    used = admin_page.evaluate(
        """() => [...document.styleSheets, ...document.querySelectorAll("link, [type=module]")]
            .map((each) => each.href ?? each.src)"""
    )
    assert len(used) > 20
    assert all(url.startswith(f"{stack.url}/_staging/") for url in used), used
