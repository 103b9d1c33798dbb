"""A statement's mail: the sealed bytes, once, and after that of the day before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import boto3
import pytest

from functions.audit_mailer.delivery.courier import Outcome, PostponeError, QuarantineError
from functions.audit_mailer.mails.statement_mail import StoredStatement
from functions.daily_statement.stores.evidence_bucket import EvidenceBucket
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.audit.messages import StatementMessage
from shared.statements.places import StatementPlace
from tests.builders import NOW
from tests.functions.audit_mailer.conftest import BUCKET
from tests.functions.audit_mailer.world import TRY, World
from tests.statements import DAY, drawn_up, stored
from tests.suites import LONG

NEXT = "2025-11-25"


def bucket() -> EvidenceBucket:
    return EvidenceBucket(boto3.client("s3"), BUCKET, "GOVERNANCE", lambda: NOW)


def sealed(*days: str) -> list[StoredStatement]:
    """Statements of these days, each chained to the one before, in the bucket."""
    made: list[StoredStatement] = []
    for day in days:
        made.append(stored(drawn_up([], day), made[-1] if made else None))
        assert bucket().seal(day, made[-1].content)
        bucket().sign(made[-1].place, made[-1].signature)
    return made


def deliver(world: World, statement: StoredStatement) -> Outcome:
    return world.mailer.deliver(StatementMessage(place=statement.place), TRY).outcome


def days_in(sandbox: GmailSandbox) -> list[str]:
    """The days of the inbox's statements, in the order of their arrival."""
    mails = sorted(sandbox.messages(), key=lambda each: str(each["received_at"]))
    return [each["headers"]["X-SCC-Statement"] for each in mails]


def test_a_statement_is_mailed_once_with_the_bytes_that_were_sealed(
    world: World, sandbox: GmailSandbox
) -> None:
    (only,) = sealed(DAY)
    assert deliver(world, only) is Outcome.SENT
    assert deliver(world, only) is Outcome.ALREADY_SENT
    (mail,) = sandbox.messages()
    record, signature = mail["attachments"]
    assert record["sha256"] == only.place.sha256
    assert (record["filename"], signature["filename"]) == ("statement.json", "statement.sig")


def test_a_statement_waits_for_the_one_of_the_day_before(
    world: World, sandbox: GmailSandbox
) -> None:
    first, second = sealed(DAY, NEXT)
    with pytest.raises(PostponeError, match=f"{DAY} is not mailed yet"):
        deliver(world, second)
    assert sandbox.messages() == []
    deliver(world, first)
    assert deliver(world, second) is Outcome.SENT


@pytest.mark.parametrize(
    ("klass", "waits"), [("retry", True), ("systemic", True), ("permanent", False)]
)
def test_it_does_not_wait_for_one_that_never_will_be_mailed(
    world: World, klass: str, *, waits: bool
) -> None:
    first, second = sealed(DAY, NEXT)
    failed = {"state": "failed", "retry_at": 0, "last_error": {"class": klass}}
    item = to_attributes({"payment_id": first.place.delivery_id} | failed)
    world.dynamodb.put_item(TableName=world.table, Item=item)
    if waits:
        with pytest.raises(PostponeError):
            deliver(world, second)
    else:
        assert deliver(world, second) is Outcome.SENT


def test_a_statement_of_today_so_far_waits_for_nothing(world: World, sandbox: GmailSandbox) -> None:
    (before,) = sealed(DAY)
    so_far = stored(drawn_up([], NEXT, is_final=False), before)
    bucket().keep_for_a_while(so_far.place, so_far.content)
    bucket().sign(so_far.place, so_far.signature)
    assert deliver(world, so_far) is Outcome.SENT
    assert days_in(sandbox) == [f"{NEXT} so far"]


@LONG
def test_eight_days_of_silence_arrive_once_and_in_order_when_gmail_is_back(
    world: World, sandbox: GmailSandbox
) -> None:
    first = date.fromisoformat(DAY)
    days = [(first + timedelta(each)).isoformat() for each in range(8)]
    queue = sealed(*days)[::-1]  # the last one is handed out first
    sandbox.post_fault({"kind": "status", "code": 503})
    go_round(world, queue, minutes=3)
    assert sandbox.messages() == []
    sandbox.clear_faults()
    assert go_round(world, [*queue, queue[0]], minutes=720) == []
    assert days_in(sandbox) == days


def go_round(
    world: World, waiting: Sequence[StoredStatement], minutes: int
) -> Sequence[StoredStatement]:
    """Hand messages out whenever they are visible, for so long; returns those that are left."""
    visible = dict.fromkeys(range(len(waiting)), world.clock.now)
    end = world.clock.now + minutes * 60_000
    while visible and world.clock.now <= end:
        number = min(visible, key=visible.__getitem__)
        world.clock.now = max(world.clock.now, visible[number])
        try:
            deliver(world, waiting[number])
        except PostponeError as error:
            visible[number] = world.clock.now + error.seconds * 1000
        else:
            del visible[number]
    return [waiting[each] for each in visible]


@pytest.mark.parametrize(
    "changes",
    [{"sha256": "3f" * 32}, {"day": NEXT}, {"final": False}],
    ids=["other bytes", "another day", "not the sealed one"],
)
def test_a_message_about_no_statement_is_set_aside(world: World, changes: dict[str, Any]) -> None:
    (only,) = sealed(DAY)
    place: dict[str, Any] = {"day": DAY, "final": True, "sha256": only.place.sha256}
    with pytest.raises(QuarantineError) as caught:
        world.mailer.deliver(StatementMessage(place=StatementPlace(**(place | changes))), TRY)
    assert caught.value.klass == "poison-no-statement"


def test_a_statement_without_a_signature_is_not_mailed(world: World) -> None:
    unsigned = stored(drawn_up([]))
    bucket().seal(DAY, unsigned.content)
    with pytest.raises(QuarantineError, match="unsigned"):
        deliver(world, unsigned)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[1]", b"null", b"{}", b'{"made_at":"now","previous":7}', b"[" * 100_000],
)
def test_what_is_no_statement_is_set_aside(
    world: World, sandbox: GmailSandbox, content: bytes
) -> None:
    place = StatementPlace(day=DAY, final=True, sha256=hashlib.sha256(content).hexdigest())
    assert bucket().seal(DAY, content)
    bucket().sign(place, b"signed")
    with pytest.raises(QuarantineError):
        world.mailer.deliver(StatementMessage(place=place), TRY)
    assert sandbox.messages() == []


def test_a_forged_newer_version_in_the_bucket_is_never_mailed(
    world: World, sandbox: GmailSandbox
) -> None:
    """Whoever may write there can put a version on top; the message names the sealed bytes."""
    (only,) = sealed(DAY)
    forged = only.content.replace(b'"net_cents":0', b'"net_cents":1')
    s3 = boto3.client("s3")
    s3.put_object(Bucket=BUCKET, Key=only.place.record_key, Body=forged)
    s3.put_object(Bucket=BUCKET, Key=only.place.signature_key, Body=b"forged")
    deliver(world, only)
    (mail,) = sandbox.messages()
    record, signature = mail["attachments"]
    assert record["sha256"] == only.place.sha256
    assert signature["size"] == len(only.signature)


def test_a_statement_that_was_hidden_is_still_mailed(world: World) -> None:
    (only,) = sealed(DAY)
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=only.place.record_key)
    assert deliver(world, only) is Outcome.SENT
