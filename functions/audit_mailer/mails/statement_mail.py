"""The statement as a mail: its subject tells whether to read on, statement.json is the proof."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from functions.audit_mailer.mails.payment_mail import (
    AuditMail,
    dollars,
    header_line,
    one_line,
    search_token,
)
from functions.audit_mailer.statement.account import EventAccount, Statement, Sum, numbers, total
from shared.ledger import canonical_json
from shared.methods import METHODS, title_of

EVERY_DAY = (
    "A statement comes every day, also after a day without payments: a missing one is a fault."
)
SO_FAR = "The day was not over when this was made; its final statement follows."

Lines = list[tuple[str, str]]


def compose(statement: Statement, statement_id: str, sender: str, recipient: str) -> AuditMail:
    """The mail of one statement, its record as the attachment statement.json, canonical."""
    record = canonical_json(statement.to_record())
    record_sha256 = hashlib.sha256(record).hexdigest()
    token = search_token(statement_id)
    domain = Address(addr_spec=sender).domain
    message_id = f"<{statement_id}@{domain}>"
    closing = [
        ("SHA-256 of statement.json", record_sha256),
        ("Made at", _moment(statement.made_at).strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("Search token", token),
    ]

    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("SCC Payment Audit", addr_spec=sender)
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = subject(statement, token)
    mail["Date"] = format_datetime(_moment(statement.made_at))
    mail["Message-ID"] = message_id
    mail["List-Id"] = f"<payment-audit.{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-SCC-Statement"] = statement.day if statement.is_final else f"{statement.day} so far"
    mail.set_content(_text(statement, closing), cte="quoted-printable")
    mail.add_alternative(_html(statement, closing), subtype="html", cte="quoted-printable")
    mail.add_attachment(record, maintype="application", subtype="json", filename="statement.json")
    return AuditMail(
        token=token, message_id=message_id, record_sha256=record_sha256, content=mail.as_bytes()
    )


def subject(statement: Statement, token: str) -> str:
    parts = [f"[SCC Audit] {_title(statement)}", _sums(statement), *_alarms(statement), token]
    return header_line(" - ".join(parts))


def _title(statement: Statement) -> str:
    return f"Statement {statement.day}{'' if statement.is_final else ' so far'}"


def _sums(statement: Statement) -> str:
    if not statement.entries:
        return "0 entries"
    payments, voids = total(statement.payments), total(statement.voids)
    return (
        f"{_count(payments.count, 'payment')}, {_count(voids.count, 'void')}, "
        f"{money(statement.net_cents)} net"
    )


def _alarms(statement: Statement) -> list[str]:
    """The first of each kind of finding, and how many more."""
    return [
        f"{kind} {places[0]}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        for kind, places in statement.findings.items()
    ]


def _day_lines(statement: Statement) -> Lines:
    if not statement.entries:
        return [("Entries", "none were logged on this day")]
    lines = [("Entries", str(statement.entries))]
    lines += _method_lines(statement.payments, statement.voids, statement.net_cents)
    lines.append(("Not yet mailed", str(statement.unmailed_count or "none")))
    return lines


def _event_lines(account: EventAccount) -> Lines:
    lines = [("Entries", f"{numbers(account.first_seq, account.last_seq)} ({account.entries})")]
    lines += _method_lines(account.payments, account.voids, account.net_cents)
    lines += [
        ("Hash of the day's last", account.last_hash),
        ("Head now", f"#{account.head.seq:06d} {account.head.hash}"),
        ("Missing numbers", ", ".join(numbers(*each) for each in account.missing) or "none"),
    ]
    if account.altered:
        altered = ", ".join(numbers(each, each) for each in account.altered)
        lines.append(("Not matching their hash", altered))
    unmailed = [
        f"#{each.seq:06d} {each.state}" + (f" ({each.error})" if each.error else "")
        for each in account.unmailed
    ]
    if account.unmailed_count > len(unmailed):
        unmailed.append(f"and {account.unmailed_count - len(unmailed)} more")
    lines.append(("Not yet mailed", ", ".join(unmailed) or "none"))
    return [(label, one_line(value)) for label, value in lines]


def _method_lines(payments: Mapping[str, Sum], voids: Mapping[str, Sum], net_cents: int) -> Lines:
    """A line for each method, in the order of the payment form, then what was voided."""
    known = [*METHODS, *sorted(payments.keys() - METHODS.keys())]
    lines = [(title_of(each), _amount(payments[each])) for each in known if each in payments]
    voided = total(voids)
    if voided.count:
        lines.append(("Voided", _amount(voided)))
    return [*lines, ("Net", money(net_cents))]


def _text(statement: Statement, closing: Lines) -> str:
    paragraphs = [f"{_title(statement)}: {_sums(statement)}"]
    if statement.findings:
        wrong = [
            one_line(f"{kind} {place}") for kind, places in statement.findings.items()
            for place in places
        ]  # fmt: skip
        paragraphs.append("TO BE LOOKED INTO\n" + "\n".join(wrong))
    paragraphs.append("The whole day\n" + _text_lines(_day_lines(statement)))
    paragraphs += [
        f"{_heading(account)}\n{_text_lines(_event_lines(account))}" for account in statement.events
    ]
    paragraphs += [_text_lines(closing), *_notes(statement)]
    return "\n\n".join(paragraphs) + "\n"


def _text_lines(lines: Lines) -> str:
    width = max(len(label) for label, _ in lines) + 2
    return "\n".join(f"{label + ':':<{width}}{value}" for label, value in lines)


def _html(statement: Statement, closing: Lines) -> str:
    parts = [
        f'<h1 style="font-size:18px;margin:0 0 4px">{_title(statement)}</h1>',
        f'<p style="font-size:16px;margin:0 0 12px">{escape(_sums(statement))}</p>',
    ]
    if statement.findings:
        wrong = "".join(
            f'<li style="margin:2px 0">{escape(one_line(f"{kind} {place}"))}</li>'
            for kind, places in statement.findings.items()
            for place in places
        )
        parts.append(
            '<div role="alert" style="border-left:4px solid #d93025;padding:4px 0 4px 12px;'
            'margin:0 0 16px"><strong>To be looked into</strong>'
            f'<ul style="margin:4px 0 0;padding:0 0 0 18px">{wrong}</ul></div>'
        )
    parts += [_section("The whole day", _day_lines(statement))]
    parts += [_section(_heading(each), _event_lines(each)) for each in statement.events]
    parts += [_section("This statement", closing)]
    parts += [f'<p style="margin:12px 0 0">{escape(note)}</p>' for note in _notes(statement)]
    return (
        '<!doctype html><html lang="en"><head>'
        '<meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark"></head>'
        '<body style="font-family:Arial,sans-serif;font-size:14px;line-height:1.4;margin:8px">\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _section(heading: str, lines: Lines) -> str:
    cell = "padding:3px 12px 3px 0;vertical-align:top;text-align:left"
    rows = "\n".join(
        f'<tr><th scope="row" style="{cell};font-weight:600">{escape(label)}</th>'
        f'<td style="{cell};overflow-wrap:anywhere;word-break:break-word">{escape(value)}</td></tr>'
        for label, value in lines
    )
    return (
        f'<h2 style="font-size:15px;margin:20px 0 4px;overflow-wrap:anywhere">{escape(heading)}'
        f'</h2>\n<table style="border-collapse:collapse">\n{rows}\n</table>'
    )


def _heading(account: EventAccount) -> str:
    return one_line(f"{account.event_name} ({account.event_id})")


def _notes(statement: Statement) -> list[str]:
    return [EVERY_DAY] if statement.is_final else [SO_FAR, EVERY_DAY]


def _amount(one: Sum) -> str:
    return f"{one.count} for {money(one.cents)}"


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def money(cents: int) -> str:
    """As `dollars`, with a leading minus when more was voided than paid."""
    return f"-{dollars(-cents)}" if cents < 0 else dollars(cents)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC)
