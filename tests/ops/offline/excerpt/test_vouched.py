"""A bank's clerk reads "ok" only where a signed statement holds what is in the excerpt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ops.offline.program import FINE, FOUND, UNVOUCHED
from shared.ledger import LedgerEntry, canonical_json, entry_hash
from tests.ops.excerpts import (
    MAIL,
    RECORD,
    TOMORROW,
    checked,
    complete,
    excerpt,
    judged,
    sealed,
    unpacked,
)
from tests.ops.mailboxes import chain, voided
from tests.statements import DAY, drawn_up, stored

VERDICTS = ("INTEGRITY", "COMPLETENESS", "VOUCHED FOR")


def verdicts(folder: Path, files: dict[str, bytes], key: str = "key.pem") -> tuple[int, list[str]]:
    answer = checked(unpacked(folder / "excerpt", files), key=key)
    lines = [each for each in answer.stdout.splitlines() if each.startswith(VERDICTS)]
    return answer.returncode, [each.partition(": ")[2] for each in lines]


def last_of_the_day() -> tuple[list[LedgerEntry], list[LedgerEntry]]:
    entries = chain(3)
    return entries, entries[-1:]


def test_the_days_last_entry_is_vouched_for(tmp_path: Path) -> None:
    entries, own = last_of_the_day()
    whole = complete(excerpt(own, sealed(entries)))
    assert verdicts(tmp_path, whole) == (FINE, ["ok", "ok", "ok"])
    assert judged(whole).findings == []


def test_without_a_key_nothing_is_vouched_for(tmp_path: Path) -> None:
    entries, own = last_of_the_day()
    whole = complete(excerpt(own, sealed(entries)))
    only = ["self-consistent", "self-consistent", "NO"]
    assert verdicts(tmp_path, whole, key="") == (UNVOUCHED, only)


def test_an_entry_made_up_inside_a_day_is_never_called_ok(tmp_path: Path) -> None:
    """Record, mail and list of hashes are made anew: nothing in the folder contradicts them."""
    entries = chain(3)
    forged = replace(entries[1], amount_cents=1, hash="")
    forged = replace(forged, hash=entry_hash(forged.to_row()))
    made_up = complete(excerpt([forged], sealed(entries)))
    assert judged(made_up).findings == []
    only = ["self-consistent", "self-consistent", "NO"]
    assert verdicts(tmp_path, made_up) == (UNVOUCHED, only)


def test_what_its_own_statement_calls_impossible_is_never_called_ok(tmp_path: Path) -> None:
    entries = chain(3)
    statement = drawn_up([each.to_row() for each in entries])
    statement.events[0].report_impossible(3, "another entry voids the same payment")
    files = complete(excerpt(entries[-1:], [stored(statement)]))
    code, said = verdicts(tmp_path, files)
    assert (code, said[0], said[-1]) == (FOUND, "FAILED", "NO")
    (finding,) = judged(files).findings
    assert finding.detail.endswith(
        "never writes such an entry: another entry voids the same payment"
    )


def test_an_excerpt_without_entries_vouches_for_nothing(tmp_path: Path) -> None:
    whole = excerpt(chain(1))
    files = complete({name: whole[name] for name in ("key.pem", "verify_mbox.py")})
    assert verdicts(tmp_path, files) == (UNVOUCHED, ["self-consistent", "self-consistent", "NO"])


def test_the_next_mornings_head_is_vouched_for_by_the_statement_that_names_it(
    tmp_path: Path,
) -> None:
    """A day is sealed after midnight, and its statement names each event's head of that moment."""
    entries = chain(3)
    void = voided(entries[1], entries[2], logged_at=TOMORROW)
    rows = [each.to_row() for each in entries]
    statement = stored(drawn_up(rows, DAY, head=void.as_head))
    answer = checked(
        unpacked(tmp_path / "excerpt", complete(excerpt([entries[1], void], [statement])))
    )
    assert "#000004 void: record and mail agree; a signed statement vouches" in answer.stdout
    assert "no statement of 2025-11-25" not in answer.stdout
    assert "nothing signed holds the content of sunset-charter #000002:" in answer.stdout
    assert answer.returncode == UNVOUCHED


def resealed(record: bytes) -> bytes:
    row = json.loads(record) | {"amount_cents": 1}
    return canonical_json(row | {"hash": entry_hash(row)})


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (lambda files: {RECORD: resealed(files[RECORD])}, "record and mail DO NOT AGREE"),
        (lambda files: {MAIL: b""}, "its mail is not here"),
        (lambda files: {RECORD: b""}, "its record is not here"),
        (
            lambda files: {MAIL: b"Reply-To: a@b.example\r\n" + files[MAIL]},
            "something about it is WRONG, see below",
        ),
    ],
)  # fmt: skip
def test_record_and_mail_agree_only_where_they_do(
    tmp_path: Path, files: dict[str, bytes], changed: object, says: str
) -> None:
    assert callable(changed)
    new = files | changed(files)
    assert new != files
    whole = complete({name: content for name, content in new.items() if content})
    answer = checked(unpacked(tmp_path / "excerpt", whole))
    (line,) = [each for each in answer.stdout.splitlines() if "#000002 payment: " in each]
    assert says in line
    assert "agree;" not in line
    assert (answer.returncode, ": ok" in answer.stdout) == (FOUND, False)
