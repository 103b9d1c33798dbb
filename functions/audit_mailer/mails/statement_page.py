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
    clipped,
    fitting,
    size_of,
)
from shared.methods import METHODS, title_of
from shared.text import dollars

EVERY_DAY = (
    "A statement is mailed every day, even after a day without payments. "
    "If one is missing, something is wrong: tell the people who run this system."
)
HOW_TO_PROVE = (
    "statement.json is the statement, statement.sig its signature by the key named above, and each "
    "statement names the one before it: docs/evidence.md says how to check all three."
)
NOT_OVER = (
    "The day was not over when this statement was made. The final statement will follow; this one "
    "is not part of the chain."
)
MOST_FINDINGS = 40  # of those in the notice
MOST_NOTABLE = 100
CUT_SHORT = "{} {} in statement.json: this mail would be too long for Gmail to show."
NOTABLE = {
    "self_voided_cash": "Cash, voided by who took it",
    "entered_twice_without_twin": "Voided as entered twice, and there is no other like it",
    "captured_late": "Captured over an hour before it was logged",
    "acknowledged_duplicates": "Logged although it looked like a duplicate",
    "large_cash": "A large sum in cash",
}

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
    closing = [HOW_TO_PROVE, EVERY_DAY] if record["is_final"] else [NOT_OVER, EVERY_DAY]
    whole = Page(
        heading=_title(record),
        subheading=_totals(record),
        notice="Needs attention" if findings else "",
        findings=findings,
        sections=[
            _whole_day(record),
            *_by_admin(record),
            *_notable(record),
            *_expiring(record),
            *_malformed(record),
            *_evidence(record),
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
    """What is wrong, and where: ids and numbers only.

    Statements of earlier releases say nothing of `unlinked`, `impossible`, `totals_differ` and
    `evidence`.
    """
    events = record["events"]
    found = {
        "REWRITTEN": [each["event_id"] for each in record["extends"]["rewritten"]],
        "GAP in": [
            f"{each['event_id']} {_numbers(*gap)}" for each in events for gap in each["missing"]
        ],
        "ALTERED": [
            f"{each['event_id']} {_number(seq)}" for each in events for seq in each["altered"]
        ],
        "UNLINKED": [
            f"{each['event_id']} {_number(seq)}"
            for each in events
            for seq in each.get("unlinked", ())
        ],
        "IMPOSSIBLE": [
            f"{each['event_id']} {_number(seq)}"
            for each in events
            for seq, _ in each.get("impossible", ())
        ],
        "HEAD UNREADABLE in": [each["event_id"] for each in events if not each["head_hash"]],
        "TOTALS in": [each["event_id"] for each in events if each.get("totals_differ")],
        "EVIDENCE": [
            *dict.fromkeys(
                each["day"] or "statements" for each in record.get("evidence", ()) if each["is_new"]
            )
        ],
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
        rows.append(("Not as written, in no sum", ", ".join(map(_number, event["altered"]))))
    if event.get("unlinked"):
        rows.append(("Not found by their ids", ", ".join(map(_number, event["unlinked"]))))
    for seq, why in event.get("impossible", ()):
        rows.append((f"Not written by the app, {_number(seq)}", why))
    if event.get("totals_differ"):
        rows.append(("Totals of its screen", event["totals_differ"]))
    rows.append(("Not yet mailed", ", ".join(_unmailed(event)) or "none"))
    name = f"{event['event_name']} ({event['event_id']})" if event["event_name"] else ""
    return Section(name or event["event_id"], rows, sums=_sums(event) if event["entries"] else ())


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


def _by_admin(record: Told) -> list[Section]:
    rows: list[tuple[str, ...]] = [
        (
            clipped(f"{each['logged_by_name']} ({each['logged_by']})"),
            f"{_count(each['entries'], 'entry', 'entries')}, {dollars(each['net_cents'])} net",
        )
        for each in record["by_admin"]
    ]
    return [Section("By person who logged", rows)] if rows else []


def _notable(record: Told) -> list[Section]:
    rows: list[tuple[str, ...]] = [
        (
            NOTABLE.get(each["kind"], str(each["kind"])),
            (
                f"{each['event_id']} {_number(each['seq'])}, {dollars(each['amount_cents'])}, "
                f"by {clipped(each['logged_by'])}"
            ),
        )
        for each in record["notable"][:MOST_NOTABLE]
    ]
    if more := len(record["notable"]) - len(rows):
        rows.append(("More", f"{more} in statement.json"))
    return [Section("Worth a look", rows)] if rows else []


def _expiring(record: Told) -> list[Section]:
    rows: list[tuple[str, ...]] = [
        (
            each["event_id"],
            (
                f"through {_number(each['through_seq'])}, {dollars(each['net_cents'])} net; the "
                f"rest hangs on {each['hash']}"
            ),
        )
        for each in record["expiring"][:MOST_NOTABLE]
    ]
    if more := len(record["expiring"]) - len(rows):
        rows.append(("More", f"{more} in statement.json"))
    return [Section("Entries that expire after thirty days", rows)] if rows else []


def _malformed(record: Told) -> list[Section]:
    """The rows that are not entries, by key: nothing that they say is in a sum."""
    rows: list[tuple[str, ...]] = [
        (f"{each['pk']} {each['sk']}", ", ".join(each["faults"])) for each in record["malformed"]
    ]
    if more := record["malformed_rows"] - len(rows):
        rows.append(("More", str(more)))
    return [Section("Rows that are not entries", rows)] if rows else []


def _evidence(record: Told) -> list[Section]:
    rows: list[tuple[str, ...]] = [
        (each["day"] or "All days", each["what"] + ("" if each["is_new"] else ", as told before"))
        for each in record.get("evidence", ())[:MOST_FINDINGS]
    ]
    return [Section("Sealed statements that somebody changed", rows)] if rows else []


def _proof(record: Told, sha256: str, token: str) -> Section:
    previous = record["previous"]
    before = f"{previous['day']} {previous['sha256']}" if previous else "none, this is the first"
    ledger = record["ledger"]
    whole = (
        f"{_count(ledger['events'], 'event')}, {_count(ledger['entries'], 'entry', 'entries')}, "
        f"heads {ledger['heads_sha256']}"
    )
    return Section(
        "Proof",
        [
            ("SHA-256 of statement.json", sha256),
            ("Statement before it", before),
            ("Signing key (SHA-256)", record["key_sha256"]),
            ("The whole ledger", whole),
            ("Operators' records", str(len(record["ops"]) or "none")),
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
    nets = of["net_by_method"]
    if len(nets) > 1 and (of["voids"]["count"] or of["refunds"]["count"]):
        lines += [
            Sum(f"{title_of(each)}, net", "", dollars(nets[each]))
            for each in [*METHODS, *sorted(nets.keys() - METHODS.keys())]
            if each in nets
        ]
    return [*lines, Sum("Net", "", dollars(of["net_cents"]))]


def _number(seq: int) -> str:
    return f"#{seq:06d}"


def _numbers(first: int, last: int) -> str:
    return _number(first) if first == last else f"{_number(first)}-{_number(last)}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
