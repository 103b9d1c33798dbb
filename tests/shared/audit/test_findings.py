"""Which ops records settle a finding."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from shared.audit.findings import CLOCKS_DIFFER_MS, UNHEARD_MS, MailFinding, settles
from shared.ledger import canonical_json
from tests.builders import NOW

FINDING = MailFinding("missing", "pay_1", frozenset({"m1"}))
ACK: dict[str, Any] = {"action": "ack", "filter": "pay_1", "at": NOW, "reason": "a filter"}
LONG_AFTER = NOW + 30 * 86_400_000


def sent(record: dict[str, Any]) -> dict[str, Any]:
    return {"state": "sent", "record_sha256": hashlib.sha256(canonical_json(record)).hexdigest()}


def test_a_record_that_compliance_was_mailed_settles_for_good() -> None:
    assert settles(FINDING, ACK, sent(ACK), LONG_AFTER)
    assert not settles(FINDING, ACK, {"state": "sent"}, LONG_AFTER), "says not what was mailed"


@pytest.mark.parametrize("delivery", [{}, {"state": "failed"}, {"state": "sending"}])
def test_one_whose_mail_is_still_on_its_way_settles_for_an_hour(delivery: dict[str, Any]) -> None:
    assert settles(FINDING, ACK, delivery, NOW + UNHEARD_MS - 1)
    assert not settles(FINDING, ACK, delivery, NOW + UNHEARD_MS)
    assert not settles(FINDING, ACK, delivery, NOW - CLOCKS_DIFFER_MS - 1)


@pytest.mark.parametrize(
    "record",
    [
        {},
        ACK | {"action": "replay"},
        ACK | {"filter": "pay_2"},
        ACK | {"at": "now"},
        ACK | {"reason": {1.5}},
    ],
)
def test_what_is_no_such_record_settles_nothing(record: dict[str, Any]) -> None:
    for delivery in ({}, sent(ACK)):
        assert not settles(FINDING, record, delivery, LONG_AFTER)
    assert not settles(FINDING, record, {"state": "sent", "record_sha256": ""}, LONG_AFTER)


def test_a_record_that_was_changed_after_it_was_mailed_settles_nothing() -> None:
    assert not settles(FINDING, ACK | {"reason": "another"}, sent(ACK), LONG_AFTER)
