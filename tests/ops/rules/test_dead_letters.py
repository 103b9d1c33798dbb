from __future__ import annotations

import json
from typing import Any

import pytest

from ops.rules.dead_letters import (
    Cause,
    Selection,
    Verdict,
    cause_of,
    described,
    is_meant,
    moment,
    normalized,
    read_letter,
    verdict_of,
)
from ops.terminal.safe_text import safe
from shared.audit.messages import OpsMessage, ReissueMessage, StatementMessage
from shared.statements.places import StatementPlace
from tests.builders import NOW, message
from tests.ops.letters import HOSTILE, raw

DAY_MS = 86_400_000
AUDIT = message().to_json()
OPS = OpsMessage(ops_id="ops_replay_20261125T080000Z_3f9c0a1b_done").to_json()
REISSUE = ReissueMessage(run="ops_reissue_0a1b").to_json()
PLACE = StatementPlace(day="2025-11-24", final=True, sha256="3f" * 32)
STATEMENT = StatementMessage(place=PLACE).to_json()
SENT = {"state": "sent", "sent_at": NOW, "attempts": 1}
FAILED = {
    "state": "failed",
    "attempts": 4,
    "last_error": {"class": "systemic", "code": "invalid_grant", "message": "no such account 17"},
}


@pytest.mark.parametrize(
    ("body", "delivery", "lack", "replays", "is_named", "verdict"),
    [
        (AUDIT, None, "", 0, False, "send"),
        (AUDIT, FAILED, "", 0, False, "send"),
        (AUDIT, FAILED, "", 1, False, "send"),
        (AUDIT, FAILED, "", 2, False, "quarantined"),
        (AUDIT, FAILED, "", 2, True, "send"),
        (AUDIT, SENT, "", 0, False, "skip-already-sent"),
        (AUDIT, SENT, "poison-no-payment", 5, False, "skip-already-sent"),
        (AUDIT, None, "poison-no-payment", 0, False, "poison-no-payment"),
        (AUDIT, None, "poison-no-payment", 2, True, "poison-no-payment"),
        (OPS, None, "", 0, False, "send"),
        (OPS, None, "poison-no-record", 0, True, "poison-no-record"),
        (OPS, SENT, "", 0, False, "skip-already-sent"),
        (REISSUE, None, "", 0, False, "send"),
        (REISSUE, FAILED, "poison-no-record", 0, False, "poison-no-record"),
        (STATEMENT, None, "", 0, False, "send"),
        (STATEMENT, FAILED, "", 0, False, "send"),
        (STATEMENT, None, "poison-no-statement", 0, True, "poison-no-statement"),
        (STATEMENT, SENT, "", 0, False, "skip-already-sent"),
        (STATEMENT, FAILED, "", 2, False, "quarantined"),
        ("nonsense", None, "", 0, True, "poison-schema"),
        ('{"schema":"scc.audit/99"}', None, "", 0, False, "poison-schema"),
    ],
)
def test_the_verdict_on_a_dead_letter(
    body: str,
    delivery: dict[str, Any] | None,
    lack: str,
    replays: int,
    is_named: bool,  # noqa: FBT001
    verdict: str,
) -> None:
    letter = read_letter(raw(body, replay_count=replays))
    known = Verdict(lack) if lack else None
    assert verdict_of(letter, delivery, lack=known, is_named=is_named) == verdict


def test_a_statement_that_is_there_again_is_replayed() -> None:
    letter = read_letter(raw(STATEMENT, error_class="poison-no-statement"))
    assert verdict_of(letter, None) == "send"


@pytest.mark.parametrize(("final", "name"), [(True, ""), (False, " so far")])
def test_a_statement_is_named_by_its_day_and_never_by_a_payment(*, final: bool, name: str) -> None:
    place = StatementPlace(day="2025-11-24", final=final, sha256="3f" * 32)
    letter = read_letter(raw(StatementMessage(place=place).to_json()))
    row = described(letter, None, now=NOW, retention_ms=DAY_MS)
    assert (row["kind"], row["about"]) == ("statement", f"statement 2025-11-24{name}")
    assert row["statement_day"] == "2025-11-24"
    assert (row["payment_id"], row["event_id"], row["seq"], row["ops_id"]) == (None,) * 4
    assert is_meant("statement 2025-11-24", letter)
    assert is_meant(place.delivery_id, letter)
    assert not is_meant("statement 2025-11-25", letter)
    assert letter.subject_id == place.delivery_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("invalid_grant: account 17", "invalid_grant: account 4"),
        ("no user jane@example.com", "no user lee.x+y@example.org"),
        ("pay_0123456789abcdef0123456789abcdef is gone", "pay_" + "f1" * 16 + " is gone"),
        ("request 6f1e8a52-7d7e-4a6c-9f3c-0d5f1b2a3c4d failed",
         "request 00000000-7d7e-4a6c-9f3c-0d5f1b2a3c4e failed"),
        ("Retry after 2026-11-25T08:00:00.123Z", "Retry after 2026-12-01T00:00:00Z"),
        ("two\n lines", "two lines"),
    ],
)  # fmt: skip
def test_similar_failures_fall_into_one_group(one: str, other: str) -> None:
    assert Cause("systemic", normalized(one)).group == Cause("systemic", normalized(other)).group


@pytest.mark.parametrize("other", ["invalid_client: account 17", "invalid grant"])
def test_different_failures_do_not(other: str) -> None:
    assert normalized("invalid_grant: account 17") != normalized(other)
    assert Cause("systemic", "x").group != Cause("permanent", "x").group


@pytest.mark.parametrize(
    ("letter", "delivery", "klass", "text"),
    [
        (raw(error_class="permanent", error_message="400: bad"), FAILED, "permanent", "<n>: bad"),
        (raw(), FAILED, "systemic", "invalid_grant: no such account <n>"),
        (raw(), None, "unexplained", "SQS gave up on it, and the mailer noted no reason"),
        (raw("nonsense"), None, "poison-schema", "the body is not JSON"),
    ],
)
def test_the_cause_is_the_best_explanation_available(
    letter: dict[str, Any], delivery: dict[str, Any] | None, klass: str, text: str
) -> None:
    assert cause_of(read_letter(letter), delivery) == Cause(klass, text)


@pytest.mark.parametrize(
    "body",
    [
        "",
        HOSTILE,
        "[" * 100_000,
        "9" * 100_000,
        '"\\ud800"',
        json.dumps({"schema": "scc.ops/1", "ops_id": "x" * 3_000}),
        json.dumps({"schema": "scc.ops/1", "ops_id": "\ud800 half a character"}),
        json.dumps(json.loads(AUDIT) | {"pk": "x" * 3_000}),
        json.dumps(json.loads(AUDIT) | {"sk": 10**40}),
        json.dumps(json.loads(AUDIT) | {"sk": -1}),
    ],
)
def test_a_body_that_no_table_could_hold_is_poison_and_not_an_error(body: str) -> None:
    letter = read_letter(raw() | {"Body": body})
    assert letter.message is None
    assert letter.problem
    row = described(letter, None, now=NOW, retention_ms=DAY_MS)
    assert (row["kind"], row["class"]) == ("unparseable", "poison-schema")


@pytest.mark.parametrize("count", ["", "-1", "many", "9" * 500, "²"])
def test_an_invalid_count_counts_as_zero(count: str) -> None:
    assert read_letter(raw(replay_count=count)).replay_count == 0


def test_a_row_says_when_sqs_will_delete_the_message() -> None:
    letter = read_letter(raw())
    row = described(letter, FAILED, now=NOW + 90_500, retention_ms=14 * DAY_MS)
    assert row["sent_at"] == "2025-11-24T16:00:00Z"
    assert row["expires_at"] == "2025-12-08T16:00:00Z"
    assert row["age_seconds"] == 90
    assert row["attempts"] == 4, "the delivery knows of more tries than the message"
    assert row["delivery"] == "failed"


@pytest.mark.parametrize("error", ["text", ["text"], 5, {"class": 5}])
def test_a_delivery_that_somebody_edited_still_has_its_row(error: object) -> None:
    odd = {"state": "failed", "attempts": "four", "last_error": error}
    row = described(read_letter(raw()), odd, now=NOW, retention_ms=14 * DAY_MS)
    assert row["delivery"] == "failed"
    assert isinstance(row["attempts"], int)


def test_messages_are_chosen_by_id_group_class_time_or_all() -> None:
    letter = read_letter(raw(error_class="permanent", error_message="400: bad"))
    cause = cause_of(letter, None)
    for chosen in (
        Selection(ids=[letter.message_id[:8]]),
        Selection(ids=["nothing", letter.subject_id]),
        Selection(group=cause.group),
        Selection(group="permanent"),
        Selection(since=NOW),
        Selection(),
    ):
        assert chosen.picks(letter, cause), chosen
    for other in (
        Selection(ids=["nothing"]),
        Selection(group="systemic"),
        Selection(since=NOW + 1),
    ):
        assert not other.picks(letter, cause), other


def test_a_few_characters_do_not_stand_for_an_id() -> None:
    letter = read_letter(raw())
    assert not is_meant(letter.message_id[:5], letter)
    assert not is_meant("", letter)
    assert is_meant(letter.message_id[:6], letter)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("two\r\nlines", "two\\r\\nlines"),
        ("\u202eevil\u200b", "\\u202eevil\\u200b"),
        ("\ud800", "\\ud800"),
        ("Séamus 李小龍 ⛵", "Séamus 李小龍 ⛵"),
        ("x" * 300, "x" * 200 + "… (300 characters)"),
    ],
)
def test_outside_text_cannot_move_hide_or_reverse_the_output(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize("milliseconds", [10**15 - 1, 10**120, -(10**30)])
def test_a_moment_that_no_calendar_has_is_told_as_that(milliseconds: int) -> None:
    assert moment(milliseconds) == "a time that no calendar has"
