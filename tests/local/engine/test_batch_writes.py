from __future__ import annotations

from typing import Any

import pytest

from local.engine.batch_writes import MOST_ITEMS, UnwrittenItemsError, put_all
from shared.reads import ROUNDS


class Busy:
    """A DynamoDB that writes `items_a_call` of the items it is given, the last ones first."""

    def __init__(self, items_a_call: int) -> None:
        self.items_a_call = items_a_call
        self.written: list[str] = []
        self.calls: list[int] = []

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        ((table, puts),) = request["RequestItems"].items()
        self.calls.append(len(puts))
        room = len(puts) - self.items_a_call
        left, done = puts[: max(room, 0)], puts[max(room, 0) :]
        self.written += [each["PutRequest"]["Item"]["event_id"]["S"] for each in done]
        return {"UnprocessedItems": {table: left} if left else {}}


def events(count: int) -> list[dict[str, Any]]:
    return [{"event_id": str(number)} for number in range(count)]


def test_what_dynamodb_left_out_is_written_after_a_pause() -> None:
    busy, waits = Busy(10), list[float]()
    put_all(busy, "Events", events(25), pause=waits.append)
    assert sorted(busy.written, key=int) == [str(number) for number in range(25)]
    assert busy.calls == [25, 15, 5], "only what was left out"
    assert len(waits) == 2
    assert waits == sorted(waits)
    assert waits[0] > 0


def test_a_table_that_takes_nothing_is_asked_a_few_times_and_then_named() -> None:
    busy, waits = Busy(0), list[float]()
    with pytest.raises(UnwrittenItemsError, match=r"7 items of Events.*Try again in a minute"):
        put_all(busy, "Events", events(7), pause=waits.append)
    assert len(busy.calls) == ROUNDS
    assert len(waits) == ROUNDS - 1


def test_many_items_go_in_batches_that_dynamodb_takes() -> None:
    busy = Busy(MOST_ITEMS)
    put_all(busy, "Events", events(60))
    assert busy.calls == [25, 25, 10]


def test_no_items_make_no_call() -> None:
    busy = Busy(1)
    put_all(busy, "Events", [])
    assert busy.calls == []
