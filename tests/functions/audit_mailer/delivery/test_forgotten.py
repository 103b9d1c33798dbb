"""AuditDeliveries was lost, or restored from an older copy: the mailbox knows what was mailed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from functions.audit_mailer.delivery.courier import Outcome, PostponeError
from functions.audit_mailer.gmail import mailbox
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.payment_mail import compose
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.audit.messages import Message, ReissueMessage
from tests.builders import NOW, entry, message
from tests.functions.audit_mailer.conftest import ADDRESSES
from tests.functions.audit_mailer.world import SETTLE_MS, TRY, World


def forget(world: World, *, but: dict[str, object] | None = None) -> None:
    """The table is as it was before the mail: without an item, or with an older one."""
    item = to_attributes({"payment_id": entry().payment_id} | (but or {}))
    if but:
        world.dynamodb.put_item(TableName=world.table, Item=item)
    else:
        world.dynamodb.delete_item(TableName=world.table, Key=item)


def test_a_mail_whose_delivery_was_lost_is_found_and_not_sent_again(
    world: World, sandbox: GmailSandbox
) -> None:
    world.deliver()
    before = world.delivery()
    forget(world)
    world.clock.now += 24 * 3_600_000
    assert world.deliver() is Outcome.ALREADY_SENT
    assert len(sandbox.messages()) == 1
    after = world.delivery()
    assert after["gmail_id"] == before["gmail_id"]
    assert after["sent_at"] != world.clock.now, "when Gmail got it, not when it was found"


def test_a_delivery_restored_from_before_its_last_try_is_searched_for(
    world: World, sandbox: GmailSandbox
) -> None:
    world.deliver()
    forget(world, but={"state": "failed", "retry_at": NOW + 60_000, "attempts": 1})
    world.clock.now = NOW + 60_000 + SETTLE_MS + 1
    assert world.deliver() is Outcome.ALREADY_SENT
    assert len(sandbox.messages()) == 1


def test_an_old_entry_that_was_never_mailed_is_mailed(world: World, sandbox: GmailSandbox) -> None:
    world.clock.now += SETTLE_MS + 1
    assert world.deliver() is Outcome.SENT
    assert len(sandbox.messages()) == 1


def test_a_search_that_fails_leaves_an_old_entry_unsent(
    world: World, sandbox: GmailSandbox
) -> None:
    world.clock.now += SETTLE_MS + 1
    sandbox.post_fault({"kind": "status", "code": 503, "times": 1, "on": "list"})
    with pytest.raises(PostponeError):
        world.deliver()
    assert sandbox.messages() == []
    world.come_back()
    assert world.deliver() is Outcome.SENT


def test_a_new_entry_costs_no_search(world: World, sandbox: GmailSandbox) -> None:
    sandbox.post_fault({"kind": "status", "code": 503, "on": "list"})
    assert world.deliver() is Outcome.SENT


def reissued(world: World) -> ReissueMessage:
    record: dict[str, object] = {"ops_id": "ops_reissue_1_planned", "part": 0, "action": "reissue"}
    record |= {"filter": entry().payment_id, "at": NOW}
    world.log(entry())
    world.dynamodb.put_item(
        TableName=world.payments.replace("Payments", "OpsRecord"), Item=to_attributes(record)
    )
    return ReissueMessage(run="ops_reissue_1")


@pytest.mark.parametrize("first", ["original", "reissue"])
def test_an_entry_whose_delivery_was_lost_has_its_own_mail_before_one_is_issued_again(
    world: World, sandbox: GmailSandbox, first: str
) -> None:
    """The mail was lost; its reissue and, from a restored AuditDeliveries, the first are queued."""
    reissue = reissued(world)
    world.clock.now += SETTLE_MS + 1
    order: list[Message] = [message(), reissue] if first == "original" else [reissue, message()]
    for each in order:
        world.mailer.deliver(each, TRY)
    (mail,) = sandbox.messages()
    assert "REISSUED" not in mail["subject"]


def test_a_reissue_waits_until_a_search_would_show_the_entrys_own_mail(
    world: World, sandbox: GmailSandbox
) -> None:
    reissue = reissued(world)
    sandbox.post_fault({"kind": "search_lag", "ms": 600_000})
    with pytest.raises(PostponeError, match="search_not_settled"):
        world.mailer.deliver(reissue, TRY)
    assert ["REISSUED" in each["subject"] for each in sandbox.messages()] == [False]
    sandbox.clear_faults()
    world.clock.now += SETTLE_MS + 1
    assert world.mailer.deliver(reissue, TRY).outcome is not Outcome.SENT
    assert len(sandbox.messages()) == 1


def test_a_lost_mail_is_issued_again_once(world: World, sandbox: GmailSandbox) -> None:
    reissue = reissued(world)
    world.deliver()
    sandbox.request("DELETE", f"/sandbox/messages/{sandbox.messages()[0]['id']}")
    world.clock.now += SETTLE_MS + 1
    outcomes = [world.mailer.deliver(reissue, TRY).outcome for _ in range(2)]
    assert outcomes == [Outcome.SENT, Outcome.ALREADY_SENT]
    assert ["REISSUED" in each["subject"] for each in sandbox.messages()] == [True]


def test_a_search_that_fails_is_made_again_before_anything_is_sent(
    world: World, sandbox: GmailSandbox
) -> None:
    world.deliver()
    forget(world)
    world.clock.now += 24 * 3_600_000
    sandbox.post_fault({"kind": "status", "code": 503, "times": 1, "on": "list"})
    with pytest.raises(PostponeError):
        world.deliver()
    world.come_back()
    assert world.deliver() is not Outcome.SENT
    assert len(sandbox.messages()) == 1


def test_a_mail_below_more_quotes_than_one_page_of_a_search_is_found(
    world: World,
    sandbox: GmailSandbox,
    gmail: Callable[..., Gmail],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.deliver()
    (mail,) = sandbox.messages()
    raw = compose(entry().to_row(), ADDRESSES).content
    quote = re.sub(rb"(?m)^X-SCC-.*\r\n", b"", raw)
    for number in range(5):
        another_id = b"Message-ID: <quote%d." % number
        gmail("import").send_audit_email_via_gmail(quote.replace(b"Message-ID: <", another_id))
    monkeypatch.setattr(mailbox, "MOST_FOUND", 2)
    forget(world)
    world.clock.now += 24 * 3_600_000
    assert world.deliver() is Outcome.ALREADY_SENT
    assert world.delivery()["gmail_id"] == mail["id"]
