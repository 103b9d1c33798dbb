"""The watch as Lambda starts it."""

from __future__ import annotations

import pytest

from functions.audit_mailer import wiring
from functions.audit_mailer.watch.handler import lambda_handler
from tests.functions.lambda_context import Context


def test_a_watch_that_was_switched_off_asks_google_nothing_and_alarms_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "GMAIL_SERVICE_ACCOUNT_EMAIL": "mailer@project.iam.gserviceaccount.com",
        "GMAIL_CREDENTIALS_SECRET_ID": "gmail",
        "GMAIL_AUDIT_RECIPIENT": "group@shipcaptaincrew.example",
        "GMAIL_WATCHED_MAILBOX": "none",
    }.items():
        monkeypatch.setenv(name, value)
    wiring.gmail_settings.cache_clear()
    try:
        assert lambda_handler({}, Context()) == {"is_off": True}
    finally:
        wiring.gmail_settings.cache_clear()
    assert '"WatchesUnfinished":[0.0]' in capsys.readouterr().out
