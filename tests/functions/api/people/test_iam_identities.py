"""Scripts that call with an IAM identity instead of a session."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.api.conftest import Client

SCRIPTS = "arn:aws:iam::123456789012:role/scripts"
SCRIPTS_SESSION = "arn:aws:sts::123456789012:assumed-role/scripts/nightly"
BODY: dict[str, Any] = {"patron_email": "lee@example.com", "acknowledge_duplicates": []}


def test_a_script_logs_as_its_role_whatever_its_session_is_called(api: Client) -> None:
    key = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
    first = api.log(key, iam_arn=SCRIPTS_SESSION, **BODY)
    again = api.log(key, iam_arn=SCRIPTS_SESSION.replace("nightly", "weekly"), **BODY)
    assert first.json["payment"]["logged_by"] == SCRIPTS
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    shown = api.call("GET", f"/api/payments/by-key/{key}", iam_arn=SCRIPTS)
    assert shown.json["payment"]["payment_id"] == first.json["payment"]["payment_id"]


def test_two_callers_keys_never_collide(admin: Client) -> None:
    key = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
    by_person = admin.log(key).json["payment"]
    by_script = admin.log(key, iam_arn=SCRIPTS, **BODY).json["payment"]
    assert by_person["payment_id"] != by_script["payment_id"]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:role/other",
        "arn:aws:iam::999999999999:role/scripts",
        "arn:aws:sts::999999999999:assumed-role/scripts/nightly",
        "arn:aws:sts::123456789012:assumed-role/scripts",
        "arn:aws:iam::123456789012:role/scripts/../other",
        "arn:aws:iam::123456789012:user/scripts",
        "",
    ],
)
def test_an_unlisted_iam_identity_is_not_signed_in(api: Client, arn: str) -> None:
    assert api.log(iam_arn=arn, **BODY).status == 401
    assert api.rows("Payments") == []


def test_scripts_must_be_same_origin_too(api: Client) -> None:
    api.headers = {"origin": "https://evil.example"}
    assert api.log(iam_arn=SCRIPTS, **BODY).status == 403
    api.headers = {}
    assert api.log(iam_arn=SCRIPTS, **BODY).status == 200


def test_a_roles_session_counts_as_its_role(api: Client) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/scripts/nightly"
    assert api.call("GET", "/api/session", iam_arn=arn).status == 200


def test_an_allow_listed_iam_identity_counts_as_admin(api: Client) -> None:
    arn = "arn:aws:iam::123456789012:role/scripts"
    assert api.call("GET", "/api/session", iam_arn=arn).json["user"]["groups"] == ["admins"]
    assert api.call("GET", "/api/session", iam_arn=arn + "2").status == 401
