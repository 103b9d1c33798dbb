from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from functions.audit_mailer.settings import GmailSettings
from shared.settings import SettingsError

SECRET = "no PEM at all: very secret"
KEY = {
    "client_email": "mailer@project.iam.gserviceaccount.com",
    "private_key": SECRET,
    "token_uri": "https://oauth2.googleapis.com/token",
}


def settings(**changes: Any) -> GmailSettings:
    values: dict[str, Any] = {
        "gmail_service_account_email": KEY["client_email"],
        "gmail_audit_recipient": "audit@shipcaptaincrew.example",
        "gmail_service_account_key": base64.b64encode(json.dumps(KEY).encode()).decode(),
    }
    return GmailSettings(**(values | changes))


def test_the_key_comes_from_the_variable_or_from_the_secret() -> None:
    assert settings().service_account(lambda _: "") == KEY
    from_secret = settings(gmail_service_account_key="", gmail_credentials_secret_id="gmail")
    assert from_secret.service_account(lambda _: json.dumps(KEY)) == KEY


def test_the_sender_is_the_recipient_unless_another_mailbox_is_named() -> None:
    assert settings().sender == "audit@shipcaptaincrew.example"
    assert settings(gmail_sender="desk@x.example").sender == "desk@x.example"


@pytest.mark.parametrize(
    "changes",
    [
        {"gmail_delivery_method": "smtp"},
        {"gmail_service_account_key": ""},
        {"gmail_audit_recipient": "not an address"},
        {"gmail_audit_recipient": "a@b.example, c@d.example"},
        {"gmail_sender": KEY["client_email"]},
        {"gmail_sends_per_minute": -1},
    ],
)
def test_an_unusable_configuration_is_one_clear_error(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        settings(**changes).check()


@pytest.mark.parametrize(
    "text",
    [
        "not base64!",
        base64.b64encode(b"not json").decode(),
        base64.b64encode(b"{}").decode(),
        base64.b64encode(json.dumps(KEY | {"client_email": "other@x"}).encode()).decode(),
    ],
)
def test_a_wrong_key_is_one_clear_error_that_never_shows_the_key(text: str) -> None:
    chosen = settings(gmail_service_account_key=text)
    with pytest.raises(SettingsError) as caught:
        chosen.service_account(lambda _: "")
    assert "very secret" not in str(caught.value)
    assert text not in repr(chosen)
