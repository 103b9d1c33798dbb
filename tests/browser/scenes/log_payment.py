"""The scenes of the payment form."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.payment_form import PaymentForm, any_amount
from tests.browser.routes import PAYMENTS, hold, lose_answer, lose_request
from tests.browser.scenes.stage import EVENT, scene
from tests.dock import Dock


def submitted(page: Page, amount: str = "50", method: str = "Cash") -> PaymentForm:
    form = PaymentForm(page).open().fill(amount, method)
    form.submit.click()
    return form


@scene("payment-empty")
def payment_empty(page: Page, dock: Dock) -> None:
    PaymentForm(page).open()


@scene("payment-patrons")
def payment_patrons(page: Page, dock: Dock) -> None:
    form = PaymentForm(page).open()
    form.patron.fill("doe")
    expect(page.get_by_role("option", name="Jane Doe")).to_contain_text("already logged")


@scene("payment-no-match")
def payment_no_match(page: Page, dock: Dock) -> None:
    PaymentForm(page).open().patron.fill("Captain Nemo")
    expect(page.get_by_text("No match on this event’s roster.").first).to_be_visible()


@scene("payment-filled")
def payment_filled(page: Page, dock: Dock) -> None:
    form = PaymentForm(page).open()
    form.fill("$1,250.5", "Check", "seamus", reference=("Check number", "2077"))
    form.dialog.get_by_label("Note").fill("Second half of the charter fee")
    expect(form.dialog.get_by_text("total for this event will be")).to_be_visible()


@scene("payment-locked-patron")
def payment_locked(page: Page, dock: Dock) -> None:
    page.goto(EVENT)
    page.get_by_role("button", name="Log for Jane Doe").click()
    expect(PaymentForm(page).dialog.get_by_text("has already paid")).to_be_visible()


@scene("payment-unusual")
def payment_unusual(page: Page, dock: Dock) -> None:
    form = PaymentForm(page).open().fill("12000", "ACH")
    expect(form.dialog.get_by_text("is an unusually large payment")).to_be_visible()


@scene("payment-ambiguous")
def payment_ambiguous(page: Page, dock: Dock) -> None:
    form = PaymentForm(page).open().fill("1,23", "Credit card")
    expect(form.dialog.get_by_text("comma is ambiguous").first).to_be_visible()


@scene("payment-errors")
def payment_errors(page: Page, dock: Dock) -> None:
    form = PaymentForm(page).open()
    form.submit.click()
    expect(form.dialog.get_by_role("alert").filter(has_text="3 things")).to_be_visible()


@scene("payment-refused")
def payment_refused(page: Page, dock: Dock) -> None:
    form = submitted(page, "100000.01")
    expect(form.dialog.get_by_role("alert").filter(has_text="Fix one thing")).to_be_visible()


@scene("payment-logging")
def payment_logging(page: Page, dock: Dock) -> None:
    page.route(PAYMENTS, hold)
    form = submitted(page)
    expect(form.dialog.get_by_role("button", name="Logging…")).to_be_visible()


@scene("payment-unknown")
def payment_unknown(page: Page, dock: Dock) -> None:
    page.route(PAYMENTS, lose_request)
    form = submitted(page)
    expect(form.retry).to_be_focused()


@scene("payment-unknown-leaving")
def payment_unknown_leaving(page: Page, dock: Dock) -> None:
    payment_unknown(page, dock)
    page.keyboard.press("Escape")
    expect(page.get_by_role("alertdialog")).to_be_visible()


@scene("payment-not-saved")
def payment_not_saved(page: Page, dock: Dock) -> None:
    page.clock.install()
    payment_unknown_leaving(page, dock)
    page.clock.fast_forward(30_000)
    page.get_by_role("button", name="Check now").click()
    expect(PaymentForm(page).notice).to_contain_text("was not saved")


@scene("payment-signed-out")
def payment_signed_out(page: Page, dock: Dock) -> None:
    form = PaymentForm(page).open().fill("50")
    page.context.clear_cookies()
    form.submit.click()
    expect(page.get_by_text("Your session has ended")).to_be_visible()


@scene("payment-duplicate")
def payment_duplicate(page: Page, dock: Dock) -> None:
    dock.log(amount="50.00")
    form = submitted(page)
    expect(form.dialog.get_by_text("Similar payment")).to_be_visible()


@scene("payment-discard")
def payment_discard(page: Page, dock: Dock) -> None:
    PaymentForm(page).open().fill("50")
    page.keyboard.press("Escape")
    expect(page.get_by_role("alertdialog", name="Discard this payment?")).to_be_visible()


@scene("payment-another")
def payment_another(page: Page, dock: Dock) -> None:
    form = PaymentForm(page).open().fill(any_amount(), "Credit card", "hannah")
    form.another.click()
    expect(form.notice).to_contain_text("Logged #")


@scene("payment-saved-before")
def payment_saved_before(page: Page, dock: Dock) -> None:
    page.route(PAYMENTS, lose_answer)
    form = PaymentForm(page).open().fill(any_amount(), "Credit card", "ines")
    form.submit.click()
    expect(form.retry).to_be_visible()
    page.unroute(PAYMENTS)
    form.retry.click()
    expect(form.toast).to_contain_text("already saved", ignore_case=True)
