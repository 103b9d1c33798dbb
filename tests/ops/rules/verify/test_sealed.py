"""What `scc verify` finds in the evidence bucket, and between it, the ledger and a mailbox."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from functions.audit_mailer.mails.statement_mail import StoredStatement, compose
from functions.daily_statement.rules.continuity import ChainEnd
from functions.daily_statement.rules.record import Standing, heads_record
from ops.offline.ledger.public_key import public_key_of
from ops.offline.mails import read_mail
from ops.rules.sealed import Sealed, SealedDay
from shared.ledger import canonical_json
from tests.ops.mailboxes import ADDRESSES
from tests.statements import drawn_up, public_key, signature_of, stored

DAYS = ["2025-11-24", "2025-11-25", "2025-11-26"]
TODAY = "2025-11-27"
KEY = public_key_of(public_key(Encoding.DER), "the key")
OPS_ID = "ops_replay_20251124T160000Z_0a1b2c3d_done"


def statements(days: Sequence[str] = DAYS, ops: dict[str, str] | None = None) -> list[SealedDay]:
    made: list[StoredStatement] = []
    for day in days:
        drawn = drawn_up([], day)
        drawn.ops_records.update(ops or {})
        made.append(stored(drawn, made[-1] if made else None))
    return [
        SealedDay(
            day=each.place.day,
            content=each.content,
            signature=each.signature,
            heads_sha256={json.loads(each.content)["ledger"]["heads_sha256"]},
        )
        for each in made
    ]


def sealed(days: Sequence[SealedDay]) -> Sealed:
    made = Sealed(KEY)
    for each in days:
        made.take(each, TODAY)
    return made


def told(made: Sealed) -> list[str]:
    found = [*made.about_itself(TODAY), *made.statements.findings([])]
    return sorted(each.detail for each in found)


def test_what_was_sealed_is_found_intact() -> None:
    assert told(sealed(statements())) == []
    assert told(Sealed(KEY)) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"is_hidden": True}, "is hidden by a delete marker"),
        ({"others": True}, "has another version beside it"),
        ({"content": None}, "is gone; what belongs to it is there"),
        ({"content": b"\xff"}, "cannot be read: UnicodeDecodeError"),
        ({"content": b"[]"}, "cannot be read: TypeError"),
        ({"content": b"{}"}, "cannot be read: KeyError"),
        ({"content": b"[" * 100_000}, "cannot be read: RecursionError"),
        ({"signature": None}, "has no signature"),
        ({"signature": b"x" * 256}, "is not signed by this key"),
        ({"heads_sha256": {"0" * 64}}, "has lost its list of heads"),
    ],
)
def test_what_happened_to_an_object_is_named(change: dict[str, Any], says: str) -> None:
    days = statements()
    days[1] = replace(days[1], **change)
    assert any(f"statement of 2025-11-25 {says}" in each for each in told(sealed(days)))


def test_one_changed_byte_is_named() -> None:
    days = statements()
    content = bytearray(days[1].content or b"")
    at = content.index(b'"net_cents":0') + len(b'"net_cents":')
    content[at] = ord("1")
    days[1] = replace(days[1], content=bytes(content))
    found = told(sealed(days))
    assert "the sealed statement of 2025-11-25 is not signed by this key" in found
    assert sealed(days).statements.sha256.keys() == {DAYS[0], DAYS[2]}, "it says nothing"


def test_a_day_that_is_gone_and_one_that_is_not_over_are_named() -> None:
    days = statements()
    assert told(sealed([days[0], days[2]])) == ["no statement for 2025-11-25"]
    (early,) = statements(["2025-11-27"])
    assert told(sealed([*days, early])) == [
        "the sealed statement of 2025-11-27 is there, and the day is not over"
    ]
    assert "is another day's" in told(sealed([replace(days[0], day="2025-11-23")]))[-1]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"is_final": False}, "was made before the day was over"),
        ({"previous": {"day": "2025-11-23", "sha256": "0" * 64}}, "does not follow the day before"),
    ],
)
def test_what_is_signed_and_is_not_the_days_final_statement_is_named(
    changes: dict[str, Any], says: str
) -> None:
    days = statements()
    content = canonical_json(json.loads(days[1].content or b"") | changes)
    days[1] = replace(days[1], content=content, signature=signature_of(content))
    assert any(f"statement of 2025-11-25 {says}" in each for each in told(sealed(days)))


def test_the_mailbox_must_have_what_was_sealed() -> None:
    days = statements()
    made = sealed(days)
    box = read_mail(compose(stored(drawn_up([], DAYS[0])), ADDRESSES).content)
    sent = made.delivery_ids[:2]
    assert [each.detail for each in made.about_mails(box.statements, sent, TODAY)] == [
        "the mail of the statement of 2025-11-25 was sent but is not in this file"
    ]
    other = drawn_up([], DAYS[0])
    other.made_at += 1
    box = read_mail(compose(stored(other), ADDRESSES).content)
    (found,) = made.about_mails(box.statements, [], TODAY)
    assert found.detail == "the mail of the statement of 2025-11-24 differs from what was sealed"
    (found,) = sealed(days[1:]).about_mails(box.statements, [], TODAY)
    assert found.detail == "the statement of 2025-11-24 is in the mailbox and was never sealed"


def test_ops_records_must_be_what_was_sealed() -> None:
    made = sealed(statements(ops={OPS_ID: "1" * 64}))
    assert [*made.about_ops({OPS_ID: "1" * 64, "ops_later": "2" * 64})] == []
    (found,) = made.about_ops({})
    assert (found.kind, found.verdict) == ("missing", "completeness")
    (found,) = made.about_ops({OPS_ID: "2" * 64})
    assert (found.kind, found.verdict) == ("altered", "integrity")


def test_the_last_list_of_heads_anchors_every_event() -> None:
    made = sealed(statements())
    assert made.last[0] == DAYS[-1]
    standing = Standing(end=ChainEnd(seq=7, hash="7" * 64))
    heads = canonical_json(heads_record(DAYS[-1], {"harbor-gala": standing}))
    made.take_heads(DAYS[-1], heads)
    (anchor,) = made.anchors
    assert (anchor.event_id, anchor.seq, anchor.source) == (
        "harbor-gala", 7, "the heads of 2025-11-26",
    )  # fmt: skip
    made.take_heads(DAYS[-1], None)
    made.take_heads(DAYS[-1], b"{}")
    assert sum("wrong list of heads" in each for each in told(made)) == 2


@pytest.mark.parametrize("head", [{"seq": "5"}, {"seq": [1]}, {"seq": 1.5}, {"hash": 7}, {}])
@pytest.mark.parametrize("event_id", ["harbor-gala", "", "x" * 5_000, "\ud800"])
def test_no_list_of_heads_stops_the_check(event_id: str, head: dict[str, Any]) -> None:
    made = sealed(statements())
    heads = {"events": {event_id: {"seq": 7, "hash": "7" * 64} | head}}
    made.take_heads(DAYS[-1], json.dumps(heads).encode())
    is_right = event_id == "harbor-gala" and not head
    assert bool(made.wrong) is not is_right


def test_a_head_of_no_event_is_found_and_the_other_heads_are_believed() -> None:
    made = sealed(statements())
    good, bad = {"seq": 7, "hash": "7" * 64}, {"seq": 10**12, "hash": "7" * 64}
    heads = {"events": {"A B": good, "harbor-gala": good, "regatta": bad}}
    made.take_heads(DAYS[-1], json.dumps(heads).encode())
    assert [each.event_id for each in made.anchors] == ["harbor-gala"]
    (found,) = made.wrong
    assert found.kind == "no-event"
    assert found.detail.endswith("a list of heads that names what no event has: 'A B' and 1 more")


@pytest.mark.parametrize(
    ("there", "today", "says"),
    [
        (DAYS[1:], TODAY, "the sealed statement of 2025-11-24 is gone; the next day's names it"),
        (DAYS[:1], TODAY, "no statement after 2025-11-24"),
        (DAYS, "2025-11-29", "no statement after 2025-11-26"),
        (DAYS, "2025-11-28", ""),
        (DAYS[1:], "2033-01-01", "no statement after 2025-11-26"),
    ],
)
def test_days_that_are_gone_at_either_end_are_named(
    there: Sequence[str], today: str, says: str
) -> None:
    made = sealed([each for each in statements() if each.day in there])
    assert [each.detail for each in made.about_itself(today)] == ([says] if says else [])


def test_what_a_run_left_that_died_before_it_sealed_is_no_statement() -> None:
    days = statements()
    assert told(sealed([*days[:2], replace(days[2], content=None)])) == []


def test_a_mailbox_may_delete_what_is_seven_years_old() -> None:
    made = sealed(statements())
    box = read_mail(b"").statements
    assert len([*made.about_mails(box, made.delivery_ids, TODAY)]) == 3
    assert [*made.about_mails(box, made.delivery_ids, "2033-01-01")] == []
