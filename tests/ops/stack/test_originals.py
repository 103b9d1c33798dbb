"""Whether the mailer can make the mail that a message asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from functions.daily_statement.stores.evidence_bucket import EvidenceBucket
from ops.session import Session
from ops.stack.originals import Originals
from ops.terminal.console import Console
from shared.audit.messages import (
    AuditMessage,
    Message,
    OpsMessage,
    ReissueMessage,
    StatementMessage,
)
from shared.statements.places import StatementPlace
from tests.builders import NOW, entry, message
from tests.ops.deeds import deed, planned
from tests.ops.harbor import Harbor
from tests.statements import DAY, drawn_up, stored

PAYMENT = entry()
RUN = "ops_reissue_0a1b"


def lacking(harbor: Harbor, *messages: Message) -> list[str]:
    """What each of them lacks, or nothing."""
    session = Session(harbor, Console(as_json=False))  # type: ignore[arg-type]
    found: Mapping[Message, Any] = Originals.of(session).lacking(messages)
    return [str(found.get(each, "")) for each in messages]


def test_an_entry_is_looked_up_where_its_message_says(harbor: Harbor) -> None:
    elsewhere = AuditMessage.from_row(PAYMENT.to_row() | {"SK": NOW + 1})
    assert lacking(harbor, message(PAYMENT)) == ["poison-no-payment"]
    harbor.log(PAYMENT)
    assert lacking(harbor, message(PAYMENT), elsewhere) == ["", "poison-no-payment"]


def test_an_operators_mail_needs_its_record(harbor: Harbor) -> None:
    asked = OpsMessage(ops_id="ops_replay_1_done")
    assert lacking(harbor, asked) == ["poison-no-record"]
    harbor.put("OpsRecord", deed("ops_replay_1", action="replay"))
    assert lacking(harbor, asked) == [""]


@pytest.mark.parametrize(
    ("change", "lack"),
    [
        ({}, ""),
        ({"action": "replay"}, "poison-no-record"),
        ({"at": "noon"}, "poison-no-record"),
        ({"filter": "pay_nobody"}, "poison-no-payment"),
        ({"filter": None}, "poison-no-payment"),
        ({"ops_id": f"{RUN}_done"}, "poison-no-record"),
    ],
)
def test_a_reissue_needs_its_record_and_its_payment(
    harbor: Harbor, change: dict[str, Any], lack: str
) -> None:
    harbor.log(PAYMENT)
    assert lacking(harbor, ReissueMessage(run=RUN)) == ["poison-no-record"]
    harbor.put("OpsRecord", planned(RUN, PAYMENT.payment_id) | change)
    assert lacking(harbor, ReissueMessage(run=RUN)) == [lack]


def test_a_statement_needs_its_sealed_bytes_and_a_signature(harbor: Harbor) -> None:
    made = stored(drawn_up([]))
    bucket = EvidenceBucket(harbor.client("s3"), "evidence", "GOVERNANCE", lambda: NOW)
    asked = StatementMessage(place=made.place)
    other = StatementMessage(place=StatementPlace(day=DAY, final=True, sha256="0" * 64))
    assert lacking(harbor, asked) == ["poison-no-statement"]
    bucket.seal(DAY, made.content)
    assert lacking(harbor, asked) == ["poison-no-statement"], "it is not signed"
    harbor.client("s3").put_object(Bucket="evidence", Key=made.place.signature_key, Body=b"signed")
    assert lacking(harbor, asked, other) == ["", "poison-no-statement"]


def test_a_dry_run_says_what_the_mailer_would_do(harbor: Harbor) -> None:
    messages = (ReissueMessage(run=RUN), OpsMessage(ops_id="ops_made_up_done"))
    for each in messages:
        harbor.client("sqs").send_message(QueueUrl=harbor.dead, MessageBody=each.to_json())
    rows = harbor.json("dlq", "replay", "--all", "--dry-run")
    assert [each["verdict"] for each in rows] == ["poison-no-record"] * 2
    assert harbor.take() == []
