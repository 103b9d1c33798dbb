"""The Gmail adapter against the sandbox: real JWTs, real sockets."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from googleapiclient.http import HttpRequest

from functions.audit_mailer.gmail.failures import DeliveryError, FailureClass
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.copies import is_copy
from functions.audit_mailer.mails.envelope import AuditMail
from functions.audit_mailer.mails.payment_mail import compose
from functions.audit_mailer.settings import DeliveryMethod, GmailSettings
from local.gmail_sandbox.process import GmailSandbox
from ops.stack.mailbox import AuditMailbox
from tests.builders import entry
from tests.functions.audit_mailer.conftest import ADDRESSES, AUDIT

MakeGmail = Callable[..., Gmail]
METHODS: list[DeliveryMethod] = ["send", "import"]


def mail(**changes: Any) -> AuditMail:
    return compose(entry(**changes).to_row(), ADDRESSES)


@pytest.mark.parametrize("method", METHODS)
def test_a_delivered_mail_is_in_the_inbox(
    sandbox: GmailSandbox, gmail: MakeGmail, method: DeliveryMethod
) -> None:
    receipt = gmail(method).send_audit_email_via_gmail(mail().content)
    (message,) = sandbox.messages()
    assert message["id"] == receipt.gmail_id
    assert "Jane Doe" in message["subject"]
    assert message["attachments"][0]["sha256"] == mail().record_sha256


def test_a_mail_is_found_by_its_token(sandbox: GmailSandbox, gmail: MakeGmail) -> None:
    box = gmail()
    receipt = box.send_audit_email_via_gmail(mail().content)
    assert box.search(f'"{mail().token}"') == [receipt]
    assert box.search("AUD0000000000000000") == []
    found = box.read(receipt.gmail_id)
    assert found is not None
    assert found.labels >= {"INBOX"}
    assert is_copy(found.raw, mail())


def test_a_search_finds_the_oldest_first(sandbox: GmailSandbox, gmail: MakeGmail) -> None:
    box = gmail("import")
    made = [mail(timestamp=each) for each in (1, 2, 3)]
    receipts = [box.send_audit_email_via_gmail(each.content) for each in made]
    assert box.search('"Jane Doe"')[0] == receipts[0]


NO_ID = {
    "kind": "status", "code": 400, "on": "get", "reason": "invalidArgument",
    "message": "Invalid id value",
}  # fmt: skip


def test_a_mail_that_was_deleted_meanwhile_is_none(sandbox: GmailSandbox, gmail: MakeGmail) -> None:
    assert gmail().read("0123456789abcdef") is None


@pytest.mark.parametrize("edited", ["x" * 9_000, "", "..", "19a\n", "?x=y", "a/b", "é"])
def test_a_mail_of_an_id_that_no_mail_has_is_none(
    sandbox: GmailSandbox, gmail: MakeGmail, edited: str
) -> None:
    assert gmail().read(edited) is None


def test_a_mail_of_an_id_that_gmail_calls_invalid_is_none(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    sandbox.post_fault(NO_ID)
    assert gmail().read("zz") is None


def test_what_gmail_refuses_for_another_reason_is_no_missing_mail(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    sandbox.post_fault(NO_ID | {"message": "Invalid user id"})
    with pytest.raises(DeliveryError):
        gmail().read("0123456789abcdef")


def test_importing_twice_makes_one_mail(sandbox: GmailSandbox, gmail: MakeGmail) -> None:
    box = gmail("import")
    assert box.send_audit_email_via_gmail(mail().content) == box.send_audit_email_via_gmail(
        mail().content
    )
    assert len(sandbox.messages()) == 1


def test_no_request_is_ever_repeated_behind_our_back(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    """httplib2 alone would send again, and the inbox would hold two."""
    box = gmail()
    box.send_audit_email_via_gmail(mail().content)
    sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    with pytest.raises(DeliveryError) as caught:
        box.send_audit_email_via_gmail(mail(timestamp=2).content)
    assert caught.value.failure.klass == "ambiguous"
    assert len(sandbox.messages()) == 2


@pytest.mark.parametrize(
    ("fault", "klass"),
    [
        ({"kind": "status", "code": 429, "times": 1}, "retry"),
        ({"kind": "status", "code": 500, "times": 1}, "ambiguous"),
        ({"kind": "status", "code": 503, "times": 1}, "ambiguous"),
        ({"kind": "status", "code": 499, "times": 1}, "ambiguous"),
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
    box.search("warm")
    sandbox.post_fault(fault)
    with pytest.raises(DeliveryError) as caught:
        box.send_audit_email_via_gmail(mail().content)
    assert caught.value.failure.klass == klass
    assert "PRIVATE KEY" not in str(caught.value)


def test_a_key_that_cannot_be_used_is_a_configuration_error_that_shows_no_key(
    sandbox: GmailSandbox,
) -> None:
    broken = sandbox.service_account_info | {"private_key": "no PEM at all: secret"}
    with pytest.raises(DeliveryError) as caught:
        Gmail(lambda: broken, AUDIT, "send", sandbox.url + "/").send_audit_email_via_gmail(
            mail().content
        )
    assert caught.value.failure.klass == "systemic"
    assert "secret" not in str(caught.value)


def test_a_fixed_key_is_used_without_a_restart(sandbox: GmailSandbox, gmail: MakeGmail) -> None:
    keys = [sandbox.service_account_info | {"client_email": "gone@x.example"}]
    box = gmail()
    box._read_key = lambda: keys[-1]
    with pytest.raises(DeliveryError) as caught:
        box.send_audit_email_via_gmail(mail().content)
    assert caught.value.failure.klass == "systemic"
    keys.append(sandbox.service_account_info)
    box.send_audit_email_via_gmail(mail().content)
    assert len(sandbox.messages()) == 1


def test_ten_threads_deliver_ten_mails_with_one_token(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    """httplib2 is not thread-safe: with one connection for all, mails get lost and doubled."""
    box = gmail()
    mails = [mail(timestamp=n, payment_id=f"pay_{n}").content for n in range(40)]
    with ThreadPoolExecutor(10) as threads:
        receipts = list(threads.map(box.send_audit_email_via_gmail, mails))
    assert len({each.gmail_id for each in receipts}) == 40
    assert len(sandbox.messages()) == 40
    assert len(box._connections) <= 10


def test_waiting_threads_share_one_refused_token_request(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    box = gmail()
    sandbox.post_fault({"kind": "status", "code": 400, "on": "token", "reason": "x", "times": 1})
    sandbox.post_fault({"kind": "latency", "ms": 1_000, "on": "token"})
    together = Barrier(10)

    def failure(_: int) -> str:
        together.wait(30)
        try:
            box.send_audit_email_via_gmail(mail().content)
        except DeliveryError as error:
            return error.failure.klass
        return "delivered"

    with ThreadPoolExecutor(10) as threads:
        outcomes = list(threads.map(failure, range(10)))
    assert outcomes == ["systemic"] * 10
    assert sandbox.messages() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "accept_then_drop", "on": "token", "times": 1},
        {"kind": "drop", "on": "token", "times": 1},
    ],
)
def test_a_token_failure_never_leaves_a_doubt_about_the_mail(
    sandbox: GmailSandbox, gmail: MakeGmail, fault: dict[str, Any]
) -> None:
    box = gmail()
    sandbox.post_fault(fault)
    with pytest.raises(DeliveryError) as caught:
        box.send_audit_email_via_gmail(mail().content)
    assert caught.value.failure.klass == "retry"
    box.send_audit_email_via_gmail(mail().content)
    assert len(sandbox.messages()) == 1


def test_a_token_request_that_was_frozen_is_signed_again_once(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    box = gmail()
    sandbox.post_fault({"kind": "clock_skew", "seconds": 7200, "times": 1})
    box.send_audit_email_via_gmail(mail().content)
    sandbox.post_fault({"kind": "clock_skew", "seconds": 7200})
    box.close()
    with pytest.raises(DeliveryError) as caught:
        box.send_audit_email_via_gmail(mail().content)
    assert caught.value.failure.klass == "systemic"


def test_a_token_that_gmail_forgot_is_replaced_and_the_mail_sent_once(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    box = gmail()
    box.send_audit_email_via_gmail(mail().content)
    sandbox.post_fault({"kind": "status", "code": 401, "reason": "authError", "times": 1})
    box.send_audit_email_via_gmail(mail(timestamp=2).content)
    assert len(sandbox.messages()) == 2
    sandbox.post_fault({"kind": "status", "code": 401, "reason": "authError", "times": 2})
    with pytest.raises(DeliveryError) as caught:
        box.send_audit_email_via_gmail(mail(timestamp=3).content)
    assert caught.value.failure.klass == "systemic"


def test_an_unreadable_answer_leaves_a_doubt(
    sandbox: GmailSandbox, gmail: MakeGmail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpRequest, "execute", lambda *_, **__: {"no": "id"})
    with pytest.raises(DeliveryError) as caught:
        gmail().send_audit_email_via_gmail(mail().content)
    assert caught.value.failure.klass == "ambiguous"


def test_an_imported_mail_is_filed_by_its_arrival_above_what_people_have_read(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    receipt = gmail("import").send_audit_email_via_gmail(mail().content)
    box = AuditMailbox(sandbox.service_account_info, AUDIT, sandbox.url + "/")
    ((late, _),) = box.find("before:2026/01/01")
    assert late == [], "the entry was logged in 2025"
    ((found, _),) = box.find(f"rfc822msgid:{mail().message_id}")
    assert found == [receipt.gmail_id]


@pytest.mark.parametrize("method", METHODS)
def test_a_mail_from_another_sender_is_in_the_recipients_inbox(
    sandbox: GmailSandbox, method: DeliveryMethod
) -> None:
    """`import` for the sender would put it into the sender's own mailbox, and call that sent."""
    settings = GmailSettings(
        gmail_service_account_email="x",
        gmail_audit_recipient=AUDIT,
        gmail_sender="desk@shipcaptaincrew.example",
        gmail_delivery_method=method,
    )
    key = sandbox.service_account_info
    box = Gmail(lambda: key, settings.mailbox, method, sandbox.url + "/")
    try:
        made = compose(entry().to_row(), settings.addresses)
        receipt = box.send_audit_email_via_gmail(made.content)
        (message,) = sandbox.messages()
        assert message["mailbox"] == AUDIT
        assert "<desk@shipcaptaincrew.example>" in message["headers"]["From"]
        assert box.search(f'"{made.token}"') == [receipt], (
            "the search is in the mailbox that was acted for"
        )
    finally:
        box.close()


def test_an_unreachable_google_certainly_did_not_deliver(
    sandbox: GmailSandbox, gmail: MakeGmail
) -> None:
    box = gmail()
    box._endpoint = "http://127.0.0.1:9/"
    with pytest.raises(DeliveryError) as caught:
        box.send_audit_email_via_gmail(mail().content)
    assert caught.value.failure.klass == "retry"
    assert sandbox.messages() == []
