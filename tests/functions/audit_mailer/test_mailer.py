"""One mail per entry: the real mailer, the real sandbox, the real delivery log on moto."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.audit_mailer.courier import (
    LEASE_MS,
    Courier,
    Outcome,
    PostponeError,
    QuarantineError,
    Try,
    backoff_seconds,
)
from functions.audit_mailer.deliveries import Deliveries
from functions.audit_mailer.failures import Failure
from functions.audit_mailer.gmail import Gmail, Receipt
from functions.audit_mailer.ledger import LedgerReader
from functions.audit_mailer.mailer import AuditMailer
from functions.audit_mailer.settings import DeliveryMethod
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import from_attributes, to_attributes
from shared.ledger import PaymentId
from tests.builders import NOW, entry, message
from tests.functions.audit_mailer.conftest import AUDIT
from tests.tables import create_tables

SETTLE_MS = 180_000
TRY = Try(number=1, request_id="request-1", budget=30)


@dataclass
class Clock:
    now: int = NOW
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> int:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += int(seconds * 1000)


@dataclass
class World:
    """A mailer, and what it left behind."""

    mailer: AuditMailer
    clock: Clock
    dynamodb: Any
    table: str
    payments: str

    def delivery(self) -> dict[str, Any]:
        key = to_attributes({"payment_id": entry().payment_id})
        item = self.dynamodb.get_item(TableName=self.table, Key=key).get("Item", {})
        return from_attributes(item)

    def deliver(self) -> Outcome:
        return self.mailer.deliver(message(), TRY)


@pytest.fixture
def world(gmail: Callable[..., Gmail], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        tables = create_tables(dynamodb)
        dynamodb.put_item(TableName=tables["Payments"], Item=to_attributes(entry().to_row()))
        clock = Clock()
        mailer = AuditMailer(
            ledger=LedgerReader(dynamodb, tables["Payments"]),
            courier=Courier(
                deliveries=Deliveries(dynamodb, tables["AuditDeliveries"]),
                mailbox=gmail(),
                method="send",
                settle_ms=SETTLE_MS,
                retry_cap=900,
                now=clock,
                pause=clock.pause,
            ),
            sender=AUDIT,
            recipient=AUDIT,
        )
        yield World(mailer, clock, dynamodb, tables["AuditDeliveries"], tables["Payments"])


def test_a_delivered_entry_is_marked_sent_with_gmails_ids(
    world: World, sandbox: GmailSandbox
) -> None:
    assert world.deliver() is Outcome.SENT
    delivery = world.delivery()
    assert delivery["state"] == "sent"
    assert delivery["gmail_id"] == sandbox.messages()[0]["id"]
    assert delivery["record_sha256"] == sandbox.messages()[0]["attachments"][0]["sha256"]
    assert delivery["sent_at"] == NOW


def test_a_message_processed_twice_mails_once(world: World, sandbox: GmailSandbox) -> None:
    world.deliver()
    assert world.deliver() is Outcome.ALREADY_SENT
    assert len(sandbox.messages()) == 1


def test_two_mailers_never_hold_one_entry(world: World, sandbox: GmailSandbox) -> None:
    world.mailer.courier.deliveries.claim(entry().payment_id, NOW, LEASE_MS)
    with pytest.raises(PostponeError) as caught:
        world.deliver()
    assert caught.value.seconds > LEASE_MS / 1000
    assert sandbox.messages() == []


def test_rate_limits_are_waited_out_in_place(world: World, sandbox: GmailSandbox) -> None:
    sandbox.post_fault({"kind": "status", "code": 429, "times": 2})
    assert world.deliver() is Outcome.SENT
    assert len(world.clock.pauses) == 2
    assert len(sandbox.messages()) == 1


def test_five_rate_limits_are_one_mail_in_the_end(world: World, sandbox: GmailSandbox) -> None:
    sandbox.post_fault({"kind": "status", "code": 429, "times": 5})
    with pytest.raises(PostponeError):
        world.deliver()
    assert world.delivery()["last_error"]["class"] == "retry"
    assert world.deliver() is Outcome.SENT
    assert len(sandbox.messages()) == 1
    assert "last_error" not in world.delivery()


@pytest.mark.parametrize("method", ["send", "import"])
def test_a_mail_that_arrived_unseen_is_not_sent_again(
    world: World, sandbox: GmailSandbox, gmail: Callable[..., Gmail], method: DeliveryMethod
) -> None:
    courier = replace(world.mailer.courier, mailbox=gmail(method), method=method)
    mailer = replace(world.mailer, courier=courier)
    sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    with pytest.raises(PostponeError):
        mailer.deliver(message(), TRY)
    mailer.deliver(message(), TRY)
    assert world.delivery()["state"] == "sent"
    assert len(sandbox.messages()) == 1


def test_a_mailer_killed_after_sending_leaves_one_mail(
    world: World, sandbox: GmailSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """The process ends here."""

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Deliveries, "mark_sent", killed)
        with pytest.raises(KilledError):
            world.deliver()
    with pytest.raises(PostponeError):
        world.deliver()
    world.clock.now += LEASE_MS + 1
    assert world.deliver() is Outcome.FOUND
    assert len(sandbox.messages()) == 1


def test_not_found_too_soon_is_no_proof_that_nothing_was_sent(
    world: World, sandbox: GmailSandbox
) -> None:
    sandbox.post_fault({"kind": "search_lag", "ms": 60_000})
    sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    with pytest.raises(PostponeError):
        world.deliver()
    world.clock.now += 30_000
    with pytest.raises(PostponeError) as caught:
        world.deliver()
    assert caught.value.failure is not None
    assert caught.value.failure.code == "search_not_settled"
    sandbox.clear_faults()
    assert world.deliver() is Outcome.FOUND
    assert len(sandbox.messages()) == 1


def test_a_mail_that_was_dropped_is_sent_once_search_has_settled(
    world: World, sandbox: GmailSandbox
) -> None:
    sandbox.post_fault({"kind": "drop", "times": 1})
    with pytest.raises(PostponeError):
        world.deliver()
    world.clock.now += SETTLE_MS
    assert world.deliver() is Outcome.SENT
    assert len(sandbox.messages()) == 1


def test_a_later_doubt_is_not_hidden_by_an_earlier_one(
    world: World, sandbox: GmailSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """The process ends here."""

    def killed(*_: object) -> None:
        raise KilledError

    sandbox.post_fault({"kind": "drop", "times": 1})
    with pytest.raises(PostponeError):
        world.deliver()
    world.clock.now += SETTLE_MS
    sandbox.post_fault({"kind": "search_lag", "ms": 600_000})
    with monkeypatch.context() as patch:
        patch.setattr(Deliveries, "mark_sent", killed)
        with pytest.raises(KilledError):
            world.deliver()
    world.clock.now += LEASE_MS + 1
    with pytest.raises(PostponeError):
        world.deliver()
    assert len(sandbox.messages()) == 1


def test_waiting_in_place_does_not_shorten_the_search(world: World, sandbox: GmailSandbox) -> None:
    courier = replace(world.mailer.courier, settle_ms=2_500)
    world = replace(world, mailer=replace(world.mailer, courier=courier))
    sandbox.post_fault({"kind": "status", "code": 429, "times": 2})
    sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    sandbox.post_fault({"kind": "search_lag", "ms": 600_000})
    with pytest.raises(PostponeError):
        world.deliver()
    assert sum(world.clock.pauses) > 2
    world.clock.now += 1_000
    with pytest.raises(PostponeError):
        world.deliver()
    assert len(sandbox.messages()) == 1


def test_a_row_that_cannot_be_rendered_is_set_aside_and_said_to_be(world: World) -> None:
    row = entry().to_row() | {"logged_at": "yesterday"}
    world.dynamodb.put_item(TableName=world.payments, Item=to_attributes(row))
    with pytest.raises(QuarantineError, match="logged_at"):
        world.deliver()
    assert world.delivery()["last_error"]["class"] == "permanent"


def test_the_log_says_when_the_message_comes_back(world: World, sandbox: GmailSandbox) -> None:
    sandbox.post_fault({"kind": "revoke_delegation"})
    with pytest.raises(PostponeError) as caught:
        world.deliver()
    assert world.delivery()["retry_at"] == world.clock.now + caught.value.seconds * 1000
    assert world.delivery()["last_error"]["class"] == "systemic"


def test_a_forged_message_cannot_mail(world: World, sandbox: GmailSandbox) -> None:
    for forged in (
        replace(message(), payment_id=PaymentId("pay_forged")),
        replace(message(), pk="sunset-charter#nobody@example.com"),
    ):
        with pytest.raises(QuarantineError, match="no such payment"):
            world.mailer.deliver(forged, TRY)
    assert sandbox.messages() == []
    assert world.delivery() == {}


def test_waits_double_up_to_the_cap_and_obey_google() -> None:
    failure = Failure(klass="retry", code="x", message="x")
    waits = [backoff_seconds(failure, tries, 900) for tries in range(1, 12)]
    assert all(wait <= 900 for wait in waits)
    assert waits[0] <= 4
    assert waits[-1] >= 450
    assert all(later >= sooner / 2 for sooner, later in itertools.pairwise(waits))
    told = replace(failure, wait=120.0)
    assert 120 <= backoff_seconds(told, 1, 900) <= 122


def test_a_late_mailer_cannot_overwrite_the_winner(world: World) -> None:
    late = world.mailer.courier.deliveries.claim(entry().payment_id, NOW, LEASE_MS)
    world.clock.now += LEASE_MS + SETTLE_MS + 1
    world.deliver()
    with pytest.raises(world.dynamodb.exceptions.ConditionalCheckFailedException):
        world.mailer.courier.deliveries.mark_sent(late, Receipt("x", "x"), {}, NOW)
    assert world.delivery()["gmail_id"] != "x"
