"""The Sessions table: SHA-256 of each session's token, never the token."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress

from functions.api.people.identity import SESSION_SECONDS, Session, User
from functions.api.tables.dynamo import Dynamo
from shared.attributes import to_attributes
from shared.reads import TableKey


class SessionStore:
    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._client = dynamo.client
        self._table = table

    def open(self, user: User, now: int) -> str:
        """Open a session and return its token. now: epoch milliseconds."""
        token = secrets.token_urlsafe(32)
        until = now // 1000 + SESSION_SECONDS
        session = Session(user=user, opened_at=now, expires_at=until, checked_at=now)
        self._put(token, session, "attribute_not_exists(session_hash)")
        return token

    def key(self, token: str) -> TableKey:
        """The key of a token's session."""
        return self._table, {"session_hash": _hash(token)}

    def find(self, token: str, now: int) -> Session | None:
        """Read consistently: a session that ended a moment ago must be gone."""
        row = self._dynamo.get(*self.key(token))
        if row is None or "sub" not in row:  # opened by an earlier release
            return None
        if row["expires_at"] <= now // 1000:  # TTL deletes late, up to days
            return None
        return Session(
            user=User(
                sub=row["sub"],
                email=row["email"],
                name=row["name"],
                groups=tuple(row["groups"]),
            ),
            opened_at=row["created_at"],
            expires_at=row["expires_at"],
            checked_at=row.get("checked_at") or row["created_at"],
        )

    def keep(self, token: str, session: Session) -> None:
        """Update a session, unless it was closed in the meantime."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._put(token, session, "attribute_exists(session_hash)")

    def close(self, token: str) -> None:
        table, key = self.key(token)
        self._client.delete_item(TableName=table, Key=to_attributes(key))

    def _put(self, token: str, session: Session, condition: str) -> None:
        row = {
            "session_hash": _hash(token),
            "sub": session.user.sub,
            "email": session.user.email,
            "name": session.user.name,
            "groups": list(session.user.groups),
            "created_at": session.opened_at,
            "expires_at": session.expires_at,
            "checked_at": session.checked_at,
        }
        self._client.put_item(
            TableName=self._table, Item=to_attributes(row), ConditionExpression=condition
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
