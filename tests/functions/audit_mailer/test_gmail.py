"""The Gmail adapter against the sandbox: real JWTs, real sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from functions.audit_mailer.failures import DeliveryError, FailureClass
from functions.audit_mailer.gmail import Gmail
from functions.audit_mailer.message import AuditMail, compose
from functions.audit_mailer.settings import DeliveryMethod
from local.gmail_sandbox.process import GmailSandbox
from tests.builders import entry
from tests.functions.audit_mailer.conftest import AUDIT

MakeGmail = Callable[..., Gmail]
METHODS: list[DeliveryMethod] = ["send", "import"]


def mail(**changes: Any) -> AuditMail:
    return compose(entry(**changes).to_row(), AUDIT, AUDIT)


@pytest.mark.parametrize("method", METHODS)
def test_a_delivered_mail_lies_in_the_inbox(
    sandbox: GmailSandbox, gmail: MakeGmail, method: DeliveryMethod
) -> None:
    receipt = gmail(method).deliver(mail().content)
    (message,) = sandbox.messages()
    assert message["id"] == receipt.gmail_id
    assert "Jane Doe" in message["subject"]
    assert message["attachments"][0]["sha256"] == mail().record_sha256


def test_a_mail_is_found_by_its_token(sandbox: GmailSandbox, gmail: MakeGmail) -> None:
    box = gmail()
    receipt = box.deliver(mail().content)
    assert box.find(mail().token) == receipt
    assert box.find("AUD0000000000000000") is None


def test_importing_twice_is_one_mail(sandbox: GmailSandbox, gmail: MakeGmail) -> None:
    box = gmail("import")
    assert box.deliver(mail().content) == box.deliver(mail().content)
    assert len(sandbox.messages()) == 1


def test_no_request_is_ever_repeated_behind_our_back(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    """httplib2 alone would send again, and the inbox would hold two."""
    box = gmail()
    box.deliver(mail().content)
    sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    with pytest.raises(DeliveryError) as caught:
        box.deliver(mail(timestamp=2).content)
    assert caught.value.failure.klass == "ambiguous"
    assert len(sandbox.messages()) == 2


@pytest.mark.parametrize(
    ("fault", "klass"),
    [
        ({"kind": "status", "code": 429, "times": 1}, "retry"),
        ({"kind": "status", "code": 500, "times": 1}, "ambiguous"),
        ({"kind": "status", "code": 503, "times": 1}, "ambiguous"),
        ({"kind": "status", "code": 400, "times": 1, "reason": "invalidArgument"}, "permanent"),
        ({"kind": "drop", "times": 1}, "ambiguous"),
        ({"kind": "revoke_delegation"}, "systemic"),
        ({"kind": "suspended_user"}, "systemic"),
        ({"kind": "gmail_disabled"}, "systemic"),
        ({"kind": "daily_limit"}, "later"),
    ],
)
def test_a_failure_has_its_class(
    sandbox: GmailSandbox, gmail: MakeGmail, fault: dict[str, Any], klass: FailureClass
) -> None:
    box = gmail()
    box.find("warm")
    sandbox.post_fault(fault)
    with pytest.raises(DeliveryError) as caught:
        box.deliver(mail().content)
    assert caught.value.failure.klass == klass
    assert "PRIVATE KEY" not in str(caught.value)


def test_a_key_that_cannot_be_used_is_a_configuration_error_that_shows_no_key(
    sandbox: GmailSandbox,
) -> None:
    broken = sandbox.service_account_info | {"private_key": "no PEM at all: secret"}
    with pytest.raises(DeliveryError) as caught:
        Gmail(lambda: broken, AUDIT, "send", sandbox.url + "/").deliver(mail().content)
    assert caught.value.failure.klass == "systemic"
    assert "secret" not in str(caught.value)


def test_a_mended_key_is_used_without_a_restart(sandbox: GmailSandbox, gmail: MakeGmail) -> None:
    keys = [sandbox.service_account_info | {"client_email": "gone@x.example"}]
    box = gmail()
    box._read_key = lambda: keys[-1]
    with pytest.raises(DeliveryError) as caught:
        box.deliver(mail().content)
    assert caught.value.failure.klass == "systemic"
    keys.append(sandbox.service_account_info)
    box.deliver(mail().content)
    assert len(sandbox.messages()) == 1


def test_an_unreachable_google_certainly_did_not_deliver(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    box = gmail()
    box._endpoint = "http://127.0.0.1:9/"
    with pytest.raises(DeliveryError) as caught:
        box.deliver(mail().content)
    assert caught.value.failure.klass == "retry"
    assert sandbox.messages() == []
