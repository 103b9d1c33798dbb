from __future__ import annotations

import email
import hashlib
import json
import re
from dataclasses import fields
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any, cast

import pytest

from functions.audit_mailer.mails.payment_mail import compose
from functions.audit_mailer.mails.related import Related
from shared.ledger import EXPIRY, Head, LedgerEntry, canonical_json, entry_hash, record_of
from shared.methods import METHODS, label_of
from shared.text import BIDI_CONTROLS, search_token
from tests.builders import entry
from tests.functions.audit_mailer.conftest import ADDRESSES, AUDIT
from tests.suites import later

FORBIDDEN = BIDI_CONTROLS | set("\x00\x07\x0b\x0c\x1b\x7f\x85\u2028\u2029\r")


class Tags(HTMLParser):
    """The elements of an HTML text, and the attributes that could load or run something."""

    OURS = frozenset({
        "a", "body", "caption", "col", "colgroup", "div", "h1", "head", "html", "meta", "p",
        "strong", "table", "tbody", "td", "th", "thead", "title", "tr",
    })  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        known = {"style", "dir", "scope", "lang", "name", "content", "charset", "href"}
        self.seen |= {name for name, _ in attrs} - known

    @classmethod
    def of(cls, html: str) -> set[str]:
        parser = cls()
        parser.feed(html)
        return parser.seen


def bodies_of(content: bytes) -> tuple[str, str]:
    """A mail's plain text and HTML."""
    mail = email.message_from_bytes(content, policy=default)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    wire = plain.get_content(), html.get_content()
    return wire[0].replace("\r\n", "\n"), wire[1].replace("\r\n", "\n")


def read(**changes: Any) -> tuple[EmailMessage, dict[str, Any], str, str]:
    """The mail, its row, its plain text and its HTML."""
    row = entry(**changes).to_row()
    content = compose(row, ADDRESSES).content
    mail = email.message_from_bytes(content, policy=default)
    return mail, row, *bodies_of(content)


def test_the_subject_helps_to_file_and_find_the_mail() -> None:
    mail, row, _, _ = read()
    token = search_token(row["payment_id"])
    assert mail["Subject"] == (
        f"[SCC Audit] #000001 $125.00 check - Jane Doe - Sunset Charter - {token}"
    )
    assert token.startswith("AUD")
    assert token.isalnum()
    assert len(token) == 19


def test_text_and_html_hold_everything_a_clerk_needs() -> None:
    _, row, text, html = read(note="paid in full")
    wanted = [
        "Sunset Charter",
        "2025-11-28",
        "Jane Doe",
        "jane.doe@example.com",
        "$125.00",
        "check",
        "1042",
        "paid in full",
        "Marina Castellanos (admin@shipcaptaincrew.example)",
        "2025-11-24 16:00:00 UTC",
        "2025-11-24 11:00:00 EST",
        row["hash"],
        row["prev_hash"],
        hashlib.sha256(canonical_json(record_of(row))).hexdigest(),
    ]
    for fact in wanted:
        assert fact in text, fact
        assert fact in html, fact


def test_the_record_is_the_canonical_row_less_its_expiry_byte_for_byte() -> None:
    mail, row, _, _ = read(patron_name="李小龍 🚢", note="Séamus' share")
    (attachment,) = mail.iter_attachments()
    assert attachment.get_filename() == "sunset-charter-000001.json"
    content = attachment.get_payload(decode=True)
    assert content == canonical_json(record_of(row))
    record = json.loads(cast("bytes", content))
    assert EXPIRY in row
    assert row.keys() - record.keys() == {EXPIRY}
    assert entry_hash(record) == record["hash"]


def test_a_legal_hold_changes_nothing_in_the_mail() -> None:
    row = entry().to_row()
    held = {name: value for name, value in row.items() if name != EXPIRY}
    records = [
        compose(each, ADDRESSES).record_sha256 for each in (row, held, held | {EXPIRY: 9_999_999})
    ]
    assert len(set(records)) == 1


def test_headers_identify_the_mail_to_machines() -> None:
    mail, row, _, _ = read()
    assert mail["Message-ID"] == f"<{row['payment_id']}@shipcaptaincrew.example>"
    assert mail["X-SCC-Payment-Id"] == row["payment_id"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert "List-Id" in mail


HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Id",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-SCC-Payment-Id",
    "References",
    "MIME-Version",
    "Content-Type",
]
HOSTILE = {
    "CR LF": "Eve\r\nBcc: evil@example.com",
    "LF": "Eve\nX-Injected: 1",
    "CR": "Eve\rX-Injected: 1",
    "end of headers": "Eve\r\n\r\n<script>alert(1)</script>",
    "line separator": "Eve\u2028Bcc: evil@example.com",
    "paragraph separator": "Eve\u2029Bcc: evil@example.com",
    "next line": "Eve\x85Bcc: evil@example.com",
    "controls": "Eve\x00\x07\x0b\x0c\x1b[31m\x7f",
    "two addresses": "a@b.example, c@d.example",
    "address list": "Eve <evil@example.com>, Mallory <m@example.com>; x:y;",
    "override": "\u202egnp.exe",
    "isolates": "a\u2066b\u2069c\u200fd",
    "right to left": "\u05d3\u05e0\u05d4 \u05db\u05d4\u05df",
    "emoji": "\U0001f9d1\u200d\u2708\ufe0f \U0001f3f4\u200d\u2620\ufe0f Cap'n",
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "entity": "&lt;script&gt; &amp; &#60;img&#62;",
    "comment": "--><style>*{display:none}</style><!--",
    "encoded word": "=?utf-8?q?Eve=0D=0ABcc=3A_evil=40example=2Ecom?=",
    "encoded word b": "=?utf-8?b?RXZlDQpCY2M6IGV2aWxAZXhhbXBsZS5jb20=?=",
    "broken encoded word": "=?utf-8?q?",
    "boundary": "--===============0123456789==",
    "long token": "x" * 2_000,
    "long words": "\u674e\u5c0f\u9f8d " * 300,
    "backslashes": "\\r\\nBcc: \\",
    "nothing": " ",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("kind", ["payment", "void"])
def test_hostile_text_stays_text(kind: str, hostile: str) -> None:
    everywhere = dict.fromkeys(
        ("patron_name", "event_name", "event_date", "reference", "note", "logged_by", "method"),
        hostile,
    )
    void = {"kind": "void", "voids": "pay_original", "reason": hostile} if kind == "void" else {}
    mail, row, text, html = read(**everywhere, **void)
    extra = ["In-Reply-To"] if kind == "void" else []
    assert sorted(mail.keys()) == sorted(HEADERS + extra)
    assert [address.addr_spec for address in mail["To"].addresses] == [AUDIT]
    assert [address.addr_spec for address in mail["From"].addresses] == [AUDIT]
    starts = {"payment": "#000001 $125.00 ", "void": "VOID #000001 of pay_original -$125.00 "}
    assert mail["Subject"].startswith(f"[SCC Audit] {starts[kind]}")
    assert mail["Subject"].endswith(search_token(row["payment_id"]))
    assert not mail.defects
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/json",
    ]
    shown = text + html + mail["Subject"]
    assert not [each for each in shown if each in FORBIDDEN]
    assert Tags.of(html) <= Tags.OURS
    (attachment,) = mail.iter_attachments()
    assert attachment.get_payload(decode=True) == canonical_json(record_of(row))


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_mail_servers_accept_every_line_on_the_wire(hostile: str) -> None:
    row = entry(patron_name=hostile, event_name=hostile, note=hostile).to_row()
    content = compose(row, ADDRESSES).content
    assert content.isascii()
    assert b"\0" not in content
    lines = content.split(b"\r\n")
    assert max(len(line) for line in lines) <= 998
    assert not any(b"\r" in line or b"\n" in line for line in lines)


def test_an_ordinary_mail_is_small() -> None:
    assert len(compose(entry(note="n" * 280).to_row(), ADDRESSES).content) < 16_000


@pytest.mark.parametrize(
    "text", ["&" * 100_000, *map(later, ("\U0001f6a2" * 50_000, "x" * 300_000))]
)
def test_gmail_shows_every_mail_to_its_end_and_what_was_cut_is_said(text: str) -> None:
    """Gmail hides what comes after 102 KB; a row of DynamoDB may have 400."""
    named = dict.fromkeys(("patron_name", "event_name", "event_date", "reference", "note"), text)
    other = entry(Head(seq=4), logged_by_name=text, patron_name=text, reference=text)
    void = entry(Head(seq=7), kind="void", voids="pay_1", reason=text, logged_by=text, **named)
    related = Related(original=other, replacement=other)
    mail, html = bodies_of(compose(void.to_row(), ADDRESSES, related).content)
    assert len(html.encode()) < 102_000
    for body in (mail, html):
        assert "\u2026 (the rest is in the attachment)" in body


def test_files_of_two_events_have_two_names() -> None:
    names = set()
    for event_id in ("sunset-charter", "harbor-lunch", "../../etc/pass wd", "\u674e\u5c0f"):
        mail, *_ = read(event_id=event_id)
        (attachment,) = mail.iter_attachments()
        names.add(attachment.get_filename())
    assert names == {
        "sunset-charter-000001.json", "harbor-lunch-000001.json", "etc-pass-wd-000001.json",
        "unnamed-000001.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    "payment_id", ["pay_\r\nBcc: evil@example.com", "pay_\nX: 1", "=?utf-8?q?x?=", "pay_é", ""]
)
def test_an_invalid_payment_id_makes_no_mail(payment_id: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        compose(entry(payment_id=payment_id).to_row(), ADDRESSES)


def test_tables_label_their_cells() -> None:
    _, _, _, html = read(kind="void", payment_id="pay_2", voids="pay_1")
    assert html.count("<table") == html.count("<caption") == 5
    assert len(re.findall(r"<tr>", html)) == html.count('scope="row"') + 1
    assert html.count('scope="col"') == 2
    assert '<html lang="en">' in html


def test_a_name_with_a_lone_surrogate_makes_neither_an_entry_nor_a_mail() -> None:
    row = entry().to_row() | {"patron_name": "\ud800"}
    with pytest.raises(UnicodeEncodeError):
        compose(row, ADDRESSES)


@pytest.mark.parametrize("app_url", ["https://pay.example.com", "http://localhost:8000"])
def test_a_link_leads_to_the_payment_in_the_app(app_url: str) -> None:
    row = entry(event_id="dock&dine/é", payment_id="pay_1").to_row()
    text, html = bodies_of(compose(row, ADDRESSES, app_url=app_url).content)
    address = f"{app_url}/g/dock%26dine%2F%C3%A9?payment=pay_1"
    assert f'<a href="{address}">Open in the app</a>' in html
    assert html.count("<a ") == 1
    assert f"\nOpen in the app: {address}\n" in text


def test_the_html_loads_nothing_from_elsewhere() -> None:
    _, _, _, html = read()
    assert "http:" not in html
    assert "https:" not in html
    assert "src=" not in html


@pytest.mark.parametrize("method", METHODS)
def test_the_mail_calls_every_method_what_people_call_it(method: str) -> None:
    mail, _, text, html = read(method=method)
    assert f" {label_of(method)} - " in mail["Subject"]
    for body in (text, html):
        assert label_of(method) in body
        assert "credit_card" not in body


def test_every_attribute_of_an_entry_is_in_its_mail() -> None:
    for_machines = {"kind", "event_timezone", "schema_version", "logged_day", "reference_key"}
    for_machines |= {EXPIRY, "voids", "refunds", "reason"}  # the last three are of other kinds
    said: dict[str, Any] = {
        each.name: f"the {each.name} of it"
        for each in fields(LedgerEntry)
        if str(each.type).startswith("str")
        and each.name not in for_machines | {"prev_hash", "hash"}
    }
    said |= {"payment_id": "pay_1", "event_id": "harbor-lunch"}
    row = entry(**said, acknowledged_duplicates=("pay_2",), corrects="pay_3").to_row()
    text, html = bodies_of(compose(row, ADDRESSES).content)
    shown = row | {"amount_cents": "$125.00", "seq": "#000001", "acknowledged_duplicates": "pay_2"}
    shown |= {"timestamp": "2025-11-24 15:59:55", "logged_at": "2025-11-24 16:00:00"}
    for name in {each.name for each in fields(LedgerEntry)} - for_machines:
        assert str(shown[name]) in text, name
        assert str(shown[name]) in html, name
