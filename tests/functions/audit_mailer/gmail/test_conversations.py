"""A mail joins the conversation it names, or goes without it: the adapter against the sandbox."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from functions.audit_mailer.gmail.failures import DeliveryError
from functions.audit_mailer.settings import DeliveryMethod
from local.gmail_sandbox.process import GmailSandbox
from tests.builders import entry
from tests.functions.audit_mailer.conftest import AUDIT
from tests.functions.audit_mailer.gmail.test_mailbox import METHODS, MakeGmail, mail


@pytest.mark.parametrize("method", METHODS)
def test_a_mail_joins_the_conversation_it_names(
    sandbox: GmailSandbox, gmail: MakeGmail, method: DeliveryMethod
) -> None:
    """Gmail's rule: threadId, References, and the same subject except for Re:."""
    box = gmail(method)
    original = box.send_audit_email_via_gmail(mail().content)
    answer = EmailMessage(policy=SMTP)
    answer["To"] = answer["From"] = AUDIT
    answer["Subject"] = f"Re: {sandbox.messages()[0]['subject']}"
    answer["Message-ID"] = "<answer@shipcaptaincrew.example>"
    answer["References"] = f"<{entry().payment_id}.thread@shipcaptaincrew.example>"
    answer.set_content("the same conversation")
    assert (
        box.send_audit_email_via_gmail(answer.as_bytes(), original.thread_id).thread_id
        == original.thread_id
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("thread_id", ["00000000deadbeef", "of another mailbox"])
def test_a_conversation_that_gmail_does_not_have_does_not_hold_back_a_mail(
    sandbox: GmailSandbox, gmail: MakeGmail, method: DeliveryMethod, thread_id: str
) -> None:
    """Gmail answers the first with 404, the second with 400 "Invalid thread_id value"."""
    receipt = gmail(method).send_audit_email_via_gmail(mail().content, thread_id)
    (message,) = sandbox.messages()
    assert message["id"] == receipt.gmail_id


@pytest.mark.parametrize("code", [400, 404])
def test_a_conversation_that_gmail_lost_does_not_hold_back_a_mail(
    sandbox: GmailSandbox, gmail: MakeGmail, code: int
) -> None:
    box = gmail()
    thread_id = box.send_audit_email_via_gmail(mail().content).thread_id
    sandbox.post_fault({"kind": "lost_thread", "code": code})
    box.send_audit_email_via_gmail(mail(timestamp=2).content, thread_id)
    assert len(sandbox.messages()) == 2


@pytest.mark.parametrize(
    ("code", "message"), [(400, "Invalid To header"), (400, "Invalid label: X"), (413, "Too large")]
)
def test_a_refusal_that_is_not_about_the_conversation_stays_one(
    sandbox: GmailSandbox, gmail: MakeGmail, code: int, message: str
) -> None:
    sandbox.post_fault({"kind": "status", "code": code, "message": message, "times": 1})
    with pytest.raises(DeliveryError) as caught:
        gmail().send_audit_email_via_gmail(mail().content, "00000000deadbeef")
    assert caught.value.failure.klass == "permanent"
    assert sandbox.messages() == []
