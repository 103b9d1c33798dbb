"""All kinds of mail share one envelope, so that a filter or a search for one finds the others."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from functions.audit_mailer.mails import ops_mail, payment_mail, statement_mail
from functions.audit_mailer.mails.envelope import Addresses, AuditMail
from shared.text import search_token
from tests.builders import NOW, entry
from tests.statements import drawn_up, stored

ADDRESSES = Addresses("desk@shipcaptaincrew.example", "audit@shipcaptaincrew.example")
OPS_RECORD: dict[str, Any] = {
    "ops_id": "ops_1",
    "action": "replay",
    "phase": "done",
    "at": NOW,
    "who": "pat@shipcaptaincrew.example",
    "run": "ops_0",
    "messages": ["pay_1"],
    "counts": {"sent": 1},
}
STATEMENT = stored(drawn_up([]))
MAILS = {
    entry().payment_id: payment_mail.compose(entry().to_row(), ADDRESSES),
    "ops_1": ops_mail.compose(OPS_RECORD, ADDRESSES),
    STATEMENT.place.delivery_id: statement_mail.compose(STATEMENT, ADDRESSES),
}


def parsed(mail: AuditMail) -> EmailMessage:
    return email.message_from_bytes(mail.content, policy=default)


def bodies(mail: AuditMail) -> tuple[str, str]:
    """Its plain text and its HTML."""
    plain, html = (parsed(mail).get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


@pytest.mark.parametrize(("own_id", "mail"), MAILS.items(), ids=["payment", "ops", "statement"])
def test_every_mail_has_the_same_envelope(own_id: str, mail: AuditMail) -> None:
    read = parsed(mail)
    assert read["From"] == f"SCC Payment Audit <{ADDRESSES.sender}>"
    assert read["To"] == ADDRESSES.recipient
    assert read["Date"] == "Mon, 24 Nov 2025 16:00:00 +0000"
    assert read["Message-ID"] == mail.message_id == f"<{own_id}@shipcaptaincrew.example>"
    assert read["List-Id"] == "<payment-audit.shipcaptaincrew.example>"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["X-Auto-Response-Suppress"] == "All"
    assert read["Subject"].endswith(f" - {search_token(own_id)}")
    assert mail.token == search_token(own_id)
    record, *_ = read.iter_attachments()
    assert record.get_content_type() == "application/json"


def test_an_ops_mail_says_who_did_what_to_which_messages() -> None:
    mail = MAILS["ops_1"]
    read = parsed(mail)
    assert (
        read["Subject"].strip().startswith("[SCC Ops] replay done - pat@shipcaptaincrew.example - ")
    )
    assert read["X-SCC-Ops-Id"] == "ops_1"
    assert read["References"] == "<ops_0.thread@shipcaptaincrew.example>"
    for kind in ("plain", "html"):
        body = read.get_body((kind,))
        assert body is not None
        for fact in ("1 sent", "2025-11-24 16:00:00 UTC", "pay_1", mail.record_sha256):
            assert fact in body.get_content(), fact


def test_an_invalid_record_makes_no_mail() -> None:
    with pytest.raises(TypeError, match="messages"):
        ops_mail.compose(OPS_RECORD | {"messages": None}, ADDRESSES)


def test_of_many_messages_the_first_are_shown_and_the_others_counted() -> None:
    many = OPS_RECORD | {"messages": [f"pay_{number}" for number in range(203)]}
    text, _ = bodies(ops_mail.compose(many, ADDRESSES))
    assert "3 more are in the attachment" in text
    assert "pay_199" in text
    assert "pay_200" not in text


@pytest.mark.parametrize(
    "message", ["0a1b2c3d pay_" + "0" * 32 + " sent", "&" * 500, "\u674e" * 900]
)
def test_gmail_shows_an_ops_mail_to_its_end(message: str) -> None:
    many = OPS_RECORD | {"messages": [message] * 200, "reason": "&" * 9_000, "messages_total": 900}
    text, html = bodies(ops_mail.compose(many, ADDRESSES))
    assert len(html.encode()) < 102_000
    assert "700 more are in the ops record's other parts" in text
    assert "the rest is in the attachment" in text


def test_every_attachment_is_named_for_what_it_is() -> None:
    names = [
        [each.get_filename() for each in parsed(mail).iter_attachments()] for mail in MAILS.values()
    ]
    assert names == [
        ["sunset-charter-000001.json"],
        ["ops-ops_1.json"],
        ["statement.json", "statement.sig"],
    ]


@pytest.mark.parametrize("name", ["ops_id", "run"])
@pytest.mark.parametrize("value", ["ops_\r\nBcc: x@y.example", "=?utf-8?q?x?=", "ops é"])
def test_an_id_that_no_header_can_hold_makes_no_mail(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        ops_mail.compose(OPS_RECORD | {name: value}, ADDRESSES)
