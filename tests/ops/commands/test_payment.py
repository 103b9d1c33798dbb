"""`scc payment`: the history of one payment in the deployed stack."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from shared.attributes import to_attributes
from shared.keys import pointer
from shared.ledger import PaymentId
from tests.dock import until
from tests.ops.conftest import DeadLetters
from tests.ops.voyage import set_sail
from tests.shells import Scc
from tests.suites import LONG


def told(local: Scc, payment_id: str, *more: str) -> tuple[int, dict[str, Any]]:
    answer = local("payment", payment_id, "--json", *more)
    assert answer.stdout, answer.stderr
    return answer.returncode, json.loads(answer.stdout)


def test_a_mailed_payments_history_runs_from_capture_to_mailbox(
    local: Scc, dead: DeadLetters
) -> None:
    reference = str(uuid.uuid4().int)[:8]
    payment = dead.dock.logged(method="check", reference=reference, note="For two")
    dead.dock.await_mail(payment["payment_id"])
    answer = local("payment", payment["payment_id"], "--mailbox")
    assert answer.returncode == 0, answer.stderr
    for text in (
        f"payment         {payment['payment_id']}",
        f"#{payment['seq']:06d} of sunset-charter (Sunset Charter)",
        "Jane Doe <jane.doe@example.com>",
        "check",
        reference,
        "For two",
        f"{payment['hash']} (matches the row)",
        "sent, 1 try",
        "captured by admin@shipcaptaincrew.example",
        "logged as #",
        "mailed, Gmail id",
        "in the audit mailbox as",
    ):
        assert text in answer.stdout, answer.stdout
    code, content = told(local, payment["payment_id"], "--mailbox")
    (mail,) = dead.dock.mails_of(payment["payment_id"])
    assert (code, content["mails"]) == (0, [mail["id"]])
    assert [each["what"].split()[0] for each in content["steps"]] == [
        "captured", "logged", "mailed,", "in",
    ]  # fmt: skip


def test_a_dead_letter_is_shown_with_its_cause_and_the_fix(local: Scc, dead: DeadLetters) -> None:
    dead.dock.sandbox("POST", "/sandbox/faults", [{"kind": "status", "code": 400, "times": 1}])
    payment = dead.dock.logged()["payment_id"]
    until(lambda: dead.depth().waiting == 1)
    code, content = told(local, payment)
    assert code == 1
    (letter,) = content["dead_letters"]
    assert letter["class"] == "permanent"
    assert f"scc dlq replay --id {payment}" in content["concerns"][0]
    assert dead.depth().waiting == 1, "looking takes nothing away"
    replay = local("dlq", "replay", "--id", payment, "--yes", "--rate", "20")
    assert replay.returncode == 0, replay.stderr
    dead.dock.await_mail(payment)
    code, content = told(local, payment, "--mailbox")
    assert (code, content["dead_letters"], content["concerns"]) == (0, [], [])
    assert "mailed on try 2" in " ".join(each["what"] for each in content["steps"])


@LONG
def test_a_void_and_what_it_voids_name_each_other(local: Scc, dead: DeadLetters) -> None:
    payment = dead.dock.logged()
    answer = dead.dock.call(
        "POST",
        f"/api/payments/{payment['payment_id']}/void",
        {"reason": "wrong_amount", "note": "Misread"},
        {"Idempotency-Key": str(uuid.uuid4())},
    )
    void = answer.json["void"]
    dead.dock.await_mail(void["payment_id"])
    told_of = local("payment", payment["payment_id"]).stdout
    assert f"#{void['seq']:06d} {void['payment_id']}" in told_of
    assert "wrong_amount Misread" in told_of
    told_of = local("payment", void["payment_id"]).stdout
    assert f"#{payment['seq']:06d} {payment['payment_id']}: wrong_amount" in told_of
    assert "-$" in told_of


@LONG
def test_a_changed_row_is_reported(local: Scc, dead: DeadLetters) -> None:
    voyage = set_sail(dead.dock, 1)
    with voyage.restored():
        voyage.put(voyage.row(1) | {"amount_cents": 1})
        code, content = told(local, voyage.payments[0]["payment_id"])
    assert code == 1
    assert not content["is_intact"]
    assert f"scc verify --event {voyage.event_id}" in content["concerns"][0]


@LONG
def test_an_entry_whose_row_is_gone_is_not_called_unknown(local: Scc, dead: DeadLetters) -> None:
    voyage = set_sail(dead.dock, 2)
    payment_id = voyage.payments[1]["payment_id"]
    with voyage.restored():
        voyage.delete(voyage.row(2))
        answer = local("payment", payment_id)
        assert (answer.returncode, answer.stdout) == (1, "")
        for text in (
            f"This entry existed: #000002 of {voyage.event_id}, mailed at ",
            "its row is gone",
            f"scc verify --event {voyage.event_id}",
        ):
            assert text in answer.stderr
        code, content = told(local, payment_id)
    assert (code, content["is_gone"], content["missing"]) == (1, True, [[2, 2]])


@LONG
def test_a_row_that_no_pointer_leads_to_is_found_and_named(local: Scc, dead: DeadLetters) -> None:
    voyage = set_sail(dead.dock, 1)
    payment_id = voyage.payments[0]["payment_id"]
    at = {"TableName": voyage.table("Ledger"), "Key": to_attributes(pointer(PaymentId(payment_id)))}
    kept = voyage.dynamodb.get_item(**at)["Item"]
    voyage.dynamodb.delete_item(**at)
    try:
        answer = local("payment", payment_id)
    finally:
        voyage.dynamodb.put_item(TableName=at["TableName"], Item=kept)
    assert answer.returncode == 1
    assert f"#000001 of {voyage.event_id}" in answer.stdout
    assert f"No pointer leads to it; its row is at {voyage.row(1)['PK']}" in answer.stderr
    assert f"scc verify --event {voyage.event_id}" in answer.stderr


def test_a_mail_missing_from_the_mailbox_is_reported(local: Scc, dead: DeadLetters) -> None:
    voyage = set_sail(dead.dock, 1)
    payment = voyage.payments[0]["payment_id"]
    voyage.delete_mail(1)
    assert told(local, payment)[0] == 0, "nobody looked"
    code, content = told(local, payment, "--mailbox")
    assert code == 1
    assert "has no mail for it" in content["concerns"][0]


@pytest.mark.parametrize(
    ("payment_id", "says"),
    [
        ("pay_" + "0" * 32, "has no payment pay_000"),
        ("pay_1", "is not a payment id"),
        ("\x1b[31m", "is not a payment id"),
    ],
)
def test_an_id_that_is_not_a_payments_is_refused(
    local: Scc, dead: DeadLetters, payment_id: str, says: str
) -> None:
    answer = local("payment", payment_id)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert says in answer.stderr
    assert "\x1b" not in answer.stderr
