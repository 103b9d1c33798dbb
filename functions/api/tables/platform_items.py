"""What the Events table says, in our own terms: the one place that knows how a platform writes it.

The keys are as `shared.keys` has them, since the table's schema fixes them. Any other attribute may
be spelled with other capitals, with or without underscores; a number may be text and the other way
around; what is not listed here is ignored. What cannot be used raises UnusableError, whose sentence
is the same wherever the event or the patron turns up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from functions.api.free_text.plain_text import shown
from functions.api.http.problems import FieldError, UnusableError
from shared import keys
from shared.ledger import EVENT_ID_RULE, business_date, is_event_id
from shared.text import BIDI_CONTROLS, EMAIL
from shared.zones import zone_called

LONGEST_NAME = 200
_SPELLINGS: Mapping[str, tuple[str, ...]] = {  # folded, the best first
    "name": ("name", "eventname", "title"),
    "event_date": ("eventdate",),
    "timezone": ("timezone", "tz"),
    "location": ("location", "venue"),
    "roster_size": ("rostersize",),
    "email": ("email", "patronemail"),
    "patron_name": ("name", "patronname", "fullname"),
    "first_name": ("firstname", "givenname"),
    "last_name": ("lastname", "familyname"),
    "waiver_signed_at": ("waiversignedat",),
    "waiver_name": ("waivername",),
}
_FIRST, _LAST = 946_684_800, 4_102_444_800  # 2000 and 2100, in epoch seconds
_COMPACT_DATE = re.compile(r"[0-9]{8}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sorted:
    """What can be used, and what cannot, each with the sentence that says why."""

    usable: list[dict[str, Any]]
    problems: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class PlatformItems:
    """zone: of events that name none."""

    zone: ZoneInfo

    def event(self, row: Row) -> dict[str, Any]:
        """An event as `functions.api.events` shows it. Raises UnusableError."""
        event_id = row["event_id"]
        if not is_event_id(event_id):
            _refuse("event_id", EVENT_ID_RULE)
        if not keys.is_event_meta(row):
            _refuse("event_id", "The platform lists this event under another sort key than META.")
        named = _text(row, "timezone")
        zone = zone_called(named) if named else self.zone
        if zone is None:
            _refuse("event_id", "This event's timezone is no IANA name such as America/New_York.")
        day = _day(_value(row, "event_date"), zone)
        if day is None:
            _refuse(
                "event_id",
                "This event's event_date is neither a date such as 2026-11-28 nor a moment.",
            )
        name = _text(row, "name") or event_id
        if len(name) > LONGEST_NAME:
            _refuse("event_id", f"This event's name has more than {LONGEST_NAME} characters.")
        return {
            "event_id": event_id,
            "name": name,
            "event_date": day.isoformat(),
            "timezone": zone.key,
            "location": _text(row, "location") or None,
            "roster_size": _whole(_value(row, "roster_size")),
        }

    def patron(self, row: Row) -> dict[str, Any]:
        """A roster entry as `functions.api.events` shows it. Raises UnusableError.

        Without a name, the address stands in for it: nobody on the roster is left out.
        """
        email = address_of(row)
        if email is None:
            _refuse("patron_email", "This patron has no e-mail address on the roster.")
        whole = " ".join(filter(None, (_text(row, "first_name"), _text(row, "last_name"))))
        name = _text(row, "patron_name") or whole or email
        if len(name) > LONGEST_NAME:
            _refuse("patron_email", f"This patron's name has more than {LONGEST_NAME} characters.")
        return {
            "email": email,
            "name": name,
            "waiver_signed_at": _moment(_value(row, "waiver_signed_at")),
            "waiver_name": _text(row, "waiver_name") or name,
        }

    def events(self, rows: Iterable[Row]) -> Sorted:
        return _sorted(rows, self.event, lambda row: {"event_id": row["event_id"]})

    def roster(self, rows: Iterable[Row]) -> Sorted:
        return _sorted(entries_among(rows), self.patron, lambda row: {"email": address_of(row)})


def event_among(rows: Iterable[Row]) -> Row | None:
    """The item of an event among all that have its id: META, or else what the index lists."""
    found = [row for row in rows if keys.is_event_meta(row) or keys.is_listed(row)]
    return min(found, key=lambda row: not keys.is_event_meta(row), default=None)


def entries_among(rows: Iterable[Row]) -> list[Row]:
    """The roster's items, each address once: in lower case if it is there, else the first."""
    found: dict[str, Row] = {}
    for row in rows:
        if not keys.is_patron(row):
            continue
        email = address_of(row)
        name = f"#{row['SK']}" if email is None else email
        is_canonical = email is not None and row["SK"] == keys.patron("", email)["SK"]
        if name not in found or is_canonical:
            found[name] = row
    return list(found.values())


def entry_of(rows: Iterable[Row], email: str) -> Row | None:
    """The roster entry with this address. email: in lower case."""
    return next((row for row in entries_among(rows) if address_of(row) == email), None)


def address_of(row: Row) -> str | None:
    """In lower case: the key's if it is an address, else the attribute's, else None."""
    for text in (keys.address_in(row), _text(row, "email")):
        email = text.strip().lower()
        if re.fullmatch(EMAIL, email) and _clean(email) == email:
            return email
    return None


def is_signed(row: Row) -> bool:
    """Whether the roster says anything of a signature, readable or not."""
    return _value(row, "waiver_signed_at") is not None


def _sorted(
    rows: Iterable[Row],
    read: Callable[[Row], dict[str, Any]],
    named: Callable[[Row], dict[str, Any]],
) -> Sorted:
    found = Sorted([], [])
    for row in rows:
        try:
            found.usable.append(read(row))
        except UnusableError as error:
            called = _text(row, "name")[:LONGEST_NAME] or None
            found.problems.append({**named(row), "name": called, "problem": error.detail})
    return found


def _refuse(field: str, sentence: str) -> NoReturn:
    raise UnusableError(sentence, FieldError(field, "unusable", sentence))


def _value(row: Row, name: str) -> Any:
    """The best spelling of an attribute that says something; our own goes first."""
    folded = _SPELLINGS[name]
    spelled = sorted(
        (folded.index(_folded(each)), each != each.lower(), each)
        for each in row
        if _folded(each) in folded
    )
    return next((row[each] for *_, each in spelled if not _is_blank(row[each])), None)


@lru_cache(maxsize=1_000)
def _folded(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not shown(_clean(value)))


def _text(row: Row, name: str) -> str:
    """On one line, without what no reader sees; empty for what is neither text nor a number."""
    value = _value(row, name)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    return shown(_clean(str(value)))


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = "".join(
        " " if unicodedata.category(each) in {"Cc", "Zl", "Zp", "Zs"} else each
        for each in text
        if each not in BIDI_CONTROLS and unicodedata.category(each) != "Cs"
    )
    return " ".join(kept.split())


def _number(value: Any) -> Decimal | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    return None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 <= number < 10**9 else None


def _moment(value: Any) -> int | None:
    """Epoch milliseconds of a moment in epoch seconds, epoch milliseconds or ISO 8601; else None.

    Without an offset it is in UTC.
    """
    number = _number(value)
    if number is not None:
        seconds = number if number < _LAST else number / 1000
        return int(seconds * 1000) if _FIRST <= seconds < _LAST else None
    at = _iso(value)
    if at is None or not _FIRST <= (seconds_of := at.timestamp()) < _LAST:
        return None
    return round(seconds_of * 1000)


def _iso(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _day(value: Any, zone: tzinfo) -> date | None:
    """The day of a date, or of a moment in the event's own zone."""
    text = str(value).strip() if isinstance(value, str | int) else ""
    if _COMPACT_DATE.fullmatch(text) or not _NUMBER.fullmatch(text):
        try:
            if len(text) <= 10 or datetime.fromisoformat(text).tzinfo is None:
                return datetime.fromisoformat(text).date()
        except ValueError:
            return None
    moment = _moment(value)
    return None if moment is None else business_date(moment, zone)
