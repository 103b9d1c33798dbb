"""In a narrow pane a mail is read from top to bottom: nothing makes it scroll sideways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from functions.audit_mailer.mails import ops_mail
from functions.audit_mailer.mails.payment_mail import compose
from functions.audit_mailer.mails.related import Related
from shared.ledger import Head
from tests.browser.chromium import launch
from tests.builders import entry
from tests.functions.audit_mailer.conftest import ADDRESSES
from tests.functions.audit_mailer.mails.test_envelope import OPS_RECORD
from tests.functions.audit_mailer.mails.test_payment_mail import bodies_of
from tests.functions.audit_mailer.mails.test_statement_mail import busy_day, read

LONG = "Maximiliane_Theodora_" * 4
ID = "pay_" + "0" * 32
NAMED = dict.fromkeys(("patron_name", "event_name", "reference", "note", "logged_by_name"), LONG)
OTHER = entry(Head(seq=4), payment_id=ID, amount_cents=10_000_000, **NAMED)
ABOUT = {
    "payment": {},
    "void": {"kind": "void", "voids": ID, "reason": "entered_twice"},
    "correction": {"corrects": ID},
    "refund": {"kind": "refund", "refunds": ID, "reason": "goodwill"},
}
PAGES = {
    name: compose(
        entry(
            Head(seq=6), event_id="e" * 64, patron_email=f"{LONG}@{LONG}.example", **NAMED, **of
        ).to_row(),
        ADDRESSES,
        Related(original=OTHER, replacement=OTHER, void=OTHER),
        "https://pay.example.com",
    )
    for name, of in ABOUT.items()
} | {"ops": ops_mail.compose(OPS_RECORD | {"who": LONG * 3, "messages": [LONG * 4] * 3}, ADDRESSES)}


@pytest.fixture(scope="module")
def pane() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser.new_page(viewport={"width": 380, "height": 700})
        browser.close()


@pytest.mark.parametrize("kept", ["overflow-wrap:anywhere", "word-break:break-word"])
@pytest.mark.parametrize("kind", [*PAGES, "statement"])
def test_a_mail_does_not_scroll_sideways(pane: Page, kind: str, kept: str) -> None:
    """Mail programs keep only some of our styles: either way to break a word is enough."""
    html = read(busy_day(2, LONG))[2] if kind == "statement" else bodies_of(PAGES[kind].content)[1]
    for each in ("overflow-wrap:anywhere", "word-break:break-word"):
        html = html if each == kept else html.replace(f"{each};", "").replace(each, "")
    pane.set_content(html)
    wide = "document.documentElement.scrollWidth - window.innerWidth"
    assert pane.evaluate(wide) == 0
    over = "[...document.querySelectorAll('td, th')].filter((e) => e.scrollWidth > e.clientWidth)"
    assert pane.evaluate(f"{over}.length") == 0
