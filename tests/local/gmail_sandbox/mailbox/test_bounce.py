import email
from email.message import Message
from email.policy import default

import pytest

from local.gmail_sandbox.mailbox.bounce import Failed, bounce_mail
from local.gmail_sandbox.mime import read_mail
from tests.local.gmail_sandbox.client import AUDIT, compose

NOW = 1_795_777_115_000
ORIGINAL = compose("Payment #1", message_id="<CAabc@mail.gmail.com>").as_bytes()


def bounce(recipient: str = "gone@elsewhere.example") -> bytes:
    return bounce_mail(Failed(ORIGINAL, AUDIT, recipient, NOW, NOW + 61_000))


def test_a_bounce_comes_from_the_mail_system_and_answers_the_original() -> None:
    mail = email.message_from_bytes(bounce(), policy=default)
    assert mail["From"] == "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
    assert mail["To"] == AUDIT
    assert mail["Subject"] == "Delivery Status Notification (Failure)"
    assert mail["In-Reply-To"] == mail["References"] == "<CAabc@mail.gmail.com>"
    assert mail["X-Failed-Recipients"] == "gone@elsewhere.example"
    assert mail["Return-Path"] == "<>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Date"].datetime.timestamp() * 1000 == NOW + 61_000


def test_a_bounce_is_a_report_for_programs_with_the_original_whole() -> None:
    mail = email.message_from_bytes(bounce(), policy=default)
    assert not [part.defects for part in mail.walk() if part.defects]
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "delivery-status"
    text, report, original = list(mail.iter_parts())
    assert text.get_content_type() == "multipart/alternative"
    assert report.get_content_type() == "message/delivery-status"
    blocks = report.get_payload()
    assert isinstance(blocks, list)
    per_message, per_recipient = blocks
    assert isinstance(per_message, Message)
    assert isinstance(per_recipient, Message)
    assert per_message["Reporting-MTA"] == "dns; googlemail.com"
    assert per_message["X-Original-Message-ID"] == "<CAabc@mail.gmail.com>"
    assert per_recipient["Final-Recipient"] == "rfc822; gone@elsewhere.example"
    assert (per_recipient["Action"], per_recipient["Status"]) == ("failed", "5.1.1")
    assert original.get_content_type() == "message/rfc822"
    assert ORIGINAL in bounce()


@pytest.mark.parametrize(
    "recipient",
    ["<b>x</b>@a.example", "a\nBcc: b@c.example", "a\r\n\r\nb@c.example", "李@x.example"],
)
def test_an_odd_address_adds_neither_fields_nor_markup(recipient: str) -> None:
    mail = read_mail(bounce(recipient))
    assert mail.header("Bcc") == ""
    assert mail.header("Subject") == "Delivery Status Notification (Failure)"
    assert "<b>x</b>" not in mail.html
    assert "Your message wasn't delivered to" in mail.text
