"""`scc reconcile`: check that every ledger entry has exactly one mail."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from ops.clock import now_ms
from ops.commands.reconciled import show
from ops.errors import OpsError
from ops.offline.box import Mailbox
from ops.parameters import Day, EventId
from ops.rules.hits import Hits
from ops.rules.reconcile import OtherReleaseError, Reconciliation
from ops.session import Session, pass_session, shared_options
from ops.stack.entries import LedgerReader
from ops.stack.evidence import certificates_of
from ops.stack.mailbox import AuditMailbox
from ops.stack.ops_record import Deed, OpsRecord, new_run
from ops.stack.queues import OpsAuditQueue
from ops.terminal.console import Meter
from shared.audit.messages import AuditMessage, MalformedMessageError
from shared.ledger import business_date
from shared.statements.expiry import NOTHING_EXPIRES, Certificate

MOST_DAYS = 400


@click.command()
@shared_options
@click.option("--event", "event_id", type=EventId(), metavar="ID", help="One event only.")
@click.option(
    "--from", "first", type=Day(), metavar="DAY", help="Logged on or after this business day."
)
@click.option(
    "--to",
    "last",
    type=Day(),
    metavar="DAY",
    help="Up to and including this day.  [default: today]",
)
@click.option("--mailbox", "look", is_flag=True, help="Search Gmail too.")
@click.option("--repair", is_flag=True, help="Queue unmailed entries again, and record it.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record of --repair.")
@click.option(
    "--late", type=click.IntRange(1, 10_000), default=15, show_default=True, metavar="MINUTES",
    help="Minutes until a mail counts as late.",
)  # fmt: skip
@click.option(
    "--state", "file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Save progress in this file, and resume from it.",
)  # fmt: skip
@pass_session
def reconcile(  # noqa: PLR0913 - click gives every option a name
    session: Session,
    *,
    event_id: str | None,
    first: date | None,
    last: date | None,
    look: bool,
    repair: bool,
    reason: str,
    late: int,
    file: Path | None,
) -> None:
    """Compare ledger, deliveries and mailbox, per event and in total.

    missing: no mail --late minutes after the entry was logged, or given up. duplicate: more than
    one mail. altered: the mail differs from the ledger, or the row is not as it was written; such a
    row is in no sum. orphan: a mail without an entry, which may be an entry whose row is gone.
    misplaced: a mail in the trash or in spam. Any of these gives exit code 1. late: the mail took
    longer than --late minutes. expired: entries that are gone after their seven years, as a sealed
    statement certified.

    Without --mailbox the deliveries are trusted; with it, every entry is looked up in Gmail and
    every audit mail is read. A mail counts only if it holds the entry's record; forwards and
    replies are left alone. --repair queues missing entries that were never sent; the mailer still
    sends nothing twice, and the ops record of it is mailed to compliance.

    \b
    Examples:
      scc reconcile
      scc reconcile --event sunset-charter --mailbox
      scc reconcile --from 2026-11-01 --to 2026-11-30 --mailbox --state november.json
      scc reconcile --repair --reason "the stream was off on Monday"
    """
    if reason and not repair:
        raise click.UsageError("--reason is for the record of --repair.")
    units = _units(session, event_id, first, last)
    ledger = LedgerReader.of(session)
    places = None if units else ledger.places()
    units = units or [f"event {each}" for each in sorted(places.events if places else ())]
    is_unknown = event_id and not (ledger.head(event_id) or next(ledger.of_event(event_id))[0])
    if is_unknown and not look:
        raise OpsError(_unknown(event_id))
    mailbox = AuditMailbox.of(session) if look else None
    work = Work(session, ledger, mailbox, late * 60_000)
    scope = [*units, "mailbox"] if look else units
    # A new event must not invalidate saved progress over all of them.
    named = scope if event_id or first or last else ["all", *(["mailbox"] if look else [])]
    work.load(file, named)
    seqs = [each.get("seq") for each in places.heads.values()] if places else []
    total = sum(each for each in seqs if isinstance(each, int)) or None
    with session.console.meter("entries", total) as meter:
        for unit in units:
            work.take_rows(unit, meter)
    if mailbox:
        with session.console.meter("mails") as meter:
            work.take_mails(_query(event_id, first), None if places else set(units), meter)
    if is_unknown and not work.state.findings:
        raise OpsError(_unknown(event_id))
    if repair:
        work.repair(_scope_told(event_id, first, last), reason)
    work.save()
    show(session, work.state)


class Work:
    """A reconciliation in progress, saved after every page."""

    def __init__(
        self,
        session: Session,
        ledger: LedgerReader,
        mailbox: AuditMailbox | None,
        late_ms: int,
    ) -> None:
        self._certificates: Mapping[str, Certificate] = {}  # of entries that may be gone, by event
        self._session, self._ledger, self._mailbox = session, ledger, mailbox
        self._late_ms = late_ms
        self._file: Path | None = None
        self.state = Reconciliation([])

    def load(self, file: Path | None, scope: list[str]) -> None:
        """Raises OpsError: the file belongs to another reconciliation, or cannot be used."""
        self._file, self.state = file, Reconciliation(scope, has_looked=self._mailbox is not None)
        if file is None or not file.exists():
            self._prepare()
            self.save()
            return
        try:
            self.state = Reconciliation.from_json(json.loads(file.read_text("utf-8")))
        except OtherReleaseError as error:
            raise OpsError(
                f"{file} was saved by another release of scc: remove it and start again."
            ) from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise OpsError(f"{file} is not a saved reconciliation: remove it.") from error
        if self.state.scope != scope:
            raise OpsError(
                f"{file} belongs to another reconciliation: remove it or choose another file."
            )
        self._prepare()

    def _prepare(self) -> None:
        """A reconciliation that is resumed goes on with the certificates that it began with."""
        self.state.settled = OpsRecord.of(
            self._session, OpsAuditQueue.of(self._session)
        ).acknowledged()
        found = certificates_of(self._session, self.state.certified_until)
        self.state.certified_until, self._certificates = found.day, found.of

    def save(self) -> None:
        """All or nothing: a kill leaves the file as it was after the page before."""
        if self._file is None:
            return
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            beside.write_text(json.dumps(self.state.to_json()))
            beside.replace(self._file)
        except OSError as error:
            raise OpsError(f"{self._file} cannot be written: {error.strerror}.") from error

    def take_rows(self, unit: str, meter: Meter) -> None:
        state = self.state
        if unit in state.done:
            return
        kind, name = unit.split(" ", 1)
        read = self._ledger.of_event if kind == "event" else self._ledger.of_day
        for rows, after in read(name, state.after if state.unit == unit else None):
            deliveries = self._ledger.deliveries([str(each.get("payment_id")) for each in rows])
            for row in rows:
                self._take_row(row, deliveries.get(str(row.get("payment_id")), {}))
            meter.advance(len(rows))
            state.unit, state.after = unit, after
            if not after:
                state.done.append(unit)
                if kind == "event":
                    state.tally(name).expire(self._certificate(name))
            self.save()

    def take_mails(self, query: str, units: set[str] | None, meter: Meter) -> None:
        """units: of the reconciliation, or None when it leaves nothing out."""
        state, mailbox = self.state, self._mailbox
        if mailbox is None or state.mails_done:
            return
        for ids, after in mailbox.find(query, state.mails_after):
            mails = [(each, mailbox.mail(each)) for each in ids]
            links = [link for _, box in mails for link in box.links]
            rows = {each.payment_id: self._ledger.payment(each.payment_id) for each in links}
            gone = self._left_traces([each for each, row in rows.items() if not row])
            for gmail_id, box in mails:
                if units is None or _is_about(units, box, rows):
                    state.take_mail(gmail_id, box, rows, gone, self._certificates)
                meter.advance()
            state.mails_after, state.mails_done = after, not after
            self.save()

    def _left_traces(self, payment_ids: Sequence[str]) -> set[str]:
        """Which of these payments without a row have a pointer or a delivery."""
        ledger = self._ledger
        delivered = ledger.deliveries(payment_ids)
        return {each for each in payment_ids if each in delivered or ledger.place_of(each)}

    def repair(self, scope: str, reason: str) -> None:
        """Queue what was never sent, recorded before and after as a replay is."""
        wanted = self.state.to_repair
        if not wanted:
            return
        session, at = self._session, now_ms()
        queue = OpsAuditQueue.of(session)
        record = OpsRecord.of(session, queue)
        deed = Deed(
            run=new_run("repair", at),
            action="repair",
            phase="planned",
            who=session.aws.caller,
            at=at,
            stack=session.aws.target.stack,
            filter=scope,
            reason=reason,
            counts={"send": len(wanted)},
            messages=[f"- {each[:100]} send" for each in wanted],
        )
        record.append(deed)
        outcomes: dict[str, str] = dict.fromkeys(wanted, "not queued")
        try:
            for each in wanted:
                outcomes[each] = self._queue_again(each, queue)
                self.save()
        finally:
            told = [*outcomes.values()]
            done = replace(
                deed,
                phase="done",
                at=now_ms(),
                counts={name: told.count(name) for name in told},
                messages=[f"- {name[:100]} {outcome}" for name, outcome in outcomes.items()],
            )
            record.append(done)
            self.state.ops_id = done.ops_id

    def _queue_again(self, payment_id: str, queue: OpsAuditQueue) -> str:
        """What came of it. The row is read again: a row that is no entry has no message."""
        try:
            message = AuditMessage.from_row(self._ledger.payment(payment_id))
        except MalformedMessageError:
            return "no entry"
        queue.send(message.to_json())
        self.state.repaired.append(payment_id)
        return "queued"

    def _take_row(self, row: Mapping[str, Any], delivery: Mapping[str, Any]) -> None:
        hits = None
        if self._mailbox is not None:
            hits = Hits.of(row, self._mailbox.hits_of(str(row.get("payment_id"))))
        self.state.take_row(
            row,
            delivery,
            hits=hits,
            now=now_ms(),
            late_ms=self._late_ms,
            certificate=self._certificate(str(row.get("event_id"))),
        )

    def _certificate(self, event_id: str) -> Certificate:
        return self._certificates.get(event_id, NOTHING_EXPIRES)


def _is_about(units: set[str], box: Mailbox, rows: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a mail concerns these events or days, by the ledger's row or by what it claims.

    What claims nothing concerns everybody.
    """
    claims: set[str] = set()
    for link in box.links:
        row = rows.get(link.payment_id) or {}
        day = row.get("logged_day") or link.logged_day
        claims |= {f"event {row.get('event_id') or link.event_id}", f"event {link.event_id}"}
        claims.add(f"day {day}")
    return not box.links or bool(claims & units)


def _units(
    session: Session, event_id: str | None, first: date | None, last: date | None
) -> list[str]:
    if event_id and (first or last):
        raise click.UsageError("Choose entries with --event or with --from and --to, not both.")
    if event_id:
        return [f"event {event_id}"]
    if not (first or last):
        return []
    if first is None:
        raise click.UsageError("--from must be a day on or before --to.")
    zone = session.aws.business_zone
    today = business_date(now_ms(), zone)
    if first > today:
        raise click.UsageError(f"{first} has not begun yet: in {zone}, today is {today}.")
    end = last or today
    if first > end:
        raise click.UsageError("--from must be a day on or before --to.")
    days = (end - first).days + 1
    if days > MOST_DAYS:
        raise click.UsageError(f"That is {days} days; at most {MOST_DAYS} at a time.")
    return [f"day {first + timedelta(each)}" for each in range(days)]


def _unknown(event_id: str | None) -> str:
    return f"The ledger has no entry for the event {event_id!r}."


def _scope_told(event_id: str | None, first: date | None, last: date | None) -> str:
    if event_id:
        return f"event {event_id}"
    return f"days {first} to {last or 'today'}" if first else "all events"


def _query(event_id: str | None, first: date | None) -> str:
    """Which mails to read; mails of other entries are dropped after reading."""
    words = ["filename:json"]
    if event_id:
        words.append('"{}"'.format(event_id.replace('"', " ")))
    if first:
        words.append(f"after:{(first - timedelta(1)).strftime('%Y/%m/%d')}")
    return " ".join(words)
