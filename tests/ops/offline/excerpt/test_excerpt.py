"""An unpacked excerpt, checked by its own verifier: whatever is changed in it has a name."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ops.offline.excerpt.contents import excerpt_of
from ops.offline.excerpt.judged import findings_of_excerpt
from ops.offline.excerpt.told import NOT_CHECKED
from ops.offline.ledger.public_key import public_key_of
from ops.rules.evidence.archive import packed
from shared.ledger import canonical_json, entry_hash, record_of
from tests.ops.excerpts import TOMORROW, complete, corrected_payment, excerpt, sealed
from tests.ops.mailboxes import mail
from tests.statements import public_key, signature_of
from tests.suites import later

Files = dict[str, bytes]
RECORD, MAIL = "records/sunset-charter-000002.json", "mails/sunset-charter-000002.eml"
VOID, VOID_MAIL = "records/sunset-charter-000004.json", "mails/sunset-charter-000004.eml"
DAY = "2025-11-24"
STATEMENT, SIGNATURE = f"statements/{DAY}/statement.json", f"statements/{DAY}/statement.sig"

BUT_NOT_ITS_HASH = (
    "among #000001-#000005, but not its hash: the chain goes on through entries of others"
)


@pytest.fixture(scope="module")
def files() -> Files:
    entries, own = corrected_payment()
    return excerpt(own, sealed(entries))


def checked(
    folder: Path, *arguments: str, key: str = "key.pem"
) -> subprocess.CompletedProcess[str]:
    """As README.txt says, in the folder: no packages, no environment, warnings are errors."""
    command = [sys.executable, "-I", "-S", "-W", "error", "verify_mbox.py", ".", "--excerpt"]
    command += ["--key", key] if key else []
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def unpacked(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(BytesIO(packed(files))) as archive:
        archive.extractall(folder)
    return folder


def told(files: Mapping[str, bytes]) -> list[str]:
    """The same findings, in this process."""
    key = public_key_of(public_key(), "the key")
    findings = findings_of_excerpt(excerpt_of(files), files, key=key)
    return [f"{each.kind} {each.detail}" for each in findings]


def found(folder: Path, files: Mapping[str, bytes], **more: Any) -> tuple[int, list[str]]:
    answer = checked(unpacked(folder / "excerpt", files), "--json", **more)
    assert "Traceback" not in answer.stderr
    findings = json.loads(answer.stdout)["findings"] if answer.stdout else []
    return answer.returncode, [f"{each['kind']} {each['detail']}" for each in findings]


def test_an_untouched_excerpt_passes_and_says_what_speaks_for_each_entry(
    tmp_path: Path, files: Files
) -> None:
    answer = checked(unpacked(tmp_path / "excerpt", complete(files)))
    assert (answer.returncode, answer.stderr) == (0, "")
    vouched = f"record and mail agree; the signed statement of {DAY} has its number"
    assert answer.stdout.splitlines() == [
        "Excerpt of 3 mails: 3 entries, 1 statement",
        f"  sunset-charter #000002 payment: {vouched}, {BUT_NOT_ITS_HASH}",
        f"  sunset-charter #000004 void: {vouched}, and vouches for its hash",
        f"  sunset-charter #000005 payment: {vouched}, and vouches for its hash",
        "INTEGRITY: ok",
        "COMPLETENESS: ok",
        NOT_CHECKED,
    ]
    sums = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(sums, cwd=tmp_path / "excerpt", check=False).returncode == 0


def test_an_excerpt_of_two_days_has_both_statements(tmp_path: Path) -> None:
    entries, own = corrected_payment(TOMORROW)
    statements = sealed(entries)
    assert len(statements) == 2
    assert found(tmp_path, complete(excerpt(own, statements))) == (0, [])
    lacking = told(complete(excerpt(own, statements[1:])))
    assert lacking == [f"missing the statement of {DAY} is not here"]


def test_a_day_without_a_statement_is_said(tmp_path: Path) -> None:
    """It may not have been over yet."""
    entries, own = corrected_payment(TOMORROW)
    folder = unpacked(tmp_path / "excerpt", complete(excerpt(own, sealed(entries)[:1])))
    answer = checked(folder)
    assert answer.returncode == 0
    assert "#000004 void: record and mail agree; no statement has its number" in answer.stdout
    assert "note: no statement of 2025-11-25 is here: nothing signed vouches" in answer.stdout


def test_without_a_key_signatures_are_said_to_be_unchecked(tmp_path: Path, files: Files) -> None:
    answer = checked(unpacked(tmp_path / "excerpt", complete(files)), key="")
    assert answer.returncode == 0
    assert "signatures of statements were not checked" in answer.stdout
    assert "signed statement" not in answer.stdout


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


def test_a_file_put_in_is_named_and_litter_is_only_noted(tmp_path: Path, files: Files) -> None:
    folder = unpacked(tmp_path / "excerpt", complete(files))
    (folder / "notes.txt").write_text("mine")
    (folder / ".DS_Store").write_text("a Mac's")
    answer = checked(folder)
    assert answer.returncode == 0
    assert "note: not a part of the excerpt, and not read: notes.txt\n" in answer.stdout
    (folder / "mails" / "extra.eml").write_text("Subject: hi\n\nhi\n")
    answer = checked(folder)
    assert answer.returncode == 1
    assert "mails/extra.eml is here, and SHA256SUMS does not have it" in answer.stdout


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


def test_an_unsigned_statement_is_not_called_signed(tmp_path: Path, files: Files) -> None:
    folder = unpacked(tmp_path / "excerpt", complete(files | {SIGNATURE: signature_of(b"")}))
    assert "signed statement" not in checked(folder).stdout


def test_a_head_that_is_expected_must_be_in_the_excerpt(tmp_path: Path, files: Files) -> None:
    _, own = corrected_payment()
    folder = unpacked(tmp_path / "excerpt", complete(files))
    assert checked(folder, "--expect-head", f"sunset-charter=2:{own[0].hash}").returncode == 0
    for number in (2, 3):
        other = checked(folder, "--expect-head", f"sunset-charter={number}:{'0' * 64}")
        assert other.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--excerpt", "nothing"), "is no excerpt: it has no SHA256SUMS"),
        (("--excerpt", "pay.zip"), "is no folder: unpack the zip into one"),
        (("--excerpt", "nothing", "excerpt"), "checks one folder at a time"),
        (("--excerpt", "excerpt", "--key", "nowhere.pem"), "nowhere.pem cannot be read"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_a_sentence(
    tmp_path: Path, files: Files, arguments: tuple[str, ...], says: str
) -> None:
    unpacked(tmp_path / "excerpt", complete(files))
    (tmp_path / "nothing").mkdir()
    (tmp_path / "pay.zip").write_bytes(packed(complete(files)))
    command = [sys.executable, "-I", "excerpt/verify_mbox.py", *arguments]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert says in answer.stderr


def test_who_forgets_the_flag_is_told(tmp_path: Path, files: Files) -> None:
    """An excerpt read as a mailbox lacks entries: whoever hands it in cannot make that pass."""
    folder = unpacked(tmp_path / "excerpt", complete(files))
    command = [sys.executable, "-I", "verify_mbox.py", "."]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "is the excerpt of one payment: check it with --excerpt" in answer.stdout


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (RECORD, b"[]"),
        (RECORD, b"[" * 100_000),
        (RECORD, b'{"seq": NaN}'),
        (MAIL, b"\xff\x00"),
        (STATEMENT, b"{}"),
        (STATEMENT, b'{"day": 1}'),
        ("SHA256SUMS", b"\xff\x00 not a list\n" + b"0" * 64 + b"  ../../etc/passwd\n"),
    ],
)
def test_garbage_is_a_finding(files: Files, name: str, content: bytes) -> None:
    assert told(complete(files) | {name: content})


def test_a_record_of_the_ledger_is_written_as_its_mail_attaches_it(files: Files) -> None:
    _, own = corrected_payment()
    assert files[RECORD] == canonical_json(record_of(own[0].to_row()))
