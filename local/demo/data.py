"""Demo events, rosters and users: added once, and never overwriting what a user has changed."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.demo.people import PATRONS, USERS, DemoUser
from local.engine.aws import LocalAws
from local.engine.batch_writes import put_all
from shared import keys
from shared.reads import Pause, batch_get

Patron = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """A charter. in_days: its date, counted from the first start. roster: the patrons who sail."""

    event_id: str
    name: str
    in_days: int
    timezone: str
    location: str
    roster: Sequence[Patron]


EVENTS = (
    DemoEvent(
        *("sunset-charter", "Sunset Charter", 0, "America/New_York", "Long Wharf, Boston"),
        roster=PATRONS[:28],
    ),
    DemoEvent(
        *("harbor-lights", "Harbor Lights Dinner Cruise", 1, "America/New_York"),
        *("Pier 83, New York", PATRONS[:3] + PATRONS[8:24]),
    ),
    DemoEvent(
        *("whale-watch-weekend", "Whale Watch Weekend", 6, "America/Los_Angeles"),
        *("Old Fisherman's Wharf, Monterey", PATRONS[3:20]),
    ),
    DemoEvent(
        *("regatta-2027", "Spring Regatta — Crew & Guests", 45, "America/Chicago"),
        *("Burnham Harbor, Chicago", PATRONS),
    ),
    DemoEvent(
        *("ile-de-re-passage", "Passage à l'Île de Ré", -3, "Europe/Paris"),
        *("Vieux Port, La Rochelle", PATRONS[5:17]),
    ),
    DemoEvent(
        *("captains-supper", "Captain's Supper", -12, "Pacific/Honolulu"),
        *("Aloha Tower, Honolulu", PATRONS[20:32]),
    ),
    DemoEvent(
        *("solo-lesson", "Private Sailing Lesson", 2, "America/New_York"),
        *("Long Wharf, Boston", PATRONS[28:29]),
    ),
    DemoEvent(
        *("empty-hold", "Open House (no guests yet)", 20, "America/New_York"),
        *("Long Wharf, Boston", ()),
    ),
)


def load_events(aws: LocalAws, table: str, today: dt.date, *, pause: Pause = time.sleep) -> int:
    """Add the missing events to the table; return how many there were.

    The META items are written after all rosters: if one exists, its event is complete.
    """
    dynamodb = aws.client("dynamodb")
    there = _event_ids(dynamodb, table, pause)
    missing = [event for event in EVENTS if event.event_id not in there]
    put_all(dynamodb, table, [item for event in missing for item in _roster(event)], pause=pause)
    put_all(dynamodb, table, [_meta(event, today) for event in missing], pause=pause)
    return len(missing)


def load_users(aws: LocalAws, pool_id: str, password: str) -> None:
    """Create the three users, or give existing ones this run's password."""
    cognito = aws.client("cognito-idp")
    for user in USERS:
        _make_user(cognito, pool_id, user)
        cognito.admin_set_user_password(
            UserPoolId=pool_id, Username=user.email, Password=password, Permanent=True
        )
        cognito.admin_add_user_to_group(
            UserPoolId=pool_id, Username=user.email, GroupName=user.group
        )


def _make_user(cognito: Any, pool_id: str, user: DemoUser) -> None:
    try:
        cognito.admin_create_user(
            UserPoolId=pool_id,
            Username=user.email,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": user.email},
                {"Name": "email_verified", "Value": "true"},
                {"Name": "name", "Value": user.name},
            ],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "UsernameExistsException":
            raise


def _event_ids(dynamodb: Any, table: str, pause: Pause) -> set[str]:
    wanted = [(table, keys.event_meta(event.event_id)) for event in EVENTS]
    found = batch_get(dynamodb, wanted, consistent=True, pause=pause)
    return {row["event_id"] for _, row in found}


def _meta(event: DemoEvent, today: dt.date) -> dict[str, Any]:
    return {
        **keys.event_meta(event.event_id),
        "listing": "event",
        "event_date": (today + dt.timedelta(days=event.in_days)).isoformat(),
        "name": event.name,
        "timezone": event.timezone,
        "location": event.location,
        "roster_size": len(event.roster),
    }


def _roster(event: DemoEvent) -> Iterator[dict[str, Any]]:
    for email, name in event.roster:
        yield {
            **keys.patron(event.event_id, email),
            "email": email,
            "name": name,
        }
