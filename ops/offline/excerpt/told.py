"""What was found in an excerpt, as data and for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.offline.excerpt.contents import Excerpt
from ops.offline.excerpt.files import Contents, unlisted
from ops.offline.excerpt.judged import Vouched, vouched
from ops.offline.ledger.links import Finding, span_text
from ops.offline.ledger.public_key import PublicKey
from ops.offline.report import NO_ZONES, UNSIGNED, count_line, summary, verdict_lines
from shared.zones import has_zones

NOT_CHECKED = (
    "This is an excerpt: what is not in it was not checked, which is all other entries, mails and "
    "statements, and whether anything about these entries was logged later. Ask for the whole "
    "mailbox to check that."
)
_MOST_NAMED = 5


def excerpt_summary(
    excerpt: Excerpt,
    contents: Contents,
    findings: Sequence[Finding],
    key: PublicKey | None = None,
) -> dict[str, Any]:
    """The report as plain data; of a mailbox's, without what only a whole one can say."""
    whole = summary(excerpt.box, findings, key)
    for name in ("events", "only_copies"):
        del whole[name]
    is_signed = key is not None and not any(each.kind == "broken-seal" for each in findings)
    return whole | {
        "excerpt": [_entry(each, is_signed=is_signed) for each in vouched(excerpt)],
        "notes": list(_notes(excerpt, contents, key)),
    }


def excerpt_report(content: Mapping[str, Any]) -> Iterator[str]:
    """The report for people."""
    yield f"Excerpt of {count_line(content)}"
    for each in content["excerpt"]:
        name = each["event_id"].encode("unicode_escape").decode()
        yield f"  {name} {span_text(each['seq'], 0)} {each['kind']}: {each['told']}"
    yield from verdict_lines(content)
    yield NOT_CHECKED


def _entry(vouched_for: Vouched, *, is_signed: bool) -> dict[str, Any]:
    link = vouched_for.link
    return {
        "event_id": link.event_id,
        "seq": link.seq,
        "kind": link.kind,
        "payment_id": link.payment_id,
        "has_mail": vouched_for.has_mail,
        "statement": vouched_for.day,
        "is_chained": vouched_for.is_chained,
        "told": _told(vouched_for, is_signed=is_signed),
    }


def _told(each: Vouched, *, is_signed: bool) -> str:
    """What speaks for an entry, in words."""
    mail = "record and mail agree" if each.has_mail else "no mail holds this record"
    if not each.day:
        return f"{mail}; no statement has its number"
    signed = "signed " if is_signed else ""
    if each.is_chained:
        return (
            f"{mail}; the {signed}statement of {each.day} has its number, and vouches for its hash"
        )
    first, last = each.numbers
    return (
        f"{mail}; the {signed}statement of {each.day} has its number, among "
        f"{span_text(first, last)}, but not its hash: the chain goes on through entries of others"
    )


def _notes(excerpt: Excerpt, contents: Contents, key: PublicKey | None) -> Iterator[str]:
    yield from excerpt.box.notes
    lacking = {each.logged_day for each in excerpt.box.links if each.is_sound} - excerpt.days
    for day in sorted(lacking):
        yield (
            f"no statement of {day} is here: nothing signed vouches for its entries. If that day "
            "was not over when the excerpt was made, ask for a new one"
        )
    others = unlisted(contents)
    if others:
        named = ", ".join(others[:_MOST_NAMED])
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        yield f"not a part of the excerpt, and not read: {named}{more}"
    if excerpt.days and key is None:
        yield UNSIGNED
    if excerpt.box.links and not has_zones():
        yield NO_ZONES
