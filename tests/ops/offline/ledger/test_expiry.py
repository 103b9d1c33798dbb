"""Certificates of expiry in statements are held against the entries, and excuse what they cover."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from functions.audit_mailer.mails.statement_mail import StoredStatement, compose
from ops.offline.box import Mailbox
from ops.offline.formats import RawMail
from ops.offline.ledger.days import Stated, Statements
from ops.offline.ledger.expiry import Certificates
from ops.offline.mails import read_mail, take_mail
from ops.offline.report import findings_of, notes_of
from shared.ledger import LedgerEntry
from shared.statements.expiry import Certificate
from tests.ops.mailboxes import ADDRESSES, mails
from tests.seven_years import certified, voyage
from tests.statements import DAY, drawn_up, stored

NEXT_DAY = (date.fromisoformat(DAY) + timedelta(1)).isoformat()
CERTIFICATE = certified(voyage()[:3])


def statement(
    certificate: Certificate, day: str = DAY, previous: StoredStatement | None = None
) -> StoredStatement:
    drawn = drawn_up([], day)
    drawn.certificates["sunset-charter"] = certificate
    return stored(drawn, previous)


def box_of(entries: Sequence[LedgerEntry], *statements: StoredStatement) -> Mailbox:
    box = Mailbox()
    raws = [*mails(entries), *(compose(each, ADDRESSES).content for each in statements)]
    for number, raw in enumerate(raws):
        take_mail(box, RawMail(raw, f"mail {number}"))
    return box


def told(box: Mailbox) -> list[str]:
    """Kind and number, but for entries of a stated day that this test does not state."""
    return [f"{each.kind} {each.seq}" for each in findings_of(box) if each.kind != "back-dated"]


@pytest.mark.parametrize("gone", [(), (1,), (1, 3), (1, 2, 3)])
def test_what_is_certified_may_be_gone(gone: tuple[int, ...]) -> None:
    kept = [each for each in voyage()[:4] if each.seq not in gone]
    box = box_of(kept, statement(CERTIFICATE))
    assert told(box) == []
    notes = [each for each in notes_of(box) if "seven years" in each]
    assert len(notes) == bool(gone)
    assert not gone or f"{len(gone)} of #000001-#000003 not here" in notes[0]


def test_what_is_not_certified_may_not() -> None:
    kept = [each for each in voyage() if each.seq != 4]
    assert told(box_of(kept, statement(CERTIFICATE))) == ["missing 4"]
    assert told(box_of(voyage()[3:4])) == ["missing 1"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"net_by_method": {"cash": 0, "check": 501}}, "has other sums than its entries"),
        ({"payments_count": 2}, "has other sums than its entries"),
    ],
    ids=["money", "count"],
)
def test_a_certificate_must_have_the_sums_of_its_entries(change: dict[str, Any], says: str) -> None:
    box = box_of(voyage()[:4], statement(replace(CERTIFICATE, **change)))
    (found,) = [each for each in findings_of(box) if each.kind == "wrong-certificate"]
    assert says in found.detail


def test_a_certificate_must_end_with_the_hash_of_its_last_entry() -> None:
    forged = statement(replace(CERTIFICATE, hash="0" * 64))
    assert told(box_of(voyage()[:4], forged)) == ["altered 3"]
    assert told(box_of(voyage()[3:4], forged)) == ["altered 4"], "the rest hangs on another one"


def test_young_entries_cannot_be_certified() -> None:
    """Or whoever can make a statement could take away yesterday's payments."""
    box = box_of(voyage()[:4], statement(certified(voyage()[:4])))
    (found,) = [each for each in findings_of(box) if each.kind == "wrong-certificate"]
    assert "covers #000004, which was logged on" in found.detail


def test_a_later_certificate_covers_more() -> None:
    first = statement(CERTIFICATE)
    box = box_of(voyage()[:4], first, statement(certified(voyage()[:2]), NEXT_DAY, first))
    (found,) = [each for each in findings_of(box) if each.kind == "wrong-certificate"]
    assert "ends at #000002, and an earlier one does not" in found.detail
    box = box_of(voyage()[4:], first, statement(certified(voyage()[:4]), NEXT_DAY, first))
    assert told(box) == []


def test_a_statement_so_far_certifies_nothing() -> None:
    drawn = drawn_up([], is_final=False)
    drawn.certificates["sunset-charter"] = CERTIFICATE
    assert told(box_of(voyage()[3:4], stored(drawn))) == ["missing 1"]


def test_a_statement_with_a_broken_certificate_is_unreadable() -> None:
    broken = statement(replace(CERTIFICATE, through_seq=10**12))
    box = read_mail(compose(broken, ADDRESSES).content)
    (found,) = findings_of(box)
    assert found.kind == "unreadable"


def stated(day: str, first: int, last: int, cents: int) -> Stated:
    sums = {("payment", "cash"): (last - first + 1, cents)}
    return Stated("sunset-charter", day, first, last, last - first + 1, cents, sums)


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ([stated("2018-01-01", 1, 2, 500), stated("2018-01-02", 3, 3, 73)], ""),
        ([stated("2018-01-01", 1, 2, 500)], ""),
        ([stated("2018-01-01", 1, 3, 574)], "has other sums than the days it covers"),
        (
            [stated("2025-11-23", 2, 3, 573)],
            "covers #000002, which the statement of 2025-11-23 has",
        ),
    ],
)
def test_a_certificate_must_agree_with_the_days_it_covers(
    days: Sequence[Stated], says: str
) -> None:
    """Their statements outlive the entries and their mails."""
    made = Certificate(through_seq=3, hash="3" * 64, net_by_method={"cash": 573}, payments_count=3)
    certificates = Certificates({"sunset-charter": {DAY: made}})
    found = [each.detail for each in certificates.findings([], days)]
    assert found == ([f"the certificate of {DAY} {says}"] if says else [])


@pytest.mark.parametrize("event_id", [5, None, 1.5, True, "", "x" * 5_000, "\ud800", "A b"])
def test_a_statement_that_names_an_event_as_none_is_named_is_unreadable(event_id: Any) -> None:
    for where in ("expiring", "events"):
        record = json.loads(statement(CERTIFICATE).content)
        if where == "events":
            record["events"] = [{"event_id": event_id, "last_seq": 0, "last_hash": ""}]
        else:
            record["expiring"][0]["event_id"] = event_id
        taken = Statements()
        with pytest.raises((ValueError, KeyError)):
            taken.take(record, "0" * 64, b"")
        assert (taken.seals, taken.certificates.by_event) == ([], {}), "it says nothing"
