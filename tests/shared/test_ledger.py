from __future__ import annotations

import hashlib
import json
from dataclasses import fields

import pytest

from shared.attributes import from_attributes, to_attributes
from shared.ledger import (
    GENESIS_HASH,
    Head,
    LedgerEntry,
    MalformedEntryError,
    canonical_json,
    entry_hash,
)
from tests.builders import entry


def test_hash_is_the_sha256_of_the_sorted_compact_row_without_its_hash() -> None:
    row = entry(patron_name="李小龍 🚢").to_row()
    without = {name: value for name, value in row.items() if name != "hash"}
    text = json.dumps(without, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert row["hash"] == hashlib.sha256(text.encode()).hexdigest()


def test_entries_of_an_event_form_a_chain_from_sixty_four_zeros() -> None:
    first = entry()
    second = entry(Head(seq=first.seq, hash=first.hash))
    assert (first.seq, first.prev_hash) == (1, GENESIS_HASH)
    assert (second.seq, second.prev_hash) == (2, first.hash)


def test_any_changed_attribute_changes_the_hash() -> None:
    row = entry().to_row()
    for name in row:
        if name != "hash":
            assert entry_hash(row | {name: "other"}) != row["hash"], name


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
    row = entry(voids="pay_2", reason="other", acknowledged_duplicates=("pay_1",)).to_row()
    optional = {each.name for each in fields(LedgerEntry) if each.default is None}
    assert LedgerEntry.from_row(row).to_row() == row
    for name in {each.name for each in fields(LedgerEntry)}:
        without = {key: value for key, value in row.items() if key != name}
        if name in optional:
            assert LedgerEntry.from_row(without).to_row() == without
        else:
            with pytest.raises(MalformedEntryError, match=name):
                LedgerEntry.from_row(without)
