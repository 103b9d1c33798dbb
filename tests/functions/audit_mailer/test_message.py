from __future__ import annotations

import email
import hashlib
import json
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest

from functions.audit_mailer.message import compose, search_token
from shared.ledger import canonical_json
from tests.builders import entry

RECIPIENT = "audit@shipcaptaincrew.example"


def read(**changes: Any) -> tuple[EmailMessage, dict[str, Any], str, str]:
    """The mail, its row, its plain text and its HTML."""
    row = entry(**changes).to_row()
    content = compose(row, RECIPIENT, RECIPIENT).content
    mail = email.message_from_bytes(content, policy=default)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return mail, row, plain.get_content(), html.get_content()


def test_the_subject_files_and_finds_the_mail() -> None:
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
        "admin@shipcaptaincrew.example",
        "2025-11-24 16:00:00 UTC",
        "2025-11-24 11:00:00 EST",
        row["hash"],
        row["prev_hash"],
        hashlib.sha256(canonical_json(row)).hexdigest(),
    ]
    for fact in wanted:
        assert fact in text, fact
        assert fact in html, fact


def test_the_record_is_the_canonical_row_byte_for_byte() -> None:
    mail, row, _, _ = read(patron_name="李小龍 🚢", note="Séamus' share")
    (attachment,) = mail.iter_attachments()
    assert attachment.get_filename() == "record.json"
    content = attachment.get_payload(decode=True)
    assert content == canonical_json(row)
    assert json.loads(cast("bytes", content)) == row


def test_headers_identify_the_mail_to_machines() -> None:
    mail, row, _, _ = read()
    assert mail["Message-ID"] == f"<{row['payment_id']}@shipcaptaincrew.example>"
    assert mail["X-SCC-Payment-Id"] == row["payment_id"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert "List-Id" in mail


@pytest.mark.parametrize(
    "hostile",
    [
        "Eve\r\nBcc: evil@example.com",
        "Eve\nX-Injected: 1",
        "Eve\u2028Bcc: evil@example.com",
        "Eve\x00\x0b\x0c\x85",
        "a@b.example, c@d.example",
        "\u202egnp.exe",
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "=?utf-8?q?Bcc?=",
        "x" * 2_000,
    ],
)
def test_a_hostile_name_stays_a_name(hostile: str) -> None:
    mail, _, text, html = read(patron_name=hostile, event_name=hostile)
    assert [address.addr_spec for address in mail["To"].addresses] == [RECIPIENT]
    assert "Bcc" not in mail
    assert "X-Injected" not in mail
    assert "<script" not in html
    assert "<img" not in html
    assert "\u202e" not in text + html + mail["Subject"]


def test_a_name_with_a_lone_surrogate_is_no_ledger_text_and_no_mail() -> None:
    row = entry().to_row() | {"patron_name": "\ud800"}
    with pytest.raises(UnicodeEncodeError):
        compose(row, RECIPIENT, RECIPIENT)


def test_the_html_loads_nothing_from_elsewhere() -> None:
    _, _, _, html = read()
    assert "http:" not in html
    assert "https:" not in html
    assert "src=" not in html
