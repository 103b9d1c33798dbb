from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.attributes import Foreign, from_attributes, to_attributes
from shared.ledger import (
    EXPIRY,
    GENESIS_HASH,
    Head,
    LedgerEntry,
    MalformedEntryError,
    business_day,
    canonical_json,
    entry_hash,
    faults_of,
    matches_its_hash,
    record_of,
)
from tests.builders import NOW, entry

HOUR = 3_600_000


def test_hash_is_the_sha256_of_the_sorted_compact_record_without_its_hash() -> None:
    row = entry(patron_name="李小龍 🚢").to_row()
    without = {name: value for name, value in row.items() if name not in {"hash", EXPIRY}}
    text = json.dumps(without, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert row["hash"] == hashlib.sha256(text.encode()).hexdigest()


def test_entries_of_an_event_form_a_chain_from_sixty_four_zeros() -> None:
    first = entry()
    second = entry(first.as_head)
    assert (first.seq, first.prev_hash) == (1, GENESIS_HASH)
    assert (second.seq, second.prev_hash) == (2, first.hash)


def test_any_changed_attribute_changes_the_hash() -> None:
    row = entry().to_row()
    for name in row.keys() - {"hash", EXPIRY}:
        assert entry_hash(row | {name: "other"}) != row["hash"], name


def test_a_legal_hold_that_postpones_or_removes_the_expiry_is_no_alteration() -> None:
    row = entry().to_row()
    for held in (row | {EXPIRY: row[EXPIRY] + 10**9}, record_of(row)):
        assert matches_its_hash(held)
        assert faults_of(held) == []
    assert faults_of(row | {EXPIRY: row[EXPIRY] - 1}) == [
        "expiration_timestamp is earlier than seven years after logged_at"
    ]


def test_a_clock_that_was_set_back_moves_no_entry_before_the_one_it_follows() -> None:
    first = entry(logged_at=NOW)
    second = entry(first.as_head, logged_at=NOW - HOUR)
    third = entry(second.as_head, logged_at=NOW + HOUR)
    assert [each.logged_at for each in (first, second, third)] == [NOW, NOW, NOW + HOUR]
    assert second.expiration_timestamp == first.expiration_timestamp
    assert second.logged_day == first.logged_day


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2025-11-25T04:59:59.999", "America/New_York", "2025-11-24"),
        ("2025-11-25T05:00:00.000", "America/New_York", "2025-11-25"),
        ("2026-07-25T03:59:59.999", "America/New_York", "2026-07-24"),
        ("2025-11-24T13:00:00.000", "Pacific/Kiritimati", "2025-11-25"),
        ("2025-11-25T00:00:00.000", "UTC", "2025-11-25"),
    ],
)
def test_an_evening_payment_is_counted_on_the_day_of_the_office(
    moment: str, zone: str, day: str
) -> None:
    at = int(datetime.fromisoformat(f"{moment}+00:00").timestamp() * 1000)
    assert business_day(at, ZoneInfo(zone)) == day
    assert entry(logged_at=at).sealed(Head(), ZoneInfo(zone)).logged_day == day


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"amount_cents": Decimal("12500.5")}, "amount_cents is not a whole number"),
    ({"amount_cents": "12500"}, "amount_cents is not a whole number"),
    ({"amount_cents": True}, "amount_cents is not a whole number"),
    ({"amount_cents": None}, "amount_cents is not a whole number"),
    ({"amount_cents": 0}, "amount_cents is not positive"),
    ({"note": Foreign("B")}, "note is not text"),
    ({"voids": None}, "voids is not text"),
    ({"acknowledged_duplicates": "pay_1"}, "acknowledged_duplicates is not a list of text"),
    ({"acknowledged_duplicates": [1]}, "acknowledged_duplicates is not a list of text"),
    ({"kind": "gift"}, "kind is none that the ledger has"),
    ({"tip": 5}, "tip is no attribute of an entry"),
    ({"PK": "gala#jane.doe@example.com"}, "PK does not name its event and patron"),
    ({"SK": NOW}, "SK is not its timestamp"),
    ({"seq": 0}, "seq is not a number from 1 up"),
    ({"voids": "pay_1"}, "a payment has no voids"),
    ({"kind": "void", "reason": "other"}, "voids is missing"),
    ({"kind": "refund", "refunds": "pay_1"}, "reason is missing"),
]


@pytest.mark.parametrize(("change", "fault"), FAULTS, ids=[fault for _, fault in FAULTS])
def test_what_no_entry_of_ours_has_is_named(change: dict[str, Any], fault: str) -> None:
    row = entry().to_row() | change
    assert fault in faults_of(row)
    assert not matches_its_hash(row)


def test_every_missing_attribute_is_named_and_none_hides_another() -> None:
    row = {name: value for name, value in entry().to_row().items() if name[0] not in "ln"}
    assert faults_of(row) == [
        f"{name} is missing"
        for name in ("note", "logged_at", "logged_day", "logged_by", "logged_by_name")
    ]


def test_a_row_survives_dynamodb_and_still_has_its_hash() -> None:
    row = entry(acknowledged_duplicates=("pay_1",)).to_row()
    back = from_attributes(to_attributes(row))
    assert canonical_json(back) == canonical_json(row)
    assert LedgerEntry.from_row(back).hash == entry_hash(back)


def test_a_row_without_an_attribute_is_named_malformed() -> None:
    row = entry().to_row()
    del row["amount_cents"]
    with pytest.raises(MalformedEntryError, match="amount_cents"):
        LedgerEntry.from_row(row)


def test_key_and_expiry_are_the_ledgers() -> None:
    row = entry().to_row()
    assert row["PK"] == "sunset-charter#jane.doe@example.com"
    assert row["SK"] == row["timestamp"]
    assert row["expiration_timestamp"] == row["logged_at"] // 1000 + 2_555 * 86_400


def test_an_attribute_whose_default_is_none_may_be_absent_and_no_other() -> None:
    every: dict[str, Any] = {
        "voids": "pay_2",
        "corrects": "pay_3",
        "refunds": "pay_4",
        "reason": "other",
    }
    row = entry(**every, acknowledged_duplicates=("pay_1",)).to_row()
    optional = {each.name for each in fields(LedgerEntry) if each.default is None}
    assert LedgerEntry.from_row(row).to_row() == row
    for name in {each.name for each in fields(LedgerEntry)}:
        without = {key: value for key, value in row.items() if key != name}
        if name in optional:
            assert LedgerEntry.from_row(without).to_row() == without
        else:
            with pytest.raises(MalformedEntryError, match=name):
                LedgerEntry.from_row(without)
