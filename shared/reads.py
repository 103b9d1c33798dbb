"""Reading many rows by key: what DynamoDB leaves out is asked for again, after a pause."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shared.attributes import from_attributes, to_attributes

MOST_KEYS = 100  # what BatchGetItem takes
ROUNDS = 6  # a call, and five more for the keys it left out
FIRST_PAUSE = 0.1  # seconds; doubled each time, so a read waits 3 s at most

TableKey = tuple[str, Mapping[str, Any]]  # a table, and the key of a row in it
Pause = Callable[[float], None]  # sleeps seconds


class UnreadKeysError(Exception):
    """DynamoDB left keys unread every time it was asked. Whether their rows exist is unknown."""

    def __init__(self, tables: Sequence[str], rounds: int) -> None:
        super().__init__(
            f"DynamoDB left keys of {', '.join(tables)} unread {rounds} times: the table is "
            "throttled. Try again in a minute."
        )


def batch_get(
    client: Any,
    keys: Sequence[TableKey],
    *,
    consistent: bool,
    attributes: Sequence[str] = (),
    pause: Pause = time.sleep,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows that exist, each with its table, in any order. Raises UnreadKeysError.

    keys: different ones, any number, of any tables. attributes: to read, all unless given; reserved
    words such as `state` are not possible here.
    """
    options: dict[str, Any] = {"ConsistentRead": consistent}
    if attributes:
        options["ProjectionExpression"] = ", ".join(attributes)
    for start in range(0, len(keys), MOST_KEYS):
        wanted: dict[str, Any] = {}
        for table, key in keys[start : start + MOST_KEYS]:
            wanted.setdefault(table, {"Keys": [], **options})["Keys"].append(to_attributes(key))
        yield from _until_all_are_read(client, wanted, pause)


def _until_all_are_read(
    client: Any, wanted: dict[str, Any], pause: Pause
) -> Iterator[tuple[str, dict[str, Any]]]:
    for number in range(ROUNDS):
        if number:
            longest = FIRST_PAUSE * 2 ** (number - 1)
            pause(random.uniform(longest / 2, longest))  # noqa: S311 - jitter, no secret
        answer = client.batch_get_item(RequestItems=wanted)
        for table, items in answer["Responses"].items():
            yield from ((table, from_attributes(item)) for item in items)
        wanted = answer.get("UnprocessedKeys") or {}
        if not wanted:
            return
    raise UnreadKeysError(sorted(wanted), ROUNDS)
