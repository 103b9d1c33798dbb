"""`scc dlq replay`: the plan, the question, the drain, and the record of it."""

from __future__ import annotations

import math
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from ops.clock import now_ms
from ops.commands.dlq.look import age, dead_letter_queue, described_now, no_such_letter, peek
from ops.errors import FINE, FOUND, INTERRUPTED, OpsError
from ops.rules.dead_letters import Selection, Verdict, is_meant
from ops.rules.replay import Drain, Pace, Planned, Report
from ops.rules.survey import Examined, judged
from ops.session import Session, pass_session, shared_options
from ops.stack.ops_record import Deed, OpsRecord, new_run
from ops.stack.originals import Originals
from ops.stack.queues import OpsAuditQueue

JUDGED = 100  # messages whose entries are read in one call
DONE = frozenset({"sent", "already sent, removed"})
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Since(click.ParamType):
    """30m, 6h, 2d, or an ISO 8601 time (UTC by default), as epoch ms."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        if match := re.fullmatch(r"(\d{1,6})([smhd])", text):
            return now_ms() - int(match[1]) * _UNITS[match[2]] * 1000
        try:
            given = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is not a time such as 30m, 6h, 2d or 2026-11-25T08:00", param, ctx)
        aware = given if given.tzinfo else given.replace(tzinfo=UTC)
        return int(aware.timestamp() * 1000)


class Amount(click.FloatRange):
    """A number between two others, which "nan" is not."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


@click.command()
@shared_options
@click.option(
    "--id",
    "ids",
    multiple=True,
    metavar="ID",
    help="Message or payment id, or a statement's day as `dlq ls` shows it; repeatable.",
)
@click.option("--group", metavar="NAME", help="A group of `scc dlq groups`, or a class.")
@click.option(
    "--since", type=Since(), metavar="WHEN", help="Sent since then: 6h, 2d, or an ISO 8601 time."
)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--dry-run", is_flag=True, help="Show each message's verdict; change nothing.")
@click.option(
    "--rate", type=Amount(0.01, 100), default=1.0, show_default=True, metavar="N",
    help="Messages per second; Gmail allows a new project 1.",
)  # fmt: skip
@click.option(
    "--patience", type=Amount(1, 3600), default=120.0, show_default=True, metavar="S",
    help="Seconds to wait for the mailer.",
)  # fmt: skip
@click.option("--reason", default="", metavar="TEXT", help="Why, for the ops record.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def replay(  # noqa: PLR0913 - click gives every option a name
    session: Session,
    *,
    ids: tuple[str, ...],
    group: str | None,
    since: int | None,
    everything: bool,
    dry_run: bool,
    rate: float,
    patience: float,
    reason: str,
    yes: bool,
) -> None:
    """Put dead letters back on the audit queue: one first, then the others at a capped rate.

    Every message gets a verdict: send; skip-already-sent (its mail is in the inbox: only removed);
    poison-schema, poison-no-payment, poison-no-record and poison-no-statement (a replay cannot
    help: discard it); quarantined (replayed twice already: only --id replays it). Messages are not
    edited: each mail is made from the ledger, a statement's from the bytes that were sealed. A
    replay stops after 3 failures in a row, and is safe to interrupt: a message leaves the
    dead-letter queue only after it is on the audit queue. *Not removed* means that
    it may still be there: replay it again, which mails nothing twice. Exit 1 when something is left
    for a person. The ops record is mailed to compliance.

    \b
    Examples:
      scc dlq replay --all --dry-run
      scc dlq replay --group 3f9c0a1b --reason "credential renewed"
      scc dlq replay --since 6h --rate 0.5 --yes
      scc dlq replay --id pay_3f9c0a1b2c3d4e5f
    """
    selection = _selection(ids, group, since, everything=everything)
    if dry_run:
        _show_verdicts(session, selection)
    absent = set(selection.ids)
    with peek(session) as looking:
        plan = [
            Planned(each.letter.message_id, each.letter.subject_id, verdict)
            for each, verdict in _verdicts(session, looking.found, selection, absent)
        ]
    _refuse(absent)
    counts = Counter(str(each.verdict) for each in plan)
    session.console.say(f"{selection}: {_spelled(counts) or 'no dead letter matches'}")
    if not any(each.is_actionable for each in plan):
        if session.console.as_json:
            session.console.show({"ops_id": None, "counts": counts, "stopped": ""})
        raise click.exceptions.Exit(FOUND if plan or looking.hidden else FINE)
    _ask(session, counts, yes=yes)
    _carry_out(session, plan, selection, Pace(rate, patience), reason)


def _selection(
    ids: tuple[str, ...], group: str | None, since: int | None, *, everything: bool
) -> Selection:
    if [bool(ids), group is not None, since is not None, everything].count(True) != 1:
        raise click.UsageError("Choose messages with one of --id, --group, --since and --all.")
    if group == "":
        raise click.UsageError("--group must not be empty.")
    return Selection(ids=ids, group=group or "", since=since)


def _verdicts(
    session: Session, found: Iterator[Examined], selection: Selection, absent: set[str]
) -> Iterator[tuple[Examined, Verdict]]:
    """absent: the chosen ids; each is taken out when its message is met."""
    originals, some = Originals.of(session), list[Examined]()
    for each in found:
        if selection.picks(each.letter, each.cause):
            some.append(each)
            absent.difference_update([id_ for id_ in absent if is_meant(id_, each.letter)])
        if len(some) == JUDGED:
            yield from judged(some, originals, selection)
            some.clear()
    yield from judged(some, originals, selection)


def _refuse(absent: set[str]) -> None:
    for wanted in sorted(absent):
        raise no_such_letter(wanted)


def _show_verdicts(session: Session, selection: Selection) -> None:
    """The dry run: one verdict per line, and totals. Exit 1 when some need a person."""
    counts: Counter[str] = Counter()
    absent = set(selection.ids)

    def told() -> Iterator[dict[str, Any]]:
        for examined, verdict in _verdicts(session, looking.found, selection, absent):
            counts[verdict] += 1
            yield {"verdict": verdict} | described_now(examined, retention)

    retention = dead_letter_queue(session).retention_ms()
    with peek(session) as looking:
        if session.console.as_json:
            session.console.stream(told())
        else:
            session.console.lines(
                (
                    ("verdict", 17), ("id", 8), ("class", 18), ("age", 5), ("replays", 7),
                    ("about", 36), ("message", 0),
                ),
                (
                    (
                        row["verdict"], row["message_id"][:8], row["class"],
                        age(row["age_seconds"]), row["replay_count"],
                        row["about"] or "?", row["message"],
                    )
                    for row in told()
                ),
            )  # fmt: skip
    session.console.say(f"{selection}: {_spelled(counts) or 'no dead letter matches'}")
    _refuse(absent)
    left = looking.hidden + counts.total() - counts[Verdict.SEND] - counts[Verdict.ALREADY_SENT]
    raise click.exceptions.Exit(FOUND if left else FINE)


def _ask(session: Session, counts: Counter[str], *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise OpsError("There is no terminal to ask on: add --yes to replay, or --dry-run to look.")
    question = f"Send {counts[Verdict.SEND]}, remove {counts[Verdict.ALREADY_SENT]} already sent?"
    if not click.confirm(question, err=True):
        session.console.say("Nothing was changed.")
        raise click.exceptions.Exit(FINE)


def _carry_out(
    session: Session, plan: Sequence[Planned], selection: Selection, pace: Pace, reason: str
) -> None:
    queue = OpsAuditQueue.of(session)
    record = OpsRecord.of(session, queue)
    at = now_ms()
    planned = Deed(
        run=new_run("replay", at),
        action="replay",
        phase="planned",
        who=session.aws.caller,
        at=at,
        stack=session.aws.target.stack,
        filter=f"{selection}, at most {pace.rate:g} a second",
        reason=reason,
        counts=Counter(str(each.verdict) for each in plan),
        messages=_listed(plan, {each.message_id: str(each.verdict) for each in plan}),
    )
    report = Report(stopped="interrupted")
    report.begin(plan)
    with record.around(planned, lambda: _done(planned, plan, report)):
        _drain(session, queue, plan, selection, pace, report)
    _conclude(session, _done(planned, plan, report), report)


def _drain(
    session: Session,
    queue: OpsAuditQueue,
    plan: Sequence[Planned],
    selection: Selection,
    pace: Pace,
    report: Report,
) -> None:
    dead_letters, actionable = dead_letter_queue(session), sum(each.is_actionable for each in plan)
    try:
        with session.console.meter("replaying", actionable) as meter:
            report.stopped = ""
            Drain(
                dead_letters=dead_letters,
                queue=queue,
                originals=Originals.of(session),
                pace=pace,
                depth=dead_letters.depth().total,
                now=time.monotonic,
                pause=time.sleep,
                advance=meter.advance,
                report=report,
            ).run(plan, selection)
    except KeyboardInterrupt:
        report.stopped = "interrupted"
    except (BotoCoreError, ClientError) as error:
        report.stopped = f"{type(error).__name__} from AWS"
        raise


def _done(planned: Deed, plan: Sequence[Planned], report: Report) -> Deed:
    reason, stopped = planned.reason, report.stopped
    return replace(
        planned,
        phase="done",
        at=now_ms(),
        reason=f"{reason} (stopped: {stopped})" if stopped else reason,
        counts=report.counts(),
        messages=_listed(plan, report.outcomes),
    )


def _listed(plan: Sequence[Planned], outcomes: dict[str, str]) -> list[str]:
    return [
        f"{each.message_id} {each.subject_id[:100] or '-'} {outcomes.get(each.message_id, '?')}"
        for each in plan
    ]


def _conclude(session: Session, done: Deed, report: Report) -> None:
    counts = report.counts()
    if session.console.as_json:
        session.console.show({"ops_id": done.ops_id, "counts": counts, "stopped": report.stopped})
    else:
        session.console.table(("outcome", "messages"), sorted(counts.items()))
    if report.stopped:
        session.console.say(
            f"Stopped: {report.stopped}. The rest is still in the dead-letter queue."
        )
    session.console.say(f"Recorded as {done.ops_id}.")
    if report.stopped == "interrupted":
        raise click.exceptions.Exit(INTERRUPTED)
    raise click.exceptions.Exit(FOUND if report.stopped or counts.keys() - DONE else FINE)


def _spelled(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in sorted(counts) if counts[name])
