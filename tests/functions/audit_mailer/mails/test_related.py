"""What the mails of voids, corrections and refunds say about the entries that they are about."""

from __future__ import annotations

import email
import re
from email.policy import default
from typing import Any

import pytest

from functions.audit_mailer.mails.payment_mail import compose
from functions.audit_mailer.mails.related import Related
from shared.ledger import Head, LedgerEntry
from shared.text import search_token
from tests.builders import NOW, entry
from tests.functions.audit_mailer.conftest import ADDRESSES
from tests.functions.audit_mailer.mails.test_payment_mail import bodies_of

HOUR = 3_600_000
PAID = entry(
    Head(seq=41), payment_id="pay_1", amount_cents=41_200, method="cash", reference="",
    logged_by="iris@x.example", logged_by_name="Iris Vane", logged_at=NOW - HOUR,
)  # fmt: skip
VOID = entry(
    PAID.as_head, kind="void", payment_id="pay_2", voids="pay_1", reason="wrong_amount",
    amount_cents=41_200, method="cash", reference="",
)  # fmt: skip
CORRECTION = entry(
    VOID.as_head, payment_id="pay_3", corrects="pay_1", amount_cents=42_100, reference="77"
)
REFUND = entry(
    CORRECTION.as_head, kind="refund", payment_id="pay_4", refunds="pay_3", reason="goodwill",
    amount_cents=5_000, method="cash",
)  # fmt: skip
OF_VOID = Related(original=PAID, replacement=CORRECTION)
OF_CORRECTION = Related(original=PAID, void=VOID)
OF_REFUND = Related(original=CORRECTION, earlier=(PAID.payment_id,))
WHO = "#000042 (pay_1), logged at 2025-11-24 15:00:00 UTC by Iris Vane (iris@x.example)"
ADMIN = "by Marina Castellanos (admin@shipcaptaincrew.example)"


def read(of: LedgerEntry, related: Related | None = None) -> tuple[str, str, str]:
    """Subject, plain text and HTML."""
    content = compose(of.to_row(), ADDRESSES, related or Related()).content
    subject = email.message_from_bytes(content, policy=default)["Subject"]
    return subject, *bodies_of(content)


def cells_of(html: str) -> list[list[str]]:
    return [re.findall(r"<t[hd][^>]*>([^<]*)", row) for row in html.split("<tr>")[1:]]


@pytest.mark.parametrize(
    ("of", "related", "starts", "heading"),
    [
        (PAID, Related(), "#000042 $412.00 cash", "$412.00 cash"),
        (VOID, OF_VOID, "VOID #000043 of #000042 -$412.00 cash", "VOID of #000042: -$412.00 cash"),
        (
            CORRECTION,
            OF_CORRECTION,
            "#000044 $421.00 check replaces #000042",
            "$421.00 check replaces #000042",
        ),
        (
            REFUND,
            OF_REFUND,
            "REFUND #000045 of #000044 -$50.00 cash",
            "REFUND of #000044: -$50.00 cash",
        ),
        (VOID, Related(), "VOID #000043 of pay_1 -$412.00 cash", "VOID of pay_1: -$412.00 cash"),
        (
            CORRECTION,
            Related(),
            "#000044 $421.00 check replaces pay_1",
            "$421.00 check replaces pay_1",
        ),
        (
            REFUND,
            Related(),
            "REFUND #000045 of pay_3 -$50.00 cash",
            "REFUND of pay_3: -$50.00 cash",
        ),
    ],
    ids=["payment", "void", "correction", "refund", "lone void", "lone correction", "lone refund"],
)
def test_subject_and_heading_say_what_kind_of_entry_it_is_and_what_it_is_about(
    of: LedgerEntry, related: Related, starts: str, heading: str
) -> None:
    subject, text, html = read(of, related)
    token = search_token(of.payment_id)
    assert subject == f"[SCC Audit] {starts} - Jane Doe - Sunset Charter - {token}"
    assert text.startswith(f"{heading}, Jane Doe\n#0000{of.seq}, 2025-11-28, Sunset Charter\n")
    assert f">{heading}, Jane Doe</h1>" in html


def test_a_void_shows_before_and_after_side_by_side() -> None:
    _, text, html = read(VOID, OF_VOID)
    assert "This voids #000042 (pay_1): wrong amount." in text
    assert "-$412.00 USD" in text
    for cells in (
        ["Entry", "#000042", "#000044"],
        ["Amount", "$412.00", "$421.00"],
        ["Method", "cash", "check"],
        ["Reference", "none", "77"],
    ):
        assert cells in cells_of(html)
        assert re.search(rf"{cells[0]}: +{re.escape(' -> '.join(cells[1:]))}\n", text)


def test_a_voids_mail_says_who_logged_the_voided_payment_and_what_replaces_it() -> None:
    _, text, html = read(VOID, OF_VOID)
    replaced = f"#000044 (pay_3), logged at 2025-11-24 16:00:00 UTC {ADMIN}"
    for body in (text, html):
        assert WHO in body
        assert replaced in body


def test_a_void_without_a_correction_leaves_nothing() -> None:
    _, text, html = read(VOID)
    assert "not found -> none, voided" in text
    assert "$412.00 -> $0.00" in text
    assert "Replaced by" not in html
    assert ["Voided payment", "pay_1, not found"] in cells_of(html)


def test_a_corrections_mail_says_at_its_top_what_it_corrects_and_shows_before_and_after() -> None:
    _, text, html = read(CORRECTION, OF_CORRECTION)
    says = "This replaces #000042 (pay_1), which #000043 (pay_2) voids: wrong amount."
    assert text.splitlines()[3] == says
    assert html.index(says) < html.index("<table")
    for cells in (
        ["Entry", "#000042", "#000044"],
        ["Amount", "$412.00", "$421.00"],
        ["Method", "cash", "check"],
        ["Replaced payment", WHO],
        ["Voided by", f"#000043 (pay_2), logged at 2025-11-24 16:00:00 UTC {ADMIN}"],
    ):
        assert cells in cells_of(html)


def test_a_correction_whose_void_is_not_found_still_says_what_it_replaces() -> None:
    _, text, html = read(CORRECTION)
    assert "This replaces pay_1, which was voided." in text
    assert ["Entry", "not found", "#000044"] in cells_of(html)
    assert ["Voided by", "not found"] in cells_of(html)


def test_a_refunds_mail_says_what_it_gives_back_and_why_and_of_which_payment() -> None:
    _, text, html = read(REFUND, OF_REFUND)
    assert "This refunds #000044 (pay_3): goodwill." in text
    for label, value in (
        ("Amount", "-$50.00 USD"),
        ("Method", "cash"),
        ("Reason", "goodwill"),
        ("Payment", "pay_4"),
        ("Refunded payment", f"#000044 (pay_3), logged at 2025-11-24 16:00:00 UTC {ADMIN}"),
    ):
        assert [label, value] in cells_of(html)
        assert re.search(rf"^{label}: +{re.escape(value)}$", text, re.MULTILINE), label
    assert "Acknowledged duplicates" not in text


def test_a_new_payments_mail_has_neither_a_notice_nor_other_entries() -> None:
    _, text, html = read(PAID)
    assert "<strong>" not in html
    assert "Other entries" not in text


@pytest.mark.parametrize(
    ("of", "about"), [(VOID, "pay_1"), (CORRECTION, "pay_1"), (REFUND, "pay_3")]
)
def test_one_search_finds_every_mail_about_a_payment(of: LedgerEntry, about: str) -> None:
    _, text, _ = read(of)
    assert f"Search for {about} to find every mail about this payment." in text


@pytest.mark.parametrize(("of", "related"), [(VOID, OF_VOID), (CORRECTION, OF_CORRECTION)])
def test_a_mail_never_holds_the_token_that_another_is_found_by(
    of: LedgerEntry, related: Related
) -> None:
    said = "".join(read(of, related))
    for other in {"pay_1", "pay_2", "pay_3"} - {of.payment_id}:
        assert search_token(other) not in said


@pytest.mark.parametrize("of", [VOID, CORRECTION, REFUND], ids=["void", "correction", "refund"])
def test_hostile_names_of_other_entries_stay_text(of: LedgerEntry) -> None:
    hostile: Any = dict.fromkeys(
        ("patron_name", "reference", "logged_by_name", "logged_by"), "<b>\u202eEve\r\nBcc: x\x00"
    )
    other = entry(Head(seq=6), **hostile)
    subject, text, html = read(of, Related(original=other, replacement=other, void=other))
    assert "<b>" not in html
    for body in (subject, text, html):
        assert "\u202e" not in body
        assert "\x00" not in body
