"""Replay on the deployed stack: what is mailed, what stays, what is recorded, whatever happens."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from shared.attributes import from_attributes, to_attributes
from shared.ledger import business_day
from tests.builders import ZONE
from tests.dock import until
from tests.ops.conftest import DeadLetters
from tests.ops.letters import numbered
from tests.shells import SCC, Scc, environment
from tests.suites import LONG

ROOT = Path(__file__).parents[4]
KILLS = 5  # with each seed
QUICKLY = ("--rate", "20", "--yes", "--json")


def replayed(scc: Scc, dead: DeadLetters, *arguments: str, code: int = 0) -> dict[str, Any]:
    answer = scc("dlq", "replay", *arguments, *QUICKLY, env=dead.env)
    assert answer.returncode == code, answer.stderr
    report: dict[str, Any] = json.loads(answer.stdout)
    return report


def record_of(dead: DeadLetters, ops_id: str) -> dict[str, Any]:
    item = dead.stack.aws.client("dynamodb").get_item(
        TableName=dead.stack.outputs["OpsRecordTableName"],
        Key=to_attributes({"ops_id": ops_id, "part": 0}),
    )["Item"]
    return from_attributes(item)


def verdicts(scc: Scc, dead: DeadLetters, *arguments: str) -> dict[str, str]:
    answer = scc("dlq", "replay", *arguments, "--dry-run", "--json", env=dead.env)
    assert answer.returncode in (0, 1), answer.stderr
    return {row["message_id"]: row["verdict"] for row in json.loads(answer.stdout)}


def test_an_outage_that_is_over_is_replayed_to_one_mail_each_recorded_and_mailed(
    scc: Scc, dead: DeadLetters
) -> None:
    dead.dock.sandbox("POST", "/sandbox/faults", [{"kind": "status", "code": 400, "times": 3}])
    payments = [dead.dock.logged()["payment_id"] for _ in range(3)]
    until(lambda: dead.depth().waiting == 3)
    (group,) = json.loads(scc("dlq", "groups", "--json", env=dead.env).stdout)
    assert (group["class"], group["count"]) == ("permanent", 3)
    chosen = ("--group", group["group"])
    assert list(verdicts(scc, dead, *chosen).values()) == ["send"] * 3
    assert not any(dead.dock.mails_of(payment) for payment in payments), "a dry run sends nothing"

    report = replayed(scc, dead, *chosen, "--reason", "Gmail's mood")
    assert report["counts"] == {"sent": 3}
    for payment in payments:
        dead.dock.await_mail(payment)
    assert dead.depth().total == 0

    done = record_of(dead, report["ops_id"])
    planned = record_of(dead, report["ops_id"].replace("_done", "_planned"))
    assert (planned["counts"], done["counts"]) == ({"send": 3}, {"sent": 3})
    for record in (planned, done):
        assert record["who"].startswith("arn:aws:")
        assert record["filter"].startswith(f"group {group['group']}")
        assert record["reason"] == "Gmail's mood"
        assert {line.split()[1] for line in record["messages"]} == set(payments)
        ops_id = record["ops_id"]
        mail = until(lambda ops_id=ops_id: dead.mails_of_ops(ops_id))[0]  # type: ignore[misc]
        assert mail["attachments"][0]["json"] == record
        assert "Gmail's mood" in mail["text"]
        assert len(dead.mails_of_ops(ops_id)) == 1


@LONG
def test_a_statement_that_gmail_refused_is_replayed_by_its_day_and_mailed_once(
    scc: Scc, dead: DeadLetters
) -> None:
    day = business_day(time.time_ns() // 1_000_000, ZONE)
    dead.dock.sandbox("POST", "/sandbox/faults", [{"kind": "status", "code": 400, "times": 1}])
    dead.stack.aws.client("lambda").invoke(
        FunctionName=dead.stack.outputs["StatementFunctionName"], Payload=json.dumps({"day": day})
    )
    until(lambda: dead.depth().waiting == 1)
    (message,) = dead.messages()
    wanted = f"statement {day} so far"
    assert verdicts(scc, dead, "--id", wanted) == {message["MessageId"]: "send"}
    assert replayed(scc, dead, "--id", wanted)["counts"] == {"sent": 1}
    dead.put(message["Body"])
    assert list(verdicts(scc, dead, "--id", wanted).values()) == ["skip-already-sent"]
    digest = json.loads(message["Body"])["sha256"]
    mails = [
        each
        for each in dead.dock.inbox()
        if each["headers"].get("X-SCC-Statement") == f"{day} so far"
        and each["attachments"][0]["sha256"] == digest
    ]
    assert len(mails) == 1


@LONG
def test_every_message_gets_a_verdict_and_only_the_right_ones_move(
    scc: Scc, dead: DeadLetters
) -> None:
    (fresh,) = dead.unmailed(1)
    sent = dead.dock.logged()
    dead.dock.await_mail(sent["payment_id"])
    (letter,) = dead.messages()
    expected = {
        letter["MessageId"]: "send",
        dead.put(dead.body_of(sent)): "skip-already-sent",
        dead.put("nonsense"): "poison-schema",
        dead.put(numbered(1).to_json()): "poison-no-payment",
        dead.put(letter["Body"], replay_count=2): "quarantined",
    }
    assert verdicts(scc, dead, "--all") == expected
    report = replayed(scc, dead, "--all", code=1)
    assert report["counts"] == {
        "sent": 1,
        "already sent, removed": 1,
        "poison-schema": 1,
        "poison-no-payment": 1,
        "quarantined": 1,
    }
    dead.dock.await_mail(fresh)
    left = {each["MessageId"] for each in dead.messages()}
    stays = {"poison-schema", "poison-no-payment", "quarantined"}
    assert left == {each for each, verdict in expected.items() if verdict in stays}


@LONG
def test_a_cause_that_is_not_fixed_stops_it_at_the_first_message(
    scc: Scc, dead: DeadLetters
) -> None:
    payments = dead.unmailed(3)
    dead.dock.sandbox("POST", "/sandbox/faults", [{"kind": "status", "code": 400, "times": 50}])
    report = replayed(scc, dead, "--all", code=1)
    assert "the first message failed again (permanent" in report["stopped"]
    assert report["counts"] == {"failed": 1, "not reached": 2}
    until(lambda: dead.depth().waiting == 5)  # the two mails about this replay failed as well
    counts = [
        each.get("MessageAttributes", {}).get("replay_count", {}).get("StringValue")
        for each in dead.messages()
        if "scc.audit/1" in each["Body"]
    ]
    assert sorted(counts, key=str) == ["1", None, None]
    dead.dock.sandbox("DELETE", "/sandbox/faults")
    assert replayed(scc, dead, "--all")["counts"] == {"sent": 5}
    for payment in payments:
        dead.dock.await_mail(payment)


def test_one_message_is_replayed_by_id_even_from_quarantine(scc: Scc, dead: DeadLetters) -> None:
    one, other = dead.unmailed(2)
    bodies = {json.loads(each["Body"])["payment_id"]: each["Body"] for each in dead.messages()}
    dead.clear()
    dead.put(bodies[one], replay_count=2)
    dead.put(bodies[other])
    assert replayed(scc, dead, "--id", one)["counts"] == {"sent": 1}
    dead.dock.await_mail(one)
    assert dead.dock.mails_of(other) == []
    assert [each["Body"] for each in dead.messages()] == [bodies[other]]


@LONG
def test_two_replays_at_once_mail_each_payment_once(dead: DeadLetters) -> None:
    payments = dead.unmailed(12)
    command = [str(SCC), "dlq", "replay", "--all", *QUICKLY]
    both = [
        subprocess.Popen(
            command, env=environment(**dead.env), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode in (0, 1), errors
        assert b"Traceback" not in errors
    assert dead.depth().total == 0
    for payment in payments:
        dead.dock.await_mail(payment)


@LONG
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_five_points_it_loses_nothing_and_mails_nothing_twice(
    scc: Scc, dead: DeadLetters, seed: int
) -> None:
    payments = dead.unmailed(20)
    bodies = [each["Body"] for each in dead.messages()]
    chance = random.Random(seed)  # noqa: S311 - reproducible, no secret
    kills = 0
    while kills < KILLS:
        if dead.depth().total < 5:
            dead.put_many(bodies)  # again: by now the mails of most of them are in the inbox
        until(lambda: dead.depth().in_flight == 0)
        number, when = str(chance.randint(8, 60)), chance.choice(["before", "after"])
        killed = subprocess.run(
            [sys.executable, "-m", "tests.ops.killed_replay", number, when,
             "dlq", "replay", "--all", *QUICKLY],
            cwd=ROOT, env=environment(**dead.env), capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        assert killed.returncode in (0, 1, -signal.SIGKILL), killed.stderr
        kills += killed.returncode == -signal.SIGKILL
        assert not _lost(dead, payments)

    until(lambda: dead.depth().in_flight == 0)
    replayed(scc, dead, "--all")
    for payment in payments:
        dead.dock.await_mail(payment)
    assert dead.depth().total == 0


def _lost(dead: DeadLetters, payments: list[str]) -> list[str]:
    """Neither on a queue, visible or not, nor mailed. The emulator shows queues without receiving.

    The queues are checked first: what leaves them later is in the inbox by then.
    """
    url = f"{dead.stack.settings.engine_url}/_ministack/sqs/messages"
    with urllib.request.urlopen(url, timeout=10) as answer:
        queued = answer.read().decode()
    mailed = {each["headers"].get("X-SCC-Payment-Id") for each in dead.dock.inbox()}
    return [each for each in payments if each not in queued and each not in mailed]


def test_an_unclear_replay_request_does_not_start(scc: Scc, dead: DeadLetters) -> None:
    (payment,) = dead.unmailed(1)
    for arguments, says in (
        ([], "one of --id, --group, --since and --all"),
        (["--all", "--id", "x"], "one of --id, --group, --since and --all"),
        (["--all", "--rate", "0"], "0.01<=x<=100"),
        (["--all", "--rate", "fast"], "not a valid float"),
        (["--all", "--rate", "nan"], "not a number"),
        (["--all", "--rate", "inf"], "0.01<=x<=100"),
        (["--all", "--patience", "nan"], "not a number"),
        (["--all", "--group", ""], "one of --id, --group, --since and --all"),
        (["--group", "", "--yes"], "--group must not be empty"),
        (["--id", "", "--yes"], "scc dlq ls"),
        (["--id", "zzzzzz", "--yes"], "No dead letter 'zzzzzz'"),
        (["--id", "zzzzzz", "--dry-run"], "No dead letter 'zzzzzz'"),
        (["--id", payment, "--id", "zzzzzz", "--yes"], "No dead letter 'zzzzzz'"),
        (["--since", "yesterday"], "not a time such as 30m"),
        (["--all"], "add --yes to replay"),
    ):
        answer = scc("dlq", "replay", *arguments, env=dead.env)
        assert answer.returncode == 2, arguments
        assert says in answer.stderr.replace("\n", " "), arguments
        assert dead.depth().waiting == 1, arguments
        assert dead.dock.mails_of(payment) == [], arguments


@LONG
def test_messages_newer_than_since_are_chosen(scc: Scc, dead: DeadLetters) -> None:
    dead.put(numbered(1).to_json())
    assert len(verdicts(scc, dead, "--since", "5m")) == 1
    assert len(verdicts(scc, dead, "--since", "2099-01-01T00:00")) == 0
