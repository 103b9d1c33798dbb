"""The statement as a mail: its subject says whether to read on, what it attaches is the proof."""

from __future__ import annotations

import json
from dataclasses import dataclass

from functions.audit_mailer.mails.envelope import (
    Addresses,
    Attachment,
    AuditMail,
    Letter,
    Record,
    sealed,
)
from functions.audit_mailer.mails.statement_page import statement_page, statement_subject
from shared.ledger import canonical_json
from shared.statements.places import SIGNATURE_FILE, StatementPlace
from shared.text import search_token


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """A statement as the evidence bucket holds it. content: the bytes of statement.json."""

    place: StatementPlace
    content: bytes
    signature: bytes


def compose(stored: StoredStatement, addresses: Addresses) -> AuditMail:
    """The mail of one statement, which attaches the very bytes that were sealed.

    Raises ValueError, TypeError or KeyError for what is no statement.
    """
    values = json.loads(stored.content)
    if canonical_json(values) != stored.content:
        raise ValueError("the statement is not in canonical form")
    own_id = stored.place.delivery_id
    record = Record("statement.json", stored.content)
    so_far = "" if stored.place.final else " so far"
    letter = Letter(
        own_id=own_id,
        subject=statement_subject(values),
        written_at=values["made_at"],
        headers={"X-SCC-Statement": f"{stored.place.day}{so_far}"},
        page=statement_page(values, record.sha256, search_token(own_id)),
        record=record,
        more=[Attachment(SIGNATURE_FILE, stored.signature)],
    )
    return sealed(letter, addresses)
