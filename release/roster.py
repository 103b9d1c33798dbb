"""`make roster STAGE=staging|prod FILE=event.json`: put one event and its roster into Events.

The event management platform writes that table; this is for a first event by hand. The file:

    {"event_id": "first-sail", "name": "First Sail", "event_date": "2026-12-01",
     "timezone": "America/New_York", "location": "Long Wharf, Boston",
     "patrons": [{"email": "jane.doe@example.com", "name": "Jane Doe"}]}

A signed waiver stays as it is. Exit codes: 0 done, 2 refused: nothing was written.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
import zoneinfo
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from release.stages import RefusedError, Stage
from shared import keys
from shared.attributes import to_attributes

TEXTS = ("event_id", "name", "event_date", "timezone", "location")
EVENT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
EMAIL = re.compile(r"[^\s@#]+@[^\s@#]+")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stage", default="")
    parser.add_argument("--file", default="")
    options = parser.parse_args(arguments)
    try:
        stage = Stage.chosen(options.stage)
        event = read_event(options.file)
        stage.caller()
        put(stage.client("dynamodb"), stage.outputs()["EventsTableName"], event)
    except RefusedError as error:
        print(f"Nothing written: {error}", file=sys.stderr)
        return 2
    print(f"{event['event_id']}: {len(event['patrons'])} patrons on its roster.")
    return 0


def read_event(file: str) -> dict[str, Any]:
    """Raises RefusedError that names the field."""
    if not file:
        raise RefusedError("FILE is missing: say FILE=event.json.")
    try:
        event: dict[str, Any] = json.loads(Path(file).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RefusedError(f"{file} cannot be read as JSON: {error}") from error
    for name in TEXTS:
        if not isinstance(event, dict) or not isinstance(event.get(name), str):
            raise RefusedError(f"{file}: {name} must be a text.")
    if not EVENT_ID.fullmatch(event["event_id"]):
        raise RefusedError(f"{file}: event_id must be small letters, digits and hyphens.")
    try:
        dt.date.fromisoformat(event["event_date"])
        zoneinfo.ZoneInfo(event["timezone"])
    except (ValueError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise RefusedError(f"{file}: event_date or timezone: {error}") from error
    patrons = event.get("patrons")
    if not isinstance(patrons, list) or not all(_is_patron(each) for each in patrons):
        raise RefusedError(f"{file}: patrons must be a list of e-mail and name.")
    return event


def put(dynamodb: Any, table: str, event: Mapping[str, Any]) -> None:
    """The roster first: where the event's own item stands, it is complete."""
    for patron in event["patrons"]:
        dynamodb.update_item(
            TableName=table,
            Key=to_attributes(keys.patron(event["event_id"], patron["email"].lower())),
            UpdateExpression="SET email = :email, #name = :name",
            ExpressionAttributeNames={"#name": "name"},
            ExpressionAttributeValues={
                ":email": {"S": patron["email"].lower()},
                ":name": {"S": patron["name"]},
            },
        )
    item = {name: {"S": event[name]} for name in TEXTS}
    size = {"N": str(len(event["patrons"]))}
    meta = to_attributes(keys.event_meta(event["event_id"]))
    more = meta | {"listing": {"S": "event"}, "roster_size": size}
    dynamodb.put_item(TableName=table, Item=item | more)


def _is_patron(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("email"), str)
        and bool(EMAIL.fullmatch(value["email"]))
        and isinstance(value.get("name"), str)
        and bool(value["name"].strip())
    )


if __name__ == "__main__":
    sys.exit(main())
