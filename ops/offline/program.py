"""Check the audit mails in an exported mailbox, with Python 3.11's standard library and this file.

    python3 verify_mbox.py export.mbox          (--json for a machine)

It reads .mbox files, the zip that Google Takeout makes, single .eml files and folders of them, also
those that Apple Mail exports. With --excerpt, it checks the unpacked zip of a single payment, as
`scc evidence` makes it: records against mails, and both against the statements of their days.

Every audit mail carries one ledger entry as a JSON attachment. An entry's hash is the SHA-256 of
its canonical JSON (sorted keys, no spaces, UTF-8) without `hash`; `prev_hash` is the previous
entry's hash, or 64 zeros for the first one. So the entries of an event form a chain. Daily
statements say how far each event's chain reached, and the hash it ended with. Each names the one
before it and is signed; --key FILE, with the public key that you were given, checks that. What a
mail shows is compared with its record: subject, HTML and plain text, date and sender. Mails are
known by their own headers (X-SCC-…): forwards and replies are counted, not judged.

Two verdicts: INTEGRITY (what is here is what was written) and COMPLETENESS (nothing is missing or
duplicated, but for what the operators' own record settles). Of an excerpt, a third one: VOUCHED FOR
(signed statements hold the content of every entry). Exit code 0: all hold. 1: something was found.
2: the file could not be checked. 3: an excerpt does not contradict itself, and nothing signed holds
the content of some entry, so whoever made the excerpt could have made that up.
Not checked: who really sent a mail (Gmail shows that, by DKIM), and payments never logged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ops.offline.excerpt.contents import excerpt_of
from ops.offline.excerpt.files import is_excerpt, read_folder
from ops.offline.excerpt.judged import judgement_of_excerpt
from ops.offline.excerpt.told import VOUCHED_FOR, excerpt_report, excerpt_summary
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Anchor
from ops.offline.ledger.public_key import PublicKey, read_public_key
from ops.offline.mails import read_mailbox
from ops.offline.report import expected_head, judgement, report, summary, why_not

FINE, FOUND, CANNOT, UNVOUCHED = 0, 1, 2, 3  # exit codes
Checked = tuple[dict[str, Any], Iterator[str]]  # the report as data, and for people


class _Parser(argparse.ArgumentParser):
    """Arguments may be file names, and a file name may hold anything."""

    def error(self, message: str) -> NoReturn:
        self.exit(CANNOT, f"{self.format_usage()}{_harmless(message)}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _Parser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "files", metavar="FILE", type=Path, nargs="+", help=".mbox, Takeout's .zip, .eml, a folder"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument(
        "--expect-head", metavar="EVENT=SEQ:HASH", action="append", default=[],
        help="an entry that the event's chain must contain; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--sender", metavar="ADDRESS", action="append", default=[],
        help="who may have sent the mails, or got them; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--key", metavar="FILE", type=Path, help="the public key that signs the statements"
    )
    parser.add_argument(
        "--excerpt", action="store_true",
        help="FILE is the folder of one payment's zip, from `scc evidence`",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        content, told = (_excerpt if options.excerpt else _mailbox)(options)
    except (OSError, ValueError) as error:
        return _cannot(why_not(error))
    try:
        for line in json.dumps(content, indent=2).split("\n") if options.json else told:
            print(_harmless(line))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough, such as `head`; nothing more is flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _exit_code(content)


def _exit_code(content: Mapping[str, Any]) -> int:
    if not (content[INTEGRITY] and content[COMPLETENESS]):
        return FOUND
    return FINE if content.get(VOUCHED_FOR, True) else UNVOUCHED


def _mailbox(options: argparse.Namespace) -> Checked:
    key, expected = _known(options)
    box = read_mailbox(options.files)
    if box.is_empty:
        raise ValueError(f"{options.files[0]}: {box.mails} mails, none of them an audit mail")
    for each in filter(is_excerpt, options.files):
        box.note(f"{each} is the excerpt of one payment: check it with --excerpt")
    content = summary(box, judgement(box, expected, options.sender, key), key)
    return content, report(content)


def _excerpt(options: argparse.Namespace) -> Checked:
    if len(options.files) > 1:
        raise ValueError("--excerpt checks one folder at a time")
    key, expected = _known(options)
    contents = read_folder(options.files[0])
    excerpt = excerpt_of(contents)
    result = judgement_of_excerpt(excerpt, contents, expected, options.sender, key)
    content = excerpt_summary(excerpt, contents, result, key)
    return content, excerpt_report(content)


def _known(options: argparse.Namespace) -> tuple[PublicKey | None, list[Anchor]]:
    """What the auditor brings: the key and the heads. Raises OSError, ValueError."""
    key = read_public_key(options.key) if options.key else None
    return key, [expected_head(each) for each in options.expect_head]


def _cannot(sentence: str) -> int:
    print(_harmless(sentence), file=sys.stderr)
    return CANNOT


def _harmless(text: str) -> str:
    """One line of ASCII for a terminal, which would obey escape codes in a name."""
    return "".join(each if " " <= each <= "~" else ascii(each)[1:-1] for each in text)


if __name__ == "__main__":
    sys.exit(main())
