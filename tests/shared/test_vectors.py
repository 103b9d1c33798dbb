"""The format of the ledger, pinned: rows that were hashed once and must hash the same forever.

The rows were written by hand and sealed by vectors/seal.py, with a JSON library and SHA-256 alone,
not with the code under test. A change that breaks them breaks every mail and every export that was
ever made: it needs a new schema_version, and vectors that are added, not replaced.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, get_args

import pytest

from shared.attributes import from_attributes, to_attributes
from shared.ledger import (
    GENESIS_HASH,
    SCHEMA_VERSION,
    Head,
    Kind,
    LedgerEntry,
    canonical_json,
    entry_hash,
    faults_of,
    record_of,
)
from shared.methods import reference_key
from tests.builders import ZONE

VECTORS = Path(__file__).with_name("vectors")


def load(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((VECTORS / name).read_text("utf-8"))["vectors"]
    return vectors


CHAIN = load("ledger_chain.json")


@pytest.mark.parametrize("vector", CHAIN, ids=lambda vector: vector["shows"].split(":")[0])
def test_a_row_has_the_bytes_and_the_hash_that_it_always_had(vector: dict[str, Any]) -> None:
    row = vector["row"]
    record = canonical_json(record_of(row))
    assert hashlib.sha256(record).hexdigest() == vector["record_sha256"]
    assert entry_hash(row) == vector["hash"] == row["hash"]
    assert faults_of(row) == faults_of(json.loads(record)) == []


@pytest.mark.parametrize("vector", CHAIN, ids=lambda vector: vector["shows"].split(":")[0])
def test_a_row_survives_a_trip_through_the_ledger(vector: dict[str, Any]) -> None:
    stored = from_attributes(to_attributes(LedgerEntry.from_row(vector["row"]).to_row()))
    assert canonical_json(stored) == canonical_json(vector["row"])


def test_the_rows_form_one_chain_and_sealing_reproduces_it() -> None:
    head = Head()
    assert CHAIN[0]["row"]["prev_hash"] == GENESIS_HASH
    for vector in CHAIN:
        sealed = LedgerEntry.from_row(vector["row"]).sealed(head, ZONE)
        assert sealed.to_row() == vector["row"]
        head = sealed.as_head


def test_the_rows_show_what_is_easy_to_get_wrong() -> None:
    rows = [vector["row"] for vector in CHAIN]
    text = "".join(row["patron_name"] + row["note"] + row["reference"] for row in rows)
    assert max(text) > "\uffff", "beyond the basic plane: a surrogate pair in UTF-16"
    assert min(text) < " ", "a control character"
    assert {row["kind"] for row in rows} == set(get_args(Kind))
    assert {row["schema_version"] for row in rows} == {SCHEMA_VERSION}
    assert [] in [row["acknowledged_duplicates"] for row in rows]
    for row in rows:
        assert row.get("reference_key", "") == reference_key(row["reference"])


@pytest.mark.parametrize("vector", load("canonical_json.json"))
def test_canonical_json_is_these_bytes(vector: dict[str, Any]) -> None:
    assert canonical_json(vector["row"]) == bytes.fromhex(vector["utf8_hex"])
