"""A mail is delivered once, whatever fails: the real courier, sandbox and delivery log."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.audit_mailer.delivery.backoff import backoff_seconds
from functions.audit_mailer.delivery.courier import (
    LEASE_MS,
    Outcome,
    PostponeError,
)
from functions.audit_mailer.delivery.deliveries import Deliveries
from functions.audit_mailer.gmail.failures import Failure
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.payment_mail import compose
from functions.audit_mailer.settings import DeliveryMethod
from local.gmail_sandbox.process import GmailSandbox
from shared.ledger import PaymentId
from tests.builders import NOW, entry, message
from tests.functions.audit_mailer.conftest import ADDRESSES
from tests.functions.audit_mailer.world import SETTLE_MS, TRY, World


def test_beyond_gmails_quota_a_message_waits_without_failing(
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


def test_a_revoked_grant_is_probed_by_one_mailer_and_recovers_for_all(
    world: World, sandbox: GmailSandbox
) -> None:
    world.mailer.courier.mailbox.search("warm")
    sandbox.post_fault({"kind": "revoke_delegation"})
    with pytest.raises(PostponeError) as caught:
        world.deliver()
    assert caught.value.failure is not None
    other = replace(entry(), payment_id=PaymentId("pay_other"))

    def try_other() -> Outcome:
        compose_other = functools.partial(compose, other.to_row(), ADDRESSES)
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


def test_a_refused_search_keeps_the_doubt(world: World, sandbox: GmailSandbox) -> None:
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


def test_after_five_rate_limits_there_is_one_mail(world: World, sandbox: GmailSandbox) -> None:
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
    with pytest.raises(PostponeError):
        mailer.deliver(message(), TRY)
    world.come_back()
    assert mailer.deliver(message(), TRY).outcome is Outcome.FOUND
    assert world.delivery()["state"] == "sent"
    assert len(sandbox.messages()) == 1


def test_an_import_in_doubt_waits_for_search_and_does_not_rely_on_gmail_to_merge(
    world: World, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    courier = replace(world.mailer.courier, mailbox=gmail("import"), method="import")
    mailer = replace(world.mailer, courier=courier)
    sandbox.post_fault({"kind": "doubled_imports"}, {"kind": "search_lag", "ms": 600_000})
    sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    with pytest.raises(PostponeError):
        mailer.deliver(message(), TRY)
    world.clock.now += 30_000
    with pytest.raises(PostponeError) as caught:
        mailer.deliver(message(), TRY)
    assert caught.value.failure is not None
    assert caught.value.failure.code == "search_not_settled"
    sandbox.request("DELETE", "/sandbox/faults?kind=search_lag")
    world.come_back()
    assert mailer.deliver(message(), TRY).outcome is Outcome.FOUND
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


def test_not_found_too_soon_does_not_prove_that_nothing_was_sent(
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


def test_waits_double_up_to_the_cap_and_obey_google() -> None:
    failure = Failure(klass="retry", code="x", message="x")
    waits = [backoff_seconds(failure, tries, 900) for tries in range(1, 12)]
    assert all(wait <= 900 for wait in waits)
    assert waits[0] <= 4
    assert waits[-1] >= 450
    assert all(later >= sooner / 2 for sooner, later in itertools.pairwise(waits))
    told = replace(failure, wait=120.0)
    assert 120 <= backoff_seconds(told, 1, 900) <= 122
