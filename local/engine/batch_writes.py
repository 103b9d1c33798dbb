"""Writing many rows: what DynamoDB leaves out is written again, after a pause."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from shared.attributes import to_attributes
from shared.reads import FIRST_PAUSE, ROUNDS, Pause

MOST_ITEMS = 25  # what BatchWriteItem takes


class UnwrittenItemsError(Exception):
    """DynamoDB left items unwritten every time it was asked. Others may be in the table."""

    def __init__(self, table: str, count: int) -> None:
        super().__init__(
            f"DynamoDB left {count} items of {table} unwritten {ROUNDS} times: the table is "
            "throttled. Try again in a minute."
        )


def put_all(
    client: Any, table: str, items: Sequence[Mapping[str, Any]], *, pause: Pause = time.sleep
) -> None:
    """Put all of them, or raise UnwrittenItemsError. Nothing is promised about their order.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
    """
    for start in range(0, len(items), MOST_ITEMS):
        puts = [
            {"PutRequest": {"Item": to_attributes(each)}}
            for each in items[start : start + MOST_ITEMS]
        ]
        _until_all_are_written(client, table, puts, pause)


def _until_all_are_written(
    client: Any, table: str, puts: list[dict[str, Any]], pause: Pause
) -> None:
    for number in range(ROUNDS):
        if number:
            longest = FIRST_PAUSE * 2 ** (number - 1)
            pause(random.uniform(longest / 2, longest))  # noqa: S311 - jitter, no secret
        answer = client.batch_write_item(RequestItems={table: puts})
        puts = (answer.get("UnprocessedItems") or {}).get(table, [])
        if not puts:
            return
    raise UnwrittenItemsError(table, len(puts))
