"""The scenes of what the watch saw in the audit mailbox."""

from __future__ import annotations

import re
from itertools import cycle
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.scenes.stage import EVENT, scene
from tests.dock import Dock

LISTS = re.compile(r"/api/payments\?")
ONE_PAYMENT = re.compile(r"/api/payments/pay_")
SEEN_AFTER_MS = 2_820_000
WATCHED = {
    "not looked at": (False, None),
    "seen": (True, None),
    "missing": (False, "missing"),
    "duplicate": (True, "duplicate"),
    "altered": (True, "altered"),
}


def watched(payment: dict[str, Any], what: str) -> None:
    """Change an answer's payment to one whose mail was sent, and what the watch saw of it."""
    is_seen, finding = WATCHED[what]
    payment["audit"] = {
        "state": "sent",
        "sent_at": payment["logged_at"] + 1_400,
        "seen_at": payment["logged_at"] + SEEN_AFTER_MS if is_seen else None,
        "mailbox": finding,
        "attempts": 1,
        "last_error": None,
    }


def watch_lists(page: Page) -> None:
    def answer(route: Route) -> None:
        answered = route.fetch()
        content = answered.json()
        for payment, what in zip(content["payments"], cycle(WATCHED), strict=False):
            watched(payment, what)
        route.fulfill(response=answered, json=content)

    page.route(LISTS, answer)


def show_payment(page: Page, dock: Dock, what: str) -> None:
    def answer(route: Route) -> None:
        answered = route.fetch()
        content = answered.json()
        watched(content["payment"], what)
        route.fulfill(response=answered, json=content)

    payment = dock.logged()
    page.route(ONE_PAYMENT, answer)
    page.goto(f"{EVENT}?payment={payment['payment_id']}")


@scene("event-watched")
def event_watched(page: Page, dock: Dock) -> None:
    watch_lists(page)
    page.goto(f"{EVENT}?tab=payments")
    for words in ("In the inbox", "Not in the inbox", "Twice in the inbox", "Altered in the inbox"):
        expect(page.get_by_text(words, exact=True).first).to_be_visible()


@scene("patron-watched")
def patron_watched(page: Page, dock: Dock) -> None:
    for _ in WATCHED:
        dock.logged(patron_email="lee@example.com")
    watch_lists(page)
    page.goto(f"{EVENT}?patron=lee@example.com")
    expect(page.get_by_text("Not in the inbox").first).to_be_visible()


@scene("payment-page-seen")
def payment_page_seen(page: Page, dock: Dock) -> None:
    show_payment(page, dock, "seen")
    expect(page.get_by_text("Seen in the audit inbox.")).to_be_visible()


@scene("payment-page-not-in-the-inbox")
def payment_page_not_in_the_inbox(page: Page, dock: Dock) -> None:
    show_payment(page, dock, "missing")
    expect(page.get_by_text("but it is not in the audit inbox")).to_be_visible()


@scene("payment-page-altered-mail")
def payment_page_altered_mail(page: Page, dock: Dock) -> None:
    show_payment(page, dock, "altered")
    expect(page.get_by_text("Altered in the inbox").first).to_be_visible()
