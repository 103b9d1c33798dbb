"""`scc dlq discard`: archive a dead letter, record why, then delete it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from functions.api.free_text.plain_text import shown
from ops.clock import now_ms
from ops.commands.dlq.look import no_such_letter, peek
from ops.errors import OpsError
from ops.rules.dead_letters import is_meant
from ops.rules.survey import Examined
from ops.session import Session, pass_session, shared_options
from ops.stack.ops_record import Deed, OpsRecord, new_run
from ops.stack.queues import Look, OpsAuditQueue
from ops.terminal.interrupts import held_back
from ops.terminal.safe_text import safe


@click.command()
@shared_options
@click.option(
    "--id", "wanted", required=True, metavar="ID", help="Message id, or its first characters."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the ops record.")
@click.option(
    "--export-to", type=click.Path(file_okay=False, path_type=Path), default=Path(),
    metavar="FOLDER", help="Where to write its file.  [default: here]",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def discard(session: Session, *, wanted: str, reason: str, export_to: Path, yes: bool) -> None:
    """Delete one dead letter for good, after saving it to a file and to S3.

    The payment stays in the ledger; if its mail is missing, the sweep or a reconciliation still
    finds it. The ops record is mailed to compliance.

    \b
    Examples:
      scc dlq discard --id 3f9c0a1b --reason "not ours: sent by a load test"
      scc dlq discard --id 3f9c0a1b --reason "see ticket 7" --export-to ~/evidence --yes
    """
    if not shown(reason):
        raise click.UsageError("--reason must not be empty.")
    if not yes:  # nothing is held while a person thinks: the hold would end
        with _holding(session, wanted) as (_, chosen):
            pass
        _ask(session, chosen)
        wanted = chosen.letter.message_id
    with _holding(session, wanted) as (look, chosen):
        content = _content(session, chosen, reason)
        file = _exported(export_to, content)
        session.console.say(f"Saved to {file}")
        run = _archived(session, content)
        with held_back():  # what is recorded as discarded is not left in the queue
            _record(session, run, chosen, reason)
            is_deleted = look.delete(chosen.receipt)
        if not is_deleted:
            raise OpsError(
                f"{chosen.letter.message_id} is saved and recorded, but its hold ended before it "
                "was deleted: discard it again if `scc dlq ls` still lists it."
            )
    if session.console.as_json:
        session.console.show(
            {"message_id": chosen.letter.message_id, "file": str(file), "ops_id": f"{run}_done"}
        )
    else:
        session.console.facts(
            [
                ("discarded", chosen.letter.message_id),
                ("saved to", file),
                ("ops record", f"{run}_done"),
            ]
        )


@contextmanager
def _holding(session: Session, wanted: str) -> Iterator[tuple[Look, Examined]]:
    """The one dead letter that is meant, hidden until the end; all others are visible again."""
    with peek(session, lambda letter: is_meant(wanted, letter)) as looking:
        chosen = _only([each for each in looking.found if each.raw is not None], wanted)
        looking.look.release(but=[chosen.receipt])
        yield looking.look, chosen


def _only(matches: Sequence[Examined], wanted: str) -> Examined:
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise no_such_letter(wanted)
    found = ", ".join(each.letter.message_id for each in matches[:5])
    raise OpsError(
        f"{len(matches)} dead letters match {safe(wanted)!r} ({found}): use a longer id."
    )


def _ask(session: Session, chosen: Examined) -> None:
    if not sys.stdin.isatty():
        raise OpsError("There is no terminal to ask on: add --yes to discard.")
    cause = chosen.cause
    question = f"Discard {chosen.letter.message_id} ({safe(cause.klass)}: {safe(cause.message)})?"
    if not click.confirm(question, err=True):
        session.console.say("Nothing was changed.")
        raise click.exceptions.Exit(0)


def _content(session: Session, chosen: Examined, reason: str) -> dict[str, Any]:
    raw: Mapping[str, Any] = chosen.raw or {}
    return {
        "message_id": chosen.letter.message_id,
        "queue": session.aws.output("DeadLetterQueueUrl"),
        "discarded_at": now_ms(),
        "discarded_by": session.aws.caller,
        "reason": reason,
        "body": raw.get("Body"),
        "attributes": raw.get("Attributes"),
        "message_attributes": {
            name: value.get("StringValue")
            for name, value in raw.get("MessageAttributes", {}).items()
        },
        "delivery": chosen.delivery,
    }


def _exported(folder: Path, content: Mapping[str, Any]) -> Path:
    """Write the file to disk and never overwrite another. Raises OpsError."""
    file = (folder / f"discarded-{content['message_id']}-{content['discarded_at']}.json").resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise OpsError(
            f"{file} cannot be written ({error.strerror}): nothing was discarded. Choose another "
            "folder with --export-to."
        ) from error
    return file


def _archived(session: Session, content: Mapping[str, Any]) -> str:
    """Save it to S3, which outlives this laptop; returns the run's name, part of the key."""
    run = new_run("discard", content["discarded_at"])
    session.aws.client("s3").put_object(
        Bucket=session.aws.output("FailuresBucketName"),
        Key=f"discarded/{run}.json",
        Body=json.dumps(content, indent=2).encode(),
        ContentType="application/json",
    )
    return run


def _record(session: Session, run: str, chosen: Examined, reason: str) -> None:
    queue = OpsAuditQueue.of(session)
    letter = chosen.letter
    OpsRecord.of(session, queue).append(
        Deed(
            run=run,
            action="discard",
            phase="done",
            who=session.aws.caller,
            at=now_ms(),
            stack=session.aws.target.stack,
            filter=f"id {letter.message_id}",
            reason=reason,
            counts={"discarded": 1},
            messages=[f"{letter.message_id} {letter.subject_id[:100] or '-'} discarded"],
        )
    )
