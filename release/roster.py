"""`scc release roster`: put one event and its roster into the Events table by hand."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from functions.api.free_text.plain_text import shown
from ops.errors import OpsError
from ops.stack.platform import is_platforms
from ops.terminal.safe_text import safe
from release.stages import Stage, pass_stage
from shared import keys
from shared.attributes import to_attributes
from shared.ledger import EVENT_ID, EVENT_ID_RULE
from shared.zones import zone_called

TEXTS = ("event_id", "name", "event_date", "timezone", "location")
EMAIL = re.compile(r"[^\s@#]+@[^\s@#]+")


@click.command()
@pass_stage
@click.option("--file", required=True, metavar="FILE", help="The event and its patrons, as JSON.")
def roster(stage: Stage, file: str) -> None:
    """Write an event and its roster. Signed waivers stay as they are.

    The event management platform normally writes them; this is for a first event. The file looks
    like docs/first-event.json.

    \b
    Examples:
      scc release roster --stage staging --file docs/first-event.json
    """
    who, event = stage.aws.caller, read_event(file)
    if is_platforms(stage.outputs(), "EventsTableOwner"):
        table = stage.outputs()["EventsTableName"]
        raise OpsError(f"The table {table} is the platform's: add the event there.")
    put(stage.aws.client("dynamodb"), stage.outputs()["EventsTableName"], event)
    written = {"event": event["event_id"], "patrons": len(event["patrons"]), "by": who}
    if stage.console.as_json:
        stage.console.show(written)
    else:
        stage.console.facts(written.items())


def read_event(file: str) -> dict[str, Any]:
    """Raises OpsError, which names the field."""
    if not file:
        raise OpsError("FILE is missing: use FILE=event.json.")
    try:
        event: dict[str, Any] = json.loads(Path(file).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise OpsError(f"{file} cannot be read as JSON: {error}") from error
    for name in TEXTS:
        if not isinstance(event, dict) or not isinstance(event.get(name), str):
            raise OpsError(f"{file}: {name} must be text.")
    if not re.fullmatch(EVENT_ID, event["event_id"]):
        raise OpsError(f"{file}: event_id: {EVENT_ID_RULE}")
    try:
        if dt.date.fromisoformat(event["event_date"]).isoformat() != event["event_date"]:
            raise OpsError(f"{file}: event_date must be a date such as 2026-11-28.")
    except ValueError as error:
        raise OpsError(f"{file}: event_date: {error}") from error
    if zone_called(event["timezone"]) is None:
        told = safe(event["timezone"], 60)
        raise OpsError(f"{file}: timezone must be an IANA name such as America/New_York: {told}")
    patrons = event.get("patrons")
    if not isinstance(patrons, list) or not all(_is_patron(each) for each in patrons):
        raise OpsError(f"{file}: patrons must be a list, each with an email and a name.")
    return event


def put(dynamodb: Any, table: str, event: Mapping[str, Any]) -> None:
    """Write the roster first: once the event's own item exists, its roster is complete."""
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
        and bool(shown(value["name"]))
    )
