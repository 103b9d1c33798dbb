"""Whose a session is, and what ends it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from functions.api import wiring
from shared.attributes import to_attributes
from tests.functions.api.conftest import Client, add_user

KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"


def test_a_renamed_account_keeps_its_keys(api: Client) -> None:
    api.sign_in("admin")
    payment = api.log(KEY).json["payment"]
    with renamed("admin", "marina"):
        assert api.sign_in("marina").json["user"]["email"] == "marina@shipcaptaincrew.example"
        again = api.log(KEY)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json["payment"] == payment
        shown = api.call("GET", f"/api/payments/by-key/{KEY}").json["payment"]
        assert shown["payment_id"] == payment["payment_id"]
        assert len(api.rows("Payments")) == 1


def test_an_account_made_again_inherits_neither_session_nor_keys(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.sign_in("admin")
    payment = api.log(KEY).json["payment"]
    cookie = api.cookie
    recreate("admin", "admins")
    pass_minutes(monkeypatch, 6)
    assert api.call("GET", "/api/session").status == 401
    api.sign_in("admin")
    assert api.call("GET", f"/api/payments/by-key/{KEY}").status == 404
    other = api.log(KEY, amount="7.00")
    assert (other.status, other.json["payment"]["amount"]) == (200, "7.00")
    assert other.json["payment"]["payment_id"] != payment["payment_id"]
    api.cookie = cookie
    assert api.call("GET", "/api/session").status == 401


def test_a_session_from_before_accounts_had_ids_is_over(admin: Client) -> None:
    admin.dynamodb.update_item(
        TableName=admin.tables["Sessions"],
        Key=to_attributes({"session_hash": admin.session_hash}),
        UpdateExpression="REMOVE #sub",
        ExpressionAttributeNames={"#sub": "sub"},
    )
    assert admin.call("GET", "/api/session").status == 401


def test_the_sessions_table_holds_no_token(api: Client) -> None:
    api.sign_in("admin")
    token = api.cookie.split("=", 1)[1]
    assert token not in json.dumps(api.rows("Sessions"))


@pytest.mark.parametrize(
    "cookie",
    [
        "__Host-scc_session=",
        "__Host-scc_session=" + "x" * 5_000,
        "__Host-scc_session=\ud800",
        "__Host-scc_session=a; __Host-scc_session=b",
        "__host-scc_session=x",
        "scc_session=x",
        "=",
        ";;;",
    ],
)
def test_a_cookie_that_is_not_ours_signs_nobody_in(api: Client, cookie: str) -> None:
    api.cookie = cookie
    assert api.call("GET", "/api/session").status == 401
    assert api.call("DELETE", "/api/session").status == 204


@pytest.mark.parametrize(
    "around", ["\u2000{}", "{}\u2000", "\x0b{}", "\u00a0{}", "\x85{}", "\u3000{}"]
)
def test_a_cookie_whose_name_only_looks_like_ours_signs_nobody_in(
    admin: Client, around: str
) -> None:
    name, _, token = admin.cookie.partition("=")
    admin.cookie = f"{around.format(name)}={token}"
    assert admin.call("GET", "/api/session").status == 401
    admin.cookie = f" \t{name} \t={token}"
    assert admin.call("GET", "/api/session").status == 200


def test_a_session_row_that_is_deleted_is_gone_at_once(admin: Client) -> None:
    key = to_attributes({"session_hash": admin.session_hash})
    admin.dynamodb.delete_item(TableName=admin.tables["Sessions"], Key=key)
    assert admin.call("GET", "/api/session").status == 401


@pytest.fixture
def users(world: tuple[dict[str, str], Any]) -> Iterator[Any]:
    """Cognito as an operator uses it; the admin is as before after the test."""
    cognito = boto3.client("cognito-idp")
    yield cognito
    cognito.admin_enable_user(**admins_account())
    cognito.admin_add_user_to_group(**admins_account(), GroupName="admins")


def admins_account() -> dict[str, str]:
    pool = wiring.settings().user_pool_id
    return {"UserPoolId": pool, "Username": "admin@shipcaptaincrew.example"}


def pass_minutes(monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    later = time.time_ns() // 1_000_000 + minutes * 60 * 1000
    monkeypatch.setattr("functions.api.routes.request.now", lambda: later)


def test_a_disabled_user_is_signed_out_within_five_minutes(
    users: Any, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.admin_disable_user(**admins_account())
    assert admin.call("GET", "/api/session").status == 200
    pass_minutes(monkeypatch, 5)
    assert admin.log().status == 401
    assert admin.rows("Sessions") == []
    assert admin.rows("Payments") == []


def test_a_user_who_leaves_a_group_loses_its_grants_within_five_minutes(
    users: Any, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.admin_remove_user_from_group(**admins_account(), GroupName="admins")
    pass_minutes(monkeypatch, 5)
    assert admin.log().status == 403
    user = admin.call("GET", "/api/session").json["user"]
    assert (user["groups"], user["may"]) == ([], [])
    users.admin_add_user_to_group(**admins_account(), GroupName="admins")
    pass_minutes(monkeypatch, 10)
    assert admin.log().status == 200


def test_an_account_is_checked_once_every_five_minutes(
    users: Any, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def note(model: Any, **_: Any) -> None:
        calls.append(model.name)

    events = wiring.directory()._client.meta.events
    events.register("before-call.cognito-identity-provider", note)
    try:
        admin.call("GET", "/api/session")
        assert calls == []
        pass_minutes(monkeypatch, 6)
        for _ in range(3):
            assert admin.call("GET", "/api/session").status == 200
    finally:
        events.unregister("before-call.cognito-identity-provider", note)
    assert calls == ["AdminGetUser", "AdminListGroupsForUser"]


def test_sessions_continue_while_the_directory_cannot_be_reached(
    admin: Client, monkeypatch: pytest.MonkeyPatch, log: Callable[[], list[dict[str, Any]]]
) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://cognito-idp.example")

    pass_minutes(monkeypatch, 6)
    events = wiring.directory()._client.meta.events
    events.register("before-call.cognito-identity-provider", fail)
    try:
        assert admin.log().status == 200
    finally:
        events.unregister("before-call.cognito-identity-provider", fail)
    assert "account not checked" in [line["message"] for line in log()]


def test_a_session_that_ends_while_its_account_is_checked_stays_ended(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sign_out_meanwhile(**_: Any) -> None:
        key = to_attributes({"session_hash": admin.session_hash})
        admin.dynamodb.delete_item(TableName=admin.tables["Sessions"], Key=key)

    pass_minutes(monkeypatch, 6)
    events = wiring.directory()._client.meta.events
    events.register("before-call.cognito-identity-provider.AdminGetUser", sign_out_meanwhile)
    try:
        admin.call("GET", "/api/session")
    finally:
        events.unregister("before-call.cognito-identity-provider.AdminGetUser", sign_out_meanwhile)
    assert admin.rows("Sessions") == []


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


def test_a_page_just_opened_may_find_nobody_signed_in(admin: Client) -> None:
    asked = admin.call("GET", "/api/session", query={"optional": "true"})
    assert asked.json == admin.call("GET", "/api/session").json
    admin.call("DELETE", "/api/session")
    asked = admin.call("GET", "/api/session", query={"optional": "true"})
    assert (asked.status, asked.json["user"]) == (200, None)
    assert admin.call("GET", "/api/session").status == 401


@contextmanager
def renamed(name: str, other: str) -> Iterator[None]:
    """The account has another address for a while."""
    rename(name, other)
    try:
        yield
    finally:
        rename(other, name)


def rename(name: str, other: str) -> None:
    boto3.client("cognito-idp").admin_update_user_attributes(
        UserPoolId=wiring.settings().user_pool_id,
        Username=f"{name}@shipcaptaincrew.example",
        UserAttributes=[{"Name": "email", "Value": f"{other}@shipcaptaincrew.example"}],
    )


def recreate(name: str, group: str) -> None:
    """Delete the account and make one with the same address."""
    pool = wiring.settings().user_pool_id
    email = f"{name}@shipcaptaincrew.example"
    boto3.client("cognito-idp").admin_delete_user(UserPoolId=pool, Username=email)
    add_user(pool, name, group)
