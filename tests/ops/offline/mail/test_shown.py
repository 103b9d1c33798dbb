"""What a mail shows is what its record says, and nothing that is shown can be changed unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.audit_mailer.mails.payment_mail import compose
from functions.audit_mailer.mails.related import Related
from ops.offline.mails import read_mail
from ops.offline.report import findings_of
from shared.ledger import Head, LedgerEntry, PaymentId
from tests.builders import NOW, ZONE, entry
from tests.ops.mailboxes import (
    ADDRESSES,
    APP_URL,
    chain,
    mail,
    ops_mail,
    sent_by_gmail,
    statement_mail,
    voided,
)

TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u202e\n\r\t\x00'\"<>&=?*_-$,. "),
    max_size=120,
)


def problems(raw: bytes) -> list[str]:
    return [each.detail for each in findings_of(read_mail(raw)) if each.kind != "missing"]


def composed(of: LedgerEntry, related: Related | None = None) -> bytes:
    return compose(of.to_row(), ADDRESSES, related or Related()).content


@settings(max_examples=40, deadline=None)
@given(
    changes=st.fixed_dictionaries(
        {
            "event_name": TEXT,
            "patron_name": TEXT,
            "reference": TEXT,
            "note": TEXT,
            "logged_by_name": TEXT,
            "amount_cents": st.integers(1, 10_000_000),
            "method": st.sampled_from(["credit_card", "cash", "check", "ach", "zelle"]),
            "event_timezone": st.sampled_from(["America/New_York", "Asia/Kolkata", "Nowhere/At"]),
        }
    ),
    others=st.sampled_from(
        [
            {},
            {"corrects": "pay_" + "3" * 32},
            {"kind": "void", "voids": "pay_" + "3" * 32, "reason": "entered_twice"},
            {"kind": "refund", "refunds": "pay_" + "3" * 32, "reason": "goodwill"},
            {"acknowledged_duplicates": ("pay_" + "4" * 32, "pay_" + "5" * 32)},
        ]
    ),
    as_sent=st.booleans(),
)
def test_every_mail_that_we_compose_shows_its_record(
    changes: dict[str, Any],
    others: dict[str, Any],
    as_sent: bool,  # noqa: FBT001 - drawn
) -> None:
    raw = composed(entry(Head(seq=3, hash="a" * 64, last_logged_at=NOW), **changes, **others))
    found = problems(sent_by_gmail(raw) if as_sent else raw)
    meant = ("it replaces", "it voids", "its method is none")  # what the entries mean
    assert [each for each in found if not any(words in each for words in meant)] == []


def test_a_voids_mail_with_its_replacement_shows_its_record() -> None:
    payment, after = chain(2)
    void = voided(payment, after)
    new = replace(
        payment, payment_id=PaymentId("pay_new"), corrects=payment.payment_id, amount_cents=5
    ).sealed(void.as_head, ZONE)
    raw = composed(void, Related(original=payment, replacement=new))
    assert problems(raw) == []
    assert problems(sent_by_gmail(raw)) == []


CHANGES: dict[str, tuple[bytes, bytes, str]] = {
    "patron": (b">Jane Doe<", b">Joan Doe<", "Patron"),
    "address": (b">jane.doe@example.com<", b">joan.doe@example.com<", "Patron e-mail"),
    "method": (b">check<", b">cash<", "Method"),
    "amount": (b">$125.00 USD<", b">$25.00 USD<", "Amount"),
    "event": (b">Sunset Charter<", b">Sunrise Charter<", "Event"),
    "reference": (b">1042<", b">1043<", "Reference"),
    "note": (b">For two<", b">For ten<", "Note"),
    "logger": (b"Marina Castellanos (", b"Mario Castellanos (", "Logged by"),
    "server time": (b"2025-11-24 16:00:00 UTC", b"2025-11-23 16:00:00 UTC", "Logged at (server)"),
    "event time": (b"2025-11-24 11:00:00 EST", b"2025-11-24 10:00:00 EST", "Logged at (event)"),
    "captured time": (b"2025-11-24 15:59:55 UTC", b"2025-11-24 15:09:55 UTC", "Captured at"),
    "hash": (b">SHA-256 of the record<", b">SHA-256 of something<", "SHA-256 of something"),
    "heading": (b"$125.00 check, Jane Doe</h1>", b"$25.00 check, Jane Doe</h1>", "heading"),
}


def changed_html(raw: bytes, old: bytes, new: bytes) -> bytes:
    text, separator, html = plain(raw).partition(b"<!doctype html>")
    assert old in html, old
    return text + separator + html.replace(old, new)


def plain(raw: bytes) -> bytes:
    """Both texts as they read, not quoted-printable: for a test to change them."""
    mail = message_from_bytes(raw)
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            part.replace_header("Content-Transfer-Encoding", "8bit")
            part.set_payload(content.decode("ascii", "surrogateescape"))
    return mail.as_bytes()


@pytest.fixture
def raw() -> bytes:
    return mail(entry(note="For two").to_row())


def test_a_mail_made_plain_still_shows_its_record(raw: bytes) -> None:
    assert problems(plain(raw)) == []


@pytest.mark.parametrize("which", CHANGES)
def test_a_changed_field_in_the_html_is_named(raw: bytes, which: str) -> None:
    old, new, says = CHANGES[which]
    (told,) = problems(changed_html(raw, old, new))
    assert says in told


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Patron:                  Jane Doe", b"Patron:                  Joan Doe"),
        (b"Amount:                  $125.00 USD", b"Amount:                  $25.00 USD"),
        (b"Method:                  check", b"Method:                  cash"),
    ],
)
def test_a_changed_field_in_the_plain_text_is_named(raw: bytes, old: bytes, new: bytes) -> None:
    text = plain(raw)
    assert old in text
    (told,) = problems(text.replace(old, new))
    assert "plain text" in told
    assert old.split(b":")[0].decode() in told


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<body style="', b'<body style="display:none;'),
        (b"$125.00 USD<", b'<span style="color:#fff">$125.00 USD</span>$25.00 USD<'),
        (b"$125.00 USD<", b'<strong style="font-size:0">$125.00 USD</strong><'),
        (b'<div style="max-width:640px', b'<div hidden style="max-width:640px'),
        (b'<div style="max-width:640px', b'<div style="position:absolute;max-width:640px'),
        (b'<div style="max-width:640px', b'<div style="opacity:0;max-width:640px'),
        (b"</head>", b"<style>td{display:none}</style></head>"),
        (b"</div>", b"<p>Correction: the patron paid $25.00.</p></div>"),
        (b"</div>", b"<!-- nothing --></div>"),
        (b"</div>", b'<img src="https://x.example/25.png"></div>'),
        (b"</tbody>", b"<tr><th>Amount</th><td>$25.00 USD</td></tr></tbody>"),
        (b"</tbody>", b"<tr><th>Really paid</th><td>$25.00 USD</td></tr></tbody>"),
    ],
)  # fmt: skip
def test_text_that_is_hidden_or_added_is_found(raw: bytes, old: bytes, new: bytes) -> None:
    assert len(problems(changed_html(raw, old, new))) == 1


def without_header(name: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: b"\n".join(
        each for each in raw.replace(b"\r\n", b"\n").split(b"\n") if not each.startswith(name)
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda raw: raw.replace(b"Jane Doe - Sunset", b"Joan Doe - Sunset"), "subject"),
        (lambda raw: raw.replace(b"$125.00 check", b"$25.00 check"), "subject"),
        (lambda raw: raw.replace(b"Date: Mon, 24 Nov 2025", b"Date: Tue, 25 Nov 2025"), "date"),
        (without_header(b"Date: "), "date"),
    ],
    ids=["patron", "amount", "date", "no date"],
)
def test_a_changed_header_is_found(raw: bytes, change: Callable[[bytes], bytes], says: str) -> None:
    (told,) = problems(change(raw))
    assert says in told


@pytest.mark.parametrize(
    ("at", "says"),
    [(NOW - 3_600_000, "before the entry was logged"), (NOW + 86_400_000, "Gmail accepted it")],
)
def test_the_date_of_a_mail_that_gmail_sent_must_be_when_it_sent_it(
    raw: bytes, at: int, says: str
) -> None:
    sent = sent_by_gmail(raw)
    assert problems(sent) == []
    other = sent_by_gmail(raw, at)
    date = next(each for each in other.split(b"\r\n") if each.startswith(b"Date: "))
    kept = next(each for each in sent.split(b"\r\n") if each.startswith(b"Date: "))
    (told,) = problems(sent.replace(kept, date))
    assert says in told


def test_a_mail_from_somebody_else_is_found_unless_named() -> None:
    box = read_mail(b"")
    first, second, third = (mail(each.to_row()) for each in chain(3))
    forged = second.replace(b"<audit@shipcaptaincrew.example>\r\nTo", b"<eve@x.example>\r\nTo")
    assert forged != second
    for raw in (first, forged, third):
        one = read_mail(raw)
        box.links += one.links
        for address, sender in one.senders.items():
            known = box.senders.setdefault(address, sender)
            known.mails += 1
    (found,) = findings_of(box)
    assert (found.kind, found.seq) == ("altered", 2)
    assert "eve@x.example" in found.detail
    named = ["eve@x.example", "audit@shipcaptaincrew.example"]
    assert findings_of(box, senders=named) == []


@pytest.mark.parametrize("labels", ["Trash", "=?UTF-8?Q?Inbox,Spam?=", "Inbox,Bin"])
def test_a_mail_in_the_trash_is_found(raw: bytes, labels: str) -> None:
    (found,) = findings_of(read_mail(f"X-Gmail-Labels: {labels}\r\n".encode() + raw))
    assert (found.kind, found.verdict, found.seq) == ("misplaced", "completeness", 1)
    assert findings_of(read_mail(b"X-Gmail-Labels: Inbox,Opened\r\n" + raw)) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/g/sunset-charter?payment=pay_1",
        "https://pay.shipcaptaincrew.example/g/gala?payment={id}",
        "https://pay.shipcaptaincrew.example/g/sunset-charter?payment={id}&x=1",
        "https://pay.shipcaptaincrew.example/g/sunset-charter?payment={id}#x",
        "https://evil.example\\@pay.example/g/sunset-charter?payment={id}",
        "https://pay.example@evil.example/g/sunset-charter?payment={id}",
        "javascript:alert(1)//g/sunset-charter?payment={id}",
        "ftp://pay.example/g/sunset-charter?payment={id}",
        "//pay.example/g/sunset-charter?payment={id}",
        "https://[x/g/sunset-charter?payment={id}",
    ],
)
def test_a_link_that_leads_anywhere_but_to_the_payment_is_found(raw: bytes, address: str) -> None:
    ours = f"{APP_URL}/g/sunset-charter?payment={entry().payment_id}".encode()
    theirs = address.format(id=entry().payment_id).encode()
    assert ours in plain(raw)
    (told,) = problems(plain(raw).replace(ours, theirs))
    assert "link" in told


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b">Open in the app</a>", b">Open the bank</a>"),
        (b">Open in the app</a>", b">Open in <strong>the app</strong></a> now"),
        (b">Open in the app</a>", b">Open in the app"),
        (b"Jane Doe</h1>", b'<a href="%s">Jane Doe</a></h1>'),
        (b">Jane Doe<", b'><a href="%s">Jane Doe</a><'),
        (b"</div>", b'<p><a href="%s">Open in the app</a></p></div>'),
        (b"</body>", b'<a href="%s"></a></body>'),
    ],
)
def test_a_link_in_another_place_or_with_other_words_is_found(
    raw: bytes, old: bytes, new: bytes
) -> None:
    address = f"{APP_URL}/g/sunset-charter?payment={entry().payment_id}".encode()
    assert len(problems(changed_html(raw, old, new.replace(b"%s", address)))) == 1


def test_another_link_in_the_plain_text_is_found(raw: bytes) -> None:
    ours = f"app: {APP_URL}".encode()
    assert ours in plain(raw)
    (told,) = problems(plain(raw).replace(ours, b"app: https://evil.example"))
    assert "link" in told


def test_a_mail_without_a_link_is_fine_and_so_is_one_to_another_host(raw: bytes) -> None:
    assert problems(compose(entry(note="For two").to_row(), ADDRESSES).content) == []
    moved = plain(raw).replace(APP_URL.encode(), b"http://localhost:8000")
    assert problems(moved) == []


def test_an_attachment_with_another_name_is_found(raw: bytes) -> None:
    (told,) = problems(raw.replace(b"sunset-charter-000001.json", b"sunset-charter-000002.json"))
    assert "attachment" in told


@pytest.mark.parametrize("message", ["0a1b pay_1 sent", "&" * 900])
def test_an_ops_mail_with_more_messages_than_it_shows_shows_its_record(message: str) -> None:
    assert problems(ops_mail(messages=[message] * 300, messages_total=900)) == []
    raw = plain(ops_mail(messages=[message] * 300))
    (told,) = problems(raw.replace(b"more are in the attachment", b"more are nowhere"))
    assert "More" in told


def test_a_statement_with_a_link_is_found() -> None:
    raw = plain(statement_mail("2025-11-24", chain(1), chain(1)[0]))
    linked = raw.replace(b"</div>", b'<p><a href="https://x.example/">Details</a></p></div>')
    assert any("link" in each for each in problems(linked))
