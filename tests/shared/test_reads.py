from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from shared.attributes import to_attributes
from shared.reads import ROUNDS, UnreadKeysError, batch_get

PATIENCE = 3.5  # seconds, below what a caller behind CloudFront waits for


class Busy:
    """A DynamoDB that answers `keys_a_call` of the keys that it is asked for."""

    def __init__(self, keys_a_call: int) -> None:
        self.keys_a_call = keys_a_call
        self.calls: list[dict[str, Any]] = []

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        wanted = request["RequestItems"]
        self.calls.append(wanted)
        room, found, left = self.keys_a_call, {}, {}
        for table, reads in wanted.items():
            found[table], rest = reads["Keys"][:room], reads["Keys"][room:]
            room -= len(found[table])
            if rest:
                left[table] = reads | {"Keys": rest}
        return {"Responses": found, "UnprocessedKeys": left}


def rows(client: Busy, count: int, waits: list[float], **more: Any) -> list[Any]:
    keys = [("Deliveries", {"payment_id": f"pay_{number}"}) for number in range(count)]
    return list(batch_get(client, keys, consistent=True, pause=waits.append, **more))


def test_a_table_that_never_answers_is_asked_a_few_times_with_growing_pauses() -> None:
    busy, waits = Busy(0), list[float]()
    with pytest.raises(UnreadKeysError) as error:
        rows(busy, 3, waits)
    assert len(busy.calls) == ROUNDS
    assert len(waits) == ROUNDS - 1
    assert waits == sorted(waits)
    assert waits[0] > 0
    assert sum(waits) < PATIENCE
    assert "Deliveries" in str(error.value)
    assert "Try again in a minute" in str(error.value)


def test_two_readers_do_not_retry_at_the_same_moment() -> None:
    first, second = list[float](), list[float]()
    for waits in (first, second):
        with pytest.raises(UnreadKeysError):
            rows(Busy(0), 1, waits)
    assert first != second


def test_only_the_keys_left_out_are_asked_for_again() -> None:
    busy, waits = Busy(2), list[float]()
    found = rows(busy, 5, waits)
    assert [row["payment_id"] for _, row in found] == [f"pay_{number}" for number in range(5)]
    assert [len(call["Deliveries"]["Keys"]) for call in busy.calls] == [5, 3, 1]
    assert all(call["Deliveries"]["ConsistentRead"] for call in busy.calls)
    assert len(waits) == 2


def test_more_keys_than_a_call_takes_are_read_in_several_without_a_pause() -> None:
    busy, waits = Busy(100), list[float]()
    assert len(rows(busy, 201, waits, attributes=("payment_id", "PK"))) == 201
    assert [len(call["Deliveries"]["Keys"]) for call in busy.calls] == [100, 100, 1]
    assert {call["Deliveries"]["ProjectionExpression"] for call in busy.calls} == {"payment_id, PK"}
    assert not waits


def test_rows_of_several_tables_come_with_their_table() -> None:
    keys = [("Ledger", {"PK": "EVENT#gala"}), ("Events", {"event_id": "gala", "SK": "META"})]
    client = Busy(2)
    found = list(batch_get(client, keys, consistent=False))
    assert sorted(found) == sorted(keys)
    assert client.calls[0]["Ledger"]["Keys"] == [to_attributes({"PK": "EVENT#gala"})]


def test_no_keys_make_no_call() -> None:
    busy = Busy(1)
    assert rows(busy, 0, []) == []
    assert not busy.calls


def test_nobody_else_reads_or_writes_in_batches() -> None:
    """Whoever calls DynamoDB's batches must ask again for what it left out."""
    root = Path(__file__).parents[2]
    found = {
        str(file.relative_to(root))
        for folder in ("benchmarks", "functions", "local", "ops", "release", "shared")
        for file in (root / folder).rglob("*.py")
        if re.search(r"\bbatch_(get|write)_item\(|\bbatch_writer\(", file.read_text("utf-8"))
    }
    assert found == {"local/engine/batch_writes.py", "shared/reads.py"}
