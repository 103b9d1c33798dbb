"""Who is asking, and what their groups allow. Deny by default."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from functions.api.problems import ForbiddenError, NotSignedInError


class Grant(Enum):
    READ_EVENTS = auto()
    READ_PAYMENTS = auto()
    LOG_PAYMENTS = auto()


GRANTS: Mapping[str, frozenset[Grant]] = {
    "admins": frozenset(Grant),
    "auditors": frozenset({Grant.READ_EVENTS, Grant.READ_PAYMENTS}),
    "crew": frozenset({Grant.READ_EVENTS}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """email is what `logged_by` records; for an IAM identity it is the ARN."""

    email: str
    name: str
    groups: tuple[str, ...]

    def may(self, grant: Grant) -> bool:
        return any(grant in GRANTS.get(group, ()) for group in self.groups)


class SessionReader(Protocol):
    def user(self, token: str, now: int) -> User | None: ...


def get_user_context(
    event: Mapping[str, Any], sessions: SessionReader, admin_arns: Collection[str], now: int
) -> User:
    """The caller of a Function URL event (payload version 2.0). Raises NotSignedInError.

    An allow-listed IAM identity is an admin; scripts use it. Everyone else has a session cookie.
    now: epoch milliseconds.
    """
    arn = _caller_arn(event)
    if arn in admin_arns:
        return User(email=arn, name=arn.rpartition("/")[2], groups=("admins",))
    token = session_token(event)
    user = sessions.user(token, now) if token else None
    if user is None:
        raise NotSignedInError("Sign in first; your session is missing or has ended.")
    return user


def verify_admin_token(user: User) -> None:
    """Raises ForbiddenError unless the user may log payments."""
    require(user, Grant.LOG_PAYMENTS)


def require(user: User, grant: Grant) -> None:
    if not user.may(grant):
        raise ForbiddenError("Your account may not do this. Ask an administrator for access.")


COOKIE_NAME = "__Host-scc_session"
_ROLE_SESSION = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/[^/]+")


def session_token(event: Mapping[str, Any]) -> str:
    """The session cookie's value, or an empty string.

    Lambda lists cookies apart from the headers; the emulator leaves them in the Cookie header.
    """
    header = (event.get("headers") or {}).get("cookie", "")
    for cookie in event.get("cookies") or header.split(";"):
        name, _, value = cookie.partition("=")
        if name.strip() == COOKIE_NAME:
            return str(value)
    return ""


def _caller_arn(event: Mapping[str, Any]) -> str:
    """The caller's ARN; a role's session counts as its role."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    arn = str((authorizer.get("iam") or {}).get("userArn") or "")
    session = _ROLE_SESSION.fullmatch(arn)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn
