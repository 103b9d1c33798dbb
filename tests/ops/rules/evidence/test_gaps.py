"""What an excerpt lacks, and who has to do something about it."""

from __future__ import annotations

import pytest

from ops.offline.mails import read_mail
from ops.rules.evidence.gaps import day_gaps, mail_gaps, row_gaps
from ops.rules.evidence.mails import EntryMails
from ops.rules.hits import Hits, hits_in
from ops.rules.sealed import SealedDay
from tests.ops.mailboxes import chain, mail

ENTRY = chain(1)[0]
ROW = ENTRY.to_row()


def hits(*mails: bytes, labels: tuple[str, ...] = ()) -> Hits:
    boxes = ((str(number), read_mail(raw, labels=labels)) for number, raw in enumerate(mails))
    return Hits.of(ROW, hits_in(boxes))


def test_an_entry_with_its_one_mail_lacks_nothing() -> None:
    assert list(mail_gaps(ROW, EntryMails(hits(mail(ROW))))) == []
    assert list(row_gaps(ROW)) == []


@pytest.mark.parametrize(
    ("found", "is_sent", "says"),
    [
        (hits(), True, "was sent, and is not in the audit mailbox. Run `scc reconcile"),
        (hits(), False, "is not sent yet. `scc payment pay_sunset-charter_1` says"),
        (hits(mail(ROW), mail(ROW).replace(b"Message-ID: <", b"Message-ID: <2")), True, "2 times"),
        (hits(mail(ROW), labels=("TRASH",)), True, "was in the trash or in spam"),
        (hits(mail(ROW), mail(ROW | {"amount_cents": 1})), True, "holds another record"),
    ],
)
def test_a_mail_that_is_lost_or_too_much_needs_a_person(
    found: Hits,
    is_sent: bool,  # noqa: FBT001 - a column of the table
    says: str,
) -> None:
    (gap,) = mail_gaps(ROW, EntryMails(found, is_sent=is_sent))
    assert says in gap.told()
    assert "#000001 (pay_sunset-charter_1)" in gap.what
    assert gap.is_due


def test_a_mail_that_came_back_is_told_as_that() -> None:
    (hit,) = hits(mail(ROW)).genuine
    (lost,) = mail_gaps(ROW, EntryMails(Hits([], [], bounced=[hit])))
    assert "was sent, and came back to its sender" in lost.told()
    assert lost.is_due
    (told,) = mail_gaps(ROW, EntryMails(Hits([hit], [], bounced=[hit])))
    assert "A mail of #000001" in told.what
    assert not told.is_due


def test_a_mail_with_another_record_does_not_count_as_lost() -> None:
    first, second = mail_gaps(ROW, EntryMails(hits(mail(ROW | {"amount_cents": 1}))))
    assert first.what == "No mail of #000001 (pay_sunset-charter_1) holds its record."
    assert "holds another record" in second.what


def test_a_row_that_was_changed_needs_a_person() -> None:
    (gap,) = row_gaps(ROW | {"amount_cents": 1})
    assert gap.is_due
    assert "does not match its hash" in gap.what


def day(content: bytes | None = b"{}", signature: bytes | None = b"", **more: bool) -> SealedDay:
    return SealedDay(
        day="2025-11-24", content=content, signature=signature, heads_sha256=(), **more
    )


def test_a_day_that_is_not_over_lacks_its_statement_for_now() -> None:
    (gap,) = day_gaps(day(None, None), "2025-11-24")
    assert not gap.is_due
    assert "that day was not over" in gap.what
    assert list(day_gaps(day(), "2025-11-25")) == []


@pytest.mark.parametrize(
    ("sealed", "says"),
    [
        (day(None, None), "that day has none. docs/runbook.md#statements-missing"),
        (day(signature=None), "has lost its signature"),
        (day(others=True), "was covered by another version"),
        (day(is_hidden=True), "was hidden after it was sealed"),
    ],
)
def test_a_sealed_day_that_is_not_as_it_was_needs_a_person(sealed: SealedDay, says: str) -> None:
    (gap,) = day_gaps(sealed, "2025-11-25")
    assert gap.is_due
    assert says in gap.told()
