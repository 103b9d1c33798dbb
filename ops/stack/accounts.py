"""Who can sign in: the Cognito user pool, and the groups that grant rights."""

from __future__ import annotations

import secrets
import string
from typing import Any

from botocore.exceptions import ClientError

from functions.api.people.identity import GRANTS
from ops.errors import OpsError

GROUPS = tuple(GRANTS)
PASSWORD_LENGTH = 20
SHORTEST_PASSWORD = 12  # as the pool's policy in template.yaml
_ALPHABET = string.ascii_letters + string.digits


def new_password() -> str:
    """119 bits, in letters and digits that can be read out over a radio."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_LENGTH))


class Accounts:
    """client: cognito-idp. Every method raises OpsError when a person can fix it."""

    def __init__(self, client: Any, pool_id: str) -> None:
        self._client = client
        self._pool = pool_id

    def add(self, email: str, name: str, group: str, password: str) -> None:
        """Create an account that can sign in at once. A failure halfway leaves none behind."""
        attributes = [
            {"Name": "email", "Value": email},
            {"Name": "email_verified", "Value": "true"},
            {"Name": "name", "Value": name},
        ]
        try:
            self._client.admin_create_user(
                UserPoolId=self._pool,
                Username=email,
                MessageAction="SUPPRESS",
                UserAttributes=attributes,
            )
        except self._client.exceptions.UsernameExistsException as error:
            raise OpsError(
                f"{email} already has an account: `scc users enable` lets it sign in again, "
                "`scc users password` sets a new password."
            ) from error
        try:
            self.set_password(email, password)
            self._client.admin_add_user_to_group(
                UserPoolId=self._pool, Username=email, GroupName=group
            )
        except BaseException:
            self._client.admin_delete_user(UserPoolId=self._pool, Username=email)
            raise

    def set_password(self, email: str, password: str) -> None:
        try:
            self._client.admin_set_user_password(
                UserPoolId=self._pool, Username=email, Password=password, Permanent=True
            )
        except self._client.exceptions.InvalidPasswordException as error:
            raise OpsError(f"Cognito refuses this password: {_words(error)}") from error
        except self._client.exceptions.UserNotFoundException as error:
            raise _unknown(email) from error

    def switch(self, email: str, *, is_on: bool) -> None:
        """Allow or forbid sign-in. It reaches open sessions within five minutes."""
        call = self._client.admin_enable_user if is_on else self._client.admin_disable_user
        try:
            call(UserPoolId=self._pool, Username=email)
        except self._client.exceptions.UserNotFoundException as error:
            raise _unknown(email) from error

    def listed(self) -> list[dict[str, Any]]:
        """Every account by email: name, groups, whether it can sign in."""
        groups: dict[str, list[str]] = {}
        for group in GROUPS:
            pages = self._client.get_paginator("list_users_in_group").paginate(
                UserPoolId=self._pool, GroupName=group
            )
            for page in pages:
                for user in page["Users"]:
                    groups.setdefault(user["Username"], []).append(group)
        pages = self._client.get_paginator("list_users").paginate(UserPoolId=self._pool)
        found = [_account(user, groups) for page in pages for user in page["Users"]]
        return sorted(found, key=lambda each: str(each["email"]))


def _account(user: Any, groups: dict[str, list[str]]) -> dict[str, Any]:
    attributes = {each["Name"]: each["Value"] for each in user["Attributes"]}
    return {
        "email": attributes.get("email", user["Username"]),
        "name": attributes.get("name", ""),
        "groups": groups.get(user["Username"], []),
        "is_enabled": bool(user["Enabled"]),
    }


def _unknown(email: str) -> OpsError:
    return OpsError(f"{email} has no account: `scc users ls` lists all accounts.")


def _words(error: ClientError) -> str:
    return str(error.response["Error"].get("Message", ""))
