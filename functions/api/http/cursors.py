"""Opaque page cursors: authenticated, and valid only for the query that made them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from functions.api.http.problems import FieldError, MalformedRequestError

_MAC_BYTES = 16


def write_cursor(key: bytes, query: str, position: Sequence[Any] | None) -> str | None:
    """`position`: the place of the page's last row, as JSON can hold it; None: the last page."""
    if position is None:
        return None
    content = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(key, query, content) + content).decode().rstrip("=")


def read_cursor(key: bytes, query: str, cursor: str | None) -> list[Any] | None:
    """Raises MalformedRequestError for a cursor that we did not write for this query."""
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except ValueError as error:
        raise _refused() from error
    mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, query, content)):
        raise _refused()
    position: list[Any] = json.loads(content)
    return position


def _mac(key: bytes, query: str, content: bytes) -> bytes:
    return hmac.digest(key, query.encode() + b"\0" + content, hashlib.sha256)[:_MAC_BYTES]


def _refused() -> MalformedRequestError:
    message = "This cursor does not belong to this list. Start again from the first page."
    return MalformedRequestError(message, FieldError("cursor", "cursor_invalid", message))
