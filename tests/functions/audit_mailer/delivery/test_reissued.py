"""A mail that is issued again is sent, whatever is left of the lost one where nobody reads it."""

from __future__ import annotations

import time
from dataclasses import replace

from functions.audit_mailer.delivery.courier import Outcome
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.envelope import Addresses
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.audit.messages import OpsMessage, ReissueMessage
from tests.builders import NOW, entry
from tests.functions.audit_mailer.conftest import AUDIT
from tests.functions.audit_mailer.world import SETTLE_MS, TRY, World

RUN = ReissueMessage(run="ops_reissue_1")
DESK = "desk@shipcaptaincrew.example"


def ask(world: World) -> None:
    """As `scc payment reissue` records it. The sandbox dates its mails by the real clock."""
    at = time.time_ns() // 1_000_000 + 1
    record: dict[str, object] = {"ops_id": RUN.planned, "part": 0, "action": "reissue", "at": at}
    world.log(entry())
    world.dynamodb.put_item(
        TableName=world.payments.replace("Payments", "OpsRecord"),
        Item=to_attributes(record | {"filter": entry().payment_id}),
    )
    world.clock.now = at + SETTLE_MS + 1


def test_after_a_bounce_to_oneself_a_new_mail_is_sent_once(
    world: World, sandbox: GmailSandbox
) -> None:
    sandbox.post_fault({"kind": "bounce", "ms": 0, "times": 1})
    world.deliver()
    ask(world)
    outcomes = [world.mailer.deliver(RUN, TRY).outcome for _ in range(2)]
    assert outcomes == [Outcome.SENT, Outcome.ALREADY_SENT]
    assert sum("REISSUED" in each["subject"] for each in sandbox.messages()) == 1


def test_what_another_sender_keeps_of_a_lost_mail_is_not_the_mail(
    world: World, sandbox: GmailSandbox
) -> None:
    key = sandbox.service_account_info
    desk = Gmail(lambda: key, DESK, "send", sandbox.url + "/")
    courier = replace(world.mailer.courier, mailbox=desk)
    world.mailer = replace(world.mailer, courier=courier, addresses=Addresses(DESK, AUDIT))
    world.deliver()
    arrived = [each for each in sandbox.messages() if each["mailbox"] == AUDIT]
    sandbox.delete(arrived[0]["id"])
    ask(world)
    assert world.mailer.deliver(RUN, TRY).outcome is Outcome.SENT
    (mail,) = [each for each in sandbox.messages() if each["mailbox"] == AUDIT]
    assert "REISSUED" in mail["subject"]
    desk.close()


def test_a_lost_mail_that_is_back_in_the_inbox_is_not_issued_again(
    world: World, sandbox: GmailSandbox
) -> None:
    world.deliver()
    ask(world)
    assert world.mailer.deliver(RUN, TRY).outcome is Outcome.ALREADY_SENT
    assert len(sandbox.messages()) == 1


def came_back(world: World, own_id: str) -> None:
    """As the watch notes it."""
    world.dynamodb.update_item(
        TableName=world.table,
        Key=to_attributes({"payment_id": own_id}),
        UpdateExpression="SET mails = :mails",
        ExpressionAttributeValues=to_attributes(
            {":mails": {str(world.delivery(own_id)["gmail_id"]): "bounced"}}
        ),
    )


def test_an_operators_mail_that_came_back_is_sent_once_more_when_it_is_asked_for(
    world: World, sandbox: GmailSandbox
) -> None:
    deed: dict[str, object] = {"ops_id": "ops_1_done", "part": 0, "action": "repair", "at": NOW}
    deed |= {"phase": "done", "messages": [], "who": "Grace", "reason": "a drill"}
    table = world.payments.replace("Payments", "OpsRecord")
    world.dynamodb.put_item(TableName=table, Item=to_attributes(deed))
    told = OpsMessage(ops_id="ops_1_done")
    sandbox.post_fault({"kind": "bounce", "ms": 0, "times": 1})
    assert world.mailer.deliver(told, TRY).outcome is Outcome.SENT
    assert world.mailer.deliver(told, TRY).outcome is Outcome.ALREADY_SENT
    came_back(world, "ops_1_done")
    outcomes = [world.mailer.deliver(told, TRY).outcome for _ in range(2)]
    assert outcomes == [Outcome.SENT, Outcome.ALREADY_SENT]
    in_inbox = [each for each in sandbox.messages() if "INBOX" in each["labels"]]
    assert sum("ops_1" in str(each["headers"]) for each in in_inbox) == 1


def test_an_entrys_mail_that_came_back_waits_for_a_person(
    world: World, sandbox: GmailSandbox
) -> None:
    sandbox.post_fault({"kind": "bounce", "ms": 0, "times": 1})
    world.deliver()
    came_back(world, entry().payment_id)
    assert world.deliver() is Outcome.ALREADY_SENT
