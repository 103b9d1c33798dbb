"""`scc status`: whether everything is fine, and if not, what needs a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from botocore.exceptions import BotoCoreError, ClientError

from ops.clock import now_ms
from ops.commands.dlq.look import dead_letter_queue, peek
from ops.errors import FINE, FOUND
from ops.rules.dead_letters import moment
from ops.rules.status import Mails, Status, days_until
from ops.session import Session, pass_session, shared_options
from ops.stack.alarms import watch_state
from ops.stack.deeds import findings_of
from ops.stack.entries import LedgerReader
from ops.stack.ledger_changes import kept_changes, mapping_faults
from ops.stack.queues import depth_of

DAY_MS = 86_400_000
MOST_LOOKED_AT = 1_000  # dead letters; more would take minutes


@click.command()
@shared_options
@click.option(
    "--days", type=click.IntRange(1, 31), default=2, show_default=True,
    help="How many days of entries to read, including today.",
)  # fmt: skip
@pass_session
def status(session: Session, *, days: int) -> None:
    """Show queues, dead letters, mails, the audit mailbox, credential, router and tampering.

    Of the audit mailbox: how many findings of the watch are open, and whether it looks at all.

    Tampering is what the router kept in these days: rows altered or removed behind the API's back,
    which it sees only while the ledger's changes reach it. Exit 1 when something is wrong.

    \b
    Examples:
      scc status
      scc status --days 7 --json
      scc status --local
    """
    now = now_ms()
    sqs, dead_letters = session.aws.client("sqs"), dead_letter_queue(session)
    queue, dead = depth_of(sqs, session.aws.output("AuditQueueUrl")), dead_letters.depth()
    oldest, sampled = _oldest_dead(session) if dead.waiting else (None, 0)
    changes = kept_changes(session, now - days * DAY_MS)
    found = Status(
        now=now,
        queue=queue,
        dead=dead,
        oldest_dead_at=oldest,
        sampled=sampled,
        retention_ms=dead_letters.retention_ms(),
        iterator_age_ms=_iterator_age_ms(session),
        mails=_mails(session, now, days),
        mapping_fault="; ".join(dict.fromkeys(filter(None, mapping_faults(session)))),
        tampered=changes.count,
        tampered_at=changes.newest,
        findings=len(findings_of(session)),
        watch=watch_state(session),
    )
    if session.console.as_json:
        session.console.show(found.as_json())
    else:
        _show(session, found, days)
    raise click.exceptions.Exit(FOUND if found.concerns() else FINE)


def _oldest_dead(session: Session) -> tuple[int | None, int]:
    sent = []
    with peek(session) as looking:
        for each in looking.found:
            sent.append(each.letter.sent_at)
            if len(sent) == MOST_LOOKED_AT:
                break
    return min(sent, default=None), len(sent)


def _mails(session: Session, now: int, days: int) -> Mails:
    ledger, mails = LedgerReader.of(session), Mails()
    with session.console.meter("reading entries") as meter:
        for day in days_until(now, days):
            for rows, _ in ledger.of_day(day):
                deliveries = ledger.deliveries([str(row.get("payment_id", "")) for row in rows])
                for row in rows:
                    mails.add(row, deliveries.get(str(row.get("payment_id", ""))))
                meter.advance(len(rows))
    return mails


def _iterator_age_ms(session: Session) -> int | None:
    """The router's worst lag in the last 15 minutes; None when CloudWatch has no data."""
    end = datetime.now(UTC)
    dimension = {"Name": "FunctionName", "Value": session.aws.output("RouterFunctionName")}
    metric = {"Namespace": "AWS/Lambda", "MetricName": "IteratorAge", "Dimensions": [dimension]}
    try:
        answer = session.aws.client("cloudwatch").get_metric_data(
            StartTime=end - timedelta(minutes=15),
            EndTime=end,
            MetricDataQueries=[
                {"Id": "age", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
            ],
        )
    except (ClientError, BotoCoreError):
        return None  # nice to know, not worth failing for
    values = [value for each in answer["MetricDataResults"] for value in each["Values"]]
    return int(max(values)) if values else None


def _show(session: Session, found: Status, days: int) -> None:
    console, mails = session.console, found.mails
    console.table(
        ("", "waiting", "in flight", "delayed"),
        [
            (name, each.waiting, each.in_flight, each.delayed)
            for name, each in (("audit queue", found.queue), ("dead letters", found.dead))
        ],
    )
    states = ", ".join(f"{number} {state}" for state, number in sorted(mails.unmailed.items()))
    facts = [
        ("first dead letter expires", _when(found.first_expiry, "none")),
        (f"entries of {days} days", mails.entries),
        ("not yet mailed", states or "none"),
        ("oldest not yet mailed", _when(mails.waiting_since, "none")),
        ("last mail", _when(mails.last_mail_at, f"none in {days} days")),
        ("open findings in the mailbox", found.findings or "none"),
        ("watch over the mailbox", found.watch),
        ("credential", mails.credential),
        ("router lag", _lag(found)),
        ("changes of the ledger", found.mapping_fault or "every one reaches the router"),
        ("tampered rows", _tampered(found)),
    ]
    if found.sampled >= MOST_LOOKED_AT:
        facts.insert(1, ("", f"among the first {found.sampled}; scc dlq ls reads them all"))
    console.facts(facts)
    for concern in found.concerns():
        console.say(f"! {concern}", style="bold red")


def _when(milliseconds: int | None, otherwise: str) -> str:
    return otherwise if milliseconds is None else moment(milliseconds)


def _tampered(found: Status) -> str:
    newest = found.tampered_at
    return "none" if newest is None else f"{found.tampered}, newest {moment(newest)}"


def _lag(found: Status) -> str:
    since = found.mails.unrouted_since
    unrouted = "none" if since is None else f"{max(0, found.now - since) // 1000} s"
    age = found.iterator_age_ms
    return f"{unrouted}, iterator age {'unknown' if age is None else f'{age} ms'}"
