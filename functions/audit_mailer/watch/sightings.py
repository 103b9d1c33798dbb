"""AuditDeliveries: what the watch saw of each mail, and where its round stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from aws_lambda_powertools import Logger

from functions.audit_mailer.gmail.mailbox import MOST_FOUND
from functions.audit_mailer.watch.verdicts import Sighting
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.audit.delivery import (
    Item,
    first_seen_at,
    found_since,
    last_known_as,
    missed_at,
    seen_at,
)
from shared.audit.findings import MailFinding

MOST_OPEN = 2_000  # findings that are looked at again in every run
MOST_OPEN_BYTES = 200_000  # of their keys; an item holds twice that
MOST_ROLES = MOST_FOUND  # mails about one entry that are remembered

logger = Logger(child=True)


@dataclass(slots=True)
class Round:
    """Where the round over the whole ledger stands, and what is unsettled.

    day, after, last: the business day, and `logged_at` and id of the last entry that was looked at;
    empty before the first. unsettled: keys of AuditDeliveries.
    """

    day: str = ""
    after: int = 0
    last: str = ""
    unsettled: Sequence[str] = field(default_factory=tuple)


class Sightings:
    """unkept: keys of what DynamoDB did not take, such as a delivery that somebody filled up."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self.unkept: list[str] = []

    def round(self) -> Round:
        answer = self._client.get_item(TableName=self._table, Key=to_attributes(keys.watch()))
        item = from_attributes(answer.get("Item", {}))
        after, last, unsettled = (item.get(each) for each in ("after", "last", "unsettled"))
        return Round(
            _day(item.get("day")),
            after if type(after) is int else 0,
            last if isinstance(last, str) else "",
            [each for each in unsettled if keys.is_key(each)]
            if isinstance(unsettled, list)
            else (),
        )

    def keep(self, state: Round) -> None:
        """Of too many findings, or too long keys, some are left for the round to find again."""
        unsettled = _kept(state.unsettled)
        if lost := [each for each in state.unsettled if each not in unsettled]:
            logger.error("findings not kept", count=len(lost), payment_id=lost[0][:200])
            self.unkept += lost
        item = {
            "day": state.day,
            "after": state.after,
            "last": state.last,
            "unsettled": list(unsettled),
        }
        values = to_attributes({f":{name}": it for name, it in item.items()})
        with self._writing(keys.watch()["payment_id"]):
            self._client.update_item(
                TableName=self._table,
                Key=to_attributes(keys.watch()),
                UpdateExpression=(
                    "SET #day = :day, #after = :after, #last = :last, unsettled = :unsettled"
                ),
                ExpressionAttributeNames={"#day": "day", "#after": "after", "#last": "last"},
                ExpressionAttributeValues=values,
            )

    def note(
        self, before: Item, sighting: Sighting, findings: Sequence[MailFinding], now: int
    ) -> None:
        """Keep what was seen of a mail that was sent. seen_at: since when it is known to be there.

        before: its delivery, as it was read. findings: those that nobody has settled. Nothing is
        kept for a delivery that is gone or was not sent: the watch makes no deliveries.
        """
        noted = _noted(before, sighting, findings, now)
        kept = {name: value for name, value in noted.items() if value is not None}
        gone = sorted(noted.keys() - kept.keys() - {"last_seen_as"})  # what a lost mail was
        change = "SET " + ", ".join(f"{name} = :{name}" for name in kept)
        values = {f":{name}": value for name, value in kept.items()} | {":sent": "sent"}
        with (
            self._writing(sighting.own_id),
            suppress(self._client.exceptions.ConditionalCheckFailedException),
        ):
            self._client.update_item(
                TableName=self._table,
                Key=to_attributes({"payment_id": sighting.own_id}),
                UpdateExpression=change + (f" REMOVE {', '.join(gone)}" if gone else ""),
                ConditionExpression="#state = :sent",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_attributes(values),
            )

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        """What DynamoDB cannot take costs this item alone: the run goes on, and counts it."""
        try:
            yield
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            reason = error.response["Error"].get("Message")
            logger.exception("delivery not noted", payment_id=key[:200], reason=reason)
            self.unkept.append(key)


def _noted(
    before: Item, sighting: Sighting, findings: Sequence[MailFinding], now: int
) -> dict[str, Any]:
    """The attributes of a delivery, None for those that it must not have."""
    genuine, found = sighting.genuine, {each.kind for each in sighting.findings()}
    is_explained = not (genuine or findings)  # it is not there, and a person has said why
    is_there_still = not last_known_as(before).isdisjoint(genuine)
    seen = seen_at(before) if is_there_still else None
    since = {kind: found_since(before, kind) or now for kind in found}
    return {
        "mails": dict(list(sighting.roles.items())[:MOST_ROLES]),
        "first_seen_at": first_seen_at(before) or (now if genuine else None),
        "seen_at": (seen or now) if genuine else None,
        "last_seen_as": sorted(genuine) or None,
        "mailbox_finding": findings[0].kind if findings else None,
        "mailbox_explained": is_explained or None,
        "found_since": since or None,
        "missed_at": since.get("missing") or missed_at(before),
    }


def _kept(unsettled: Sequence[str]) -> dict[str, None]:
    """As many as one item holds, in their order. The longest go first: ours are short."""
    kept, room = set[str](), MOST_OPEN_BYTES
    for each in sorted(dict.fromkeys(unsettled), key=len)[:MOST_OPEN]:
        room -= len(each.encode()) + 8
        if room < 0:
            break
        kept.add(each)
    return dict.fromkeys(each for each in unsettled if each in kept)


def _day(value: Any) -> str:
    """Whoever edits a table by hand writes anything; the round then begins anew."""
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        return ""
