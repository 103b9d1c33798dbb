"""A mail is lost, found missing, issued again, or explained: the watch, scc and the mailbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.ledger import canonical_json, record_of
from tests.dock import Dock, until
from tests.ops.voyage import Voyage, set_sail
from tests.shells import Scc
from tests.suites import LONG

REASON = "a filter deleted it on Monday"


@pytest.fixture
def voyage(stack: Any) -> Voyage:
    return set_sail(Dock(stack).sign_in())


@pytest.fixture
def watch(voyage: Voyage) -> Callable[[], dict[str, int]]:
    """Invoke the deployed watch; returns what it found."""

    def run() -> dict[str, int]:
        answer = voyage.dock.stack.aws.client("lambda").invoke(
            FunctionName=voyage.dock.stack.outputs["WatchFunctionName"], Payload="{}"
        )
        told = json.load(answer["Payload"])
        assert told["is_finished"], told
        found: dict[str, int] = told["found"]
        return found

    return run


def ops_mails(voyage: Voyage, ops_id: str) -> list[dict[str, Any]]:
    return [each for each in voyage.dock.inbox() if each["headers"].get("X-SCC-Ops-Id") == ops_id]


def reconciled(local: Scc, voyage: Voyage) -> tuple[int, dict[str, Any]]:
    answer = local("reconcile", "--event", voyage.event_id, "--mailbox", "--json")
    assert answer.stdout, answer.stderr
    return answer.returncode, json.loads(answer.stdout)["found"]


@LONG
def test_a_deleted_mail_is_alarmed_issued_again_and_calm_everywhere(
    local: Scc, voyage: Voyage, watch: Callable[[], dict[str, int]], tmp_path: Path
) -> None:
    payment_id = voyage.payments[1]["payment_id"]
    before = watch()
    voyage.delete_mail(2)
    until(lambda: watch().get("missing", 0) == before.get("missing", 0) + 1)
    listed = local("findings", "ls", "--json")
    assert listed.returncode == 1
    rows = [each for each in json.loads(listed.stdout) if each["payment_id"] == payment_id]
    assert [(each["kind"], each["seq"]) for each in rows] == [("missing", 2)]
    assert "open finding" in local("status").stderr
    assert "scc findings ls" in local("doctor").stderr
    assert reconciled(local, voyage)[0] == 1
    shown = local("payment", payment_id, "--mailbox")
    assert (shown.returncode, "has no mail for it" in shown.stderr) == (1, True)

    issued = local("payment", "reissue", payment_id, "--reason", REASON)
    assert issued.returncode == 0, issued.stderr
    (mail,) = until(lambda: voyage.dock.mails_of(payment_id))
    assert "REISSUED #000002" in mail["subject"]
    assert "issued again" in mail["text"]
    record = canonical_json(record_of(voyage.row(2)))
    assert mail["attachments"][0]["sha256"] == hashlib.sha256(record).hexdigest()
    until(voyage.dock.is_queue_empty)

    until(lambda: watch() == before)
    assert local("payment", payment_id, "--mailbox").returncode == 0
    assert reconciled(local, voyage)[0] == 0
    export = voyage.export(tmp_path / "export.mbox")
    answer = local("verify", "--event", voyage.event_id, "--mbox", str(export))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    again = local("payment", "reissue", payment_id, "--reason", REASON)
    assert again.returncode == 2
    assert "is in the mailbox" in again.stderr


@LONG
def test_what_a_person_explains_is_settled_and_the_next_fault_is_not(
    local: Scc, voyage: Voyage, watch: Callable[[], dict[str, int]]
) -> None:
    payment_id = voyage.payments[1]["payment_id"]
    before = watch()
    nothing = local("findings", "ack", payment_id, "--reason", REASON)
    assert (nothing.returncode, "nothing to settle" in nothing.stderr) == (2, True)
    voyage.delete_mail(2)
    until(lambda: watch() != before)
    settled = local("findings", "ack", payment_id, "--reason", REASON, "--json")
    assert settled.returncode == 0, settled.stderr
    (finding,) = json.loads(settled.stdout)
    assert (finding["kind"], finding["settled"]) == ("missing", "now")
    (again,) = json.loads(local("findings", "ack", payment_id, "--reason", REASON, "--json").stdout)
    assert again["settled"] == "before"

    assert watch() == before
    code, found = reconciled(local, voyage)
    assert (code, found["missing"], found["settled"]) == (0, 0, 1)
    told = until(lambda: ops_mails(voyage, finding["ops_id"]))
    assert REASON in told[0]["text"]
    voyage.delete_mail(3)
    until(lambda: watch().get("missing", 0) == before.get("missing", 0) + 1)
    code, found = reconciled(local, voyage)
    assert (code, found["missing"], found["settled"]) == (1, 1, 1)
    explained = local("findings", "ack", voyage.payments[2]["payment_id"], "--reason", REASON)
    assert explained.returncode == 0


@LONG
def test_an_altered_row_cannot_be_settled(local: Scc, voyage: Voyage) -> None:
    payment_id = voyage.payments[1]["payment_id"]
    row = voyage.row(2)
    voyage.put(row | {"amount_cents": 1})
    for verb in (("findings", "ack"), ("payment", "reissue")):
        answer = local(*verb, payment_id, "--reason", REASON)
        assert (answer.returncode, "ledger-tampered" in answer.stderr) == (2, True)
    voyage.put(row)


@pytest.mark.parametrize("verb", [("findings", "ack"), ("payment", "reissue")])
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("pay_1", "--reason", "x"), "not a payment id"),
        (("\x1b[2J", "--reason", "x"), "not a payment id"),
        (("pay_" + "0" * 32,), "--reason"),
        (("pay_" + "0" * 32, "--reason", " "), "it is empty"),
        (("pay_" + "0" * 32, "--reason", "x" * 501), "longer than 500"),
        (("pay_" + "0" * 32, "--reason", "x"), "has no payment"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    local: Scc, verb: tuple[str, str], arguments: tuple[str, ...], says: str
) -> None:
    answer = local(*verb, *arguments)
    assert answer.returncode == 2
    assert says in answer.stderr


@pytest.mark.parametrize("own_id", ["ops_nothing_done", "statement_2025-01-01_final_0"])
def test_an_id_of_nothing_that_was_mailed_is_refused(local: Scc, own_id: str) -> None:
    answer = local("findings", "ack", own_id, "--reason", "x")
    assert (answer.returncode, "findings ls" in answer.stderr) == (2, True)
