"""One mail per entry: the real mailer, the real sandbox, the real delivery log on moto."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.audit_mailer.delivery.courier import (
    LEASE_MS,
    Courier,
    Outcome,
    PostponeError,
    QuarantineError,
    Try,
    backoff_seconds,
)
from functions.audit_mailer.delivery.deliveries import Deliveries
from functions.audit_mailer.delivery.pacing import Pacer, Rate
from functions.audit_mailer.gmail.failures import Failure
from functions.audit_mailer.gmail.mailbox import Gmail, Receipt
from functions.audit_mailer.ledger_rows import LedgerRows, OpsRecordReader
from functions.audit_mailer.mailer import AuditMailer
from functions.audit_mailer.mails.payment_mail import compose, search_token
from functions.audit_mailer.settings import DeliveryMethod
from functions.stream_router.router import Router
from functions.stream_router.routing import Unroutable
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import from_attributes, to_attributes
from shared.ledger import Head, LedgerEntry, PaymentId
from shared.messages import AuditMessage
from tests.builders import NOW, entry, message, stream_record
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
        return self.mailer.deliver(message(), TRY).outcome

    def log(self, *entries: LedgerEntry) -> None:
        """Write rows and pointers as the API's transaction does."""
        for each in entries:
            self.dynamodb.put_item(TableName=self.payments, Item=to_attributes(each.to_row()))
            pointer = {"PK": f"PAYMENT#{each.payment_id}", "row_pk": each.pk}
            self.dynamodb.put_item(
                TableName=self.payments.replace("Payments", "Ledger"),
                Item=to_attributes(pointer | {"row_sk": each.timestamp}),
            )

    def come_back(self) -> None:
        """Let the time pass that the last failure asked to stay away."""
        self.clock.now = max(self.clock.now, self.delivery().get("retry_at", 0))


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
            ledger=LedgerRows(dynamodb, tables["Payments"], tables["Ledger"]),
            ops_record=OpsRecordReader(dynamodb, tables["OpsRecord"]),
            courier=Courier(
                deliveries=Deliveries(dynamodb, tables["AuditDeliveries"]),
                mailbox=gmail(),
                pace=Pacer(dynamodb, tables["AuditDeliveries"], AUDIT, Rate(60), probe_ms=60_000),
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


def test_a_second_message_does_not_cut_the_wait_short(world: World, sandbox: GmailSandbox) -> None:
    """Whatever message comes for an entry, it is tried when its last failure said, not sooner."""
    told = "User-rate limit exceeded.  Retry after 2099-11-24T20:00:00.000Z"
    fault = {"kind": "status", "code": 403, "times": 1, "message": told}
    sandbox.post_fault(fault | {"reason": "rateLimitExceeded"})
    with pytest.raises(PostponeError):
        world.deliver()
    attempts = world.delivery()["attempts"]
    world.mailer.courier.pace.open()
    world.clock.now = world.delivery()["retry_at"] - 5_000
    with pytest.raises(PostponeError) as caught:
        world.deliver()
    assert caught.value.failure is None
    assert 5 <= caught.value.seconds <= 6
    assert world.delivery()["attempts"] == attempts
    assert sandbox.messages() == []
    world.come_back()
    assert world.deliver() is Outcome.SENT


def test_what_the_router_sends_again_mails_once(world: World, sandbox: GmailSandbox) -> None:
    """Lambda may hand the same stream records out twice: that ends here."""
    records = [stream_record(entry(), number=n) for n in (1, 1, 2)]
    queued: list[AuditMessage] = []

    class Queue:
        def send(self, messages: Sequence[AuditMessage]) -> set[int]:
            queued.extend(messages)
            return set()

    class Failures:
        def keep(self, unroutable: Unroutable) -> None:
            raise AssertionError(unroutable.reason)

    for _ in range(2):
        Router(Queue(), Failures()).route_batch(records)
    outcomes = [world.mailer.deliver(each, TRY).outcome for each in queued]
    assert outcomes == [Outcome.SENT] + [Outcome.ALREADY_SENT] * 5
    assert len(sandbox.messages()) == 1


def test_beyond_gmails_quota_a_message_waits_its_turn_without_failing(
    world: World, sandbox: GmailSandbox
) -> None:
    pace = world.mailer.courier.pace
    for _ in range(60):
        pace.reserve(NOW, 3_600_000)
    with pytest.raises(PostponeError) as caught:
        world.deliver()
    assert caught.value.failure is None
    assert caught.value.seconds >= 60 - 10
    assert world.delivery() == {}
    world.clock.now = NOW + 45_000  # its slot now comes within the budget
    assert world.deliver() is Outcome.SENT
    assert sum(world.clock.pauses) > 0


def test_messages_without_a_slot_do_not_all_come_back_at_once(world: World) -> None:
    world.mailer.courier.pace.close(NOW)
    waits = set()
    for _ in range(30):
        with pytest.raises(PostponeError) as caught:
            world.deliver()
        waits.add(caught.value.seconds)
    assert len(waits) > 5
    assert min(waits) >= 60


def test_a_revoked_grant_is_probed_by_one_and_heals_for_all(
    world: World, sandbox: GmailSandbox
) -> None:
    world.mailer.courier.mailbox.find("warm")
    sandbox.post_fault({"kind": "revoke_delegation"})
    with pytest.raises(PostponeError) as caught:
        world.deliver()
    assert caught.value.failure is not None
    other = replace(entry(), payment_id=PaymentId("pay_other"))

    def try_other() -> Outcome:
        compose_other = functools.partial(compose, other.to_row(), AUDIT, AUDIT)
        return world.mailer.courier.deliver(other.payment_id, compose_other, TRY)

    with pytest.raises(PostponeError) as caught:
        try_other()
    assert caught.value.failure is None, "nobody asks Google while it refuses the account"
    sandbox.clear_faults()
    world.clock.now += 60_000
    assert try_other() is Outcome.SENT
    world.come_back()
    assert world.deliver() is Outcome.SENT
    assert len(sandbox.messages()) == 2


def test_a_search_that_is_refused_keeps_the_doubt(world: World, sandbox: GmailSandbox) -> None:
    sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    with pytest.raises(PostponeError):
        world.deliver()
    world.come_back()
    sandbox.post_fault({"kind": "status", "code": 503, "times": 1, "on": "list"})
    with pytest.raises(PostponeError):
        world.deliver()
    assert "doubtful_since" in world.delivery()
    world.come_back()
    assert world.deliver() is Outcome.FOUND
    assert len(sandbox.messages()) == 1


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
    world.come_back()
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
    if method == "send":
        with pytest.raises(PostponeError):
            mailer.deliver(message(), TRY)
        world.come_back()
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
    world.come_back()
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
    failed_at = world.clock.now
    assert sum(world.clock.pauses) > 2
    world.come_back()
    courier = replace(courier, settle_ms=world.clock.now - failed_at + 1_000)
    world = replace(world, mailer=replace(world.mailer, courier=courier))
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


def test_a_void_is_told_with_what_it_voids_and_what_replaces_it(
    world: World, sandbox: GmailSandbox
) -> None:
    original = entry(amount_cents=41_200)
    at: dict[str, Any] = {
        "logged_at": NOW + 60_000,
        "voids": original.payment_id,
        "reason": "wrong_amount",
    }
    void = entry(
        Head(seq=1, hash=original.hash), kind="void", payment_id="pay_void", timestamp=NOW, **at
    )
    corrected = entry(
        Head(seq=2, hash=void.hash),
        payment_id="pay_corrected",
        amount_cents=42_100,
        timestamp=NOW + 1,
        logged_at=NOW + 60_000,
    )
    world.log(original, void, corrected)
    world.deliver()
    world.mailer.deliver(message(void), TRY)
    (mail,) = (each for each in sandbox.messages() if "void of" in each["subject"])
    for fact in ("#000001", "#000003", "$412.00", "$421.00", "wrong amount", original.payment_id):
        assert fact in mail["html"], fact
    assert mail["headers"]["In-Reply-To"] == f"<{original.payment_id}@shipcaptaincrew.example>"
    assert search_token(original.payment_id) not in mail["html"] + mail["subject"]


def test_a_void_goes_into_the_conversation_of_what_it_voids(world: World) -> None:
    original = entry()
    void = entry(kind="void", payment_id="pay_void", voids=original.payment_id, timestamp=1)
    world.log(original, void)
    joined: list[str | None] = []

    class Mailbox:
        def deliver(self, mail: bytes, thread_id: str | None = None) -> Receipt:
            joined.append(thread_id)
            return Receipt("m", "the-thread")

        def find(self, token: str) -> Receipt | None:
            raise AssertionError(token)

    mailer = replace(world.mailer, courier=replace(world.mailer.courier, mailbox=Mailbox()))
    mailer.deliver(message(original), TRY)
    mailer.deliver(message(void), TRY)
    assert joined == [None, "the-thread"]


def test_acknowledged_duplicates_are_named_by_number(world: World, sandbox: GmailSandbox) -> None:
    earlier = entry(Head(seq=6), payment_id="pay_earlier", timestamp=7)
    doubled = entry(acknowledged_duplicates=("pay_earlier", "pay_unheard_of"))
    world.log(earlier, doubled)
    world.deliver()
    (mail,) = sandbox.messages()
    assert "#000007 (pay_earlier), pay_unheard_of" in mail["html"]


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
