"""`scc evidence`: the proof of one payment, as a zip for an auditor, a bank or a court."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import click

from ops import shipped
from ops.clock import now_ms
from ops.errors import FINE, FOUND, OpsError
from ops.offline.excerpt.contents import excerpt_of
from ops.offline.excerpt.files import KEY_FILE, Contents
from ops.offline.excerpt.judged import findings_of_excerpt
from ops.offline.ledger.links import INTEGRITY, Finding
from ops.offline.ledger.public_key import PublicKey, public_key_of
from ops.offline.report import finding_text
from ops.rules.evidence.archive import (
    README_FILE,
    VERIFIER_FILE,
    entry_files,
    packed,
    statement_files,
    stems_of,
    with_hashes,
)
from ops.rules.evidence.chain import Row, chain_of, entry_name, lost_in
from ops.rules.evidence.gaps import Gap, day_gaps, mail_gaps, row_gaps
from ops.rules.evidence.readme import readme
from ops.rules.hits import Hits
from ops.session import Session, pass_session, shared_options
from ops.stack.entries import LedgerReader
from ops.stack.evidence import SealedStatements, pem_of, stack_key_der
from ops.stack.mailbox import AuditMailbox
from ops.terminal.counted import counted
from ops.terminal.new_file import write_new
from ops.terminal.safe_text import safe
from shared.audit.delivery import is_sent
from shared.ledger import business_day, is_payment_id


@dataclass(slots=True)
class Gathered:
    """What goes into the zip, by name, and what is not there to go into it.

    mails: how many of each entry, by its id. sealed: days with a statement.
    """

    chain: Sequence[Row]
    files: dict[str, bytes] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    mails: dict[str, int] = field(default_factory=dict)
    sealed: set[str] = field(default_factory=set)


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
    "--out", "file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the zip into this file, which must not exist.  [default: PAY.zip, here]",
)  # fmt: skip
@pass_session
def evidence(session: Session, payment_id: str, *, file: Path | None) -> None:
    """Write the proof of one payment into a zip that anybody can check without us.

    PAY is the id (pay_…) of a payment, or of a void or refund of it. The zip holds all entries that
    belong to the payment, to both ends: what it replaced, its void and refunds, what replaced it.
    Each with its record and its mail, byte by byte, and the signed statements of their days, the
    public key, and a verifier that needs Python alone. README.txt in it is for whoever gets it. It
    holds nothing of other patrons. Exit 1 when something is missing or wrong: the zip is written,
    and says so.

    \b
    Examples:
      scc evidence pay_9f86d081884c7d659a2feaa0c55ad015
      scc evidence pay_9f86d081884c7d659a2feaa0c55ad015 --out dispute-4711.zip
    """
    if not is_payment_id(payment_id):
        raise click.UsageError(f"{safe(payment_id)!r} is not a payment id: pay_ and 32 hex digits.")
    file = file or Path(f"{payment_id}.zip")
    _refuse_bad_file(file)
    ledger = LedgerReader.of(session)
    found = Gathered(_chain(session, ledger, payment_id))
    _take_entries(session, ledger, found)
    _take_statements(session, found)
    der = stack_key_der(session)
    found.files[KEY_FILE] = pem_of(der).encode()
    found.files[VERIFIER_FILE] = shipped.VERIFIER.read_bytes()
    key_sha256 = hashlib.sha256(der).hexdigest()
    text = readme(payment_id, found.chain, found.files, found.gaps, key_sha256)
    found.files[README_FILE] = text.encode()
    files = with_hashes(found.files)
    findings = _checked(files, public_key_of(der, KEY_FILE))
    content = packed(files)
    write_new(file, content)
    written = Written(file, hashlib.sha256(content).hexdigest(), sorted(files))
    _show(session, found, findings, written)


def _refuse_bad_file(file: Path) -> None:
    """Before anything is read: a search of the mailbox takes its time."""
    if file.exists() or file.is_symlink():
        raise OpsError(f"{file} exists already, and is not written over: choose another --out.")
    if not file.parent.is_dir():
        raise OpsError(f"{file} cannot be written: {file.parent} is not a folder.")


def _chain(session: Session, ledger: LedgerReader, payment_id: str) -> list[Row]:
    """All rows that belong to the entry. Raises OpsError if it has none."""
    place = ledger.place_of(payment_id)
    events = [str(place[0]).partition("#")[0]] if place else sorted(ledger.places().events)
    with session.console.meter("reading entries") as meter:
        for event_id in events:
            rows: list[Row] = []
            for page, _ in ledger.of_event(event_id):
                rows += page
                meter.advance(len(page))
            if chain := chain_of(payment_id, rows):
                return chain
    if place:
        raise OpsError(
            f"The row of {payment_id} is gone, so there is nothing to prove it with: `scc payment "
            f"{payment_id}` says what is left of it."
        )
    raise OpsError(
        f"The ledger of {session.aws.target.stack} has no payment {payment_id}: is this the right "
        "--stack?"
    )


def _take_entries(session: Session, ledger: LedgerReader, found: Gathered) -> None:
    """Their records and mails."""
    ids = [str(each["payment_id"]) for each in found.chain]
    deliveries = ledger.deliveries(ids)
    mailbox = AuditMailbox.of(session)
    voids = {each: ledger.void_of(each) for each in ids}
    found.gaps += [Gap(each, "Run `scc verify`.") for each in lost_in(found.chain, voids)]
    with session.console.meter("fetching mails", len(ids)) as meter:
        for row, own_id, stem in zip(found.chain, ids, stems_of(found.chain), strict=True):
            delivery = deliveries.get(own_id, {})
            sent_as = str(delivery.get("gmail_id") or "")
            hits = Hits.of(row, mailbox.hits_of(own_id, sent_as))
            mails = [mailbox.content(each.gmail_id) for each in hits.placed or hits.genuine]
            found.mails[own_id] = len(mails)
            found.files |= dict(entry_files(stem, row, mails))
            found.gaps += row_gaps(row)
            found.gaps += mail_gaps(row, hits, is_sent=is_sent(delivery))
            meter.advance()


def _take_statements(session: Session, found: Gathered) -> None:
    """Of the days on which these entries were logged, as they were sealed."""
    today = business_day(now_ms(), session.aws.business_zone)
    days = sorted({day for each in found.chain if (day := str(each.get("logged_day")))})
    with session.console.meter("fetching statements", len(days)) as meter:
        for day in filter(_is_day, days):
            client, bucket = session.aws.client("s3"), session.aws.output("EvidenceBucketName")
            sealed = SealedStatements(client, bucket, only=day).day(day)
            found.files |= dict(statement_files(day, sealed.content, sealed.signature))
            found.gaps += day_gaps(sealed, today)
            found.sealed |= {day} if sealed.content is not None else set()
            meter.advance()


def _is_day(text: str) -> bool:
    """An altered row may say anything."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _checked(files: Contents, key: PublicKey) -> list[Finding]:
    """What the verifier in the zip will say."""
    return findings_of_excerpt(excerpt_of(files), files, key=key)


def _show(session: Session, found: Gathered, findings: Sequence[Finding], written: Written) -> None:
    """Print it all and end the command. Most of what is not complete is told as a gap."""
    console = session.console
    wrong = [finding_text(asdict(each)) for each in findings if each.verdict == INTEGRITY]
    entries = list(_entries(found))
    if console.as_json:
        console.show(
            {
                "file": str(written.file),
                "sha256": written.sha256,
                "files": written.files,
                "entries": entries,
                "gaps": [asdict(each) for each in found.gaps],
                "findings": [asdict(each) for each in findings],
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
