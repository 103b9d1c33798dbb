"""Rows of the ledger that no event leads to, for the verbs that look at all of it."""

from __future__ import annotations

from collections.abc import Collection

from ops.session import Session
from ops.stack.entries import LedgerReader, Row


def unlisted_rows(session: Session, reader: LedgerReader, events: Collection[str]) -> list[Row]:
    """Their keys. events: that are looked at anyway. Says so if the caller may not look."""
    found = reader.unlisted(events)
    if found is None:
        session.console.say(
            "note: rows of events without a head were not looked for: that takes dynamodb:Scan on "
            "the Payments table"
        )
    return found or []
