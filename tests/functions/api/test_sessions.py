"""Signing in and out, and who a caller is."""

from __future__ import annotations

import json
import time

import pytest

from shared.attributes import to_attributes
from tests.functions.api.conftest import PASSWORD, Client


def test_signing_in_gives_a_cookie_that_scripts_cannot_read(api: Client) -> None:
    answer = api.sign_in("admin")
    assert answer.json["user"]["email"] == "admin@shipcaptaincrew.example"
    assert answer.json["user"]["groups"] == ["admins"]
    cookie = answer.cookies[0]
    assert cookie.startswith("__Host-scc_session=")
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert api.call("GET", "/api/session").status == 200


def test_the_sessions_table_holds_no_token(api: Client) -> None:
    api.sign_in("admin")
    token = api.cookie.split("=", 1)[1]
    assert token not in json.dumps(api.rows("Sessions"))


@pytest.mark.parametrize("email", ["admin@shipcaptaincrew.example", "who@example.com"])
def test_a_wrong_password_and_an_unknown_user_look_the_same(api: Client, email: str) -> None:
    answer = api.call("POST", "/api/session", {"email": email, "password": "wrong-password"})
    assert answer.status == 401
    assert answer.json["detail"] == "The e-mail or the password is wrong."
    assert PASSWORD not in answer.text


def test_signing_out_ends_the_session_everywhere(admin: Client) -> None:
    answer = admin.call("DELETE", "/api/session")
    assert answer.status == 204
    assert "Max-Age=0" in answer.cookies[0]
    assert admin.call("GET", "/api/session").status == 401


def test_a_session_ends_after_twelve_hours_even_before_its_row_is_deleted(admin: Client) -> None:
    admin.dynamodb.update_item(
        TableName=admin.tables["Sessions"],
        Key=to_attributes({"session_hash": admin.session_hash}),
        UpdateExpression="SET expires_at = :past",
        ExpressionAttributeValues=to_attributes({":past": int(time.time()) - 1}),
    )
    assert admin.call("GET", "/api/session").status == 401


def test_a_roles_session_counts_as_its_role(api: Client) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/scripts/nightly"
    assert api.call("GET", "/api/session", iam_arn=arn).status == 200


def test_an_allow_listed_iam_identity_counts_as_admin(api: Client) -> None:
    arn = "arn:aws:iam::123456789012:role/scripts"
    assert api.call("GET", "/api/session", iam_arn=arn).json["user"]["groups"] == ["admins"]
    assert api.call("GET", "/api/session", iam_arn=arn + "2").status == 401
