"""Who may deliver an entry, and what is written down about it: moto's AuditDeliveries."""

from __future__ import annotations

import pytest

from functions.audit_mailer.delivery.courier import (
    LEASE_MS,
    Outcome,
    PostponeError,
)
from functions.audit_mailer.gmail.mailbox import Receipt
from local.gmail_sandbox.process import GmailSandbox
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


def test_a_late_mailer_cannot_overwrite_the_winner(world: World) -> None:
    late = world.mailer.courier.deliveries.claim(entry().payment_id, NOW, LEASE_MS)
    world.clock.now += LEASE_MS + SETTLE_MS + 1
    world.deliver()
    with pytest.raises(world.dynamodb.exceptions.ConditionalCheckFailedException):
        world.mailer.courier.deliveries.mark_sent(late, Receipt("x", "x"), {}, NOW)
    assert world.delivery()["gmail_id"] != "x"
