"""How fast mailers and readers together may use one Gmail user's quota, and when no mailer may.

They share one item of the AuditDeliveries table. Its `next_at` is the theoretical arrival time of
the generic cell rate algorithm (ITU-T I.371): every delivery advances it by one interval and may
start once it is not too far ahead. A read advances it by less, and has to wait while it is ahead of
a few deliveries: who reads never takes what a mailer needs next. Its `closed_until` stops all
mailers while the account is refused; after that time a single mailer probes the account for all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.audit_mailer.settings import DeliveryMethod
from shared import keys
from shared.attributes import from_attributes, to_attributes

# 6,000 units a minute and user: https://developers.google.com/workspace/gmail/api/reference/quota
UNITS: Mapping[DeliveryMethod, int] = {"send": 100, "import": 25}
SEARCH_UNITS = 5
READ_UNITS = 20
# Less than the quota holds: a mailer may search before it delivers.
PER_MINUTE: Mapping[DeliveryMethod, int] = {"send": 55, "import": 200}
FARTHEST_MS = 3_600_000  # ahead of now; longer than any mailer reserves
LONGEST_CLOSURE_MS = 24 * 3_600_000  # Gmail's longest limits are by the day
CLOCKS_DIFFER_MS = 5 * 60_000
LARGEST_BURST = 10  # one batch of the queue
READERS_SHARE = 4  # of a burst: the part that readers may use up
MOST_FOREIGN = 100  # attributes that are removed at once from an item that is full
CONTENDERS = 8  # tries against mailers that change the item at the same moment


class NoSlotError(Exception):
    """No delivery may start soon. wait_ms: until one may. is_closed: the account is refused."""

    def __init__(self, wait_ms: int, *, is_closed: bool = False) -> None:
        super().__init__("Gmail refuses the account" if is_closed else "Gmail's quota is in use")
        self.wait_ms = wait_ms
        self.is_closed = is_closed


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to deliver one mail from `at` (epoch ms). is_probe: first after a closure."""

    at: int
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `per_minute` deliveries in any minute, `burst` of them at once.

    units: that one of them costs.
    """

    per_minute: int
    units: int = UNITS["send"]

    @property
    def burst(self) -> int:
        return max(1, min(LARGEST_BURST, self.per_minute // 2))

    @property
    def interval_ms(self) -> int:
        """Between two deliveries in the long run. The burst counts toward the minute."""
        return math.ceil(60_000 / max(1, self.per_minute - self.burst))

    @property
    def lead_ms(self) -> int:
        """How far ahead of now `next_at` may be when a delivery goes out."""
        return (self.burst - 1) * self.interval_ms

    def reading_ms(self, units: int) -> int:
        """What a read advances `next_at` by."""
        return math.ceil(self.interval_ms * units / self.units)


class Pacer:
    """table: AuditDeliveries. user: whose quota it is. probe_ms: between probes while closed."""

    def __init__(self, client: Any, table: str, user: str, rate: Rate, probe_ms: int) -> None:
        self._client = client
        self._table = table
        self._key = to_attributes(keys.pacing(user))
        self._rate = rate
        self._probe_ms = probe_ms

    def reserve(self, now: int, patience_ms: int) -> Slot:
        """The next slot, if it is within the patience. Raises NoSlotError."""
        seen: dict[str, Any] = {}
        for _ in range(CONTENDERS):
            closed_until = seen.get("closed_until")
            if closed_until is not None and closed_until > now:
                raise NoSlotError(closed_until - now, is_closed=True)
            latest = now + patience_ms + self._rate.lead_ms
            if closed_until is None and seen.get("next_at", 0) > latest:
                raise NoSlotError(seen["next_at"] - self._rate.lead_ms - now)
            try:
                return self._take(now, seen, latest)
            except self._client.exceptions.ConditionalCheckFailedException as error:
                seen = self._sane(from_attributes(error.response.get("Item", {})), now)
        raise NoSlotError(self._rate.interval_ms)

    def reserve_reading(self, now: int, units: int) -> None:
        """Take `units` of the quota to read with. Raises NoSlotError when mailers may need them.

        A closure stops deliveries only.
        """
        self._advance(now, units, self._rate.lead_ms // READERS_SHARE)

    def reserve_search(self, now: int, patience_ms: int, units: int) -> int:
        """From when on (epoch ms) a mailer may read before it delivers. Raises NoSlotError.

        It takes its turn with the deliveries. No closure stops it: it was let through already.
        """
        lead = self._rate.lead_ms
        return now + max(0, self._advance(now, units, lead + patience_ms) - lead)

    def _advance(self, now: int, units: int, lead: int) -> int:
        """How far `next_at` was ahead of now (ms); if that is at most the lead, it is advanced."""
        step = self._rate.reading_ms(units)
        for _ in range(CONTENDERS):
            try:
                self._update(
                    "SET next_at = :now + :step",
                    "attribute_not_exists(next_at) OR next_at <= :now",
                    step=step,
                    now=now,
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                seen = self._sane(from_attributes(error.response["Item"]), now)
                ahead = seen.get("next_at", now) - now
            else:
                return 0
            if ahead > lead:
                raise NoSlotError(ahead - lead)
            try:
                after = self._update(
                    "SET next_at = next_at + :step",
                    "next_at > :now AND next_at <= :latest",
                    step=step,
                    now=now,
                    latest=now + lead,
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                continue
            return int(after["next_at"]) - step - now
        raise NoSlotError(self._rate.interval_ms)

    def _sane(self, item: dict[str, Any], now: int) -> dict[str, Any]:
        """The item, begun anew if it says what no mailer writes: that costs a minute's politeness.

        A clock may have been wrong, or somebody edited the table.
        """
        numbers = [item[each] for each in ("next_at", "closed_until") if each in item]
        is_whole = all(type(each) is int for each in numbers)
        if is_whole and self._is_near(item, now):
            return item
        self._update("SET next_at = :now REMOVE closed_until", None, now=now)
        return {"next_at": now}

    def _is_near(self, item: dict[str, Any], now: int) -> bool:
        longest = LONGEST_CLOSURE_MS + CLOCKS_DIFFER_MS
        next_at, closed_until = item.get("next_at", 0), item.get("closed_until", 0)
        return bool(next_at <= now + FARTHEST_MS and closed_until <= now + longest)

    def close(self, now: int, wait_ms: int | None = None) -> None:
        """Stop all deliveries until a probe succeeds. wait_ms: what Google asked for, if it did."""
        wait = min(wait_ms or self._probe_ms, LONGEST_CLOSURE_MS)
        self._update("SET closed_until = :until", None, until=now + wait)

    def open(self) -> None:
        self._update("REMOVE closed_until", None)

    def _take(self, now: int, seen: dict[str, Any], latest: int) -> Slot:
        interval = self._rate.interval_ms
        if "closed_until" in seen:
            self._update(
                "SET closed_until = :until, next_at = :next",
                "closed_until <= :now",
                until=now + self._probe_ms,
                next=now + interval,
                now=now,
            )
            return Slot(now, is_probe=True)
        is_open = "attribute_not_exists(closed_until)"
        if seen.get("next_at", 0) <= now:
            self._update(
                "SET next_at = :next",
                f"{is_open} AND (attribute_not_exists(next_at) OR next_at <= :now)",
                next=now + interval,
                now=now,
            )
            return Slot(now)
        after = self._update(
            "SET next_at = next_at + :interval",
            f"{is_open} AND next_at > :now AND next_at <= :latest",
            interval=interval,
            now=now,
            latest=latest,
        )
        return Slot(max(now, int(after["next_at"]) - interval - self._rate.lead_ms))

    def _update(self, change: str, condition: str | None, **values: int) -> dict[str, Any]:
        try:
            return self._write(change, condition, **values)
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
        self._make_room()
        return self._write(change, condition, **values)

    def _make_room(self) -> None:
        """Remove what no mailer writes: DynamoDB takes not one byte more than 400 KB."""
        item = self._client.get_item(TableName=self._table, Key=self._key).get("Item", {})
        foreign = item.keys() - self._key.keys() - {"next_at", "closed_until"}
        largest = sorted(foreign, key=lambda name: -len(str(item[name])))[:MOST_FOREIGN]
        if largest:
            self._client.update_item(
                TableName=self._table,
                Key=self._key,
                UpdateExpression="REMOVE " + ", ".join(f"#{at}" for at in range(len(largest))),
                ExpressionAttributeNames={f"#{at}": name for at, name in enumerate(largest)},
            )

    def _write(self, change: str, condition: str | None, **values: int) -> dict[str, Any]:
        answer = self._client.update_item(
            TableName=self._table,
            Key=self._key,
            UpdateExpression=change,
            ReturnValues="UPDATED_NEW",
            **(
                {
                    "ConditionExpression": condition,
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
                if condition
                else {}
            ),
            **(
                {
                    "ExpressionAttributeValues": to_attributes(
                        {f":{name}": value for name, value in values.items()}
                    )
                }
                if values
                else {}
            ),
        )
        return from_attributes(answer.get("Attributes", {}))
