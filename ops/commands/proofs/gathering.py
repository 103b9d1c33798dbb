"""What goes into the proof of one payment: read from the ledger, the mailbox and the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from ops.clock import now_ms
from ops.errors import OpsError
from ops.rules.evidence.archive import entry_files, record_file, statement_files, stems_of
from ops.rules.evidence.chain import Row, chain_of, lost_in
from ops.rules.evidence.gaps import Gap, day_gaps, mail_gaps, record_gap, row_gaps
from ops.rules.evidence.mails import EntryMails, entry_mails
from ops.rules.hits import Hit, hits_in
from ops.rules.verify.settled import heard_in
from ops.session import Session
from ops.stack.deeds import deeds_of
from ops.stack.entries import LedgerReader
from ops.stack.evidence import SealedStatements
from ops.stack.mailbox import AuditMailbox, NoSuchMailError
from shared.audit.delivery import came_back
from shared.ledger import business_day


@dataclass(slots=True)
class Gathered:
    """What goes into the zip, by name, and what is not there to go into it.

    mails: how many of each entry, by its id. reissues: of those with a mail that was issued again,
    the operators' records of that. sealed: days with a statement.
    """

    chain: Sequence[Row]
    files: dict[str, bytes] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    mails: dict[str, int] = field(default_factory=dict)
    reissues: dict[str, list[str]] = field(default_factory=dict)
    sealed: set[str] = field(default_factory=set)


def gathered(session: Session, payment_id: str) -> Gathered:
    """Raises OpsError for a payment that has no row."""
    ledger = LedgerReader.of(session)
    found = Gathered(_chain(session, ledger, payment_id))
    _take_entries(session, ledger, found)
    _take_statements(session, found)
    return found


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
    mailbox = AuditMailbox.of(session)
    operators = heard_in(deeds_of(session))
    runs = [each for each in operators.reissues if each.payment_id in ids]
    deliveries = ledger.deliveries([*ids, *(each.run for each in runs)])
    voids = {each: ledger.void_of(each) for each in ids}
    found.gaps += [Gap(each, "Run `scc verify`.") for each in lost_in(found.chain, voids)]
    with session.console.meter("fetching mails", len(ids)) as meter:
        for row, own_id, stem in zip(found.chain, ids, stems_of(found.chain), strict=True):
            delivery = deliveries.get(own_id, {})
            sent = [own_id, *(each.run for each in runs if each.payment_id == own_id)]
            hits = _hits(mailbox, own_id, [_gmail_id(deliveries.get(each)) for each in sent])
            mails = entry_mails(row, hits, delivery, operators)
            contents = [mailbox.content(each) for each in mails.packed]
            found.mails[own_id] = len(contents)
            found.files |= dict(entry_files(stem, row, contents))
            found.gaps += row_gaps(row)
            found.gaps += mail_gaps(row, mails)
            _take_records(ledger, mailbox, mails, found)
            if mails.reissues:
                found.reissues[own_id] = mails.reissues
            meter.advance()


def _hits(mailbox: AuditMailbox, payment_id: str, sent_as: Sequence[str]) -> list[Hit]:
    """The entry's mails. sent_as: as deliveries name them, as a search lags behind the mailbox."""
    hits = mailbox.hits_of(payment_id)
    for gmail_id in dict.fromkeys(filter(None, sent_as)):
        if all(each.gmail_id != gmail_id for each in hits):
            with suppress(NoSuchMailError):
                hits += hits_in([(gmail_id, mailbox.mail(gmail_id))])
    return hits


def _gmail_id(delivery: Row | None) -> str:
    return str((delivery or {}).get("gmail_id") or "")


def _take_records(
    ledger: LedgerReader, mailbox: AuditMailbox, mails: EntryMails, found: Gathered
) -> None:
    """The mails of what operators said of these mails: an excerpt is read without their table."""
    deliveries = ledger.deliveries(mails.records)
    for ops_id in mails.records:
        delivery = deliveries.get(ops_id, {})
        content = record_mail(mailbox, ops_id, delivery)
        if content is None:
            found.gaps.append(record_gap(ops_id, has_bounced=bool(came_back(delivery))))
        else:
            found.files[record_file(ops_id)] = content


def record_mail(mailbox: AuditMailbox, ops_id: str, delivery: Row) -> bytes | None:
    """One that compliance got. delivery: names it, as a search lags behind the mailbox."""
    ids = dict.fromkeys([*mailbox.ids_about(ops_id), _gmail_id(delivery)])
    for gmail_id in (each for each in ids if each and each not in came_back(delivery)):
        with suppress(NoSuchMailError):
            if any(each.ops_id == ops_id and each.said for each in mailbox.mail(gmail_id).ops):
                return mailbox.content(gmail_id)
    return None


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
