"""What mails say of each other's entries is what those say themselves."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.header import Header, decode_header, make_header
from typing import Any

import pytest

from functions.audit_mailer.mails.related import Related
from ops.offline.mails import read_mail
from ops.offline.report import findings_of
from shared.ledger import LedgerEntry
from tests.ops.mailboxes import (
    chain,
    corrected,
    mail,
    mails,
    refunded,
    sent_by_gmail,
    voided,
)
from tests.ops.offline.mail.test_shown import composed, plain, problems


def test_the_number_that_a_void_names_must_be_the_voided_payments(tmp_path: Any) -> None:
    payment, other = chain(2)
    void = voided(payment, other)
    box = read_mail(composed(void, Related(original=replace(payment, seq=2))))
    box.links += read_mail(mail(payment.to_row())).links + read_mail(mail(other.to_row())).links
    (found,) = findings_of(box)
    assert (found.kind, found.seq) == ("altered", 3)


def of_four() -> list[LedgerEntry]:
    """A payment, its void, what replaces it, and a refund of that."""
    (payment,) = chain(1)
    void = voided(payment, payment)
    again = corrected(payment, void, amount_cents=152_00, logged_by_name="Iris Vane")
    return [payment, void, again, refunded(again, again, amount_cents=5_000)]


OF_FOUR = {each.seq: raw for each, raw in zip(of_four(), mails(of_four()), strict=True)}


def findings(changed: dict[int, bytes]) -> list[tuple[str, int]]:
    """Of a mailbox with all four mails, some of them changed."""
    box = read_mail(b"")
    for raw in (OF_FOUR | changed).values():
        one = read_mail(raw)
        box.links += one.links
        box.quotes += one.quotes
        box.wrong += one.wrong
    return [(each.kind, each.seq) for each in findings_of(box)]


def test_voids_corrections_and_refunds_show_what_all_records_together_say() -> None:
    assert findings({}) == []
    assert findings({seq: sent_by_gmail(raw) for seq, raw in OF_FOUR.items()}) == []


WHO = b"logged at 2025-11-24 16:00:00 UTC by "
MARINA = WHO + b"Marina Castellanos"
# What is changed wherever it stands in the mail, both texts and the subject: nothing in the mail
# alone can tell, only the other mails.
EVERYWHERE = {
    "the number of the voided payment": (2, b"#000001", b"#000009"),
    "who logged the voided payment": (2, MARINA, WHO + b"Iris Vane"),
    "what the replacement costs": (2, b"$152.00", b"$252.00"),
    "who logged the replacement": (2, b"by Iris Vane", b"by Eve Vane"),
    "the number of the replaced payment": (3, b"#000001", b"#000000"),
    "the number of the void": (3, b"#000002", b"#000001"),
    "what the replaced payment cost": (3, b"$1,200.01", b"$1,100.01"),
    "why it was voided": (3, b"voids: wrong amount", b"voids: entered twice"),
    "the id of the void": (3, b"pay_void_2", b"pay_void_9"),
    "the number of the refunded payment": (4, b"#000003", b"#000001"),
    "who logged the refunded payment": (4, b"by Iris Vane", b"by Eve Vane"),
    "when the refunded payment was logged": (4, b"16:00:00 UTC by Iris", b"17:00:00 UTC by Iris"),
}


@pytest.mark.parametrize("which", EVERYWHERE)
def test_a_changed_word_about_another_entry_is_found(which: str) -> None:
    seq, old, new = EVERYWHERE[which]
    raw = plain(OF_FOUR[seq])
    assert old in raw
    changed = with_subject(raw.replace(old, new), old, new)
    assert ("altered", seq) in findings({seq: changed})


def with_subject(raw: bytes, old: bytes, new: bytes) -> bytes:
    """The subject changed in the same way: it may be encoded."""
    mail = message_from_bytes(raw)
    said = str(make_header(decode_header(mail["Subject"])))
    del mail["Subject"]
    mail["Subject"] = Header(said.replace(old.decode(), new.decode()), "utf-8").encode()
    return mail.as_bytes()


@pytest.mark.parametrize("seq", [2, 3, 4])
def test_a_mail_that_does_not_know_what_it_is_about_is_found_where_that_mail_is_here(
    seq: int,
) -> None:
    assert findings({seq: mail(of_four()[seq - 1].to_row())}) == [("altered", seq)]


@pytest.mark.parametrize("seq", [2, 3, 4])
def test_alone_a_mail_is_believed_what_no_record_contradicts(seq: int) -> None:
    """Whoever looks at one mail, or at part of a mailbox, is told of gaps, not of alterations."""
    assert problems(OF_FOUR[seq]) == []


def test_a_number_that_another_entry_has_is_found_without_the_original() -> None:
    payment, void, *_ = of_four()
    box = read_mail(plain(OF_FOUR[4]).replace(b"#000003", b"#000002"))
    assert box.wrong
    claims = with_subject(plain(OF_FOUR[4]).replace(b"#000003", b"#000002"), b"#000003", b"#000002")
    box = read_mail(claims)
    assert box.wrong == [], "the mail agrees with itself"
    box.links += read_mail(mail(void.to_row(), [payment])).links
    (found,) = [each for each in findings_of(box) if each.kind == "altered"]
    assert "another entry" in found.detail
