"""`scc dlq` stopped wherever it may be: what the record says is what was done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.errors import INTERRUPTED
from shared.audit.messages import AuditMessage, OpsMessage
from tests.ops.harbor import Harbor
from tests.ops.mailboxes import chain
from tests.suites import later

ENTRIES = chain(2)
REPLAY = ("dlq", "replay", "--all", "--yes", "--rate", "50", "--patience", "1")


@pytest.fixture
def dead(harbor: Harbor) -> Harbor:
    """Two entries whose messages are dead letters, and no mailer."""
    for each in ENTRIES:
        harbor.log(each)
        body = AuditMessage.from_row(each.to_row()).to_json()
        harbor.client("sqs").send_message(QueueUrl=harbor.dead, MessageBody=body)
    return harbor


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look waits a second for more messages, which a test need not."""
    monkeypatch.setattr("ops.rules.replay.BETWEEN_LOOKS", 0.0)


def done(harbor: Harbor) -> dict[str, Any]:
    (record,) = [each for each in harbor.records().values() if each["phase"] == "done"]
    return record


@pytest.mark.parametrize("when", [later("before"), "after"])
@pytest.mark.parametrize("number", range(1, 5))
def test_an_interrupted_replay_tells_what_it_queued(dead: Harbor, number: int, when: str) -> None:
    code, output = dead.scc_stopped(number, f"interrupted {when}", *REPLAY)
    assert code == INTERRUPTED, output
    queued = dead.take()
    moved = {each.payment_id for each in queued if isinstance(each, AuditMessage)}
    lines = [line.split(maxsplit=2) for line in done(dead)["messages"]]
    assert {line[1] for line in lines if line[2] == "on its way"} == moved
    assert "(stopped: interrupted)" in done(dead)["reason"]
    assert {each.ops_id for each in queued if isinstance(each, OpsMessage)} == dead.records().keys()
    left = {each.payment_id for each in dead.take(dead.dead) if isinstance(each, AuditMessage)}
    assert left | moved == {each.payment_id for each in ENTRIES}
    assert not left & moved


@pytest.mark.parametrize("when", [later("before"), "after"])
@pytest.mark.parametrize("number", range(1, 4))
def test_what_is_recorded_as_discarded_is_gone(
    dead: Harbor, tmp_path: Path, number: int, when: str
) -> None:
    wanted = ENTRIES[0].payment_id
    discard = ("dlq", "discard", "--id", wanted, "--reason", "a drill", "--yes",
               "--export-to", str(tmp_path))  # fmt: skip
    code, output = dead.scc_stopped(number, f"interrupted {when}", *discard)
    assert code == INTERRUPTED, output
    left = {each.payment_id for each in dead.take(dead.dead) if isinstance(each, AuditMessage)}
    assert len(dead.records()) == 1
    assert wanted not in left


def test_nothing_is_hidden_while_a_person_is_asked(
    dead: Harbor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question can stay unanswered for longer than any hold."""

    def ask(*_: Any) -> None:
        names = ["ApproximateNumberOfMessages"]
        asked = dead.client("sqs").get_queue_attributes(QueueUrl=dead.dead, AttributeNames=names)
        assert asked["Attributes"] == {names[0]: "2"}

    monkeypatch.setattr("ops.commands.dlq.discard._ask", ask)
    wanted = ENTRIES[0].payment_id
    done = dead.scc("dlq", "discard", "--id", wanted, "--reason", "x", "--export-to", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert len(dead.take(dead.dead)) == 1
