"""Which mails prove an entry, and what operators said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.offline.mails import read_mail
from ops.offline.operators import Operators, operators_of, said_in
from ops.rules.evidence.archive import record_file
from ops.rules.evidence.gaps import mail_gaps, record_gap
from ops.rules.evidence.mails import EntryMails, entry_mails
from ops.rules.hits import hits_in
from shared.audit.findings import FindingKind
from tests.ops.mailboxes import chain, mail
from tests.ops.operators import LOST_AS, REASON, ack_record, reissue_record, reissued

ENTRY = chain(1)[0]
ROW = ENTRY.to_row()
(LOST,) = LOST_AS
SENT = {"state": "sent", "gmail_id": LOST}


def mails_of(
    *raws: bytes, records: tuple[Mapping[str, Any], ...] = (), labels: tuple[str, ...] = ()
) -> EntryMails:
    boxes = ((str(number), read_mail(raw, labels=labels)) for number, raw in enumerate(raws))
    operators = operators_of(map(said_in, records)) if records else Operators()
    return entry_mails(ROW, hits_in(boxes), SENT, operators)


def gaps(mails: EntryMails) -> list[tuple[bool, str]]:
    return [(each.is_due, each.what) for each in mail_gaps(ROW, mails)]


def test_a_reissued_mail_is_packed_with_the_record_of_why() -> None:
    record = reissue_record(ENTRY.payment_id)
    mails = mails_of(reissued(ENTRY), records=(record,))
    assert (mails.packed, mails.records, gaps(mails)) == (["0"], [record["ops_id"]], [])
    assert mails.reissues == [record["ops_id"]]
    assert record_file(record["ops_id"]) == f"mails/{record['ops_id']}.eml"


def test_a_reissue_that_somebody_invented_is_not_packed() -> None:
    mails = mails_of(mail(ROW), reissued(ENTRY))
    assert (mails.packed, mails.records, mails.strange) == (["0"], [], ["1"])
    ((is_due, what),) = gaps(mails)
    assert is_due
    assert "no operators' record tells of that: it is not in this excerpt" in what


def test_a_settled_loss_is_told_and_its_record_is_packed() -> None:
    record = ack_record(ENTRY.payment_id)
    mails = mails_of(records=(record,))
    assert mails.records == [record["ops_id"]]
    ((is_due, what),) = gaps(mails)
    assert not is_due
    assert what.startswith("The mail of #000001 (pay_sunset-charter_1) was sent, and is not in")
    assert f": {REASON} (" in what
    ((is_due, what),) = gaps(mails_of())
    assert (is_due, "settled" in what) == (True, False)


def test_a_settled_mail_in_the_trash_needs_nobody() -> None:
    record = ack_record(ENTRY.payment_id)
    mails = mails_of(mail(ROW), records=(record,), labels=("TRASH",))
    ((is_due, what),) = gaps(mails)
    assert (is_due, "in the trash or in spam: settled by" in what) == (False, True)
    assert mails.packed == ["0"]


def test_a_loss_that_was_settled_before_is_no_gap_and_its_record_is_packed() -> None:
    record = ack_record(ENTRY.payment_id)
    mails = mails_of(mail(ROW), records=(record,))
    assert (mails.records, gaps(mails)) == ([record["ops_id"]], [])


def test_a_reissue_whose_mail_is_gone_is_told_by_its_record() -> None:
    record = reissue_record(ENTRY.payment_id)
    assert mails_of(mail(ROW), records=(record,)).records == [record["ops_id"]]


def test_an_invented_reissue_that_was_explained_needs_nobody() -> None:
    raw = reissued(ENTRY, "ops_reissue_invented")
    ((is_due, what),) = gaps(mails_of(mail(ROW), raw))
    assert (is_due, "no operators' record tells of that" in what) == (True, True)
    record = acked("altered", "1")
    ((is_due, what),) = gaps(mails_of(mail(ROW), raw, records=(record,)))
    assert (is_due, f": {REASON} (" in what) == (False, True)


def acked(kind: FindingKind, *ids: str) -> Mapping[str, Any]:
    return ack_record(ENTRY.payment_id, kind, frozenset(ids))


def test_doubles_and_other_records_are_settled_by_the_mails_that_they_are() -> None:
    twice = (mail(ROW), mail(ROW).replace(b"Message-ID: <", b"Message-ID: <2"))
    assert [each[0] for each in gaps(mails_of(*twice))] == [True]
    settled = mails_of(*twice, records=(acked("duplicate", "0", "1"),))
    assert [each[0] for each in gaps(settled)] == [False]
    assert [each[0] for each in gaps(mails_of(*twice, records=(acked("duplicate", "0"),)))] == [
        True
    ]
    other = (mail(ROW), mail(ROW | {"amount_cents": 1}))
    assert [each[0] for each in gaps(mails_of(*other))] == [True]
    assert [each[0] for each in gaps(mails_of(*other, records=(acked("altered", "1"),)))] == [False]
    assert [each[0] for each in gaps(mails_of(*other, records=(acked("altered", "7"),)))] == [True]


def test_a_record_whose_mail_is_not_found_needs_a_person() -> None:
    gap = record_gap("ops_reissue_x_planned")
    assert gap.is_due
    assert "operators' record ops_reissue_x_planned is not in the audit mailbox" in gap.what
