"""Two mail programs must not read one mail of ours in two ways: its headers and parts are exact."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from functions.audit_mailer.mails.payment_mail import compose
from ops.offline.mails import read_mail
from ops.offline.report import findings_of
from tests.ops.mailboxes import (
    ADDRESSES,
    chain,
    mail,
    mails,
    ops_mail,
    sent_by_gmail,
    statement_mail,
)

ENTRY = chain(1)[0]
OWN: dict[str, bytes] = {
    "payment": mail(ENTRY.to_row()),
    "ops": ops_mail(),
    "statement": statement_mail(ENTRY.logged_day, [], None),
}
SENT = {name: sent_by_gmail(raw) for name, raw in OWN.items()}
GMAIL = (
    b"X-GM-THRID: 1849\r\nX-Gmail-Labels: Inbox,Opened\r\nDelivered-To: audit@x.example\r\n"
    b"Received: by 2002:a05:6504:b3c4 with SMTP id d4; Mon, 24 Nov 2025 08:00:04 -0800 (PST)\r\n"
    b"ARC-Seal: i=1; a=rsa-sha256; t=1764000003; cv=none; d=google.com; s=arc; b=abc\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example; b=abc\r\nX-Received: by 10.0.0.1\r\n"
    b"Return-Path: <audit@x.example>\r\nAuthentication-Results: mx.google.com; dkim=pass\r\n"
)


def problems(raw: bytes) -> list[str]:
    kinds = ("altered", "unreadable")
    return [each.detail for each in findings_of(read_mail(raw)) if each.kind in kinds]


@pytest.mark.parametrize("which", OWN)
def test_what_gmail_and_exports_add_is_no_finding(which: str) -> None:
    for raw in (OWN[which], GMAIL + OWN[which], SENT[which], GMAIL + SENT[which]):
        assert problems(raw) == []
        assert problems(raw.replace(b"\r\n", b"\n")) == []
    attached = SENT[which].replace(
        b"Content-Type: application/json\r\n",
        b"Content-Type: application/json\r\nContent-ID: <f_x>\r\nX-Attachment-Id: f_x\r\n",
    )
    assert attached != SENT[which]
    assert problems(attached) == []


Change = Callable[[bytes], bytes]


def added(header: bytes) -> Change:
    return lambda raw: header + b"\r\n" + raw


def swapped(old: bytes, new: bytes) -> Change:
    def change(raw: bytes) -> bytes:
        assert old in raw
        return raw.replace(old, new, 1)

    return change


def renamed(name: bytes) -> Change:
    def change(raw: bytes) -> bytes:
        return re.sub(rb'filename="[^"]+\.json"', lambda _: b"filename" + name, raw)

    return change


def boundaries(raw: bytes) -> list[bytes]:
    return re.findall(rb'boundary="([^"]+)"', raw)


FROM = b"From: SCC Payment Audit <audit@shipcaptaincrew.example>"
CHANGES: dict[str, Change] = {
    "second Subject": added(b"Subject: [SCC Audit] all is paid"),
    "second Subject, with a space": added(b"Subject : [SCC Audit] all is paid"),
    "Subject in UTF-7": lambda raw: re.sub(
        rb"(?m)^Subject: \S+", b"Subject: =?utf-7?q?[SCC?=", raw
    ),
    "parts encoded twice": added(b"Content-Transfer-Encoding: quoted-printable"),
    "one boundary in the other": lambda raw: raw.replace(
        boundaries(raw)[1], boundaries(raw)[0] + b"0"
    ),
    "second Date": added(b"Date: Mon, 24 Nov 2025 16:00:00 +0000"),
    "second From": added(FROM),
    "second To": added(b"To: audit@shipcaptaincrew.example"),
    "second Content-Type": added(b"Content-Type: text/html"),
    "second Message-ID": added(b"Message-ID: <other@x.example>"),
    "address as a name": swapped(FROM, b"From: audit@shipcaptaincrew.example <eve@x.example>"),
    "two addresses in From": swapped(FROM, FROM + b", eve@x.example"),
    "another name in From": swapped(FROM, FROM.replace(b"SCC Payment Audit", b"The Captain")),
    "a group in From": swapped(FROM, b"From: us: audit@shipcaptaincrew.example;"),
    "two addresses in To": swapped(b"\r\nTo: ", b"\r\nTo: eve@x.example, "),
    "Sender": added(b"Sender: eve@x.example"),
    "Reply-To": added(b"Reply-To: eve@x.example"),
    "Cc": added(b"Cc: eve@x.example"),
    "charset utf-7": swapped(b'text/html; charset="utf-8"', b'text/html; charset="utf-7"'),
    "charset utf-16": swapped(b'text/plain; charset="utf-8"', b'text/plain; charset="utf-16"'),
    "two charsets": swapped(b'text/html; charset="utf-8"', b"text/html; charset=utf-8; charset=x"),
    "uuencoded": swapped(b"Transfer-Encoding: quoted-printable", b"Transfer-Encoding: x-uuencode"),
    "outer alternative": swapped(b"multipart/mixed", b"multipart/alternative"),
    "inner related": swapped(b"multipart/alternative", b"multipart/related"),
    "HTML attached": swapped(
        b"Content-Type: text/html", b"Content-Disposition: attachment\r\nContent-Type: text/html"
    ),
    "record renamed": renamed(b'="record.html"'),
    "record renamed, reversed": renamed(b'="\xe2\x80\xaenosj.exe"'),
    "record renamed, encoded": renamed(b"*=utf-8''record.json%E2%80%AE"),
    "record with two types": swapped(
        b"Content-Type: application/json",
        b"Content-Type: application/json\r\nContent-Type: text/html",
    ),
    "text before the parts": swapped(b'"\r\n\r\n--', b'"\r\n\r\nAll is paid.\r\n--'),
}


@pytest.mark.parametrize("which", OWN)
@pytest.mark.parametrize("change", CHANGES)
def test_a_header_or_part_that_we_do_not_write_is_found(which: str, change: str) -> None:
    raw = SENT[which] if change != "text before the parts" else OWN[which]
    changed = CHANGES[change](raw)
    assert changed != raw
    assert problems(changed), change


@pytest.mark.parametrize("which", ["ops", "statement"])
def test_the_date_of_every_kind_of_mail_is_when_it_was_written(which: str) -> None:
    (told,) = problems(OWN[which].replace(b"Date: Mon, 24 Nov 2025", b"Date: Tue, 25 Nov 2025"))
    assert "its date is not when it was" in told


def test_a_mail_to_somebody_else_is_found_unless_named() -> None:
    entries = chain(3)
    first, second, third = mails(entries)
    forged = second.replace(b"\r\nTo: audit@", b"\r\nTo: eve@")
    box = read_mail(first)
    for raw in (forged, third):
        one = read_mail(raw)
        box.links += one.links
        for address, party in one.recipients.items():
            box.recipients.setdefault(address, party).mails += 1
    (found,) = findings_of(box)
    assert (found.kind, found.seq) == ("altered", 2)
    assert "addressed to eve@shipcaptaincrew.example" in found.detail
    named = ["eve@shipcaptaincrew.example", "audit@shipcaptaincrew.example"]
    assert findings_of(box, senders=named) == []


def test_the_envelope_that_is_checked_is_the_one_that_is_written() -> None:
    for entry in chain(3):
        assert problems(compose(entry.to_row(), ADDRESSES).content) == []


@pytest.mark.parametrize(
    "change",
    [
        swapped(b'filename="statement.sig"', b'filename="invoice.pdf.exe"'),
        swapped(b"application/octet-stream", b"application/x-msdownload"),
        lambda raw: raw.replace(b"application/octet-stream", b"application/json"),
    ],
)
def test_a_statement_has_its_signature_and_no_other_second_file(change: Change) -> None:
    for raw in (OWN["statement"], SENT["statement"]):
        assert problems(change(raw))
