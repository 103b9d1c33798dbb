"""`scc reconcile`: check that every ledger entry has exactly one mail."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ops.clock import now_ms
from ops.console import Meter
from ops.errors import FINE, FOUND, OpsError
from ops.rules.reconcile import AILING, Reconciliation, Tally, read_mail
from ops.session import Session, pass_session, shared_options
from ops.stack.entries import LedgerReader
from ops.stack.mailbox import AuditMailbox
from ops.verify_mbox import Mailbox
from shared.messages import AuditMessage

MOST_DAYS = 400


class Day(click.ParamType):
    """YYYY-MM-DD, UTC."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-11-24", param, ctx)


@click.command()
@shared_options
@click.option("--event", "event_id", metavar="ID", help="One event only.")
@click.option("--from", "first", type=Day(), metavar="DAY", help="Logged on or after this UTC day.")
@click.option(
    "--to",
    "last",
    type=Day(),
    metavar="DAY",
    help="Up to and including this day.  [default: today]",
)
@click.option("--mailbox", "look", is_flag=True, help="Search Gmail too.")
@click.option("--repair", is_flag=True, help="Queue unmailed entries again.")
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
    late: int,
    file: Path | None,
) -> None:
    """Compare ledger, deliveries and mailbox, per event and in total.

    missing: no mail --late minutes after the entry was logged. duplicate: more than one mail.
    altered: the mail differs from the ledger. orphan: a mail without an entry. Any of these four
    gives exit code 1. late: the mail took longer than --late minutes.

    Without --mailbox the deliveries are trusted; with it, every entry is looked up in Gmail and
    every audit mail is read. --repair queues missing entries that were never sent; the mailer
    still sends nothing twice.

    \b
    Examples:
      scc reconcile
      scc reconcile --event sunset-charter --mailbox
      scc reconcile --from 2026-11-01 --to 2026-11-30 --mailbox --state november.json
      scc reconcile --repair
    """
    units = _units(event_id, first, last)
    ledger = LedgerReader.of(session)
    heads = {} if units else ledger.heads()
    units = units or [f"event {each}" for each in sorted(heads)]
    if event_id and not ledger.head(event_id):
        raise OpsError(f"The ledger has no entry for the event {event_id!r}.")
    mailbox = AuditMailbox.of(session) if look else None
    work = Work(session, ledger, mailbox, late * 60_000, repair=repair)
    scope = [*units, "mailbox"] if look else units
    # A new event must not invalidate saved progress over all of them.
    named = scope if event_id or first or last else ["all", *(["mailbox"] if look else [])]
    work.load(file, named)
    total = sum(int(each.get("seq", 0)) for each in heads.values()) or None
    with session.console.meter("entries", total) as meter:
        for unit in units:
            work.take_rows(unit, meter)
    if mailbox:
        with session.console.meter("mails") as meter:
            work.take_mails(_query(event_id, first), set(units), meter)
    work.save()
    _show(session, work.state)


class Work:
    """A reconciliation in progress, saved after every page."""

    def __init__(
        self,
        session: Session,
        ledger: LedgerReader,
        mailbox: AuditMailbox | None,
        late_ms: int,
        *,
        repair: bool,
    ) -> None:
        self._session, self._ledger, self._mailbox = session, ledger, mailbox
        self._late_ms, self._repair = late_ms, repair
        self._file: Path | None = None
        self.state = Reconciliation([])

    def load(self, file: Path | None, scope: list[str]) -> None:
        """Raises OpsError: the file belongs to another reconciliation, or cannot be used."""
        self._file, self.state = file, Reconciliation(scope)
        if file is None or not file.exists():
            self.save()
            return
        try:
            self.state = Reconciliation.from_json(json.loads(file.read_text()))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise OpsError(f"{file} is not a saved reconciliation: remove it.") from error
        if self.state.scope != scope:
            raise OpsError(
                f"{file} belongs to another reconciliation: remove it or choose another file."
            )

    def save(self) -> None:
        """All or nothing: a kill leaves the file as it was after the page before."""
        if self._file is None:
            return
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            beside.write_text(json.dumps(self.state.to_json()))
            beside.replace(self._file)
        except OSError as error:
            raise OpsError(f"{self._file} cannot be written: {error}") from error

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
            self.save()

    def take_mails(self, query: str, units: set[str], meter: Meter) -> None:
        state, mailbox = self.state, self._mailbox
        if mailbox is None or state.mails_done:
            return
        for ids, after in mailbox.find(query, state.mails_after):
            mails = [(each, read_mail(mailbox.raw(each))) for each in ids]
            links = [link for _, box in mails for link in box.links]
            rows = {each.payment_id: self._ledger.payment(each.payment_id) for each in links}
            for gmail_id, box in mails:
                self._take_mail(gmail_id, box, rows, units)
                meter.advance()
            state.mails_after, state.mails_done = after, not after
            self.save()

    def _take_row(self, row: Mapping[str, Any], delivery: Mapping[str, Any]) -> None:
        mails = None
        if self._mailbox is not None:
            mails = len(self._mailbox.mails_of(str(row["payment_id"])))
        before = len(self.state.findings)
        self.state.take_row(row, delivery, mails=mails, now=now_ms(), late_ms=self._late_ms)
        if self._repair and any(each.get("queue") for each in self.state.findings[before:]):
            self._session.aws.client("sqs").send_message(
                QueueUrl=self._session.aws.output("AuditQueueUrl"),
                MessageBody=AuditMessage.from_row(row).to_json(),
            )
            self.state.repaired.append(str(row["payment_id"]))

    def _take_mail(
        self, gmail_id: str, box: Mailbox, rows: Mapping[str, Mapping[str, Any]], units: set[str]
    ) -> None:
        for each in box.wrong:
            if not each.seq:
                claimed = {"event_id": each.event_id, "payment_id": each.payment_id}
                self.state.found("altered", claimed, each.detail, gmail_id=gmail_id)
        for link in box.links:
            row = rows[link.payment_id]
            day = f"day {row.get('logged_day', '')}"
            if not {f"event {link.event_id}", day} & units and (row or len(units) == 1):
                continue  # found, but outside this reconciliation
            self.state.take_mail(link, row, [each.detail for each in box.wrong if each.seq])


def _units(event_id: str | None, first: date | None, last: date | None) -> list[str]:
    if event_id and (first or last):
        raise click.UsageError("Choose entries with --event or with --from and --to, not both.")
    if event_id:
        return [f"event {event_id}"]
    if not (first or last):
        return []
    end = last or datetime.now(UTC).date()
    if first is None or first > end:
        raise click.UsageError("--from must be a day on or before --to.")
    days = (end - first).days + 1
    if days > MOST_DAYS:
        raise click.UsageError(f"That is {days} days; at most {MOST_DAYS} at a time.")
    return [f"day {first + timedelta(each)}" for each in range(days)]


def _query(event_id: str | None, first: date | None) -> str:
    """Which mails to read; mails of other entries are dropped after reading."""
    words = ["filename:record.json"]
    if event_id:
        words.append('"{}"'.format(event_id.replace('"', " ")))
    if first:
        words.append(f"after:{(first - timedelta(1)).strftime('%Y/%m/%d')}")
    return " ".join(words)


def _show(session: Session, state: Reconciliation) -> None:
    if session.console.as_json:
        content = state.to_json()
        kept = ("tallies", "findings", "repaired", "mails")
        counts = {kind: state.count(kind) for kind in (*AILING, "late")}
        session.console.show({"found": counts} | {each: content[each] for each in kept})
    else:
        session.console.table(
            ("event", "entries", "mailed", "pending", *AILING, "late", "payments", "voids"),
            list(_lines(state)),
        )
        if state.findings:
            session.console.table(
                ("finding", "event", "entry", "payment", "detail"),
                [
                    (
                        each["kind"], each["event_id"],
                        f"#{each['seq']:06d}" if each["seq"] else "",
                        each["payment_id"], each["detail"],
                    )
                    for each in state.findings
                ],
            )  # fmt: skip
    if state.repaired:
        session.console.say(f"Queued again: {len(state.repaired)}. Run it again to check.")
    told = ", ".join(f"{state.count(kind)} {kind}" for kind in AILING)
    session.console.say(told)
    raise click.exceptions.Exit(FINE if state.is_fine else FOUND)


def _lines(state: Reconciliation) -> Iterator[tuple[object, ...]]:
    total = Tally()
    for name, tally in sorted(state.tallies.items()):
        total.join(tally)
        yield name or "?", *_line(tally)
    yield "total", *_line(total)


def _line(tally: Tally) -> tuple[object, ...]:
    found = [tally.found.get(kind, 0) for kind in (*AILING, "late")]
    return (
        tally.entries, tally.mailed, tally.pending, *found,
        _sums(tally.payments), _sums(tally.voids),
    )  # fmt: skip


def _sums(by_method: Mapping[str, list[int]]) -> str:
    return ", ".join(
        f"{name} {count} ${cents / 100:,.2f}" for name, (count, cents) in sorted(by_method.items())
    )
