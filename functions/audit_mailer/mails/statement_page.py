"""What the mail of a statement shows, told from statement.json alone.

The offline verifier holds this file, too: a mail whose text or HTML is another is altered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from functions.audit_mailer.mails.envelope import utc
from functions.audit_mailer.mails.page import (
    LARGEST_HTML,
    Page,
    Section,
    Sum,
    fitting,
    size_of,
)
from shared.methods import METHODS, title_of
from shared.text import dollars

EVERY_DAY = (
    "A statement is mailed every day, even after a day without payments. "
    "If one is missing, something is wrong: tell the people who run this system."
)
SO_FAR = "The day was not over when this statement was made. The final statement will follow."
MOST_FINDINGS = 20  # of those in the notice
CUT_SHORT = "{} {} in statement.json: this mail would be too long for Gmail to show."
Told = Mapping[str, Any]  # of the whole day or of an event


def statement_subject(record: Told) -> str:
    """Without the search token."""
    return " - ".join([f"[SCC Audit] {_title(record)}", _totals(record), *_alarms(record)])


def statement_page(record: Told, sha256: str, token: str) -> Page:
    """sha256: of statement.json."""
    findings = [f"{kind} {place}" for kind, places in _findings(record).items() for place in places]
    if len(findings) > MOST_FINDINGS:
        more = _count(len(findings) - MOST_FINDINGS, "more finding")
        findings[MOST_FINDINGS:] = [f"{more} in statement.json"]
    closing = [EVERY_DAY] if record["is_final"] else [SO_FAR, EVERY_DAY]
    whole = Page(
        heading=_title(record),
        subheading=_totals(record),
        notice="Needs attention" if findings else "",
        findings=findings,
        sections=[
            _whole_day(record),
            *_malformed(record),
            _proof(record, sha256, token),
        ],
        closing=closing,
    )
    return _with_events(whole, [_event(each) for each in record["events"]])


def _with_events(whole: Page, events: Sequence[Section]) -> Page:
    """The page with as many events as Gmail shows of a mail, and a word about the others."""
    first, *others = whole.sections
    fit = fitting(events, LARGEST_HTML - size_of(whole) - len(CUT_SHORT))
    told = []
    if more := len(events) - fit:
        told = [CUT_SHORT.format(_count(more, "more event"), "is" if more == 1 else "are")]
    return replace(whole, sections=[first, *events[:fit], *others], closing=[*told, *whole.closing])


def _title(record: Told) -> str:
    return f"Statement {record['day']}{'' if record['is_final'] else ' so far'}"


def _totals(record: Told) -> str:
    if not record["entries"]:
        return "0 entries"
    counts = [_count(record[kind]["count"], kind[:-1]) for kind in ("payments", "voids")]
    if record["refunds"]["count"]:
        counts.append(_count(record["refunds"]["count"], "refund"))
    return ", ".join([*counts, f"{dollars(record['net_cents'])} net"])


def _findings(record: Told) -> dict[str, list[str]]:
    """What is wrong, and where: ids and numbers only."""
    events = record["events"]
    found = {
        "GAP in": [
            f"{each['event_id']} {_numbers(*gap)}" for each in events for gap in each["missing"]
        ],
        "ALTERED": [
            f"{each['event_id']} {_number(seq)}" for each in events for seq in each["altered"]
        ],
        "HEAD BEHIND in": [each["event_id"] for each in events if _is_behind(each)],
        "HEAD UNREADABLE in": [each["event_id"] for each in events if not each["head_hash"]],
        "MALFORMED ROWS": [str(record["malformed_rows"])] if record["malformed_rows"] else [],
        "NOT MAILED": [str(record["not_mailed"])] if record["not_mailed"] else [],
    }
    return {kind: places for kind, places in found.items() if places}


def _alarms(record: Told) -> list[str]:
    """The first finding of each kind, and how many more there are."""
    return [
        f"{kind} {places[0]}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        for kind, places in _findings(record).items()
    ]


def _whole_day(record: Told) -> Section:
    day = ("Business day", f"{record['day']}, {record['timezone']} time")
    if not record["entries"]:
        return Section("The whole day", [day, ("Entries", "none were logged on this day")])
    return Section(
        "The whole day",
        rows=[
            day,
            ("Entries", str(record["entries"])),
            ("Not yet mailed", str(record["not_mailed"] or "none")),
        ],
        sums=_sums(record),
    )


def _event(event: Told) -> Section:
    rows: list[tuple[str, ...]] = []
    if event["entries"]:
        span = _numbers(event["first_seq"], event["last_seq"])
        rows = [
            ("Entries", f"{span} ({event['entries']})"),
            ("Hash of the day's last entry", event["last_hash"]),
        ]
    rows += [
        ("Latest entry of the event", _head(event)),
        ("Missing numbers", ", ".join(_numbers(*each) for each in event["missing"]) or "none"),
    ]
    if event["altered"]:
        rows.append(("Not as written", ", ".join(map(_number, event["altered"]))))
    rows.append(("Not yet mailed", ", ".join(_unmailed(event)) or "none"))
    name = f"{event['event_name']} ({event['event_id']})" if event["event_name"] else ""
    return Section(name or event["event_id"], rows, sums=_sums(event) if event["entries"] else ())


def _is_behind(event: Told) -> bool:
    return bool(event["head_hash"]) and event["head_seq"] < event["last_seq"]


def _head(event: Told) -> str:
    if not event["head_hash"]:
        return "cannot be read"
    return f"{_number(event['head_seq'])} {event['head_hash']}"


def _unmailed(event: Told) -> list[str]:
    named = [
        f"{_number(each['seq'])} {each['state']}" + (f" ({each['error']})" if each["error"] else "")
        for each in event["not_mailed_entries"]
    ]
    more = event["not_mailed"] - len(named)
    return [*named, f"and {more} more"] if more else named


def _malformed(record: Told) -> list[Section]:
    """The rows that are not entries, by key: nothing that they say is in a sum."""
    rows: list[tuple[str, ...]] = [
        (f"{each['pk']} {each['sk']}", ", ".join(each["faults"])) for each in record["malformed"]
    ]
    if more := record["malformed_rows"] - len(rows):
        rows.append(("More", str(more)))
    return [Section("Rows that are not entries", rows)] if rows else []


def _proof(record: Told, sha256: str, token: str) -> Section:
    return Section(
        "Proof",
        [
            ("SHA-256 of statement.json", sha256),
            ("Made at", utc(record["made_at"])),
            ("Search token", token),
        ],
    )


def _sums(of: Told) -> list[Sum]:
    """A line for each method, in the order of the payment form, then what is taken away."""
    by_method = of["payments"]["by_method"]
    known = [*METHODS, *sorted(by_method.keys() - METHODS.keys())]
    lines = [
        Sum(title_of(each), str(by_method[each]["count"]), dollars(by_method[each]["cents"]))
        for each in known
        if each in by_method
    ]
    for label, kind in (("Voided", "voids"), ("Refunded", "refunds")):
        if of[kind]["count"]:
            lines.append(Sum(label, str(of[kind]["count"]), dollars(-of[kind]["cents"])))
    return [*lines, Sum("Net", "", dollars(of["net_cents"]))]


def _number(seq: int) -> str:
    return f"#{seq:06d}"


def _numbers(first: int, last: int) -> str:
    return _number(first) if first == last else f"{_number(first)}-{_number(last)}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
