"""A mail of an excerpt was issued again or lost: the operators' own mails say so, or nobody."""

from __future__ import annotations

from pathlib import Path

from ops.offline.program import FINE, UNVOUCHED
from ops.rules.evidence.archive import record_file
from ops.rules.evidence.gaps import Gap
from shared.ledger import LedgerEntry
from tests.builders import NOW
from tests.ops.excerpts import checked, complete, excerpt, judged, sealed, told, unpacked
from tests.ops.mailboxes import chain, hashes_of
from tests.ops.operators import REASON, WHO, ack_record, mailed, reissue_record, reissued
from tests.statements import DAY, drawn_up, stored

ENTRIES = chain(3)
LAST = ENTRIES[-1]
STEM = "sunset-charter-000003"
AGAIN = mailed(reissue_record(LAST.payment_id))
ACK = mailed(ack_record(LAST.payment_id))


def files_of(entry: LedgerEntry, *ops: bytes) -> dict[str, bytes]:
    """ops: the mails of records that the day's statement names."""
    rows = [each.to_row() for each in ENTRIES]
    statement = stored(drawn_up(rows, DAY, ops=hashes_of(ops)))
    return excerpt([entry], [statement])


def with_record(files: dict[str, bytes], raw: bytes) -> dict[str, bytes]:
    ((ops_id, _),) = hashes_of([raw]).items()
    return files | {record_file(ops_id): raw}


def test_a_reissued_mail_with_its_record_is_as_good_as_the_first(tmp_path: Path) -> None:
    files = files_of(LAST, AGAIN) | {f"mails/{STEM}.eml": reissued(LAST)}
    whole = complete(with_record(files, AGAIN))
    answer = checked(unpacked(tmp_path / "excerpt", whole))
    assert (answer.returncode, answer.stderr) == (FINE, "")
    assert answer.stdout.count("#000003 payment: record and mail agree; ") == 1
    both = complete(
        with_record(files | {f"mails/{STEM}-2.eml": files_of(LAST)[f"mails/{STEM}.eml"]}, AGAIN)
    )
    assert told(both) == []


def test_a_reissue_without_its_record_is_named() -> None:
    files = files_of(LAST, AGAIN) | {f"mails/{STEM}.eml": reissued(LAST)}
    invented = told(complete(files))
    assert any(
        each.startswith("unrecorded-reissue a reissue without a record") for each in invented
    )
    denied = files_of(LAST) | {f"mails/{STEM}.eml": reissued(LAST)}
    named = told(complete(with_record(denied, AGAIN)))
    assert any("does not name the ops record" in each for each in named)
    assert any(each.startswith("unrecorded-reissue") for each in named)


def test_a_settled_loss_is_told_and_the_record_still_hangs_on_the_statement(
    tmp_path: Path,
) -> None:
    files = files_of(LAST, ACK)
    del files[f"mails/{STEM}.eml"]
    assert told(complete(files)) == ["missing its mail is not here"]
    whole = complete(with_record(files, ACK))
    answer = checked(unpacked(tmp_path / "excerpt", whole))
    assert answer.returncode == FINE
    (line,) = [each for each in answer.stdout.splitlines() if "settled by" in each]
    assert line.startswith("  missing  sunset-charter  #000003  ")
    assert WHO in line
    assert REASON in line


def test_a_settlement_that_no_statement_names_is_told_and_vouched_for_by_nothing(
    tmp_path: Path,
) -> None:
    later = mailed(ack_record(LAST.payment_id, at=NOW + 24 * 3_600_000))
    files = files_of(LAST)
    del files[f"mails/{STEM}.eml"]
    answer = checked(unpacked(tmp_path / "excerpt", complete(with_record(files, later))))
    assert answer.returncode == UNVOUCHED
    assert "no statement here names the operators' record: the missing mail of" in answer.stdout


def test_a_settlement_explains_no_other_hole_of_an_excerpt() -> None:
    """Neither a record that was taken out, nor an entry that is expected."""
    files = with_record(files_of(LAST, ACK), ACK)
    del files[f"records/{STEM}.json"]
    assert told(complete(files)) == ["missing its record is not here, only its mail"]
    assert judged(complete(files)).settled == []


def test_an_operators_mail_vouches_for_no_entry(tmp_path: Path) -> None:
    other = mailed(ack_record("pay_other", at=NOW + 24 * 3_600_000))
    files = with_record(excerpt([ENTRIES[1]], sealed(ENTRIES)), other)
    answer = checked(unpacked(tmp_path / "excerpt", complete(files)))
    assert answer.returncode == UNVOUCHED


def test_the_text_for_the_bank_says_that_a_mail_was_issued_again() -> None:
    ops_id = reissue_record(LAST.payment_id)["ops_id"]
    reissues = {str(LAST.payment_id): [ops_id]}
    text = excerpt([LAST], reissues=reissues)["README.txt"].decode()
    lines = text.splitlines()
    at = lines.index(f"        files: {STEM}")
    assert lines[at + 1].strip() == ("its mail was issued again, with the same record: see")
    assert lines[at + 2].strip() == f"mails/{ops_id}.eml"
    assert "issued again, with" not in excerpt([LAST], gaps=[Gap("x")])["README.txt"].decode()
