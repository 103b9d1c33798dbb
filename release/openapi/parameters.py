"""The parameters of the API's calls: in the address, the query or a header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.api.free_text.plain_text import PLAIN_TEXT
from functions.api.http.incoming import MAX_SEARCH
from shared.ledger import EVENT_ID, PAYMENT_ID
from shared.text import EMAIL

KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
_EXAMPLE_PAYMENT = "pay_3f9c0a1b2c3d4e5f60718293a4b5c6d7"
_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    name: str
    place: str
    schema: dict[str, Any]
    description: str
    example: Any
    required: bool = False


EVENT = Parameter(
    name="event_id",
    place="path",
    required=True,
    schema={"type": "string", "pattern": f"^{EVENT_ID}$"},
    description="The event's id, as in its address.",
    example="sunset-charter",
)
PAYMENT = Parameter(
    name="payment_id",
    place="path",
    required=True,
    schema={"type": "string", "pattern": f"^{PAYMENT_ID}$"},
    description="An entry of the ledger: a payment, void or refund.",
    example=_EXAMPLE_PAYMENT,
)
CURSOR = Parameter(
    name="cursor",
    place="query",
    schema={"type": "string", "pattern": "^[A-Za-z0-9_-]*$"},
    description="The `cursor` of the previous page, unchanged; it only works for the same list.",
    example="",
)
LIMIT = Parameter(
    name="limit",
    place="query",
    schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    description="Entries per page.",
    example=50,
)
OPTIONAL = Parameter(
    name="optional",
    place="query",
    schema={"type": "string", "enum": ["true"]},
    description="Answer 200 without a user instead of 401 when nobody is signed in.",
    example=None,
)
IDEMPOTENCY = Parameter(
    name="Idempotency-Key",
    place="header",
    required=True,
    schema={"type": "string", "format": "uuid", "pattern": f"^{_UUID}$"},
    description="A new UUID for every payment or void, sent again with every retry of it. The same "
    "key with the same body gives the same answer, however late: keys never expire.",
    example=KEY,
)
BY_EVENT = Parameter(
    name="event_id",
    place="query",
    schema={"type": "string", "pattern": f"^{EVENT_ID}$"},
    description="Entries of this event.",
    example="sunset-charter",
)
BY_PATRON = Parameter(
    name="patron_email",
    place="query",
    schema={"type": "string", "pattern": f"^{EMAIL}$"},
    description="Entries of this patron, at all events.",
    example=None,
)
SEARCH = Parameter(
    name="q",
    place="query",
    schema={"type": "string", "maxLength": MAX_SEARCH, "pattern": PLAIN_TEXT},
    description="Part of a name or e-mail; case and accents are ignored.",
    example="seamus",
)
KEY_IN_PATH = Parameter(
    name="key",
    place="path",
    required=True,
    schema=IDEMPOTENCY.schema,
    description="The Idempotency-Key the payment was sent with.",
    example=KEY,
)


def day(name: str, description: str) -> Parameter:
    schema = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    return Parameter(
        name=name, place="query", schema=schema, description=description, example="2026-11-23"
    )
