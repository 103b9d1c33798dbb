"""The auditor's own check: one file, the standard library, an exported mailbox."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from ops.offline.report import UNSIGNED
from shared.ledger import Head, LedgerEntry, canonical_json, entry_hash, record_of
from tests.builders import NOW, ZONE
from tests.ops.mailboxes import (
    attachment_of,
    chain,
    mail,
    mails,
    mbox,
    statement_mail,
    statement_mails,
    with_attachment,
)
from tests.suites import LONG, later

VERIFIER = Path(__file__).parents[2] / "ops" / "verify_mbox.py"
Verify = Callable[[bytes], tuple[int, list[tuple[Any, ...]]]]


def run(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """-I -S: no packages, no environment, as on an auditor's machine. Warnings are errors."""
    command = [sys.executable, "-I", "-S", "-W", "error", str(VERIFIER), str(file), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    def run_on(content: bytes) -> tuple[int, list[tuple[Any, ...]]]:
        file = tmp_path / "export.mbox"
        file.write_bytes(content)
        answer = run(file, "--json")
        assert "Traceback" not in answer.stderr
        found = json.loads(answer.stdout)["findings"] if answer.stdout else []
        return answer.returncode, [
            (each["verdict"], each["kind"], each["event_id"], each["seq"], each["last_seq"])
            for each in found
        ]

    return run_on


def test_a_reader_that_has_enough_ends_it_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "export.mbox"
    file.write_bytes(mbox(mails(chain(1))))
    command = f"'{sys.executable}' '{VERIFIER}' '{file}' | :"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert done.stderr == ""


def resealed(entry: LedgerEntry, **changes: Any) -> dict[str, Any]:
    row = replace(entry, **changes).to_row()
    return row | {"hash": entry_hash(row)}


def statement(day: str, entries: Sequence[LedgerEntry]) -> bytes:
    """It ends with the last of these entries; only those of its day are its own."""
    own = [each for each in entries if each.logged_day == day]
    return statement_mail(day, own, entries[-1])


DAY = chain(1)[0].logged_day
HOUR = 3_600_000  # milliseconds
CANNOT_BE_SEEN = (
    "What came after an event's last mail and last statement cannot be seen from this file: "
    "ask for a newer export, or for `scc verify --mbox`."
)


def test_an_untouched_mailbox_passes_and_lists_what_is_anchored(tmp_path: Path) -> None:
    entries = chain(3, apart=5 * HOUR)
    gala = chain(2, "gala", at=NOW + 24 * HOUR)
    other = b"From: a@b.example\nSubject: lunch?\n\nFrom here on\n>From there on\n"
    file = tmp_path / "export.mbox"
    file.write_bytes(mbox([*mails(entries), other, *mails(gala), statement(DAY, entries[:2])]))
    answer = run(file)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == [
        "7 mails: 5 entries, 1 statement",
        "  gala: intact mails of #000001-#000002; no statement",
        "  sunset-charter: intact mails of #000001-#000003; statements reach #000002",
        f"  note: {UNSIGNED}",
        "INTEGRITY: ok",
        "COMPLETENESS: ok",
        CANNOT_BE_SEEN,
    ]


def test_the_order_of_the_mails_and_the_line_endings_do_not_matter(verify: Verify) -> None:
    content = mbox([*mails(chain(3)), *mails(chain(3, "gala"))][::-1])
    assert verify(content) == (0, [])
    assert verify(content.replace(b"\n", b"\r\n")) == (0, [])


def with_head_4(raw: bytes) -> bytes:
    return with_attachment(raw, attachment_of(raw).replace(b'"head_seq":5', b'"head_seq":4'))


Deed = Callable[[list[bytes], Sequence[LedgerEntry]], list[bytes]]


def on_third(change: Callable[[bytes, LedgerEntry], bytes]) -> Deed:
    """A change to the third mail."""
    return lambda all_mails, entries: [
        *all_mails[:2],
        change(all_mails[2], entries[2]),
        *all_mails[3:],
    ]


def with_amount(raw: bytes, third: LedgerEntry) -> bytes:
    return with_attachment(raw, canonical_json(record_of(third.to_row()) | {"amount_cents": 1}))


def with_pretty_record(raw: bytes, third: LedgerEntry) -> bytes:
    record = record_of(third.to_row())
    return with_attachment(raw, json.dumps(record, indent=1, ensure_ascii=False).encode())


def with_new_record(raw: bytes, third: LedgerEntry) -> bytes:
    return with_attachment(raw, canonical_json(record_of(resealed(third, amount_cents=1))))


def subjects_of(raw: bytes, third: LedgerEntry) -> tuple[bytes, bytes]:
    """Its subject, and one that says another amount, as encoded as ours."""
    start, end = raw.index(b"Subject: "), raw.index(b"\r\nFrom: ") + 2
    other = mail(resealed(third, amount_cents=1))
    return raw[start:end], other[other.index(b"Subject: ") : other.index(b"\r\nFrom: ") + 2]


def swapped(old: bytes, new: bytes) -> Deed:
    return on_third(lambda raw, _: raw.replace(old, new))


DEEDS: dict[str, Deed] = {
    "mail deleted": lambda all_mails, _: all_mails[:2] + all_mails[3:],
    "mail sent twice": lambda all_mails, _: [
        *all_mails,
        all_mails[2].replace(b"Message-ID: <", b"Message-ID: <again"),
    ],
    "amount in the record": on_third(with_amount),
    "record resealed": on_third(with_new_record),
    "whole mail made anew": on_third(lambda _, third: mail(resealed(third, amount_cents=1))),
    "mail added": lambda all_mails, entries: [
        *all_mails,
        mail(resealed(entries[2], payment_id="pay_forged", timestamp=1)),
    ],
    "amount in the text": swapped(b"1,200.03", b"1.03"),
    "amount in the subject": on_third(lambda raw, third: raw.replace(*subjects_of(raw, third))),
    "payment id header": swapped(
        b"X-SCC-Payment-Id: pay_sunset-charter_3", b"X-SCC-Payment-Id: pay_other"
    ),
    "white space in the record": on_third(with_pretty_record),
    "tail cut, with a statement": lambda all_mails, entries: [
        *all_mails[:3],
        statement(DAY, entries),
    ],
    "tail made anew, with a statement": lambda all_mails, entries: [
        *all_mails[:4],
        mail(resealed(entries[4], amount_cents=1)),
        statement(DAY, entries),
    ],
    "a day without a statement": lambda all_mails, entries: [
        *all_mails,
        *itemgetter(0, 1, 4)(statement_mails([f"2025-11-{day}" for day in range(20, 25)], entries)),
    ],
    "a statement altered": lambda all_mails, entries: [
        *all_mails,
        with_head_4(statement(DAY, entries)),
    ],
}


HERE = ("sunset-charter", 3, 3)


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ("mail deleted", [("completeness", "missing", *HERE)]),
        later("mail sent twice", [("completeness", "duplicate", *HERE)]),
        ("amount in the record", [("integrity", "altered", *HERE)]),
        later("record resealed", [("integrity", "altered", *HERE)]),
        ("whole mail made anew", [("integrity", "altered", *HERE)]),
        later("mail added", [("integrity", "inserted", *HERE)]),
        ("amount in the text", [("integrity", "altered", *HERE)]),
        later("amount in the subject", [("integrity", "altered", *HERE)]),
        later("payment id header", [("integrity", "altered", *HERE)]),
        later("white space in the record", [("integrity", "altered", *HERE)]),
        ("tail cut, with a statement", [("completeness", "missing", "sunset-charter", 4, 5)]),
        (
            "tail made anew, with a statement",
            [("integrity", "altered", "sunset-charter", 5, 5)],
        ),
        ("a day without a statement", [("completeness", "no-statement", "", 0, 0)]),
        later("a statement altered", [("integrity", "altered", "", 0, 0)]),
    ],
)
def test_exactly_the_changes_made_are_found(
    verify: Verify, which: str, found: list[tuple[Any, ...]]
) -> None:
    entries = chain(5)
    gala = chain(4, "gala", at=NOW + 24 * HOUR)
    content = mbox([*DEEDS[which](mails(entries), entries), *mails(gala)])
    assert verify(content) == (1, found)


def test_a_first_entry_that_follows_another_is_found(verify: Verify) -> None:
    late = chain(1)[0]
    forged = replace(late, prev_hash="a" * 64, hash="").sealed(Head(hash="a" * 64), ZONE)
    assert verify(mbox([mail(forged.to_row())])) == (
        1,
        [("integrity", "altered", "sunset-charter", 1, 1)],
    )


def test_a_cut_tail_without_a_statement_is_not_reported_as_complete(tmp_path: Path) -> None:
    file = tmp_path / "export.mbox"
    file.write_bytes(mbox(mails(chain(5))[:3]))
    answer = run(file)
    assert answer.returncode == 0
    assert "intact mails of #000001-#000003; no statement" in answer.stdout
    assert "cannot be seen from this file" in answer.stdout


@pytest.mark.parametrize(
    "record",
    [
        b"[" * 100_000, b'{"seq":' + b"9" * 5_000 + b"}", b'{"event_id":"\\ud800"}',
        b'{"event_id":"\\u202e\\u001b[2J","payment_id":"p","hash":"h","prev_hash":"h","seq":1}',
        *map(later, (
            b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"seq":1e400}', b'{"a":NaN}',
            b'{"event_id":"e","payment_id":"p","hash":"h","prev_hash":"h","seq":999999999999999}',
            b'{"event_id":"\\ud800","payment_id":"p","hash":"h","prev_hash":"h","seq":2}',
        )),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_hostile_record_is_a_finding_and_hides_no_other(
    tmp_path: Path, verify: Verify, record: bytes
) -> None:
    entries = chain(2)
    content = mbox([with_attachment(mails(entries)[0], record), *mails(entries)])
    code, found = verify(content)
    assert code == 1
    assert "integrity" in {each[0] for each in found}
    assert all(each[2] != "sunset-charter" for each in found)
    shown = run(tmp_path / "export.mbox").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "sunset-charter: intact mails of #000001-#000002" in shown


@LONG
def test_garbage_is_never_a_traceback(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - no secret: the same garbage every time
    whole = bytearray(mbox([*mails(chain(2)), statement(DAY, chain(2))]))
    file = tmp_path / "garbage.mbox"
    broken = [b"", b"\x00" * 99, b"From nobody", b"not an mbox", chance.randbytes(5_000)]
    for _ in range(8):
        spoilt = bytearray(whole)
        for _ in range(40):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        broken.append(bytes(spoilt))
    for content in broken:
        file.write_bytes(content)
        answer = run(file)
        assert answer.returncode in {1, 2}
        assert "Traceback" not in answer.stderr
        assert bool(answer.stdout) == (answer.returncode == 1)


def test_a_file_that_cannot_be_checked_is_reported(tmp_path: Path) -> None:
    absent = run(tmp_path / "absent.mbox")
    assert (absent.returncode, absent.stdout) == (2, "")
    assert absent.stderr.endswith("absent.mbox cannot be read: no such file or directory\n")
    assert "Errno" not in absent.stderr
    lunch = tmp_path / "lunch.mbox"
    lunch.write_bytes(mbox([b"Subject: lunch?\n\nyes\n"]))
    assert "none of them an audit mail" in run(lunch).stderr
    assert run(lunch, "--bogus").returncode == 2
