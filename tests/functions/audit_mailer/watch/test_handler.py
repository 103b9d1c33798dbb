"""The watch as Lambda starts it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from functions.audit_mailer import wiring
from functions.audit_mailer.watch import handler
from functions.audit_mailer.watch.handler import lambda_handler
from functions.audit_mailer.watch.rounds import Watched
from functions.audit_mailer.watch.sightings import Sightings
from tests.functions.lambda_context import Context

GMAIL = {
    "GMAIL_SERVICE_ACCOUNT_EMAIL": "mailer@project.iam.gserviceaccount.com",
    "GMAIL_CREDENTIALS_SECRET_ID": "gmail",
    "GMAIL_AUDIT_RECIPIENT": "group@shipcaptaincrew.example",
}
WATCH = ("PAYMENTS", "LEDGER", "DELIVERIES", "OPS_RECORD")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name, value in GMAIL.items():
        monkeypatch.setenv(name, value)
    for name in WATCH:
        monkeypatch.setenv(f"{name}_TABLE", name)
    monkeypatch.setenv("EVIDENCE_BUCKET", "evidence")
    monkeypatch.setenv("BUSINESS_TIMEZONE", "America/New_York")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    cached = (wiring.gmail_settings, wiring.delivery_settings, wiring.dynamodb, handler.settings)
    for each in cached:
        each.cache_clear()
    yield monkeypatch
    for each in cached:
        each.cache_clear()


def test_a_watch_that_was_switched_off_asks_google_nothing_and_alarms_nobody(
    environ: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environ.setenv("GMAIL_WATCHED_MAILBOX", "none")
    assert lambda_handler({}, Context()) == {"is_off": True}
    assert '"WatchesUnfinished":[0.0]' in capsys.readouterr().out


def test_a_mailbox_that_is_none_stops_the_watch_alone_and_is_said(
    environ: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environ.setenv("GMAIL_WATCHED_MAILBOX", "müller@x.example")
    assert "GMAIL_WATCHED_MAILBOX" in lambda_handler({}, Context())["error"]
    assert '"WatchesUnfinished":[1.0]' in capsys.readouterr().out
    assert wiring.gmail_settings().mailbox == GMAIL["GMAIL_AUDIT_RECIPIENT"], "mails go out"


@pytest.mark.parametrize("unkept", [[], ["pay_1"]])
def test_a_run_that_could_not_note_a_mail_is_counted(
    environ: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unkept: list[str]
) -> None:
    def watch(*given: Any) -> SimpleNamespace:
        sightings: Sightings = given[-1]

        def run(_: date, watched: Watched) -> None:
            watched.is_finished = True
            sightings.unkept += unkept

        return SimpleNamespace(run=run)

    environ.setattr(handler, "watch", watch)
    assert lambda_handler({}, Context())["unkept"] == len(unkept)
    assert f'"WatchesUnfinished":[{len(unkept)}.0]' in capsys.readouterr().out
