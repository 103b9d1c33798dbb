"""`scc evidence`: the proof of one payment, as a zip for an auditor, a bank or a court."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from ops import shipped
from ops.commands.proofs.gathering import Gathered, gathered
from ops.errors import FINE, FOUND, OpsError
from ops.offline.excerpt.contents import excerpt_of
from ops.offline.excerpt.files import KEY_FILE, Contents
from ops.offline.excerpt.judged import judgement_of_excerpt
from ops.offline.excerpt.told import VOUCHED_FOR, excerpt_summary
from ops.offline.ledger.links import INTEGRITY, span_text
from ops.offline.ledger.public_key import PublicKey, public_key_of
from ops.offline.report import finding_text
from ops.parameters import NewFile
from ops.rules.evidence.archive import (
    README_FILE,
    VERIFIER_FILE,
    packed,
    with_hashes,
)
from ops.rules.evidence.chain import entry_name
from ops.rules.evidence.readme import readme
from ops.session import Session, pass_session, shared_options
from ops.stack.evidence import pem_of, stack_key_der
from ops.terminal.counted import counted
from ops.terminal.new_file import write_new
from ops.terminal.safe_text import safe
from shared.ledger import is_payment_id


@dataclass(frozen=True, slots=True)
class Written:
    """The zip. files: their names in it."""

    file: Path
    sha256: str
    files: Sequence[str]


@click.command()
@shared_options
@click.argument("payment_id", metavar="PAY")
@click.option(
    "--out", "file", metavar="FILE", type=NewFile(),
    help="Write the zip into this file, which must not exist.  [default: PAY.zip, here]",
)  # fmt: skip
@pass_session
def evidence(session: Session, payment_id: str, *, file: Path | None) -> None:
    """Write the proof of one payment into a zip that anybody can check without us.

    PAY is the id (pay_…) of a payment, or of a void or refund of it. The zip holds all entries that
    belong to the payment, to both ends: what it replaced, its void and refunds, what replaced it.
    Each with its record and its mail, byte by byte, and the signed statements of their days, the
    public key, and a verifier that needs Python alone. README.txt in it is for whoever gets it. It
    holds nothing of other patrons. Names the entries whose content nothing signed holds. What
    operators settled, or had issued again, is told. Exit 1 when something else is missing or wrong:
    the zip is written, and says so.

    \b
    Examples:
      scc evidence pay_9f86d081884c7d659a2feaa0c55ad015
      scc evidence pay_9f86d081884c7d659a2feaa0c55ad015 --out dispute-4711.zip
    """
    if not is_payment_id(payment_id):
        raise click.UsageError(f"{safe(payment_id)!r} is not a payment id: pay_ and 32 hex digits.")
    file = file or Path(f"{payment_id}.zip")
    _refuse_bad_file(file)
    found = gathered(session, payment_id)
    der = stack_key_der(session)
    found.files[KEY_FILE] = pem_of(der).encode()
    found.files[VERIFIER_FILE] = shipped.VERIFIER.read_bytes()
    key_sha256 = hashlib.sha256(der).hexdigest()
    text = readme(payment_id, found.chain, found.files, found.gaps, key_sha256, found.reissues)
    found.files[README_FILE] = text.encode()
    files = with_hashes(found.files)
    checked = _checked(files, public_key_of(der, KEY_FILE))
    content = packed(files)
    write_new(file, content)
    written = Written(file, hashlib.sha256(content).hexdigest(), sorted(files))
    _show(session, found, checked, written)


def _refuse_bad_file(file: Path) -> None:
    """Before anything is read: a search of the mailbox takes its time."""
    if file.exists() or file.is_symlink():
        raise OpsError(f"{file} exists already, and is not written over: choose another --out.")
    if not file.parent.is_dir():
        raise OpsError(f"{file} cannot be written: {file.parent} is not a folder.")


def _checked(files: Contents, key: PublicKey) -> dict[str, Any]:
    """What the verifier in the zip will say, as data."""
    excerpt = excerpt_of(files)
    return excerpt_summary(excerpt, files, judgement_of_excerpt(excerpt, files, key=key), key)


def _show(session: Session, found: Gathered, checked: Mapping[str, Any], written: Written) -> None:
    """Print it all and end the command. Most of what is not complete is told as a gap.

    checked: as the verifier reports.
    """
    console, findings = session.console, checked["findings"]
    wrong = [finding_text(each) for each in findings if each["verdict"] == INTEGRITY]
    entries = list(_entries(found))
    if console.as_json:
        console.show(
            {
                "file": str(written.file),
                "sha256": written.sha256,
                "files": written.files,
                "entries": entries,
                "gaps": [asdict(each) for each in found.gaps],
                "findings": findings,
                "settled": checked["settled"],
                VOUCHED_FOR: checked[VOUCHED_FOR],
            }
        )
    else:
        console.table(
            ("entry", "kind", "mails", "statement"),
            [
                (entry_name(row), row.get("kind"), each["mails"], each["statement"] or "none")
                for row, each in zip(found.chain, entries, strict=True)
            ],
        )
    for gap in found.gaps:
        console.say(f"{'! ' if gap.is_due else ''}{gap.told()}", "bold red" if gap.is_due else "")
    for each in wrong:
        console.say(f"! {each}", style="bold red")
    for each in checked["excerpt"]:
        if not (each["is_vouched"] or findings):
            number = span_text(each["seq"], 0)
            console.say(f"Nothing signed holds the content of {number}: {each['told']}.")
    count = counted(len(written.files), "file")
    console.say(f"Written to {written.file}: {count}. {README_FILE} says how to check them.")
    console.say(f"SHA-256 of the zip: {written.sha256}")
    is_due = bool(findings) or any(each.is_due for each in found.gaps)
    raise click.exceptions.Exit(FOUND if is_due else FINE)


def _entries(found: Gathered) -> Iterator[Mapping[str, Any]]:
    for row in found.chain:
        day = str(row.get("logged_day"))
        yield {
            "event_id": row.get("event_id"),
            "seq": row.get("seq"),
            "kind": row.get("kind"),
            "payment_id": row["payment_id"],
            "mails": found.mails[str(row["payment_id"])],
            "statement": day if day in found.sealed else "",
        }
