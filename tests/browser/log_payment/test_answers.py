"""What an admin sees for each answer to a payment, and that it is logged once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from local.running_stack import RunningStack
from tests.browser.log_payment.answers import keys_sent, logged, refuse_once
from tests.browser.payment_form import PaymentForm, any_amount
from tests.browser.routes import PAYMENTS
from tests.dock import Dock
from tests.suites import later


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


@pytest.mark.parametrize(
    "how", ["double click", *map(later, ("Enter and click", "Ctrl+Enter twice"))]
)
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
