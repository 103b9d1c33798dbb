"""The scenes of a payment's page, a patron's history, voiding, exports and failures."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.routes import hold, lose_request
from tests.browser.scenes.stage import EVENT, SENT, scene
from tests.dock import Dock

VOID = re.compile(r"/api/payments/[^/]+/void$")
ONE_PAYMENT = re.compile(r"/api/payments/pay_")


def open_payment(page: Page, payment_id: str) -> None:
    page.goto(f"{EVENT}?payment={payment_id}")
    expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()


def open_void(page: Page, dock: Dock, reason: str = "") -> Locator:
    """The void dialog over the page of a payment that no other test touches."""
    payment = dock.logged(method="check", reference=str(uuid.uuid4().int)[:6], note="Paid for two")
    open_payment(page, payment["payment_id"])
    page.get_by_role("button", name="Void or correct").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Void #"))
    expect(dialog.get_by_label("Reason")).to_be_focused()
    if reason:
        dialog.get_by_label("Reason").select_option(reason)
    return dialog


def corrected(dock: Dock) -> dict[str, Any]:
    """A payment with a wrong amount, its void and the correction."""
    payment = dock.logged(note="Deposit")
    body = {
        "reason": "wrong_amount",
        "note": "Misread the bill",
        "replacement": {
            "patron_email": "jane.doe@example.com",
            "amount": f"{uuid.uuid4().int % 9000 + 100}.00",
            "method": "cash",
        },
    }
    path = f"/api/payments/{payment['payment_id']}/void"
    answer = dock.call("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status == 200, answer.content
    return {"payment": payment, **answer.json}


@scene("payment-page")
def payment_page(page: Page, dock: Dock) -> None:
    payment = dock.logged(method="check", reference=str(uuid.uuid4().int)[:6], note="For two")
    open_payment(page, payment["payment_id"])
    expect(page.get_by_text("Accepted by Gmail.")).to_be_visible(timeout=SENT)


@scene("payment-page-voided")
def payment_page_voided(page: Page, dock: Dock) -> None:
    open_payment(page, corrected(dock)["payment"]["payment_id"])
    expect(page.get_by_text("and replaced by")).to_be_visible()


@scene("payment-page-void")
def payment_page_void(page: Page, dock: Dock) -> None:
    open_payment(page, corrected(dock)["void"]["payment_id"])
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()


@scene("payment-page-failed")
def payment_page_failed(page: Page, dock: Dock) -> None:
    payment = dock.logged()

    def fail(route: Route) -> None:
        answer = route.fetch()
        content = answer.json()
        error = {
            "class": "permanent",
            "code": "invalidArgument",
            "message": "Recipient address rejected",
            "at": payment["logged_at"] + 4_000,
        }
        content["payment"]["audit"] = {
            "state": "failed",
            "sent_at": None,
            "attempts": 3,
            "last_error": error,
        }
        route.fulfill(response=answer, json=content)

    page.route(ONE_PAYMENT, fail)
    open_payment(page, payment["payment_id"])
    expect(page.get_by_text("Given up")).to_be_visible()


@scene("payment-page-missing")
def payment_page_missing(page: Page, dock: Dock) -> None:
    page.goto(f"{EVENT}?payment=pay_0")
    expect(page.get_by_role("heading", name="There is no such payment")).to_be_visible()


@scene("payment-page-crew", who="crew")
def payment_page_crew(page: Page, dock: Dock) -> None:
    page.goto(f"{EVENT}?payment=pay_0")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@scene("patron-history")
def patron_history(page: Page, dock: Dock) -> None:
    dock.logged(event_id="harbor-lights", patron_email="lee@example.com")
    dock.logged(patron_email="lee@example.com")
    page.goto(f"{EVENT}?patron=lee@example.com")
    expect(page.get_by_text("Harbor Lights Dinner Cruise").first).to_be_visible()


@scene("event-auditor", who="auditor")
def event_auditor(page: Page, dock: Dock) -> None:
    page.goto(f"{EVENT}?tab=payments")
    expect(page.get_by_role("row").nth(1)).to_be_visible()


@scene("event-no-payments")
def event_no_payments(page: Page, dock: Dock) -> None:
    page.goto("/g/empty-hold?tab=payments")
    expect(page.get_by_role("heading", name="No payments yet")).to_be_visible()


@scene("events-money-hidden")
def events_money_hidden(page: Page, dock: Dock) -> None:
    page.goto("/")
    page.get_by_role("switch", name="Admin tools").click()
    expect(page.get_by_role("article").first).to_be_visible()
    expect(page.get_by_role("button", name="Log Payment")).to_have_count(0)


@scene("events-ailing-mails")
def events_ailing_mails(page: Page, dock: Dock) -> None:
    def ail(route: Route) -> None:
        answer = route.fetch()
        content = answer.json()
        for event, failed in zip(content["events"], (1, 0, 3), strict=False):
            event["audit"] = {"failed": failed, "late": 2}
        route.fulfill(response=answer, json=content)

    page.route("**/api/events", ail)
    page.goto("/")
    expect(page.get_by_text("2 audit mails late")).to_be_visible()


@scene("events-failed")
def events_failed(page: Page, dock: Dock) -> None:
    page.route("**/api/events", lose_request)
    page.goto("/")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


@scene("events-offline")
def events_offline(page: Page, dock: Dock) -> None:
    page.goto("/")
    expect(page.get_by_role("article").first).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()


@scene("event-loading")
def event_loading(page: Page, dock: Dock) -> None:
    page.route("**/api/events/**", hold)
    page.goto(EVENT)
    expect(page.locator("main [aria-busy=true] .block-bone")).to_be_visible()


@scene("void-form")
def void_form(page: Page, dock: Dock) -> None:
    open_void(page, dock)


@scene("void-errors")
def void_errors(page: Page, dock: Dock) -> None:
    dialog = open_void(page, dock, "other")
    dialog.get_by_role("button", name="Void payment").click()
    expect(dialog.get_by_text("Explain why in a few words.")).to_be_visible()


@scene("void-correction")
def void_correction(page: Page, dock: Dock) -> None:
    dialog = open_void(page, dock, "wrong_amount")
    dialog.get_by_role("textbox", name="Amount").fill("125")
    dialog.get_by_role("textbox", name="Amount").blur()


@scene("void-unknown")
def void_unknown(page: Page, dock: Dock) -> None:
    dialog = open_void(page, dock, "entered_twice")
    page.route(VOID, lose_request)
    dialog.get_by_role("button", name="Void payment").click()
    expect(dialog.get_by_role("button", name="Retry")).to_be_visible()


@scene("void-duplicate")
def void_duplicate(page: Page, dock: Dock) -> None:
    dialog = open_void(page, dock, "wrong_amount")
    problem = {
        "code": "possible_duplicate",
        "detail": "A similar payment was already logged.",
        "errors": [],
        "payments": [dock.logged()],
    }
    page.route(
        VOID,
        lambda route: route.fulfill(
            status=409, content_type="application/problem+json", body=json.dumps(problem)
        ),
    )
    dialog.get_by_role("textbox", name="Amount").fill("125")
    dialog.get_by_role("button", name="Void and correct").click()
    expect(dialog.get_by_role("button", name="Go back")).to_be_visible()


@scene("void-too-late")
def void_too_late(page: Page, dock: Dock) -> None:
    dialog = open_void(page, dock, "entered_twice")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"/api/payments/{page.url.split('payment=')[1]}/void"
    assert dock.call("POST", path, {"reason": "entered_twice"}, key).status == 200
    dialog.get_by_role("button", name="Void payment").click()
    expect(dialog.get_by_text("already voided")).to_be_visible()


@scene("void-done")
def void_done(page: Page, dock: Dock) -> None:
    dialog = open_void(page, dock, "payment_returned")
    dialog.get_by_role("button", name="Void payment").click()
    expect(page.get_by_text(re.compile(r"^Voided #"))).to_be_visible()


@scene("export-form")
def export_form(page: Page, dock: Dock) -> None:
    page.goto("/")
    page.get_by_role("button", name="Export CSV").click()
    expect(page.get_by_role("dialog", name="Export payments")).to_be_visible()
