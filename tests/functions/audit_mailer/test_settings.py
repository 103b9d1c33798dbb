from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from functions.audit_mailer.settings import GmailSettings, MailerSettings
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


def test_the_recipients_mailbox_is_watched_unless_another_is_named_or_none() -> None:
    assert settings().watched == "audit@shipcaptaincrew.example"
    member = settings(gmail_watched_mailbox="ada@shipcaptaincrew.example")
    member.check()
    assert member.watched == "ada@shipcaptaincrew.example"
    off = settings(gmail_watched_mailbox="none")
    off.check()
    assert off.watched is None
    with pytest.raises(SettingsError, match="GMAIL_WATCHED_MAILBOX"):
        settings(gmail_watched_mailbox="the compliance group").check()


def test_an_import_acts_for_the_recipient_and_a_send_for_the_sender() -> None:
    other: dict[str, Any] = {"gmail_sender": "desk@x.example"}
    assert settings(**other).mailbox == "desk@x.example"
    imported = settings(**other, gmail_delivery_method="import")
    assert imported.mailbox == "audit@shipcaptaincrew.example"
    assert imported.addresses.sender == "desk@x.example"


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "pay.example.com", "https://pay.example.com/", "https://a@b.example",
     'https://x.example/"><b>', "ftp://pay.example.com"],
)  # fmt: skip
def test_what_is_no_plain_web_address_never_becomes_a_link(address: str) -> None:
    with pytest.raises(SettingsError, match="APP_URL"):
        mailer_settings(address).check()
    mailer_settings("http://localhost:8000").check()
    mailer_settings("").check()


def mailer_settings(app_url: str) -> MailerSettings:
    return MailerSettings(
        payments_table="p",
        ledger_table="l",
        ops_record_table="o",
        evidence_bucket="e",
        audit_queue_url="q",
        dead_letter_queue_url="d",
        app_url=app_url,
    )


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
