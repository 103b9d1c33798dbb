"""Sign-in: Cognito checks the password, the browser gets an opaque session, we keep its hash."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from contextlib import suppress
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.api.http.problems import SignInRefusedError, ThrottledError
from functions.api.people.identity import DirectoryUnreachableError, Session, User
from functions.api.tables.dynamo import Dynamo
from shared.attributes import to_attributes
from shared.reads import TableKey

logger = Logger(child=True)
SESSION_SECONDS = 12 * 60 * 60


class CognitoDirectory:
    """Checks passwords and accounts in a Cognito user pool whose client has no secret."""

    def __init__(self, public: Any, client: Any, client_id: str, pool_id: str) -> None:
        """public: a client that does not sign; with a password the password is the credential."""
        self._public = public
        self._client = client
        self._client_id = client_id
        self._pool_id = pool_id

    def check_password(self, email: str, password: str) -> User:
        """The same SignInRefusedError for an unknown user, a wrong password and a locked account.

        Cognito locks an account for up to 15 minutes after five wrong passwords, and says so; who
        guesses must not learn from that which accounts there are. Raises ThrottledError too.
        """
        errors = self._public.exceptions
        try:
            answer = self._public.initiate_auth(
                AuthFlow="USER_PASSWORD_AUTH",
                ClientId=self._client_id,
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        except (errors.TooManyRequestsException, errors.LimitExceededException) as error:
            raise ThrottledError("Too many sign-ins. Wait a minute.", retry_after=60) from error
        except (
            errors.NotAuthorizedException,
            errors.UserNotFoundException,
            errors.UserNotConfirmedException,
            errors.PasswordResetRequiredException,
            errors.InvalidParameterException,
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

    def account(self, email: str) -> User | None:
        """The account as it is now; None when it is gone or disabled."""
        whose = {"UserPoolId": self._pool_id, "Username": email}
        try:
            found = self._client.admin_get_user(**whose)
            groups = self._client.admin_list_groups_for_user(**whose)["Groups"]  # there are three
        except self._client.exceptions.UserNotFoundException:
            return None
        except (BotoCoreError, ClientError) as error:
            logger.warning("account not checked", error=type(error).__name__)
            raise DirectoryUnreachableError from error
        if not found["Enabled"]:
            return None
        attributes = {each["Name"]: each["Value"] for each in found["UserAttributes"]}
        return User(
            email=email,
            name=attributes.get("name") or email,
            groups=tuple(each["GroupName"] for each in groups),
        )


class SessionStore:
    """The Sessions table: SHA-256 of the token, never the token."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._client = dynamo.client
        self._table = table

    def open(self, user: User, now: int) -> str:
        """A new session; returns its token. now: epoch milliseconds."""
        token = secrets.token_urlsafe(32)
        until = now // 1000 + SESSION_SECONDS
        session = Session(user=user, opened_at=now, expires_at=until, checked_at=now)
        self._put(token, session, "attribute_not_exists(session_hash)")
        return token

    def key(self, token: str) -> TableKey:
        """Where a token's session is."""
        return self._table, {"session_hash": _hash(token)}

    def find(self, token: str, now: int) -> Session | None:
        """Read consistently: a session that ended a moment ago must be gone."""
        row = self._dynamo.get(*self.key(token))
        if row is None or row["expires_at"] <= now // 1000:  # TTL deletes late, up to days
            return None
        return Session(
            user=User(email=row["email"], name=row["name"], groups=tuple(row["groups"])),
            opened_at=row["created_at"],
            expires_at=row["expires_at"],
            checked_at=row.get("checked_at") or row["created_at"],
        )

    def keep(self, token: str, session: Session) -> None:
        """Write a session that is still open, or nothing when it was closed meanwhile."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._put(token, session, "attribute_exists(session_hash)")

    def close(self, token: str) -> None:
        table, key = self.key(token)
        self._client.delete_item(TableName=table, Key=to_attributes(key))

    def _put(self, token: str, session: Session, condition: str) -> None:
        row = {
            "session_hash": _hash(token),
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
