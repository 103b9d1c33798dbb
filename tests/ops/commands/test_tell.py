"""`scc findings tell`, and what counts of a settlement whose mail came back."""

from __future__ import annotations

import pytest

from ops.clock import now_ms
from shared import keys
from shared.audit.findings import MailFinding
from shared.audit.messages import OpsMessage
from shared.ledger import PaymentId
from tests.builders import entry
from tests.ops.deeds import ack, mailed
from tests.ops.harbor import Harbor

PAYMENT = entry(payment_id=PaymentId("pay_" + "a" * 32))
LOST = MailFinding("missing", PAYMENT.payment_id, frozenset({"18c0"}))
BOUNCED = {"gmail_id": "18d0", "mails": {"18d0": "bounced"}, "mailbox_finding": "missing"}


@pytest.fixture
def unheard(harbor: Harbor) -> Harbor:
    """A loss that is settled, by a record whose mail came back."""
    harbor.log(PAYMENT, "18c0", mailbox_finding="missing", mails={}, last_seen_as=["18c0"])
    harbor.mails.clear()
    record = ack(LOST, at=now_ms())
    harbor.put("OpsRecord", record)
    harbor.put("AuditDeliveries", mailed(record) | BOUNCED)
    unsettled = [PAYMENT.payment_id, LOST.ops_id]
    harbor.put("AuditDeliveries", keys.watch() | {"unsettled": unsettled})
    return harbor


def test_a_settlement_whose_mail_came_back_settles_nothing(unheard: Harbor) -> None:
    listed = [each["payment_id"] for each in unheard.json("findings", "ls")]
    assert listed == [PAYMENT.payment_id, LOST.ops_id]
    told = unheard.scc("payment", PAYMENT.payment_id)
    assert (told.exit_code, "a record nobody was mailed about" in told.output) == (1, True)


@pytest.mark.parametrize(
    "ask",
    [
        ("findings", "tell", LOST.ops_id),
        ("findings", "ack", PAYMENT.payment_id, "--reason", "again"),
    ],
)
def test_its_mail_is_asked_for_again_and_the_record_stays(
    unheard: Harbor, ask: tuple[str, ...]
) -> None:
    before = unheard.records()
    answer = unheard.scc(*ask)
    assert (answer.exit_code, unheard.records()) == (0, before), answer.output
    assert unheard.take() == [OpsMessage(ops_id=LOST.ops_id)]


@pytest.mark.parametrize("ops_id", ["ops_made_up", "\x1b[2J", "x" * 3_000])
def test_an_id_that_no_record_has_is_refused(unheard: Harbor, ops_id: str) -> None:
    answer = unheard.scc("findings", "tell", ops_id)
    assert (answer.exit_code, unheard.take()) == (2, [])
    assert "No ops record has the id" in answer.output
    assert "\x1b" not in answer.output


def test_a_mail_that_arrived_is_not_sent_again(unheard: Harbor) -> None:
    seen = {"seen_at": now_ms(), "last_seen_as": ["18d1"]}
    unheard.put("AuditDeliveries", mailed(ack(LOST)) | BOUNCED | seen)
    answer = unheard.scc("findings", "tell", LOST.ops_id)
    assert (answer.exit_code, unheard.take()) == (2, [])
    assert "was sent" in answer.output
