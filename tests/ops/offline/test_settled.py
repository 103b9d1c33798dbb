"""What a person settled is told with who, when and why, and is no fault; by a record alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.offline.mails import read_mailbox
from ops.offline.program import main
from ops.offline.report import judgement
from ops.offline.settled import Judged
from shared.ledger import LedgerEntry, canonical_json, entry_hash
from tests.builders import NOW
from tests.ops.mailboxes import (
    chain,
    mail,
    mails,
    mbox,
    statement_mails,
    with_attachment,
)
from tests.ops.office import forward_attached
from tests.ops.operators import (
    LOST_AS,
    REASON,
    WHO,
    ack_record,
    mailed,
    reissue_record,
    reissued,
)

ENTRIES = chain(4)
SECOND, THIRD = ENTRIES[1], ENTRIES[2]
DAY, DAY_BEFORE = SECOND.logged_day, "2025-11-23"
ACK = mailed(ack_record(SECOND.payment_id))
HOURS_24 = 24 * 3_600_000  # milliseconds


def without(*gone: LedgerEntry) -> list[bytes]:
    return [each for entry, each in zip(ENTRIES, mails(ENTRIES), strict=True) if entry not in gone]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "export.mbox"


def judged(file: Path, own: Sequence[bytes]) -> Judged:
    file.write_bytes(mbox(own))
    return judgement(read_mailbox([file]))


def kinds(result: Judged) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """What is open, and what is settled."""
    open_ones = [(each.kind, each.seq) for each in result.findings]
    return open_ones, [(each.finding.kind, each.finding.seq) for each in result.settled]


def sealed(*ops: bytes) -> list[bytes]:
    return statement_mails([DAY], ENTRIES, ops)


def later_ones(*ops: bytes) -> list[bytes]:
    """The statement of the day without the one before it: so nothing can be counted."""
    return statement_mails([DAY_BEFORE, DAY], ENTRIES, ops)[1:]


def test_a_settled_loss_is_told_with_who_when_and_why(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [*without(SECOND), ACK, *sealed(ACK)]
    assert kinds(judged(file, own)) == ([], [("missing", 2)])
    assert main([str(file)]) == 0
    said = capsys.readouterr().out
    assert "COMPLETENESS: ok\n  missing  sunset-charter  #000002  settled by " in said
    for each in (WHO, "2025-11-24 16:01:10 UTC", REASON, "ops_ack_missing_"):
        assert each in said
    assert main([str(file), "--json"]) == 0
    assert f'"who": "{WHO}"' in capsys.readouterr().out


def test_without_its_record_nothing_is_settled(file: Path) -> None:
    assert kinds(judged(file, [*without(SECOND), *sealed()])) == ([("missing", 2)], [])


def test_a_settlement_that_the_days_statement_does_not_name_was_invented(file: Path) -> None:
    result = judged(file, [*without(SECOND), ACK, *sealed()])
    assert kinds(result) == ([("missing", 2), ("inserted", 0)], [])


def test_a_record_settles_only_what_its_own_id_is_made_from(file: Path) -> None:
    other = mailed(ack_record(SECOND.payment_id, filter=THIRD.payment_id))
    result = judged(file, [*without(THIRD), other, *sealed(other)])
    assert kinds(result) == ([("missing", 3)], [])


def test_one_more_loss_than_was_settled_leaves_all_of_them_open_with_a_note(file: Path) -> None:
    """Numbers do not say whose they are."""
    result = judged(file, [*without(SECOND, THIRD), ACK, *sealed(ACK)])
    assert kinds(result) == ([("missing", 2)], [])
    assert result.findings[0].last_seq == 3
    (note,) = result.notes
    assert f"the loss of the mail of {SECOND.payment_id} was settled by {WHO}" in note


def test_as_many_losses_as_were_settled_are_those(file: Path) -> None:
    also = mailed(ack_record(THIRD.payment_id))
    result = judged(file, [*without(SECOND, THIRD), ACK, also, *sealed(ACK, also)])
    assert kinds(result) == ([], [("missing", 2)])
    assert len(result.settled[0].by) == 2


def test_a_settled_mail_that_is_there_again_settles_no_other_loss(file: Path) -> None:
    result = judged(file, [*without(THIRD), ACK, *sealed(ACK)])
    assert kinds(result) == ([("missing", 3)], [])


def test_without_statements_a_number_cannot_be_told(file: Path) -> None:
    """The payment that was settled may have come after all mails that are here."""
    result = judged(file, [*without(SECOND), ACK])
    assert kinds(result) == ([("missing", 2)], [])
    (note,) = result.notes
    assert f"the missing mail of {SECOND.payment_id}: settled, not sealed yet, by {WHO}" in note


def test_a_copy_that_the_chain_vouches_for_tells_the_number(file: Path) -> None:
    copy = forward_attached(mail(SECOND.to_row(), ENTRIES))
    result = judged(file, [*without(SECOND), copy, ACK, *later_ones(ACK)])
    assert kinds(result) == ([], [("missing", 2)])
    assert result.settled[0].finding.payment_id == SECOND.payment_id
    both = judged(file, [*without(SECOND, THIRD), copy, ACK, *later_ones(ACK)])
    assert kinds(both) == ([("missing", 2)], []), "nothing here vouches for the copy"


def test_a_copy_that_somebody_made_up_tells_nothing(file: Path) -> None:
    row = THIRD.to_row() | {"payment_id": SECOND.payment_id}
    row |= {"hash": entry_hash(row)}
    made_up = with_attachment(mail(THIRD.to_row(), ENTRIES), canonical_json(row))
    own = [*without(THIRD), forward_attached(made_up), ACK, *later_ones(ACK)]
    result = judged(file, own)
    assert kinds(result) == ([("missing", 3)], [])


def test_a_loss_after_a_reissue_is_another_one(file: Path) -> None:
    later = mailed(reissue_record(SECOND.payment_id, at=NOW + 80_000))
    own = [*without(SECOND), ACK, later, *sealed(ACK, later)]
    assert kinds(judged(file, own)) == ([("missing", 2)], [])
    again = reissued(SECOND, at=NOW + 90_000)
    assert kinds(judged(file, [*own, again])) == ([], [])


def test_a_mail_in_the_trash_is_settled_as_lost(file: Path) -> None:
    trashed = b"X-Gmail-Labels: Trash\r\n" + mail(SECOND.to_row(), ENTRIES)
    own = [*without(SECOND), trashed]
    assert kinds(judged(file, own)) == ([("misplaced", 2)], [])
    assert kinds(judged(file, [*own, ACK, *sealed(ACK)])) == ([], [("misplaced", 2)])
    waiting = judged(file, [*own, ACK])
    assert kinds(waiting) == ([("misplaced", 2)], [])
    assert "; settled, not sealed yet" in waiting.findings[0].detail


def again(number: int) -> bytes:
    """The second entry's mail with another Message-ID, as a second `send` makes it."""
    raw = mail(SECOND.to_row(), ENTRIES)
    return raw.replace(b"Message-ID: <", b"Message-ID: <%d" % number, 1)


def test_doubles_are_settled_as_long_as_there_is_no_further_one(file: Path) -> None:
    two = mailed(ack_record(SECOND.payment_id, "duplicate", frozenset({"18c0", "18c1"})))
    own = [*without(), again(1), *sealed(two)]
    assert kinds(judged(file, [*own, two]))[1] == [("duplicate", 2)]
    assert ("duplicate", 2) not in kinds(judged(file, [*own, two]))[0]
    assert ("duplicate", 2) in kinds(judged(file, [*own, again(2), two]))[0]
    assert ("duplicate", 2) in kinds(judged(file, own))[0]


def test_an_altered_mail_stays_a_finding_and_the_note_says_who_settled_one(file: Path) -> None:
    row = SECOND.to_row() | {"amount_cents": 1}
    forged = mail(row | {"hash": entry_hash(row)}, ENTRIES)
    ack = mailed(ack_record(SECOND.payment_id, "altered", frozenset({"18c0"})))
    result = judged(file, [*without(), forged, ack, *sealed(ack)])
    assert [each.kind for each in result.findings] == ["altered"]
    assert "another record of this payment has this number" in result.findings[0].detail
    (note,) = result.notes
    assert "an export does not say which one" in note


def test_a_day_whose_statement_was_settled_as_lost_is_told(file: Path) -> None:
    days = ["2025-11-24", "2025-11-25", "2025-11-26"]
    at = NOW + 2 * HOURS_24
    ack = mailed(ack_record(f"statement_2025-11-25_final_{'a' * 64}", mails=LOST_AS, at=at))
    first, _, third = statement_mails(days, ENTRIES, [ack])
    own = [*without(), first, third]
    assert kinds(judged(file, own)) == ([("no-statement", 0)], [])
    assert kinds(judged(file, [*own, ack])) == ([], [("no-statement", 0)])


def test_a_settlement_after_the_last_statement_settles_no_number(file: Path) -> None:
    """Its payment may have been logged since, and have a number that nothing here names."""
    later = mailed(ack_record(SECOND.payment_id, at=NOW + HOURS_24))
    assert kinds(judged(file, [*without(SECOND), later, *sealed()])) == ([("missing", 2)], [])


def test_statements_that_do_not_begin_with_the_first_settle_no_number(file: Path) -> None:
    """Its payment may have been logged before, on an event that nothing here names."""
    days = [DAY, "2025-11-25"]
    later = mailed(ack_record(SECOND.payment_id, at=NOW + HOURS_24))
    first, second = statement_mails(days, ENTRIES, [later])
    own = [*without(SECOND), later]
    assert kinds(judged(file, [*own, first, second])) == ([], [("missing", 2)])
    assert kinds(judged(file, [*own, second])) == ([("missing", 2)], [])
