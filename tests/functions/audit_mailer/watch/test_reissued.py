"""Voids and corrections are issued again as they were, and the watch takes them for their mails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from functions.audit_mailer.gmail.mailbox import Gmail
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.audit.messages import ReissueMessage
from shared.ledger import LedgerEntry
from tests.builders import NOW, message
from tests.functions.audit_mailer.test_mailer import chain_of_corrections
from tests.functions.audit_mailer.watch.watching import Watching
from tests.functions.audit_mailer.world import SETTLE_MS, TRY, World


def reissue(watching: Watching, lost: LedgerEntry) -> None:
    run = f"ops_reissue_{lost.payment_id[-24:]}"
    record = {"ops_id": f"{run}_planned", "part": 0, "action": "reissue"}
    item = to_attributes(record | {"filter": lost.payment_id, "at": NOW})
    watching.world.dynamodb.put_item(TableName=watching.ops_table, Item=item)
    assert watching.world.mailer.deliver(ReissueMessage(run=run), TRY).outcome == "sent"


@pytest.mark.parametrize("number", [1, 2])
def test_a_void_and_a_correction_are_issued_again_with_their_records(
    world: World, sandbox: GmailSandbox, gmail: Callable[..., Gmail], number: int
) -> None:
    watching = Watching(world, gmail())
    entries = chain_of_corrections()
    watching.world.log(*entries)
    for each in entries:
        watching.world.mailer.deliver(message(each), TRY)
    watching.run()
    lost = entries[number]
    gmail_id = watching.delivery(lost.payment_id)["gmail_id"]
    (before,) = [each for each in sandbox.messages() if each["id"] == gmail_id]
    sandbox.delete(gmail_id)
    assert watching.run().found["missing"] == 1
    watching.world.clock.now += SETTLE_MS + 1
    reissue(watching, lost)
    after = sandbox.messages()[-1]
    assert after["subject"] == before["subject"].replace(
        f"{kind(before)} ", f"REISSUED {kind(before)} "
    )
    assert after["attachments"] == before["attachments"]
    assert watching.run(after_ms=3 * SETTLE_MS).found.total() == 0
    assert "seen_at" in watching.delivery(lost.payment_id)


def kind(mail: dict[str, str]) -> str:
    return mail["subject"].split()[2]
