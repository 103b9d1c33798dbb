"""Whatever is done to an unpacked excerpt has a name, also for its own verifier."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.ledger import canonical_json, entry_hash
from tests.ops.excerpts import (
    DAY,
    MAIL,
    RECORD,
    SIGNATURE,
    STATEMENT,
    VOID,
    VOID_MAIL,
    complete,
    corrected_payment,
    found,
    sealed,
    told,
)
from tests.ops.mailboxes import mail
from tests.statements import signature_of
from tests.suites import later

Files = dict[str, bytes]


def with_amount(files: Files) -> Files:
    return files | {RECORD: files[RECORD].replace(b'"amount_cents":120002', b'"amount_cents":1')}


def resealed(files: Files) -> Files:
    row = json.loads(files[RECORD]) | {"amount_cents": 1}
    return files | {RECORD: canonical_json(row | {"hash": entry_hash(row)})}


def made_anew(files: Files) -> Files:
    """The day's last entry, with a mail that says the same."""
    last = "sunset-charter-000005"
    row = json.loads(files[f"records/{last}.json"]) | {"amount_cents": 1}
    row |= {"hash": entry_hash(row)}
    _, own = corrected_payment()
    changed = {f"records/{last}.json": canonical_json(row), f"mails/{last}.eml": mail(row, own)}
    return files | changed


def signed_anew(files: Files) -> Files:
    """Not even the key makes a statement of another day's end fit."""
    entries, _ = corrected_payment()
    other = replace(entries[-1], note="other")
    (statement,) = sealed([*entries[:-1], replace(other, hash=entry_hash(other.to_row()))])
    return files | {STATEMENT: statement.content, SIGNATURE: statement.signature}


def of_fewer(files: Files) -> Files:
    entries, _ = corrected_payment()
    (statement,) = sealed(entries[:3])
    return files | {STATEMENT: statement.content, SIGNATURE: statement.signature}


def restated(**changes: Any) -> Callable[[Files], Files]:
    """With a statement of our own that says something else of the event."""

    def restate(files: Files) -> Files:
        record = json.loads(files[STATEMENT])
        (event,) = record["events"]
        event |= changes
        content = canonical_json(record)
        return files | {STATEMENT: content, SIGNATURE: signature_of(content)}

    return restate


def swapped(name: str, old: bytes, new: bytes) -> Callable[[Files], Files]:
    def swap(files: Files) -> Files:
        assert old in files[name]
        return files | {name: files[name].replace(old, new, 1)}

    return swap


def without(*names: str) -> Callable[[Files], Files]:
    return lambda files: {name: each for name, each in files.items() if name not in names}


def with_another(name: str, of: str) -> Callable[[Files], Files]:
    return lambda files: files | {name: files[of]}


DEEDS: dict[str, tuple[Callable[[Files], Files], str]] = {
    "record changed": (with_amount, f"{RECORD}: the record does not match its own hash"),
    "record resealed": (resealed, "altered its mail holds another record than its file"),
    "record and mail made anew": (made_anew, f"the statement of {DAY} has a different hash"),
    "record in other words": (
        swapped(RECORD, b'{"PK"', b'{ "PK"'), "the record is not in canonical form"
    ),
    "record of another entry": (
        with_another(RECORD, VOID), f"altered {RECORD}: the record is that of sunset-charter-000004"
    ),
    "mail changed": (
        swapped(MAIL, b"Id: pay_sunset-charter_2", b"Id: pay_sunset-charter_3"),
        f"{MAIL}: its payment id header differs",
    ),
    "mail of another entry": (with_another(MAIL, VOID_MAIL), "missing its mail is not here"),
    "statement changed": (swapped(STATEMENT, b'"USD"', b'"EUR"'), "is not signed by this key"),
    "statement of another end": (signed_anew, f"the statement of {DAY} has a different hash"),
    "statement of fewer entries": (of_fewer, f"the statement of {DAY} does not have it"),
    "statement of an altered row": (
        restated(altered=[2]),
        f"the statement of {DAY} says that its row was not what was written",
    ),
    "statement of a missing row": (
        restated(missing=[[1, 2]]), f"the statement of {DAY} says that it had no row"
    ),
    "signature changed": (
        lambda files: files | {SIGNATURE: signature_of(b"something else")},
        "is not signed by this key",
    ),
    "record taken out": (without(RECORD), "missing its record is not here, only its mail"),
    "mail taken out": (without(MAIL), "missing its mail is not here"),
    "payment taken out": (without(RECORD, MAIL), "which is not here"),
    "void taken out": (without(VOID, VOID_MAIL), "which is not here"),
    "signature taken out": (without(SIGNATURE), f"missing {SIGNATURE} is not here"),
    "statement taken out": (without(STATEMENT), f"missing {STATEMENT} is not here"),
    "entries of the day taken out": (
        lambda files: {name: each for name, each in files.items() if "sunset" not in name},
        f"missing no entry of {DAY} is here, and its statement is",
    ),
}  # fmt: skip
"""What is done to the files, and what names it, even when the list of hashes is made again."""


AT_ONCE = ("record changed", "mail changed", "statement changed", "signature changed")
"""One of each kind for the short suite."""


@pytest.mark.parametrize("deed", DEEDS)
def test_whatever_is_changed_is_named(files: Files, deed: str) -> None:
    change, says = DEEDS[deed]
    named = told(complete(change(files)))
    assert any(says in each for each in named), named
    assert not any("SHA256SUMS" in each for each in named)
    listed = told(change(files) | {"SHA256SUMS": complete(files)["SHA256SUMS"]})
    assert any("SHA256SUMS" in each for each in listed), listed


@pytest.mark.parametrize("deed", [each if each in AT_ONCE else later(each) for each in DEEDS])
def test_the_folders_own_verifier_names_it_too(tmp_path: Path, files: Files, deed: str) -> None:
    change, says = DEEDS[deed]
    code, named = found(tmp_path, complete(change(files)))
    assert code == 1
    assert any(says in each for each in named), named


def test_one_changed_byte_in_any_file_is_named(files: Files) -> None:
    whole = complete(files)
    assert told(whole) == []
    for name, content in whole.items():
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        named = told(whole | {name: changed})
        assert any(name in each or "SHA256SUMS" in each for each in named), name


@pytest.mark.parametrize("name", ["README.txt", "key.pem", "SHA256SUMS"])
def test_every_other_file_is_missed_by_the_list_of_hashes(
    tmp_path: Path, files: Files, name: str
) -> None:
    key = tmp_path / "own.pem"
    key.write_bytes(files["key.pem"])
    code, named = found(tmp_path, without(name)(complete(files)), key=str(key))
    assert code == 1
    assert named[0].startswith(f"missing {name} is not here")


def test_another_key_has_signed_nothing(tmp_path: Path, files: Files) -> None:
    made = ["openssl", "genrsa", "-out", "private.pem", "2048"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    public = ["openssl", "rsa", "-in", "private.pem", "-pubout", "-out", "other.pem"]
    subprocess.run(public, cwd=tmp_path, check=True, capture_output=True)
    code, named = found(tmp_path, complete(files), key=str(tmp_path / "other.pem"))
    assert code == 1
    assert f"broken-seal the statement of {DAY} is not signed by this key" in named


def test_doubts_of_a_statement_are_about_the_entries_that_it_names(files: Files) -> None:
    assert told(complete(restated(altered=[3], missing=[[1, 1]])(files))) == []
    record = json.loads(files[STATEMENT])
    record["extends"] = {"holds": False, "rewritten": [{"event_id": "sunset-charter", "why": ""}]}
    content = canonical_json(record)
    signed = {STATEMENT: content, SIGNATURE: signature_of(content)}
    assert len(told(complete(files | signed))) == 3
