from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from functions.audit_mailer.settings import GmailSettings, MailerSettings
from shared.settings import SettingsError
from tests.template.transformed import raw_template

PARAMETERS: dict[str, dict[str, Any]] = raw_template()["Parameters"]
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
    member.check_watched()
    assert member.watched == "ada@shipcaptaincrew.example"
    off = settings(gmail_watched_mailbox="none")
    off.check_watched()
    assert off.watched is None


TYPOS = [
    "<member@x.example>", "müller@x.example", "a,b@x.example", "a@b@c.example", "None@x",
    "a b@x.example", "a@x..example", "@x.example", "x.example", "a..b@x.example",
    "a@-x.example", "a@x.example\n", '"a"@x.example',
]  # fmt: skip


@pytest.mark.parametrize("typo", TYPOS)
@pytest.mark.parametrize("parameter", ["GmailAuditRecipient", "GmailSender"])
def test_a_typo_in_an_address_is_refused_by_the_template_and_the_mailer(
    parameter: str, typo: str
) -> None:
    assert not re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], typo)
    name = {"GmailAuditRecipient": "gmail_audit_recipient", "GmailSender": "gmail_sender"}
    with pytest.raises(SettingsError, match="one Workspace mailbox"):
        settings(**{name[parameter]: typo}).check()


@pytest.mark.parametrize("typo", [*TYPOS, "the compliance group", "None"])
def test_a_typo_in_the_watched_mailbox_stops_the_watch_and_no_mail(typo: str) -> None:
    assert not re.fullmatch(PARAMETERS["GmailWatchedMailbox"]["AllowedPattern"], typo)
    chosen = settings(gmail_watched_mailbox=typo)
    chosen.check()
    with pytest.raises(SettingsError, match="GMAIL_WATCHED_MAILBOX"):
        chosen.check_watched()


@pytest.mark.parametrize("address", ["o'neil+audit@mail.x-y.example", "a.b@x.example", "A_1@X.Co"])
def test_an_address_that_a_workspace_may_have_is_taken(address: str) -> None:
    for parameter in ("GmailAuditRecipient", "GmailSender", "GmailWatchedMailbox"):
        assert re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], address)
    chosen = settings(gmail_audit_recipient=address, gmail_sender=address)
    chosen.check()
    chosen.check_watched()


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
