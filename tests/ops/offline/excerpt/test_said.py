"""What the verifier says of an excerpt that nobody touched, or that is nobody's."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ops.offline.excerpt.told import NOT_CHECKED, SELF_MADE
from ops.offline.program import UNVOUCHED
from shared.ledger import canonical_json, record_of
from tests.ops.excerpts import (
    DAY,
    RECORD,
    SIGNATURE,
    TOMORROW,
    checked,
    complete,
    corrected_payment,
    excerpt,
    found,
    sealed,
    told,
    unpacked,
)
from tests.statements import signature_of

BUT_NOT_ITS_HASH = (
    "among #000001-#000005, but not its hash: the chain goes on through entries of others"
)


def test_an_untouched_excerpt_says_what_speaks_for_each_entry(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    answer = checked(unpacked(tmp_path / "excerpt", complete(files)))
    assert (answer.returncode, answer.stderr) == (UNVOUCHED, "")
    vouched = f"record and mail agree; the signed statement of {DAY} has its number"
    assert answer.stdout.splitlines() == [
        "Excerpt of 3 mails: 3 entries, 1 statement",
        f"  sunset-charter #000002 payment: {vouched}, {BUT_NOT_ITS_HASH}",
        f"  sunset-charter #000004 void: {vouched}, and vouches for its hash",
        f"  sunset-charter #000005 payment: {vouched}, and vouches for its hash",
        "INTEGRITY: self-consistent",
        "COMPLETENESS: self-consistent",
        "VOUCHED FOR: NO",
        "  nothing signed holds the content of sunset-charter #000002:",
        f"  {SELF_MADE}",
        NOT_CHECKED,
    ]
    sums = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(sums, cwd=tmp_path / "excerpt", check=False).returncode == 0


def test_an_excerpt_of_two_days_has_both_statements(tmp_path: Path) -> None:
    entries, own = corrected_payment(TOMORROW)
    statements = sealed(entries)
    assert len(statements) == 2
    assert found(tmp_path, complete(excerpt(own, statements))) == (UNVOUCHED, [])
    lacking = told(complete(excerpt(own, statements[1:])))
    assert lacking == [f"missing the statement of {DAY} is not here"]


def test_a_day_without_a_statement_is_said(tmp_path: Path) -> None:
    """It may not have been over yet."""
    entries, own = corrected_payment(TOMORROW)
    folder = unpacked(tmp_path / "excerpt", complete(excerpt(own, sealed(entries)[:1])))
    answer = checked(folder)
    assert answer.returncode == UNVOUCHED
    assert "#000004 void: record and mail agree; no statement has its number" in answer.stdout
    assert "note: no statement of 2025-11-25 is here: nothing signed vouches" in answer.stdout


def test_without_a_key_signatures_are_said_to_be_unchecked(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    answer = checked(unpacked(tmp_path / "excerpt", complete(files)), key="")
    assert answer.returncode == UNVOUCHED
    assert "signatures of statements were not checked" in answer.stdout
    assert "signed statement" not in answer.stdout
    assert ": ok" not in answer.stdout


def test_an_unsigned_statement_is_not_called_signed(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    folder = unpacked(tmp_path / "excerpt", complete(files | {SIGNATURE: signature_of(b"")}))
    assert "signed statement" not in checked(folder).stdout


def test_a_head_that_is_expected_must_be_in_the_excerpt(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    _, own = corrected_payment()
    folder = unpacked(tmp_path / "excerpt", complete(files))
    assert (
        checked(folder, "--expect-head", f"sunset-charter=2:{own[0].hash}").returncode == UNVOUCHED
    )
    for number in (2, 3):
        other = checked(folder, "--expect-head", f"sunset-charter={number}:{'0' * 64}")
        assert other.returncode == 1


def test_a_file_put_in_is_named_and_litter_is_only_noted(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    folder = unpacked(tmp_path / "excerpt", complete(files))
    (folder / "notes.txt").write_text("mine")
    (folder / ".DS_Store").write_text("a Mac's")
    answer = checked(folder)
    assert answer.returncode == UNVOUCHED
    assert "note: not a part of the excerpt, and not read: notes.txt\n" in answer.stdout
    (folder / "mails" / "extra.eml").write_text("Subject: hi\n\nhi\n")
    answer = checked(folder)
    assert answer.returncode == 1
    assert "mails/extra.eml is here, and SHA256SUMS does not have it" in answer.stdout


def test_a_record_of_the_ledger_is_written_as_its_mail_attaches_it(files: dict[str, bytes]) -> None:
    _, own = corrected_payment()
    assert files[RECORD] == canonical_json(record_of(own[0].to_row()))
