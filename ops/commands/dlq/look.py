"""`scc dlq`: look at the dead letters. Looking removes and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from ops.clock import now_ms
from ops.errors import FINE, FOUND, OpsError
from ops.lazy_group import LazyGroup
from ops.rules.dead_letters import SHORTEST_ID, DeadLetter, described, is_meant, moment
from ops.rules.depth import hold_seconds
from ops.rules.survey import Examined, survey
from ops.session import Session, pass_session, shared_options
from ops.stack.entries import LedgerReader
from ops.stack.queues import DeadLetterQueue, Look
from ops.terminal.console import Meter
from ops.terminal.counted import counted
from ops.terminal.safe_text import safe

LAZY = {"replay": "ops.commands.dlq.replay", "discard": "ops.commands.dlq.discard"}
LONGEST_BODY = 4_000  # characters shown of one body


@dataclass(frozen=True, slots=True)
class Peek:
    """A look in progress. found: every message it shows, once. hidden: how many it cannot see."""

    look: Look
    meter: Meter
    found: Iterator[Examined]
    hidden: int


@contextmanager
def peek(session: Session, keep: Callable[[DeadLetter], bool] = lambda _: False) -> Iterator[Peek]:
    """Look through the dead-letter queue with progress; at the end, everything is visible again."""
    queue, ledger = dead_letter_queue(session), LedgerReader.of(session)
    depth = queue.depth()
    look = None
    try:
        with (
            queue.looking(hold_seconds(depth.total)) as look,
            session.console.meter("looking at dead letters", depth.waiting) as meter,
        ):
            yield Peek(look, meter, survey(look, ledger, meter.advance, keep), depth.in_flight)
    finally:
        if look is not None and look.unreleased:
            session.console.say(
                f"{look.unreleased} messages are still hidden: they become visible again "
                f"within {hold_seconds(depth.total)} s."
            )
    if depth.in_flight:
        hidden = "1 more is" if depth.in_flight == 1 else f"{depth.in_flight} more are"
        session.console.say(
            f"{hidden} hidden: another look or replay holds them. Try again in a minute."
        )


def dead_letter_queue(session: Session) -> DeadLetterQueue:
    return DeadLetterQueue(session.aws.client("sqs"), session.aws.output("DeadLetterQueueUrl"))


def described_now(examined: Examined, retention_ms: int) -> dict[str, Any]:
    return described(examined.letter, examined.delivery, now=now_ms(), retention_ms=retention_ms)


def no_such_letter(wanted: str) -> OpsError:
    return OpsError(
        f"No dead letter {safe(wanted)!r}: `scc dlq ls` lists them. Use at least {SHORTEST_ID} "
        "characters of an id."
    )


def age(seconds: int) -> str:
    """How long ago, roughly."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@click.group(cls=LazyGroup, lazy=LAZY)
@shared_options
def dlq() -> None:
    """The dead-letter queue: messages that are not retried until a person steps in.

    \b
    Examples:
      scc dlq groups
      scc dlq ls
      scc dlq replay --group 3f9c0a1b --dry-run
    """


@dlq.command()
@shared_options
@pass_session
def ls(session: Session) -> None:
    """List every dead letter: what it is about, its cause and age. Exit 1 when there are any.

    Messages are hidden while they are listed (at most 120,000, SQS's limit) and become visible
    again at the end, even after Ctrl-C. With --json the list is written as it is read.

    \b
    Examples:
      scc dlq ls
      scc dlq ls --json | jq -r '.[].payment_id'
    """
    retention = dead_letter_queue(session).retention_ms()
    with peek(session) as looking:
        rows = (described_now(each, retention) for each in looking.found)
        if session.console.as_json:
            count = session.console.stream(rows)
        else:
            count = session.console.lines(
                (
                    ("id", 8), ("class", 18), ("age", 5), ("tries", 5), ("replays", 7),
                    ("seq", 6), ("about", 36), ("event", 20), ("message", 0),
                ),
                (
                    (
                        row["message_id"][:8], row["class"], age(row["age_seconds"]),
                        row["attempts"], row["replay_count"], row["seq"],
                        row["about"] or "?", row["event_id"], row["message"],
                    )
                    for row in rows
                ),
            )  # fmt: skip
    session.console.say(counted(count, "dead letter"))
    raise click.exceptions.Exit(FOUND if count or looking.hidden else FINE)


@dlq.command()
@shared_options
@click.argument("wanted", metavar="ID")
@pass_session
def show(session: Session, wanted: str) -> None:
    """Show one dead letter in full. ID: its message id, payment id, or the start of either.

    A statement's is "statement 2026-11-24".

    \b
    Examples:
      scc dlq show 3f9c0a1b
      scc dlq show pay_3f9c0a1b2c3d4e5f --json
    """
    with peek(session, lambda letter: is_meant(wanted, letter)) as looking:
        matches = [each for each in looking.found if each.raw is not None]
    if not matches:
        raise no_such_letter(wanted)
    retention = dead_letter_queue(session).retention_ms()
    contents = [_in_full(each, retention) for each in matches]
    if session.console.as_json:
        session.console.show(contents)
        return
    for content in contents:
        session.console.facts(
            (name, json.dumps(value) if isinstance(value, dict) else value)
            for name, value in content.items()
        )


def _in_full(examined: Examined, retention_ms: int) -> dict[str, Any]:
    raw = examined.raw or {}
    row = described(examined.letter, examined.delivery, now=now_ms(), retention_ms=retention_ms)
    body = str(raw.get("Body", ""))
    attributes = {
        name: value.get("StringValue") for name, value in raw.get("MessageAttributes", {}).items()
    }
    return row | {
        "delivery": dict(examined.delivery) if examined.delivery else None,
        "attributes": attributes,
        "body": body[:LONGEST_BODY],
        "body_is_cut": len(body) > LONGEST_BODY,
    }


@dataclass(slots=True)
class _Group:
    klass: str
    message: str
    count: int = 0
    oldest: int = 2**62
    newest: int = 0
    example: str = ""

    def add(self, letter: DeadLetter) -> None:
        self.count += 1
        self.oldest = min(self.oldest, letter.sent_at)
        self.newest = max(self.newest, letter.sent_at)
        self.example = self.example or letter.message_id


@dlq.command()
@shared_options
@pass_session
def groups(session: Session) -> None:
    """Group the dead letters by cause: error class, and message without ids and numbers.

    `scc dlq replay --group` takes a group's name. Exit 1 when there are any.

    \b
    Examples:
      scc dlq groups
      scc dlq groups --json
    """
    by_cause: dict[str, _Group] = {}
    with peek(session) as looking:
        for each in looking.found:
            cause = each.cause
            group = by_cause.setdefault(cause.group, _Group(cause.klass, cause.message))
            group.add(each.letter)
    ordered = sorted(by_cause.items(), key=lambda item: -item[1].count)
    if session.console.as_json:
        session.console.show(
            [
                {
                    "group": name,
                    "class": group.klass,
                    "message": group.message,
                    "count": group.count,
                    "oldest": moment(group.oldest),
                    "newest": moment(group.newest),
                    "example": group.example,
                }
                for name, group in ordered
            ]
        )
    else:
        session.console.table(
            ("group", "count", "class", "oldest", "example", "message"),
            [
                (name, each.count, each.klass, moment(each.oldest), each.example[:8], each.message)
                for name, each in ordered
            ],
        )
    total = sum(each.count for each in by_cause.values())
    session.console.say(counted(total, "dead letter"))
    raise click.exceptions.Exit(FOUND if total or looking.hidden else FINE)
