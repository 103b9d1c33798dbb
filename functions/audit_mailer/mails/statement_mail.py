"""The statement as a mail: its subject says whether to read on, and statement.json is the proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from functions.audit_mailer.mails import page
from functions.audit_mailer.mails.envelope import (
    Addresses,
    AuditMail,
    Letter,
    Record,
    sealed,
    utc,
)
from functions.audit_mailer.mails.page import Page, Section
from functions.audit_mailer.statement.account import EventAccount, Statement, Sum, numbers, total
from shared.methods import METHODS, title_of
from shared.text import dollars, search_token

EVERY_DAY = (
    "A statement is mailed every day, even after a day without payments. "
    "If one is missing, something is wrong: tell the people who run this system."
)
MOST_FINDINGS = 20  # of those in the notice
CUT_SHORT = "{} {} in statement.json: this mail would be too long for Gmail to show."
SO_FAR = "The day was not over when this statement was made. The final statement will follow."


def compose(statement: Statement, statement_id: str, addresses: Addresses) -> AuditMail:
    """The mail of one statement, its record as the attachment statement.json, canonical."""
    record = Record.of(statement.to_record(), "statement.json")
    so_far = "" if statement.is_final else " so far"
    letter = Letter(
        own_id=statement_id,
        subject=subject(statement),
        written_at=statement.made_at,
        headers={"X-SCC-Statement": f"{statement.day}{so_far}"},
        page=_page(statement, record, search_token(statement_id)),
        record=record,
    )
    return sealed(letter, addresses)


def subject(statement: Statement) -> str:
    """Without the search token."""
    return " - ".join([f"[SCC Audit] {_title(statement)}", _totals(statement), *_alarms(statement)])


def _title(statement: Statement) -> str:
    return f"Statement {statement.day}{'' if statement.is_final else ' so far'}"


def _totals(statement: Statement) -> str:
    if not statement.entries:
        return "0 entries"
    counts = [
        _count(total(statement.payments).count, "payment"),
        _count(total(statement.voids).count, "void"),
    ]
    if statement.refunds:
        counts.append(_count(total(statement.refunds).count, "refund"))
    return ", ".join([*counts, f"{dollars(statement.net_cents)} net"])


def _alarms(statement: Statement) -> list[str]:
    """The first finding of each kind, and how many more there are."""
    return [
        f"{kind} {places[0]}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        for kind, places in statement.findings.items()
    ]


def _page(statement: Statement, record: Record, token: str) -> Page:
    findings = [
        f"{kind} {place}" for kind, places in statement.findings.items() for place in places
    ]
    if len(findings) > MOST_FINDINGS:
        more = _count(len(findings) - MOST_FINDINGS, "more finding")
        findings[MOST_FINDINGS:] = [f"{more} in statement.json"]
    proof = [
        ("SHA-256 of statement.json", record.sha256),
        ("Made at", utc(statement.made_at)),
        ("Search token", token),
    ]
    whole = Page(
        heading=_title(statement),
        subheading=_totals(statement),
        notice="Needs attention" if findings else "",
        findings=findings,
        sections=[_whole_day(statement), *_malformed(statement), Section("Proof", proof)],
        closing=[EVERY_DAY] if statement.is_final else [SO_FAR, EVERY_DAY],
    )
    return _with_events(whole, [_event(each) for each in statement.events])


def _with_events(whole: Page, events: Sequence[Section]) -> Page:
    """The page with as many events as Gmail shows of a mail, and a word about the others."""
    first, *others = whole.sections
    fit = page.fitting(events, page.LARGEST_HTML - page.size_of(whole) - len(CUT_SHORT))
    told = []
    if more := len(events) - fit:
        told = [CUT_SHORT.format(_count(more, "more event"), "is" if more == 1 else "are")]
    return replace(whole, sections=[first, *events[:fit], *others], closing=[*told, *whole.closing])


def _whole_day(statement: Statement) -> Section:
    day = ("Business day", f"{statement.day}, {statement.timezone} time")
    if not statement.entries:
        return Section("The whole day", [day, ("Entries", "none were logged on this day")])
    return Section(
        "The whole day",
        rows=[
            day,
            ("Entries", str(statement.entries)),
            ("Not yet mailed", str(statement.unmailed_count or "none")),
        ],
        sums=_sums(statement),
    )


def _event(account: EventAccount) -> Section:
    rows: list[tuple[str, ...]] = [
        ("Entries", f"{numbers(account.first_seq, account.last_seq)} ({account.entries})"),
        ("Hash of the day's last entry", account.last_hash),
        ("Latest entry of the event", _head(account)),
        ("Missing numbers", ", ".join(numbers(*each) for each in account.missing) or "none"),
    ]
    if account.altered:
        altered = ", ".join(numbers(each, each) for each in account.altered)
        rows.append(("Not as written", altered))
    rows.append(("Not yet mailed", ", ".join(_unmailed(account)) or "none"))
    return Section(f"{account.event_name} ({account.event_id})", rows, sums=_sums(account))


def _head(account: EventAccount) -> str:
    if account.is_head_unreadable:
        return "cannot be read"
    return f"#{account.head.seq:06d} {account.head.hash}"


def _malformed(statement: Statement) -> list[Section]:
    """The rows that are not entries, by key: nothing that they say is in a sum."""
    rows: list[tuple[str, ...]] = [
        (f"{each.pk} {each.sk}", ", ".join(each.faults)) for each in statement.malformed
    ]
    more = statement.malformed_count - len(rows)
    if more:
        rows.append(("More", str(more)))
    return [Section("Rows that are not entries", rows)] if rows else []


def _unmailed(account: EventAccount) -> list[str]:
    named = [
        f"#{each.seq:06d} {each.state}" + (f" ({each.error})" if each.error else "")
        for each in account.unmailed
    ]
    more = account.unmailed_count - len(named)
    return [*named, f"and {more} more"] if more else named


def _sums(of: Statement | EventAccount) -> list[page.Sum]:
    """A line for each method, in the order of the payment form, then what is taken away."""
    payments: Mapping[str, Sum] = of.payments
    known = [*METHODS, *sorted(payments.keys() - METHODS.keys())]
    lines = [
        page.Sum(title_of(each), str(payments[each].count), dollars(payments[each].cents))
        for each in known
        if each in payments
    ]
    for label, taken in (("Voided", total(of.voids)), ("Refunded", total(of.refunds))):
        if taken.count:
            lines.append(page.Sum(label, str(taken.count), dollars(-taken.cents)))
    return [*lines, page.Sum("Net", "", dollars(of.net_cents))]


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
