"""Who may deliver an entry, and what is written down about it: moto's AuditDeliveries."""

from __future__ import annotations

import pytest

from functions.audit_mailer.delivery.courier import (
    LEASE_MS,
    Outcome,
    PostponeError,
)
from functions.audit_mailer.delivery.deliveries import HeldError
from functions.audit_mailer.gmail.mailbox import Receipt
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from tests.builders import NOW, entry
from tests.functions.audit_mailer.world import SETTLE_MS, World


def test_a_delivered_entry_is_marked_sent_with_gmails_ids(
    world: World, sandbox: GmailSandbox
) -> None:
    assert world.deliver() is Outcome.SENT
    delivery = world.delivery()
    assert delivery["state"] == "sent"
    assert delivery["gmail_id"] == sandbox.messages()[0]["id"]
    assert delivery["record_sha256"] == sandbox.messages()[0]["attachments"][0]["sha256"]
    assert delivery["sent_at"] == NOW


def test_two_mailers_never_hold_one_entry(world: World, sandbox: GmailSandbox) -> None:
    world.mailer.courier.deliveries.claim(entry().payment_id, NOW, LEASE_MS)
    with pytest.raises(PostponeError) as caught:
        world.deliver()
    assert caught.value.seconds > LEASE_MS / 1000
    assert sandbox.messages() == []


def test_a_second_message_does_not_cut_the_wait_short(world: World, sandbox: GmailSandbox) -> None:
    """No matter which message arrives, an entry is tried when its last failure said, not sooner."""
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


def test_the_log_says_when_the_message_comes_back(world: World, sandbox: GmailSandbox) -> None:
    sandbox.post_fault({"kind": "revoke_delegation"})
    with pytest.raises(PostponeError) as caught:
        world.deliver()
    assert world.delivery()["retry_at"] == world.clock.now + caught.value.seconds * 1000
    assert world.delivery()["last_error"]["class"] == "systemic"


HANDS: dict[str, dict[str, object]] = {
    "due just now, without an error": {"state": "failed", "retry_at": NOW + SETTLE_MS},
    "unknown state": {"state": "sleeping"},
    "no state": {"retry_at": NOW + 60_000},
    "state of another type": {"state": 7},
    "wait that is no number": {"state": "failed", "retry_at": "tomorrow"},
    "wait of years": {"state": "failed", "retry_at": NOW + 10**11},
    "lease that is no number": {"state": "sending", "lease_until": "soon"},
    "lease of years": {"state": "sending", "lease_until": NOW + 10**11},
    "no lease": {"state": "sending"},
    "doubt that is no number": {"state": "failed", "retry_at": 1, "doubtful_since": "once"},
    "doubt far ahead": {"state": "failed", "retry_at": 1, "doubtful_since": NOW + 10**11},
    "tries that are no number": {"state": "failed", "retry_at": 1, "attempts": "many"},
    "an error that is none": {"state": "failed", "retry_at": 1, "last_error": "none"},
}
"""Items as only somebody's hands leave them."""


@pytest.mark.parametrize("edited", HANDS)
@pytest.mark.parametrize("was_sent", [True, False])
def test_an_item_that_was_edited_holds_up_no_mail_and_doubles_none(
    world: World, sandbox: GmailSandbox, edited: str, *, was_sent: bool
) -> None:
    if was_sent:
        world.deliver()
    item: dict[str, object] = {"payment_id": entry().payment_id, **HANDS[edited]}
    world.dynamodb.put_item(TableName=world.table, Item=to_attributes(item))
    world.clock.now += SETTLE_MS + 1
    world.deliver()
    assert world.delivery()["state"] == "sent"
    assert len(sandbox.messages()) == 1


def test_of_two_mailers_one_takes_an_item_that_was_edited(world: World) -> None:
    deliveries = world.mailer.courier.deliveries
    item = {"payment_id": entry().payment_id, "state": "sleeping"}
    world.dynamodb.put_item(TableName=world.table, Item=to_attributes(item))
    deliveries.claim(entry().payment_id, NOW, LEASE_MS)
    with pytest.raises(HeldError):
        deliveries.claim(entry().payment_id, NOW, LEASE_MS)


def test_a_late_mailer_cannot_overwrite_the_winner(world: World) -> None:
    late = world.mailer.courier.deliveries.claim(entry().payment_id, NOW, LEASE_MS)
    world.clock.now += LEASE_MS + SETTLE_MS + 1
    world.deliver()
    with pytest.raises(world.dynamodb.exceptions.ConditionalCheckFailedException):
        world.mailer.courier.deliveries.mark_sent(late, Receipt("x", "x"), {}, NOW)
    assert world.delivery()["gmail_id"] != "x"
