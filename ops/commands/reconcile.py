"""`scc reconcile`: check that every ledger entry has exactly one mail."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import click

from ops.clock import now_ms
from ops.commands.reconciliation.repair import repair as repair_them
from ops.commands.reconciliation.shown import show
from ops.commands.reconciliation.work import Work
from ops.commands.unlisted import unlisted_rows
from ops.errors import OpsError
from ops.parameters import Day, EventId
from ops.session import Session, pass_session, shared_options
from ops.stack.entries import LedgerReader
from ops.stack.mailbox import AuditMailbox
from shared.ledger import business_date

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
    unlisted = unlisted_rows(session, ledger, places.events) if places else []
    if places:
        named = places.events | {str(each["event_id"]) for each in unlisted if "event_id" in each}
        units = [f"event {each}" for each in sorted(named)]
    is_unknown = event_id and not (ledger.head(event_id) or next(ledger.of_event(event_id))[0])
    if is_unknown and not look:
        raise OpsError(_unknown(event_id))
    mailbox = AuditMailbox.of(session) if look else None
    work = Work(session, ledger, mailbox, late * 60_000)
    scope = [*units, "mailbox"] if look else units
    # A new event must not invalidate saved progress over all of them.
    scope_named = scope if event_id or first or last else ["all", *(["mailbox"] if look else [])]
    work.load(file, scope_named)
    seqs = [each.get("seq") for each in places.heads.values()] if places else []
    total = sum(each for each in seqs if type(each) is int) or None
    with session.console.meter("entries", total) as meter:
        for unit in units:
            work.take_rows(unit, meter)
    work.take_unlisted(unlisted)
    if mailbox:
        with session.console.meter("mails") as meter:
            work.take_mails(_query(event_id, first), None if places else set(units), meter)
    if is_unknown and not work.state.findings:
        raise OpsError(_unknown(event_id))
    if repair:
        repair_them(session, work.state, _scope_told(event_id, first, last), reason, work.save)
    work.save()
    show(session, work.state)


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
