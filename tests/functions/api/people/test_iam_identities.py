"""Scripts that call with an IAM identity instead of a session."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.api import wiring
from functions.api.people.identity import as_called
from tests.functions.api.conftest import Client

SCRIPTS = "arn:aws:iam::123456789012:role/scripts"
SCRIPTS_SESSION = "arn:aws:sts::123456789012:assumed-role/scripts/nightly"
TEMPLATE = (Path(__file__).parents[4] / "template.yaml").read_text()
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


SSO = (
    "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/us-east-1/"
    "AWSReservedSSO_Admins_abcdef"
)
SSO_SESSION = "arn:aws:sts::{account}:assumed-role/{role}/grace@example.com"


@pytest.fixture
def listed(api: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A role with a path, as every role of IAM Identity Center has one, and a user with one."""
    arns = f"{SSO},arn:aws:iam::123456789012:user/dock/scripts"
    settings = replace(wiring.settings(), admin_iam_arns=arns)
    monkeypatch.setattr(wiring, "settings", lambda: settings)
    return api


def test_a_role_with_a_path_is_known_by_account_and_name(listed: Client) -> None:
    arn = SSO_SESSION.format(account="123456789012", role="AWSReservedSSO_Admins_abcdef")
    logged = listed.log(iam_arn=arn, **BODY).json["payment"]
    assert logged["logged_by"] == "arn:aws:iam::123456789012:role/AWSReservedSSO_Admins_abcdef"


@pytest.mark.parametrize(
    ("account", "role"),
    [
        ("999999999999", "AWSReservedSSO_Admins_abcdef"),
        ("123456789012", "AWSReservedSSO_Admins_abcdeg"),
        ("123456789012", "Admins_abcdef"),
        ("123456789012", "aws-reserved"),
    ],
)
def test_no_other_account_and_no_other_name_is_let_in(
    listed: Client, account: str, role: str
) -> None:
    arn = SSO_SESSION.format(account=account, role=role)
    assert listed.call("GET", "/api/session", iam_arn=arn).status == 401


@pytest.mark.parametrize(
    ("path", "status"), [("dock/scripts", 200), ("scripts", 401), ("other/scripts", 401)]
)
def test_a_user_counts_only_with_its_own_path(listed: Client, path: str, status: int) -> None:
    arn = f"arn:aws:iam::123456789012:user/{path}"
    assert listed.call("GET", "/api/session", iam_arn=arn).status == status


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:user/x:role/dock/scripts",
        "arn:aws:sts::123456789012:assumed-role/dock/scripts",
        "arn:aws:iam::123456789012:root",
    ],
)
def test_what_is_no_role_is_compared_whole(arn: str) -> None:
    assert as_called(arn) == arn


ALLOWED = re.compile(re.findall(r'AdminIamArns:.*?AllowedPattern: "(.*?)"', TEMPLATE, re.DOTALL)[0])


@pytest.mark.parametrize(
    ("arns", "is_allowed"),
    [
        (SSO, True),
        (f"{SSO},arn:aws-us-gov:iam::123456789012:user/dock/scripts", True),
        (SSO.replace("AWSReservedSSO_Admins_abcdef", ""), False),
        (SSO.replace("abcdef", "*"), False),
        (SSO_SESSION.format(account="123456789012", role="scripts"), False),
        (f"{SSO}, {SSO}", False),
    ],
)
def test_the_template_takes_whole_arns_of_users_and_roles(arns: str, *, is_allowed: bool) -> None:
    assert bool(ALLOWED.search(arns)) is is_allowed
