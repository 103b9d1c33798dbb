"""An operators' mail that no statement names excuses nothing, whoever put it into the mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ops.offline.ledger.public_key import public_key_of
from ops.offline.mails import read_mailbox
from ops.offline.report import judgement
from ops.offline.settled import Judged
from tests.builders import NOW
from tests.ops.mailboxes import chain, mail, mails, mbox, statement_mails
from tests.ops.office import forward_attached
from tests.ops.operators import ack_record, mailed, reissue_record, reissued
from tests.statements import DAY, public_key

ENTRIES = chain(4)
SECOND, THIRD = ENTRIES[1], ENTRIES[2]
LOST = [mails(ENTRIES)[0], mails(ENTRIES)[3]]  # without the second and third
HOURS_24 = 24 * 3_600_000  # milliseconds
KEY = public_key_of(public_key(), "the key")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "export.mbox"


def judged(file: Path, own: Sequence[bytes], *, with_key: bool = True) -> Judged:
    file.write_bytes(mbox(own))
    return judgement(read_mailbox([file]), key=KEY if with_key else None)


def kinds(result: Judged) -> list[tuple[str, str]]:
    return [(each.verdict, each.kind) for each in result.findings]


def acks(at: int) -> list[bytes]:
    return [mailed(ack_record(each.payment_id, at=at)) for each in (SECOND, THIRD)]


@pytest.mark.parametrize("with_key", [True, False])
def test_a_record_from_before_the_first_statement_is_a_forgery(
    file: Path, *, with_key: bool
) -> None:
    own = [*LOST, *acks(NOW - 30 * HOURS_24), *statement_mails([DAY], ENTRIES)]
    result = judged(file, own, with_key=with_key)
    forged = ("integrity", "back-dated")
    assert kinds(result) == [("completeness", "missing"), forged, forged]
    assert "is from before the first statement" in result.findings[1].detail
    assert result.settled == []


def test_a_record_from_before_a_statement_that_is_not_the_first_excuses_nothing(file: Path) -> None:
    (_, statement) = statement_mails(["2025-11-23", DAY], ENTRIES)
    result = judged(file, [*LOST, *acks(NOW - 30 * HOURS_24), statement])
    assert kinds(result) == [("completeness", "missing")]
    assert "settled, and the statement of 2025-10-25 is not here, by" in result.notes[0]


def test_a_record_of_a_day_that_is_not_sealed_is_a_note_and_no_excuse(file: Path) -> None:
    copy = forward_attached(mail(THIRD.to_row(), ENTRIES))
    own = [*LOST, *acks(NOW + HOURS_24), copy, *statement_mails([DAY], ENTRIES)]
    result = judged(file, own)
    assert kinds(result) == [("completeness", "missing")]
    assert result.settled == []
    assert all(": settled, not sealed yet, by " in each for each in result.notes)
    assert len(result.notes) == 2


def test_a_record_that_is_older_than_its_entry_is_named_even_if_a_statement_has_it(
    file: Path,
) -> None:
    early = SECOND.logged_at - 400_000
    old = mailed(reissue_record(SECOND.payment_id, at=early))
    stated = statement_mails([DAY], ENTRIES, [old])
    result = judged(file, [*mails(ENTRIES), reissued(SECOND), old, *stated])
    assert kinds(result) == [("integrity", "back-dated"), ("integrity", "unrecorded-reissue")]
    assert result.findings[0].detail.endswith(f"_planned is older than {SECOND.payment_id}")


def test_a_copy_of_the_lost_entry_dates_it_if_the_chain_vouches_for_it(file: Path) -> None:
    old = mailed(ack_record(THIRD.payment_id, at=THIRD.logged_at - 400_000))
    copy = forward_attached(mail(THIRD.to_row(), ENTRIES))
    own = [*LOST, mails(ENTRIES)[1], old, copy, *statement_mails([DAY], ENTRIES, [old])]
    result = judged(file, own)
    assert kinds(result) == [("completeness", "missing"), ("integrity", "back-dated")]


def test_a_statement_that_the_key_has_not_signed_names_no_record(file: Path) -> None:
    own = [*LOST, *(some := acks(NOW + 70_000)), *statement_mails([DAY], ENTRIES, some)]
    assert kinds(judged(file, own)) == []
    made = public_key_of(_another_key(), "another key")
    file.write_bytes(mbox(own))
    found = judgement(read_mailbox([file]), key=made)
    assert ("completeness", "missing") in kinds(found)
    assert found.settled == []


def _another_key() -> bytes:
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
