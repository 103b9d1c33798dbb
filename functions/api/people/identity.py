"""Who is asking, and what their groups allow. Deny by default."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from functions.api.http.problems import ForbiddenError, NotSignedInError

SESSION_SECONDS = 12 * 60 * 60
CHECK_MS = 5 * 60 * 1000  # how often a session's account is looked up again
_ROLE = re.compile(r"(arn:[a-z-]+:iam::\d{12}:role/)(?:.*/)?([^/]+)")


class Grant(StrEnum):
    """What a group allows; the session's answer lists these values as `may`."""

    READ_EVENTS = "read_events"
    READ_PAYMENTS = "read_payments"
    LOG_PAYMENTS = "log_payments"


GRANTS: Mapping[str, frozenset[Grant]] = {
    "admins": frozenset(Grant),
    "auditors": frozenset({Grant.READ_EVENTS, Grant.READ_PAYMENTS}),
    "crew": frozenset({Grant.READ_EVENTS}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account, or an IAM identity, whose sub and email are its ARN.

    email, name: what an entry records. sub: Cognito's id of the account, which no other account
    ever gets; idempotency keys belong to it.
    """

    sub: str
    email: str
    name: str
    groups: tuple[str, ...]

    @property
    def grants(self) -> frozenset[Grant]:
        return frozenset[Grant]().union(*(GRANTS.get(group, ()) for group in self.groups))

    def may(self, grant: Grant) -> bool:
        return grant in self.grants


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who signed in. opened_at, checked_at: epoch milliseconds; expires_at: epoch seconds, as TTL.

    checked_at: when the user was last read from the directory.
    """

    user: User
    opened_at: int
    expires_at: int
    checked_at: int


class Sessions(Protocol):
    def find(self, token: str, now: int) -> Session | None: ...
    def close(self, token: str) -> None: ...

    def keep(self, token: str, session: Session) -> None:
        """Update a session, unless it was closed in the meantime."""


class DirectoryUnreachableError(Exception):
    """The user directory did not answer; its last answer still counts."""


class Directory(Protocol):
    def account(self, email: str) -> User | None:
        """The account as it is now; None if it is gone or disabled.

        Raises DirectoryUnreachableError.
        """


def get_user_context(
    arn: str,
    token: str,
    sessions: Sessions,
    directory: Callable[[], Directory],
    admin_arns: Collection[str],
    now: int,
) -> User:
    """Who is calling. Raises NotSignedInError.

    arn: of a caller that signs with IAM, a role's without its path; an allow-listed one is an
    admin, so scripts can log.
    token: of the session; its account is looked up again every five minutes, so a user who is
    disabled or leaves a group loses access by then, not when the session ends. Either may be empty.
    directory: called only when an account must be looked up. now: epoch milliseconds.
    """
    if arn in {as_called(each) for each in admin_arns}:
        return User(sub=arn, email=arn, name=arn.rpartition("/")[2], groups=("admins",))
    session = sessions.find(token, now) if token else None
    if session is None:
        raise _not_signed_in()
    if now - session.checked_at < CHECK_MS:
        return session.user
    try:
        account = directory().account(session.user.email)
    except DirectoryUnreachableError:  # an outage of sign-in must not stop the dock
        return session.user
    if account is None or account.sub != session.user.sub:  # or deleted and created again
        sessions.close(token)
        raise _not_signed_in()
    sessions.keep(token, replace(session, user=account, checked_at=now))
    return account


def as_called(arn: str) -> str:
    """An IAM identity's ARN as its calls show it: a user's is whole, a role's lacks the path.

    Nothing is let in by that: no account has two roles of one name, whatever their paths. Which of
    them it is cannot be told once a role is deleted and its name given to a new one.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    role = _ROLE.fullmatch(arn)
    return f"{role[1]}{role[2]}" if role else arn


def _not_signed_in() -> NotSignedInError:
    return NotSignedInError("Sign in first; your session is missing or has ended.")


def verify_admin_token(user: User) -> None:
    """Raises ForbiddenError unless the user may log payments."""
    require(user, Grant.LOG_PAYMENTS)


def require(user: User, grant: Grant) -> None:
    if not user.may(grant):
        raise ForbiddenError(
            "Your account does not have permission to do this. Ask an administrator for access."
        )
