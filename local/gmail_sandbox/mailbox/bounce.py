"""The mail that tells a sender of a failed delivery, as Gmail writes it (RFC 3464).

Modeled on bounces in public archives: no envelope sender, a text for people, a report for programs,
and the original whole.
"""

import html
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from local.gmail_sandbox.mime import read_mail

_REASON = (
    "The email account that you tried to reach does not exist. Please try double-checking the"
    " recipient's email address for typos or unnecessary spaces. For more information, go to"
    " https://support.google.com/mail/?p=NoSuchUser"
)
_HEADER = """\
Delivered-To: {sender}
Return-Path: <>
Content-Type: multipart/report; boundary="{outer}"; report-type=delivery-status
To: {sender}
Auto-Submitted: auto-replied
Message-ID: <{unique}.GMR@mx.google.com>
MIME-Version: 1.0
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
References: <{original_id}>
In-Reply-To: <{original_id}>
X-Failed-Recipients: {recipient}
Subject: Delivery Status Notification (Failure)
Date: {bounced_at}

"""
_FOR_PEOPLE = """\
--{outer}
Content-Type: multipart/alternative; boundary="{inner}"

--{inner}
Content-Type: text/plain; charset="UTF-8"

** Address not found **

Your message wasn't delivered to {recipient} because the address couldn't be found, or is unable to receive mail.

Learn more here: https://support.google.com/mail/?p=NoSuchUser

The response was:

550 5.1.1 {reason}

--{inner}
Content-Type: text/html; charset="UTF-8"

<html><body><h1>Address not found</h1>
<p>Your message wasn't delivered to <b>{shown_recipient}</b> because the address couldn't be found, or is unable to receive mail.</p>
<p>The response was:</p>
<p style="font-family: monospace">550 5.1.1 {reason}</p></body></html>

--{inner}--

"""  # noqa: E501  # Gmail does not wrap these lines either
_FOR_PROGRAMS = """\
--{outer}
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Received-From-MTA: dns; {sender}
Arrival-Date: {arrived_at}
X-Original-Message-ID: <{original_id}>

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550-5.1.1 {reason}
Last-Attempt-Date: {bounced_at}

--{outer}
Content-Type: message/rfc822

"""


@dataclass(frozen=True, slots=True)
class Failed:
    """A delivery that failed. `arrived_at`, `bounced_at`: epoch milliseconds."""

    original: bytes
    sender: str
    recipient: str
    arrived_at: int
    bounced_at: int


def bounce_mail(failed: Failed) -> bytes:
    recipient = re.sub(r"[\x00-\x1f\x7f]", " ", failed.recipient)
    outer = "0000000000" + secrets.token_hex(9)
    values = {
        "sender": failed.sender,
        "recipient": recipient,
        "shown_recipient": html.escape(recipient),
        "original_id": read_mail(failed.original).message_id,
        "arrived_at": _date(failed.arrived_at),
        "bounced_at": _date(failed.bounced_at),
        "reason": _REASON,
        "unique": ".".join([f"{failed.bounced_at // 1000:x}", *map(secrets.token_hex, (4, 3, 2))]),
        "outer": outer,
        "inner": "0000000000" + secrets.token_hex(9),
    }
    report = (_HEADER + _FOR_PEOPLE + _FOR_PROGRAMS).format_map(values).replace("\n", "\r\n")
    return report.encode("utf-8", "replace") + failed.original + f"\r\n--{outer}--\r\n".encode()


def _date(moment: int) -> str:
    return format_datetime(datetime.fromtimestamp(moment // 1000, UTC))
