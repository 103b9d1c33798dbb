"""The token endpoint: a signed JWT for a delegated user in, an access token out.

Follows "Using OAuth 2.0 for Server to Server Applications", including its table of JWT errors.
"""

import base64
import binascii
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from local.gmail_sandbox.accounts import ServiceAccount
from local.gmail_sandbox.errors import TokenError
from local.gmail_sandbox.wiring import FAULTS, SERVICE_ACCOUNT, STORE, now_ms

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"
DELEGATED_DOMAIN = "shipcaptaincrew.example"

_GMAIL = "https://www.googleapis.com/auth/gmail."
SCOPE_SEND = _GMAIL + "send"
SCOPE_INSERT = _GMAIL + "insert"
SCOPE_READONLY = _GMAIL + "readonly"
SCOPE_COMPOSE = _GMAIL + "compose"
SCOPE_MODIFY = _GMAIL + "modify"
SCOPE_METADATA = _GMAIL + "metadata"
SCOPE_LABELS = _GMAIL + "labels"
SCOPE_ALL_MAIL = "https://mail.google.com/"
GRANTED_SCOPES = frozenset({SCOPE_SEND, SCOPE_INSERT, SCOPE_READONLY})
"""What the Workspace administrator allowed this service account."""
_KNOWN_SCOPES = GRANTED_SCOPES | {
    SCOPE_COMPOSE,
    SCOPE_MODIFY,
    SCOPE_METADATA,
    SCOPE_LABELS,
    SCOPE_ALL_MAIL,
}

TOKEN_LIFETIME_MS = 3_600_000
MAX_ASSERTION_SECONDS = 65 * 60
CLOCK_SKEW_SECONDS = 300


_ADDRESS = re.compile(r"[!-;=?A-~]+@[a-zA-Z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Grant:
    subject: str | None
    """The impersonated mailbox; None for a service account that speaks for itself."""
    scopes: frozenset[str]


def verify_assertion(assertion: str, *, account: ServiceAccount, now: float) -> Grant:
    """Check signature, issuer, audience, times, scopes and delegation. `now`: epoch seconds."""
    claims = _signed_claims(assertion, account)
    if claims.get("aud") != AUDIENCE:
        raise _invalid_grant(
            f"Invalid JWT: Failed audience check. The right audience is {AUDIENCE}"
        )
    _check_times(claims, now)
    scopes = frozenset(str(claims.get("scope", "")).split())
    if not scopes or not scopes <= _KNOWN_SCOPES:
        raise TokenError(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    subject = claims.get("sub")
    if subject is None:
        return Grant(None, scopes)
    if not isinstance(subject, str) or not _ADDRESS.fullmatch(subject):
        raise _invalid_grant("Invalid email or User ID")
    if not subject.lower().endswith("@" + DELEGATED_DOMAIN):
        raise unauthorized_client()
    if not scopes & GRANTED_SCOPES:
        raise unauthorized_client()
    if not scopes <= GRANTED_SCOPES:
        raise TokenError(401, "access_denied", "Requested client not authorized.")
    return Grant(subject.lower(), scopes)


def _signed_claims(assertion: str, account: ServiceAccount) -> dict[str, Any]:
    try:
        header_part, claims_part, signature_part = assertion.split(".")
        header = json.loads(_b64(header_part))
        claims = json.loads(_b64(claims_part))
        signature = _b64(signature_part)
        if header["alg"] != "RS256" or not isinstance(claims, dict):
            raise _invalid_grant("Invalid JWT Signature.")
    except (ValueError, KeyError, TypeError) as error:
        raise TokenError(400, "invalid_request", "Invalid JWT: malformed assertion.") from error
    if claims.get("iss") != account.client_email:
        raise _invalid_grant("Invalid JWT: No valid verifier found for issuer.")
    signed = f"{header_part}.{claims_part}".encode("ascii")
    try:
        account.public_key.verify(signature, signed, padding.PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise _invalid_grant("Invalid JWT Signature.") from error
    return claims


def _check_times(claims: dict[str, Any], now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    reasonable = (
        isinstance(issued, int | float)
        and isinstance(expires, int | float)
        and issued <= now + CLOCK_SKEW_SECONDS
        and expires > now - CLOCK_SKEW_SECONDS
        and 0 < expires - issued <= MAX_ASSERTION_SECONDS
    )
    if not reasonable:
        raise _invalid_grant(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
            "timeframe. Check your iat and exp values in the JWT claim."
        )


def _b64(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _invalid_grant(description: str) -> TokenError:
    return TokenError(400, "invalid_grant", description)


def unauthorized_client() -> TokenError:
    return TokenError(
        401,
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method, or client not "
        "authorized for any of the scopes requested.",
    )


async def token(request: web.Request) -> web.Response:
    form = await request.post()
    grant_type, assertion = form.get("grant_type"), form.get("assertion")
    if grant_type != GRANT_TYPE:
        raise TokenError(
            400, "unsupported_grant_type", "Invalid grant_type: " + str(grant_type or "")
        )
    if not isinstance(assertion, str) or not assertion:
        raise TokenError(400, "invalid_request", "Missing required parameter: assertion")
    faults = request.app[FAULTS]
    now = now_ms()
    skew = faults.take("clock_skew", "token")
    grant = verify_assertion(
        assertion,
        account=request.app[SERVICE_ACCOUNT],
        now=now / 1000 + (skew.number("seconds", 7200) if skew else 0),
    )
    if faults.take("unknown_user", "token", user=grant.subject):
        raise _invalid_grant("Invalid email or User ID")
    if faults.take("revoke_delegation", "token"):
        raise unauthorized_client()
    value = "ya29.c." + secrets.token_urlsafe(96)
    request.app[STORE].add_token(
        value, subject=grant.subject, scopes=grant.scopes, expires_at=now + TOKEN_LIFETIME_MS
    )
    return web.json_response(
        {"access_token": value, "expires_in": TOKEN_LIFETIME_MS // 1000 - 1, "token_type": "Bearer"}
    )


def routes() -> list[web.RouteDef]:
    return [web.post("/token", token)]
