"""Every screen and state of the app, by name: how to bring a page there.

The accessibility tests look at each of them, and `make screens` photographs each into
build/screens.
A new one is a function here, in ledger_scenes.py or in patron_scenes.py: `@scene("name")`, or
`@scene("name", who="crew")`; who="" is nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, expect

from local.running_stack import RunningStack
from tests.browser.chromium import open_tab
from tests.browser.payment_form import PaymentForm, any_amount
from tests.browser.routes import PAYMENTS, close, hold, lose_answer, lose_request
from tests.dock import Dock

Bring = Callable[[Page, Dock], None]
EVENT = "/g/sunset-charter"
SENT = 20_000  # ms within which a mail is sent


@dataclass(frozen=True)
class Scene:
    """who: the demo account that is signed in."""

    name: str
    who: str
    bring: Bring


SCENES: dict[str, Scene] = {}


def scene(name: str, who: str = "admin") -> Callable[[Bring], Bring]:
    def note(bring: Bring) -> Bring:
        SCENES[name] = Scene(name, who, bring)
        return bring

    return note


def seed(dock: Dock) -> None:
    """Log what an evening at the dock brings. An earlier run's payments are likely duplicates."""
    for patron, amount, method, reference, note in (
        ("jane.doe@example.com", "25.00", "cash", "", "Deposit"),
        ("lee@example.com", "180.00", "credit_card", "4242", ""),
        ("o'brien+dock@example.com", "125.00", "check", "1042", "Paid for two"),
        ("a.dubois@example.net", "90.00", "ach", "091000019876548", ""),
        ("bjork.s@example.org", "60.00", "cash", "", ""),
    ):
        payment = {
            "patron_email": patron,
            "amount": amount,
            "method": method,
            "reference": reference,
            "note": note,
        }
        answer = dock.log(**payment)
        if answer.status == 409:
            earlier = [each["payment_id"] for each in answer.json["payments"]]
            answer = dock.log(**payment, acknowledge_duplicates=earlier)
        assert answer.status == 200, answer.content


@contextmanager
def on_stage(
    browser: Browser, stack: RunningStack, dock: Dock, scene: Scene, **options: Any
) -> Iterator[Page]:
    """A tab in which the scene stands still. options: those of a browser context."""
    cookie = ""
    if scene.who:
        cookie = dock.cookie if scene.who == "admin" else Dock(stack).sign_in(scene.who).cookie
    page = open_tab(browser, stack, cookie, reduced_motion="reduce", **options)
    try:
        scene.bring(page, dock)
        yield page
    finally:
        close(page)


def submitted(page: Page, amount: str = "50", method: str = "Cash") -> PaymentForm:
    form = PaymentForm(page).open().fill(amount, method)
    form.submit.click()
    return form


@scene("sign-in", who="")
def sign_in(page: Page, dock: Dock) -> None:
    page.goto("/")
    expect(page.get_by_label("E-mail")).to_be_focused()


@scene("sign-in-refused", who="")
def sign_in_refused(page: Page, dock: Dock) -> None:
    sign_in(page, dock)
    page.get_by_label("E-mail").fill("admin@shipcaptaincrew.example")
    page.get_by_label("Password").fill("a wrong one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text="incorrect")).to_be_visible()


@scene("loading")
def loading(page: Page, dock: Dock) -> None:
    page.route("**/api/**", hold)
    page.goto("/")


@scene("events")
def events(page: Page, dock: Dock) -> None:
    page.goto("/")
    expect(page.get_by_role("link", name="Sunset Charter")).to_be_visible()


@scene("event-roster")
def event_roster(page: Page, dock: Dock) -> None:
    page.goto(EVENT)
    expect(page.get_by_text(re.compile(r"already logged \$")).first).to_be_visible()


@scene("event-payments")
def event_payments(page: Page, dock: Dock) -> None:
    page.goto(f"{EVENT}?tab=payments")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Sent", timeout=SENT)


@scene("inbox", who="")
def inbox(page: Page, dock: Dock) -> None:
    page.goto(dock.stack.mail_url)
    page.get_by_role("main").get_by_text("check - Séamus O'Brien").first.click()
    expect(page.frame_locator("iframe").get_by_text("1042").first).to_be_visible()


@scene("event-crew", who="crew")
def event_crew(page: Page, dock: Dock) -> None:
    page.goto(EVENT)
    expect(page.get_by_text("Jane Doe").first).to_be_visible()


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
