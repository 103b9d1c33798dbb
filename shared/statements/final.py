"""What makes bytes the final statement of a day, by what they say. Not: who signed them.

Our key signs statements of a day that is not over, too. Copied to a day's place, one of these is as
genuine as it is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from shared.ledger import canonical_json


def not_final(record: Mapping[str, Any], content: bytes, day: str) -> str:
    """Why it is not the day's final statement, in words; empty if it is. content: its bytes.

    Raises KeyError, TypeError, AttributeError, ValueError or RecursionError for what is none.
    """
    if record["day"] != day:
        return "is another day's"
    if record["is_final"] is not True:
        return "was made before the day was over"
    before = date.fromisoformat(day) - timedelta(1)
    if record["previous"] is not None and record["previous"]["day"] != before.isoformat():
        return "does not follow the day before it"
    if not isinstance(record["ledger"]["heads_sha256"], str):
        return "names no list of heads"
    return "" if canonical_json(record) == content else "is not in canonical form"
