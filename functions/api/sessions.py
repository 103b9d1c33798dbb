"""Sign-in: Cognito checks the password, the browser gets an opaque session, we keep its hash."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from functions.api.identity import User
from functions.api.problems import SignInRefusedError, ThrottledError
from shared.attributes import from_attributes, to_attributes

SESSION_SECONDS = 12 * 60 * 60


class SignIn(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    email: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=256)


class CognitoDirectory:
    """Checks passwords against a Cognito user pool client that has no secret."""

    def __init__(self, client: Any, client_id: str) -> None:
        self._client = client
        self._client_id = client_id

    def check_password(self, email: str, password: str) -> User:
        """The same SignInRefusedError for an unknown user and for a wrong password."""
        try:
            answer = self._client.initiate_auth(
                AuthFlow="USER_PASSWORD_AUTH",
                ClientId=self._client_id,
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        except self._client.exceptions.TooManyRequestsException as error:
            raise ThrottledError("Too many sign-ins. Wait a minute.", retry_after=60) from error
        except (
            self._client.exceptions.NotAuthorizedException,
            self._client.exceptions.UserNotFoundException,
            self._client.exceptions.UserNotConfirmedException,
            self._client.exceptions.PasswordResetRequiredException,
            self._client.exceptions.InvalidParameterException,
        ) as error:
            raise _refused() from error
        result = answer.get("AuthenticationResult")
        if not result:  # a challenge: the account still has its temporary password
            raise _refused()
        claims = _claims(result["IdToken"])
        return User(
            email=str(claims["email"]).lower(),
            name=str(claims.get("name") or claims["email"]),
            groups=tuple(claims.get("cognito:groups", ())),
        )


class SessionStore:
    """The Sessions table: SHA-256 of the token, never the token."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def open(self, user: User, now: int) -> str:
        """A new session; returns its token. now: epoch milliseconds."""
        token = secrets.token_urlsafe(32)
        session = {
            "session_hash": _hash(token),
            "email": user.email,
            "name": user.name,
            "groups": list(user.groups),
            "created_at": now,
            "expires_at": now // 1000 + SESSION_SECONDS,
        }
        self._client.put_item(TableName=self._table, Item=to_attributes(session))
        return token

    def user(self, token: str, now: int) -> User | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key=to_attributes({"session_hash": _hash(token)}),
            ConsistentRead=True,  # a session ended a moment ago must be gone
        )
        if "Item" not in answer:
            return None
        session = from_attributes(answer["Item"])
        if session["expires_at"] <= now // 1000:  # TTL deletes late, up to days
            return None
        return User(email=session["email"], name=session["name"], groups=tuple(session["groups"]))

    def close(self, token: str) -> None:
        self._client.delete_item(
            TableName=self._table, Key=to_attributes({"session_hash": _hash(token)})
        )


def _refused() -> SignInRefusedError:
    return SignInRefusedError("The e-mail or the password is wrong.")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _claims(id_token: str) -> dict[str, Any]:
    """The token's payload. It came from Cognito itself over TLS, so its signature adds nothing."""
    payload = id_token.split(".")[1]
    padded = payload + "=" * (-len(payload) % 4)
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
    return claims
