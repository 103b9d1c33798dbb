"""The session cookie: its name, reading it, writing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from functions.api.people.identity import SESSION_SECONDS

COOKIE_NAME = "__Host-scc_session"


def session_token(event: Mapping[str, Any]) -> str:
    """The session cookie's value, or an empty string.

    Lambda lists cookies apart from the headers; the emulator leaves them in the Cookie header. The
    name is exact: a browser lets any page of a neighbour's set one that only looks like it.
    """
    header = (event.get("headers") or {}).get("cookie", "")
    for cookie in event.get("cookies") or header.split(";"):
        name, _, value = cookie.partition("=")
        if name.strip(" \t") == COOKIE_NAME:  # RFC 6265, 5.2: nothing else is white space
            return str(value)
    return ""


def session_cookie(token: str) -> Cookie:
    """An empty token removes the cookie."""
    return Cookie(
        name=COOKIE_NAME,
        value=token,
        path="/",
        secure=True,
        http_only=True,
        same_site=SameSite.STRICT_MODE,
        max_age=SESSION_SECONDS if token else 0,
    )
