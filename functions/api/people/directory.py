"""The user directory: Cognito checks passwords and says which groups an account is in."""

from __future__ import annotations

import base64
import json
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.api.http.problems import SignInRefusedError, ThrottledError
from functions.api.people.identity import DirectoryUnreachableError, User

logger = Logger(child=True)


class CognitoDirectory:
    """Checks passwords and accounts in a Cognito user pool whose client has no secret."""

    def __init__(self, public: Any, client: Any, client_id: str, pool_id: str) -> None:
        """public: a client that does not sign its calls; the password is the credential."""
        self._public = public
        self._client = client
        self._client_id = client_id
        self._pool_id = pool_id

    def check_password(self, email: str, password: str) -> User:
        """The same SignInRefusedError for an unknown user, a wrong password and a locked account.

        Cognito locks an account for up to 15 minutes after five wrong passwords, and says so; an
        attacker must not learn which accounts exist. Also raises ThrottledError.
        """
        errors = self._public.exceptions
        try:
            answer = self._public.initiate_auth(
                AuthFlow="USER_PASSWORD_AUTH",
                ClientId=self._client_id,
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        except (errors.TooManyRequestsException, errors.LimitExceededException) as error:
            raise ThrottledError(
                "Too many sign-in attempts. Wait a minute and try again.", retry_after=60
            ) from error
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
            sub=str(claims["sub"]),
            email=str(claims["email"]).lower(),
            name=str(claims.get("name") or claims["email"]),
            groups=tuple(claims.get("cognito:groups", ())),
        )

    def account(self, email: str) -> User | None:
        """The account as it is now; None if it is gone or disabled."""
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
            sub=attributes["sub"],
            email=email,
            name=attributes.get("name") or email,
            groups=tuple(each["GroupName"] for each in groups),
        )


def _refused() -> SignInRefusedError:
    return SignInRefusedError("The e-mail or the password is wrong.")


def _claims(id_token: str) -> dict[str, Any]:
    """The token's payload. It came from Cognito itself over TLS, so its signature adds nothing."""
    payload = id_token.split(".")[1]
    padded = payload + "=" * (-len(payload) % 4)
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
    return claims
