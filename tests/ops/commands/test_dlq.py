"""Looking at dead letters on the deployed stack: all are shown, none are taken or hidden."""

from __future__ import annotations

import json
import signal
import subprocess
import unicodedata
from typing import Any

import pytest

from shared.audit.messages import OpsMessage, StatementMessage
from shared.statements.places import StatementPlace
from tests.dock import until
from tests.ops.conftest import DeadLetters
from tests.ops.letters import HOSTILE, numbered
from tests.shells import SCC, Scc, environment
from tests.suites import LONG, later

HELD_UP = 700  # more rows of JSON than an unread pipe holds: 64 KB


def listed(scc: Scc, dead: DeadLetters, *arguments: str) -> list[dict[str, Any]]:
    answer = scc("dlq", *arguments, "--json", env=dead.env)
    assert answer.returncode == 1, answer.stderr
    rows: list[dict[str, Any]] = json.loads(answer.stdout)
    return rows


def test_without_dead_letters_everything_is_fine(scc: Scc, dead: DeadLetters) -> None:
    for command in (["ls"], ["groups"]):
        assert scc("dlq", *command, env=dead.env).returncode == 0
        answer = scc("dlq", *command, "--json", env=dead.env)
        assert (answer.returncode, json.loads(answer.stdout)) == (0, [])


@LONG
def test_hidden_dead_letters_are_dead_letters_too(scc: Scc, dead: DeadLetters) -> None:
    dead.put(numbered(1).to_json())
    dead.hide()
    for command in (["ls"], ["groups"], ["replay", "--all", "--dry-run"], ["replay", "--all"]):
        answer = scc("dlq", *command, env=dead.env)
        assert answer.returncode == 1, command
        assert "1 more is hidden" in answer.stderr, command


def test_groups_count_the_letters_when_there_are_none(scc: Scc, dead: DeadLetters) -> None:
    assert "0 dead letters" in scc("dlq", "groups", env=dead.env).stderr


@LONG
def test_ls_shows_what_happened_to_each_messages_mail(scc: Scc, dead: DeadLetters) -> None:
    payment = dead.dock.logged()
    dead.dock.await_mail(payment["payment_id"])
    why = {"error_class": "permanent", "error_message": "400: no", "attempts": 2}
    sent = dead.put(dead.body_of(payment), replay_count=1, **why)
    lost = dead.put(numbered(7).to_json())
    ops = dead.put(OpsMessage(ops_id="ops_replay_x_done").to_json())
    place = StatementPlace(day="2026-11-24", final=True, sha256="3f" * 32)
    statement = dead.put(StatementMessage(place=place).to_json())
    rows = {row["message_id"]: row for row in listed(scc, dead, "ls")}
    assert rows.keys() == {sent, lost, ops, statement}
    facts = ("class", "message", "attempts", "replay_count", "payment_id", "event_id", "seq")
    assert [rows[sent][name] for name in facts] == [
        "permanent", "400: no", 2, 1, payment["payment_id"], "sunset-charter", payment["seq"],
    ]  # fmt: skip
    assert rows[sent]["delivery"] == "sent"
    assert rows[lost]["class"] == "unexplained"
    assert rows[lost]["delivery"] is None
    assert (rows[ops]["kind"], rows[ops]["ops_id"]) == ("ops", "ops_replay_x_done")
    assert (rows[statement]["kind"], rows[statement]["about"]) == (
        "statement", "statement 2026-11-24"
    )  # fmt: skip
    assert "statement 2026-11-24" in scc("dlq", "ls", env=dead.env).stdout
    assert 0 <= rows[lost]["age_seconds"] < 60
    assert rows[lost]["sent_at"][:4] <= rows[lost]["expires_at"][:4]


def test_peeking_shows_more_than_a_batch_and_leaves_every_message_in_place(
    scc: Scc, dead: DeadLetters
) -> None:
    dead.put_many([numbered(number).to_json() for number in range(1, 36)])
    before = {each["MessageId"]: each["Body"] for each in dead.messages()}
    assert len(before) == 35
    for command in (["ls"], ["replay", "--all", "--dry-run"]):
        rows = listed(scc, dead, *command)
        assert sorted(row["seq"] for row in rows) == list(range(1, 36)), "each once"
    assert scc("dlq", "groups", env=dead.env).returncode == 1
    assert scc("status", env=dead.env).returncode == 1
    assert dead.depth().waiting == 35
    assert dead.depth().in_flight == 0
    assert {each["MessageId"]: each["Body"] for each in dead.messages()} == before


@pytest.mark.parametrize("number", [signal.SIGINT, later(signal.SIGTERM), later(signal.SIGHUP)])
def test_an_interrupted_look_leaves_every_message_visible(
    dead: DeadLetters, number: signal.Signals
) -> None:
    dead.put_many([numbered(each).to_json() for each in range(HELD_UP)])
    hearing_the_terminal_close = ["env", "--default-signal=HUP"]  # a run under nohup ignores it
    process = subprocess.Popen(
        [*hearing_the_terminal_close, str(SCC), "dlq", "ls", "--json"],
        env=environment(**dead.env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    before = -1

    def is_held_up() -> bool:
        nonlocal before
        now = dead.depth().in_flight
        stands_still = now == before and 0 < now < HELD_UP
        before = now
        return stands_still

    until(is_held_up)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert dead.depth().waiting == HELD_UP
    assert dead.depth().in_flight == 0


@LONG
def test_a_reader_that_has_seen_enough_leaves_every_message_visible(dead: DeadLetters) -> None:
    dead.put_many([numbered(each).to_json() for each in range(HELD_UP)])
    command = f"'{SCC}' dlq ls --json | head -c 100"
    answer = subprocess.run(
        ["sh", "-c", command],
        env=environment(**dead.env), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert len(answer.stdout) == 100
    assert "Traceback" not in answer.stderr
    until(lambda: dead.depth().waiting == HELD_UP, 10)  # sooner than their hold is over


@LONG
def test_a_hostile_body_can_neither_move_the_cursor_nor_stop_the_list(
    scc: Scc, dead: DeadLetters
) -> None:
    content = json.loads(numbered(1).to_json())
    hostile = [
        HOSTILE.replace("\x1b", "").replace("\x07", ""),  # SQS itself refuses these two in a body
        json.dumps(content | {"payment_id": HOSTILE, "event_id": HOSTILE}),
        json.dumps(content | {"pk": "x" * 5_000}),
        json.dumps(content | {"sk": 10**40}),
        json.dumps({"schema": "scc.ops/1", "ops_id": HOSTILE}),
        '{"schema":"scc.audit/1","payment_id":"\\ud800"}',
        "x" * 900_000,
        "[" * 100_000,
    ]
    ids = [dead.put(body, error_message=HOSTILE[-20:]) for body in hostile]
    dead.put(numbered(2).to_json())
    assert {row["message_id"] for row in listed(scc, dead, "ls")} >= set(ids)
    for command in (
        ["dlq", "ls"],
        ["dlq", "groups"],
        ["dlq", "replay", "--all", "--dry-run"],
        *(["dlq", "show", each] for each in (ids[1], ids[6])),
    ):
        answer = scc(*command, env=dead.env)
        assert answer.returncode in (0, 1), answer.stderr
        shown = answer.stdout + answer.stderr
        strange = {each for each in shown if unicodedata.category(each) in ("Cc", "Cf", "Cs")}
        assert strange <= {"\n"}, command
        assert len(shown) < 50_000, "a megabyte is cut"
    assert dead.depth().waiting == len(hostile) + 1


def test_groups_collect_messages_by_cause_and_can_be_chosen_by_name(
    scc: Scc, dead: DeadLetters
) -> None:
    for number in range(1, 6):
        why = f"invalid_grant: no account {number}@example.com"
        dead.put(numbered(number).to_json(), error_class="systemic", error_message=why)
    dead.put("nonsense")
    groups = listed(scc, dead, "groups")
    assert [(each["class"], each["count"]) for each in groups] == [
        ("systemic", 5),
        ("poison-schema", 1),
    ]
    assert groups[0]["message"] == "invalid_grant: no account <address>"
    for name in (groups[0]["group"], "systemic"):
        chosen = listed(scc, dead, "replay", "--dry-run", "--group", name)
        assert sorted(row["seq"] for row in chosen) == [1, 2, 3, 4, 5]


@LONG
def test_show_prints_everything_about_one_message(scc: Scc, dead: DeadLetters) -> None:
    body = numbered(3).to_json()
    message_id = dead.put(body, error_class="permanent", error_message="why", attempts=4)
    dead.put(numbered(4).to_json())
    for wanted in (message_id[:8], numbered(3).payment_id):
        answer = scc("dlq", "show", wanted, "--json", env=dead.env)
        (content,) = json.loads(answer.stdout)
        assert (content["message_id"], content["body"]) == (message_id, body)
        assert content["attributes"] == {
            "error_class": "permanent",
            "error_message": "why",
            "attempts": "4",
        }
    shown = scc("dlq", "show", message_id, env=dead.env)
    assert shown.returncode == 0
    assert body in shown.stdout


@pytest.mark.parametrize("wanted", ["00000000-0000-4000-8000-000000000000", "abc", "\x1b[2J"])
def test_show_says_when_there_is_no_such_message(scc: Scc, dead: DeadLetters, wanted: str) -> None:
    dead.put(numbered(3).to_json())
    answer = scc("dlq", "show", wanted, env=dead.env)
    assert answer.returncode == 2
    assert "scc dlq ls" in answer.stderr
    assert "\x1b" not in answer.stderr
