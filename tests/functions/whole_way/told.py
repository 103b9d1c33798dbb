"""What a journey leaves behind: all that the functions wrote, called and mailed."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from functions.api import handler as api_handler
from functions.stream_router import dead_letters
from local.gmail_sandbox.process import GmailSandbox
from tests.functions.api.conftest import PASSWORD
from tests.functions.whole_way.aws import Account, Right
from tests.functions.whole_way.journey import PATRON, REFERENCE, WRONG_PASSWORD, Journey


@dataclass(frozen=True)
class Told:
    """output: all that the handlers wrote. secrets: what none of it may hold, by what it is."""

    output: str
    used: dict[str, set[Right]]
    mails: list[dict[str, Any]]
    payment: dict[str, Any]
    secrets: dict[str, str]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]


def travel(sandbox: GmailSandbox) -> Told:
    """Log, void, route, mail, sweep and make statements; then all of it again with failures."""
    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setattr(dead_letters, "ALL_SERVERS_SECONDS", 0)  # moto is one server
        account = Account.create(json.dumps(sandbox.service_account_info))
        account.watch(patch)
        journey = Journey(account, sandbox)
        journey.start_anew()
        with _kept(output):
            payment = journey.log_and_void()
            journey.route()
            journey.mail()
            journey.state()
            journey.go_wrong()
        secrets = {
            "patron's address": PATRON,
            "patron's name": "Quarterdeck",
            "note": "Wilhelmina",
            "address in a note": "thief@example.net",
            "reference": REFERENCE,
            "card number": "4111 1111",
            "password": PASSWORD,
            "wrong password": WRONG_PASSWORD,
            "session token": journey.cookie.partition("=")[2],
            "admin's address": "admin@shipcaptaincrew.example",
            "amount": "1357.91",
            "private key": sandbox.service_account_info["private_key"].splitlines()[1],
            "bearer token": "Bearer ",
            "cursor key": "k" * 32,
        }
        return Told(output.getvalue(), account.used, sandbox.messages(), payment, secrets)


@contextmanager
def _kept(output: io.StringIO) -> Iterator[None]:
    """What goes to CloudWatch in AWS: our logger, every other library's, and what is printed."""
    ours = api_handler.logger.registered_handler
    assert isinstance(ours, logging.StreamHandler)
    before, theirs = ours.setStream(output), logging.StreamHandler(output)
    logging.getLogger().addHandler(theirs)
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            yield
    finally:
        logging.getLogger().removeHandler(theirs)
        ours.setStream(before or sys.stdout)
