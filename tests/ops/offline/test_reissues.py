"""A mail that says it was issued again counts only by the operators' own record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ops.offline.mails import read_mailbox
from ops.offline.report import findings_of
from shared.audit.findings import reissue_run
from tests.builders import NOW
from tests.ops.mailboxes import chain, mails, mbox, sent_by_gmail, statement_mails
from tests.ops.operators import LOST_AS, mailed, reissue_record, reissued

ENTRIES = chain(3)
SECOND = ENTRIES[1]
DAY = SECOND.logged_day


def found(tmp_path: Any, own: Sequence[bytes]) -> list[tuple[str, str, int]]:
    file = tmp_path / "export.mbox"
    file.write_bytes(mbox(own))
    return [(each.verdict, each.kind, each.seq) for each in findings_of(read_mailbox([file]))]


@pytest.fixture
def others() -> list[bytes]:
    """All mails but the second entry's own."""
    first, _, third = mails(ENTRIES)
    return [first, third]


RECORD = mailed(reissue_record(SECOND.payment_id))


@pytest.mark.parametrize("as_sent", [False, True], ids=["import", "send"])
def test_a_reissue_with_its_record_stands_in_for_the_lost_mail(
    tmp_path: Any, others: list[bytes], *, as_sent: bool
) -> None:
    again = [reissued(SECOND), RECORD, *statement_mails([DAY], ENTRIES, [RECORD])]
    if as_sent:
        again = [sent_by_gmail(each, NOW + 70_000) for each in again]
    assert found(tmp_path, [*others, *again]) == []
    assert found(tmp_path, [*mails(ENTRIES), *again]) == [], "both are no duplicate"


def test_a_reissue_that_somebody_invented_is_named_and_does_not_stand_in(
    tmp_path: Any, others: list[bytes]
) -> None:
    invented = ("integrity", "unrecorded-reissue", 2)
    assert found(tmp_path, [*others, reissued(SECOND)]) == [
        ("completeness", "missing", 2),
        invented,
    ]
    assert found(tmp_path, [*mails(ENTRIES), reissued(SECOND)]) == [invented]


@pytest.mark.parametrize(
    "record",
    [
        reissue_record("pay_sunset-charter_3") | {"run": reissue_run(SECOND.payment_id, LOST_AS)},
        reissue_record(SECOND.payment_id, filter="pay_sunset-charter_3"),
        reissue_record(SECOND.payment_id, action="replay"),
        reissue_record(SECOND.payment_id, phase="done", ops_id="ops_reissue_x_done"),
        reissue_record(SECOND.payment_id, run="ops_reissue_of_something_else"),
    ],
    ids=["another payment", "another filter", "another deed", "not planned", "another run"],
)
def test_a_record_of_something_else_does_not_speak_for_it(
    tmp_path: Any, record: dict[str, Any]
) -> None:
    named = found(tmp_path, [*mails(ENTRIES), reissued(SECOND), mailed(record)])
    assert ("integrity", "unrecorded-reissue", 2) in named


def test_a_record_that_its_mail_does_not_show_speaks_for_nothing(tmp_path: Any) -> None:
    changed = RECORD.replace(b"a filter deleted it", b"a filter removed it")
    assert changed != RECORD
    named = found(tmp_path, [*mails(ENTRIES), reissued(SECOND), changed])
    assert ("integrity", "altered", 0) in named
    assert ("integrity", "unrecorded-reissue", 2) in named


def test_a_record_that_the_statement_of_its_day_does_not_name_was_invented_too(
    tmp_path: Any, others: list[bytes]
) -> None:
    again = [reissued(SECOND), RECORD]
    stated = statement_mails([DAY], ENTRIES, [RECORD])
    assert found(tmp_path, [*others, *again, *stated]) == []
    denied = statement_mails([DAY], ENTRIES)
    assert found(tmp_path, [*others, *again, *denied]) == [
        ("completeness", "missing", 2),
        ("integrity", "inserted", 0),
        ("integrity", "unrecorded-reissue", 2),
    ]


def test_a_reissue_counts_once_the_statement_of_its_day_names_its_record(
    tmp_path: Any, others: list[bytes]
) -> None:
    again = [reissued(SECOND), RECORD]
    assert found(tmp_path, [*mails(ENTRIES), *again]) == []
    assert found(tmp_path, [*others, *again]) == [("completeness", "missing", 2)]


def test_a_record_that_differs_from_the_statement_that_names_it_is_altered(tmp_path: Any) -> None:
    other = mailed(reissue_record(SECOND.payment_id, reason="something else"))
    stated = statement_mails([DAY], ENTRIES, [other])
    named = found(tmp_path, [*mails(ENTRIES), reissued(SECOND), RECORD, *stated])
    assert named == [("integrity", "altered", 0), ("integrity", "unrecorded-reissue", 2)]


def test_two_records_with_one_id_contradict_each_other(tmp_path: Any) -> None:
    other = mailed(reissue_record(SECOND.payment_id, reason="something else"))
    named = found(tmp_path, [*mails(ENTRIES), RECORD, other])
    assert named == [("integrity", "contradiction", 0)] * 2
