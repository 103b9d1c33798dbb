"""The statement as a mail: its subject says whether to read on, and statement.json is the proof."""

from __future__ import annotations

from functions.audit_mailer.mails.envelope import Addresses, AuditMail, Letter, Record, sealed
from functions.audit_mailer.mails.statement_page import statement_page, statement_subject
from functions.audit_mailer.statement.account import Statement
from shared.text import search_token


def compose(statement: Statement, statement_id: str, addresses: Addresses) -> AuditMail:
    """The mail of one statement, its record as the attachment statement.json, canonical."""
    values = statement.to_record()
    record = Record.of(values, "statement.json")
    so_far = "" if statement.is_final else " so far"
    letter = Letter(
        own_id=statement_id,
        subject=statement_subject(values),
        written_at=statement.made_at,
        headers={"X-SCC-Statement": f"{statement.day}{so_far}"},
        page=statement_page(values, record.sha256, search_token(statement_id)),
        record=record,
    )
    return sealed(letter, addresses)
