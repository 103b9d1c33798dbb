import base64
import email
import json
import re
import time
from email.message import EmailMessage
from email.policy import default

import pytest

from local.gmail_sandbox.process import GmailSandbox
from tests.local.gmail_sandbox.client import (
    AUDIT,
    body_of,
    compose,
    fetch,
    messages_of,
    refusal_of,
    users_of,
)

HTML = "<html><body><h1>Payment</h1><p>Jane <b>Doe</b> &amp; Co, <a href='https://x.example/1'>see</a></p></body></html>"
RECORD = json.dumps({"amount_cents": 12500, "name": "Séamus 李小龍"}).encode()


def with_record(mail: EmailMessage) -> EmailMessage:
    mail.add_attachment(RECORD, maintype="application", subtype="json", filename="entry.json")
    mail.add_attachment(
        bytes(range(256)), maintype="application", subtype="octet-stream", filename="ключ.bin"
    )
    return mail


def test_a_mail_to_oneself_is_one_message_sent_and_in_the_inbox(gmail: GmailSandbox) -> None:
    answer = messages_of(gmail).send(userId="me", body=body_of(compose())).execute()
    assert answer["labelIds"] == ["UNREAD", "SENT", "INBOX"]
    assert answer["threadId"] == answer["id"]
    (mail,) = gmail.messages()
    assert (mail["id"], mail["mailbox"]) == (answer["id"], AUDIT)


def test_a_mail_to_another_is_one_inbox_copy_and_one_sent_copy(gmail: GmailSandbox) -> None:
    mail = compose(to="Crew <crew@shipcaptaincrew.example>", Bcc="chief@shipcaptaincrew.example")
    answer = messages_of(gmail).send(userId="me", body=body_of(mail)).execute()
    assert answer["labelIds"] == ["SENT"]
    assert [found["mailbox"] for found in gmail.messages()] == [
        "crew@shipcaptaincrew.example",
        "chief@shipcaptaincrew.example",
    ]
    assert all("Bcc" not in found["headers"] for found in gmail.messages())
    assert all(found["id"] != answer["id"] for found in gmail.messages())
    theirs = messages_of(gmail, "crew@shipcaptaincrew.example").list(userId="me").execute()
    assert len(theirs["messages"]) == 1


def test_sending_replaces_message_id_and_date_and_keeps_other_headers(gmail: GmailSandbox) -> None:
    mail = compose(
        Date="Mon, 01 Jan 2024 00:00:00 +0000",
        X_SCC_Payment_Id="pay_1",
        List_Id="<audit.shipcaptaincrew.example>",
        References="<root@audit.shipcaptaincrew.example>",
    )
    messages_of(gmail).send(userId="me", body=body_of(mail)).execute()
    headers = gmail.messages()[0]["headers"]
    assert re.fullmatch(r"<CA\S{40,}@mail\.gmail\.com>", headers["Message-ID"])
    assert "2024" not in headers["Date"]
    assert not [name for name in headers if "Original" in name]
    assert "gmailapi.google.com with HTTPREST" in headers["Received"]
    assert headers["X-SCC-Payment-Id"] == "pay_1"
    assert headers["List-Id"] == "<audit.shipcaptaincrew.example>"
    assert headers["References"] == "<root@audit.shipcaptaincrew.example>"


def test_sending_twice_makes_two_mails(gmail: GmailSandbox) -> None:
    for _ in range(2):
        messages_of(gmail).send(userId="me", body=body_of(compose())).execute()
    first, second = gmail.messages()
    assert first["headers"]["Message-ID"] != second["headers"]["Message-ID"]


def test_the_text_part_is_made_from_the_html_and_attachments_keep_their_bytes(
    gmail: GmailSandbox,
) -> None:
    mail = with_record(compose("Zahlung für Séamus 李小龍", html=HTML))
    messages_of(gmail).send(userId="me", body=body_of(mail)).execute()
    (found,) = gmail.messages()
    assert found["subject"] == "Zahlung für Séamus 李小龍"
    assert found["text"] == "Payment\n\nJane *Doe* & Co, see <https://x.example/1>\n"
    assert found["html"].strip() == HTML
    record, binary = found["attachments"]
    assert base64.b64decode(record["content_base64"]) == RECORD
    assert record["json"] == json.loads(RECORD)
    assert (record["filename"], record["content_type"]) == ("entry.json", "application/json")
    assert (binary["filename"], binary["size"], binary["json"]) == ("ключ.bin", 256, None)
    assert base64.b64decode(binary["content_base64"]) == bytes(range(256))


def test_the_delivered_copy_is_a_well_formed_mail(gmail: GmailSandbox) -> None:
    mail = with_record(compose(html=HTML))
    messages_of(gmail).send(userId="me", body=body_of(mail)).execute()
    _, raw = fetch(gmail.messages()[0]["raw_url"])
    parsed = email.message_from_bytes(raw, policy=default)
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/json",
        "application/octet-stream",
    ]
    assert not any(part.defects for part in parsed.walk())
    assert len(parsed.get_all("Message-ID") or []) == 1


def test_an_html_only_mail_gets_a_text_part(gmail: GmailSandbox) -> None:
    mail = EmailMessage()
    mail["To"] = AUDIT
    mail.set_content(HTML, subtype="html")
    messages_of(gmail).send(userId="me", body=body_of(mail)).execute()
    (found,) = gmail.messages()
    assert found["text"].startswith("Payment\n")
    assert found["html"].strip() == HTML
    assert found["headers"]["Content-Type"].startswith("multipart/alternative")


def test_a_text_only_mail_is_left_as_written(gmail: GmailSandbox) -> None:
    messages_of(gmail).send(userId="me", body=body_of(compose())).execute()
    assert gmail.messages()[0]["text"] == "The text as it was written.\n"


def test_the_senders_copy_keeps_the_text_as_it_was_written(gmail: GmailSandbox) -> None:
    mail = compose(to="crew@shipcaptaincrew.example", html=HTML)
    messages = messages_of(gmail)
    sent = messages.send(userId="me", body=body_of(mail)).execute()
    raw = messages.get(userId="me", id=sent["id"], format="raw").execute()["raw"]
    assert b"The text as it was written." in base64.urlsafe_b64decode(raw)
    assert "The text as it was written." not in gmail.messages()[0]["text"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("SCC Audit <someone@elsewhere.example>", f"SCC Audit <{AUDIT}>"),
        ("someone@elsewhere.example", AUDIT),
        (f"Séamus <{AUDIT}>", f"Séamus <{AUDIT}>"),
    ],
)
def test_a_from_address_that_is_not_the_users_is_replaced(
    gmail: GmailSandbox, written: str, shown: str
) -> None:
    mail = compose()
    mail.replace_header("From", written)
    messages_of(gmail).send(userId="me", body=body_of(mail)).execute()
    assert gmail.messages()[0]["from"] == shown


def test_a_name_that_looks_like_an_address_does_not_add_a_recipient(gmail: GmailSandbox) -> None:
    raw = b"To: =?utf-8?q?a=40evil=2Eexample=2C_b?= <" + AUDIT.encode() + b">\r\n\r\nhi\r\n"
    messages_of(gmail).send(userId="me", body=body_of(raw)).execute()
    assert [found["mailbox"] for found in gmail.messages()] == [AUDIT]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "'raw' RFC822 payload"),
        ({"raw": "not base64!"}, "Base64 decoding failed"),
        ({"raw": base64.b64encode(b"To: a@b.c\r\n\r\n\xff\xfe\xfb\xef").decode()}, "Base64"),
        (body_of(b"Subject: x\r\n\r\nbody"), "Recipient address required"),
        (body_of(b"To: nobody\r\n\r\nbody"), "Invalid To header"),
    ],
)
def test_what_gmail_cannot_send_is_an_invalid_argument(
    gmail: GmailSandbox, body: dict[str, str], words: str
) -> None:
    error = refusal_of(messages_of(gmail).send(userId="me", body=body))
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert words in error["message"]


@pytest.mark.parametrize(
    "raw",
    [
        b"To: audit@shipcaptaincrew.example",
        b"To: audit@shipcaptaincrew.example\r\nSubject: =?x-no-such?b?/w==?=\r\n\r\n\xff\xfe\x00",
        b"To: audit@shipcaptaincrew.example\nFrom: \xff\xfe <\nno header at all\n\nbody\n",
        b"To: audit@shipcaptaincrew.example\nContent-Type: multipart/mixed; boundary=x\n\nnothing",
        b"To: audit@shipcaptaincrew.example\nContent-Type: text/html; charset=nope\n\n<b <p>\x00",
    ],
)
def test_a_broken_mail_is_delivered_and_can_be_viewed(gmail: GmailSandbox, raw: bytes) -> None:
    messages = messages_of(gmail)
    sent = messages.send(userId="me", body=body_of(raw)).execute()
    assert gmail.messages()[0]["id"] == sent["id"]
    assert messages.get(userId="me", id=sent["id"]).execute()["payload"]


def test_a_reply_joins_the_thread_when_references_and_subject_fit(gmail: GmailSandbox) -> None:
    root = "<root@audit.shipcaptaincrew.example>"
    messages = messages_of(gmail)

    def thread(subject: str, references: str | None = root, **body: str) -> str:
        mail = compose(subject, **({"References": references} if references else {}))
        return str(messages.send(userId="me", body=body_of(mail) | body).execute()["threadId"])

    first = thread("Ahoy")
    assert thread("Re: Ahoy") == first
    assert thread("Ahoy", threadId=first) == first
    assert thread("Other subject") != first
    assert thread("Ahoy", references=None) != first
    assert thread("Other subject", threadId=first) != first
    unknown = messages.send(userId="me", body=body_of(compose()) | {"threadId": "0123456789abcdef"})
    assert refusal_of(unknown)["code"] == 404
    no_id = messages.send(userId="me", body=body_of(compose()) | {"threadId": "thread-f:12"})
    assert refusal_of(no_id)["message"] == "Invalid thread_id value"


@pytest.mark.parametrize("code", [400, 404])
def test_a_thread_can_be_lost_on_demand(gmail: GmailSandbox, code: int) -> None:
    messages = messages_of(gmail)
    thread_id = messages.send(userId="me", body=body_of(compose())).execute()["threadId"]
    gmail.post_fault({"kind": "lost_thread", "code": code})
    lost = messages.send(userId="me", body=body_of(compose()) | {"threadId": thread_id})
    assert refusal_of(lost)["code"] == code
    messages.send(userId="me", body=body_of(compose())).execute()


def test_the_daily_sending_limit_is_a_429_about_mail_sending(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "daily_limit", "messages": 1})
    messages = messages_of(gmail)
    messages.send(userId="me", body=body_of(compose())).execute()
    error = refusal_of(messages.send(userId="me", body=body_of(compose())))
    assert (error["code"], error["message"]) == (429, "User-rate limit exceeded.  (Mail sending)")
    messages.import_(userId="me", body=body_of(compose())).execute()


def test_a_used_up_quota_gives_the_retry_time_only_in_the_text(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "quota", "units_per_minute": 125})
    messages = messages_of(gmail)
    started = time.time()
    messages.send(userId="me", body=body_of(compose())).execute()
    messages.import_(userId="me", body=body_of(compose())).execute()
    error = refusal_of(messages.list(userId="me"))
    assert (error["code"], error["errors"][0]["reason"]) == (403, "rateLimitExceeded")
    assert error["errors"][0]["domain"] == "usageLimits"
    stamp = re.fullmatch(r"User-rate limit exceeded\.  Retry after (\S+Z)", error["message"])
    assert stamp
    retry_at = time.strptime(stamp[1].split(".")[0], "%Y-%m-%dT%H:%M:%S")
    assert started + 55 < time.mktime(retry_at) - time.timezone < time.time() + 61
    other = messages_of(gmail, "crew@shipcaptaincrew.example")
    other.list(userId="me").execute()


def test_the_profile_counts_the_mailbox(gmail: GmailSandbox) -> None:
    messages_of(gmail).send(userId="me", body=body_of(compose())).execute()
    profile = users_of(gmail).getProfile(userId="me").execute()
    assert (profile["emailAddress"], profile["messagesTotal"]) == (AUDIT, 1)
