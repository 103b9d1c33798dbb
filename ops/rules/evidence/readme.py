"""README.txt of an excerpt: what is in it, what it proves, and how to check it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from types import MappingProxyType
from typing import Any

from ops.offline.excerpt.files import (
    KEY_FILE,
    MAILS,
    RECORDS,
    STATEMENT_FILE,
    STATEMENTS,
    SUMS,
    Contents,
)
from ops.rules.evidence.archive import VERIFIER_FILE, record_file, stems_of
from ops.rules.evidence.chain import undone_by, what_of
from ops.rules.evidence.gaps import Gap
from shared.statements.places import SIGNATURE_FILE
from shared.text import one_line

_WIDTH = 78
_CHECK = f"python3 {VERIFIER_FILE} . --excerpt --key {KEY_FILE}"
_FILES = f"""\
{RECORDS}/     One file for each entry: its row in the ledger, as canonical JSON (keys
             sorted, no spaces, UTF-8). Money is in cents, time in milliseconds
             since 1970. The SHA-256 of the file is the one its mail shows under
             Proof; "hash" is the SHA-256 of the same JSON without "hash", and
             "prev_hash" is the hash of the event's entry before it.
{MAILS}/       The mail about each entry, byte by byte as it is in the audit mailbox.
             Any mail program opens it. A mail that says REISSUED was lost, and
             sent once more with the same record. Mails of operators (ops_...)
             say who had that done, or settled what is missing, when and why.
{STATEMENTS}/  For each day on which an entry was logged, the statement that sealed
             that day, and its signature.
{KEY_FILE}      The public half of the key that signs statements.
{VERIFIER_FILE}
             Checks all of this. It needs Python 3.11 or newer and nothing else,
             and can be read.
{SUMS}   The SHA-256 of each file.
"""
_PROVES = f"""\
- Each mail shows what its record says: the mail is made again from the record
  and compared.
- Record and mail hold the same bytes: whoever changed a record after it was
  logged had to change its mail, too, in the mailbox of the compliance team.
- The statement of the day, signed with a key that nobody can copy, has the
  number of each entry among those of its event and day.
- If an entry was the event's last one of its day, or hangs on that one through
  entries that are here, the signed statement holds its hash, too: nobody could
  change it without another signature. {VERIFIER_FILE} says for which entries
  that is so.
"""
_PROVES_NOT = """\
- For any other entry, the signed statement holds its number, but not its hash:
  the chain of hashes goes on through entries of other people, which are not
  here. Who may see all mails can follow it. Nothing in this zip tells such an
  entry from one that was made up later: the verifier says VOUCHED FOR: NO.
- That nothing about this payment was logged later, such as a void. Ask for a
  new excerpt.
- That the money was paid. It proves what was logged, by whom and when.
- Who sent a mail. The mail program shows that, by DKIM.
- Whose the key is. See below.
"""
_OTHERS = """\
A record names payments that it was known to resemble, by their ids, and its mail
by their numbers, too. A statement is about a whole day, and holds no patron's
name. It names events and admins with their sums; entries that were not mailed, or
that deserve a second look, by number and id, with amount and method; and what
operators did, by a hash. Only a damaged row is named by its key, which holds a
patron's e-mail address. A mail of operators names who did what to which payment,
and why in their own words.
"""


def readme(
    payment_id: str,
    chain: Sequence[Mapping[str, Any]],
    contents: Contents,
    gaps: Sequence[Gap],
    key_sha256: str,
    reissues: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """chain: the rows. contents: all files that the text is about. ASCII, for any program.

    reissues: by payment id, the operators' records of why its mail was issued again.
    """
    days = [each.split("/")[1] for each in sorted(contents) if each.endswith(f"/{STATEMENT_FILE}")]
    asked = next((each for each in chain if each.get("payment_id") == payment_id), {})
    what = asked.get("kind") if asked.get("kind") in ("void", "refund") else "payment"
    lines = [
        f"Evidence of {what} {payment_id}",
        "=" * _WIDTH,
        *_text(
            f"These files prove one {what} in the ledger of Ship Captain Crew. They hold the "
            "entries that belong to the same payment, which may be what it replaced, voids, "
            "refunds and what replaced it, and no other entry."
        ),
        *_listed(chain, reissues),
        *_missing(gaps),
        *_heading("What each file is"),
        *_FILES.splitlines(),
        *_heading("What this proves"),
        *_PROVES.splitlines(),
        *_heading("What this does not prove"),
        *_PROVES_NOT.splitlines(),
        *_heading("Check it"),
        *_text("In the folder into which you unpacked the zip, on any computer:"),
        f"    {_CHECK}",
        "",
        *_text(
            "It ends with three verdicts. INTEGRITY and COMPLETENESS: FAILED, with what is wrong "
            "and in which file, or not. VOUCHED FOR: ok only if signed statements hold the content "
            "of every entry here. If they do not, nothing is called ok, only self-consistent: what "
            "is here agrees with itself, and whoever made this folder could have made it up. Then "
            "ask somebody who may see all mails, or the ledger. Its exit code is 0 if all is ok, 1 "
            "if something is wrong, 2 if it could not check, 3 if it is only self-consistent."
        ),
        *_text("With other tools, on Linux or a Mac:"),
        f"    sha256sum -c {SUMS}",
        *(line for day in days for line in _openssl(day)),
        "",
        *_text(
            f"Any checker and any key can be put into a zip. So use your own copies of {KEY_FILE} "
            f"and {VERIFIER_FILE}, or compare these with yours. The key's SHA-256, by which each "
            "statement names it, must be the one that you were given when the system was installed:"
        ),
        f"    openssl pkey -pubin -in {KEY_FILE} -outform DER | sha256sum",
        f"    {key_sha256}",
        *_heading("What this shows of others"),
        *_OTHERS.splitlines(),
    ]
    return "".join(f"{line.encode('ascii', 'replace').decode()}\n" for line in lines).strip() + "\n"


def _listed(
    chain: Sequence[Mapping[str, Any]], reissues: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for row, stem in zip(chain, stems_of(chain), strict=True):
        seq = row.get("seq")
        number = f"#{seq:06d}" if type(seq) is int else "no number"
        told = f"{number}  {what_of(row, chain)}, logged on {row.get('logged_day')}"
        yield f"    {one_line(told)[:_WIDTH]}"
        if undone := undone_by(row, chain):
            yield f"        {one_line(undone)[:_WIDTH]}"
        yield f"        {one_line(str(row.get('payment_id')))[:_WIDTH]}"
        yield f"        files: {stem}"
        for ops_id in reissues.get(str(row.get("payment_id")), ()):
            yield "        its mail was issued again, with the same record: see"
            yield f"        {record_file(ops_id)}"


def _missing(gaps: Sequence[Gap]) -> Iterator[str]:
    if gaps:
        yield from _heading("What is missing or wrong")
        yield from _points([one_line(each.what) for each in gaps])


def _openssl(day: str) -> Iterator[str]:
    folder = f"{STATEMENTS}/{day}"
    yield f"    openssl dgst -sha256 -verify {KEY_FILE} \\"
    yield f"        -signature {folder}/{SIGNATURE_FILE} {folder}/{STATEMENT_FILE}"


def _heading(words: str) -> Iterator[str]:
    yield from ("", words, "-" * len(words))


def _text(words: str) -> Iterator[str]:
    yield from wrap(words, _WIDTH, break_on_hyphens=False)
    yield ""


def _points(sentences: Sequence[str]) -> Iterator[str]:
    for each in sentences:
        yield from wrap(
            each, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )
