"""What was found in an excerpt, as data and for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ops.offline.excerpt.contents import Excerpt
from ops.offline.excerpt.files import Contents, unlisted
from ops.offline.excerpt.judged import Vouched, vouched
from ops.offline.ledger.links import INTEGRITY, span_text
from ops.offline.ledger.public_key import PublicKey
from ops.offline.report import (
    NO_ZONES,
    UNSIGNED,
    count_line,
    printable,
    summary,
    verdict_lines,
)
from ops.offline.settled import Judged
from shared.zones import has_zones

NOT_CHECKED = (
    "This is an excerpt: what is not in it was not checked, which is all other entries, mails and "
    "statements, and whether anything about these entries was logged later. Ask for the whole "
    "mailbox to check that."
)
VOUCHED_FOR = "vouched_for"
SELF_MADE = (
    "whoever made this folder could have made that up. Whoever may see all mails, or the ledger, "
    "can tell: ask them"
)
_MOST_NAMED = 5


def excerpt_summary(
    excerpt: Excerpt, contents: Contents, result: Judged, key: PublicKey | None = None
) -> dict[str, Any]:
    """The report as plain data; of a mailbox's, without what only a whole one can say."""
    whole = summary(excerpt.box, result, key)
    for name in ("events", "only_copies"):
        del whole[name]
    is_signed = key is not None and not any(each.kind == "broken-seal" for each in result.findings)
    entries = [
        _entry(each, is_signed=is_signed, is_wrong=_is_wrong(each, result))
        for each in vouched(excerpt)
    ]
    is_vouched = all(each["is_vouched"] for each in entries) and bool(entries)
    unsealed = [each.told() for each in excerpt.box.operators(key).unsealed]
    return whole | {
        VOUCHED_FOR: is_vouched and not (unsealed or result.findings),
        "unsealed": unsealed,
        "excerpt": entries,
        "notes": [*_notes(excerpt, contents, key), *result.notes],
    }


def excerpt_report(content: Mapping[str, Any]) -> Iterator[str]:
    """The report for people. What nothing signed holds is never called ok."""
    yield f"Excerpt of {count_line(content)}"
    for each in content["excerpt"]:
        name = each["event_id"].encode("unicode_escape").decode()
        yield f"  {name} {span_text(each['seq'], 0)} {each['kind']}: {each['told']}"
    yield from verdict_lines(content, "ok" if content[VOUCHED_FOR] else "self-consistent")
    yield f"VOUCHED FOR: {'ok' if content[VOUCHED_FOR] else 'NO'}"
    if not content[VOUCHED_FOR]:
        yield from _unvouched(content)
    yield NOT_CHECKED


def _unvouched(content: Mapping[str, Any]) -> Iterator[str]:
    if content["findings"]:
        yield "  what is wrong speaks against all of it"
    numbers = [
        f"{each['event_id']} {span_text(each['seq'], 0)}".encode("unicode_escape").decode()
        for each in content["excerpt"]
        if not each["is_vouched"]
    ]
    if numbers:
        more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
        yield f"  nothing signed holds the content of {', '.join(numbers[:_MOST_NAMED])}{more}:"
        yield f"  {SELF_MADE}"
    for told in content["unsealed"]:
        yield f"  no statement here names the operators' record: {printable(told)}"


def _is_wrong(entry: Vouched, result: Judged) -> bool:
    link = entry.link
    return any(
        each.verdict == INTEGRITY
        and each.event_id == link.event_id
        and each.seq <= link.seq <= each.last_seq
        for each in result.findings
    )


def _entry(vouched_for: Vouched, *, is_signed: bool, is_wrong: bool) -> dict[str, Any]:
    link = vouched_for.link
    return {
        "event_id": link.event_id,
        "seq": link.seq,
        "kind": link.kind,
        "payment_id": link.payment_id,
        "has_mail": vouched_for.has_mail,
        "statement": vouched_for.day,
        "is_chained": vouched_for.is_chained,
        "is_vouched": vouched_for.is_chained and is_signed,
        "told": f"{_agreement(vouched_for, is_wrong=is_wrong)}; "
        f"{_hold(vouched_for, is_signed=is_signed)}",
    }


def _agreement(each: Vouched, *, is_wrong: bool) -> str:
    """What record and mail say of each other, in words."""
    if not each.has_mail:
        return "its mail is not here"
    if not each.has_record:
        return "its record is not here"
    if not each.agree:
        return "record and mail DO NOT AGREE"
    return "something about it is WRONG, see below" if is_wrong else "record and mail agree"


def _hold(each: Vouched, *, is_signed: bool) -> str:
    """What a statement says of an entry, in words."""
    signed = "signed " if is_signed else ""
    if each.is_chained and not each.day:
        return f"a {signed}statement vouches for its hash"
    if not each.day:
        return "no statement has its number"
    stated = f"the {signed}statement of {each.day} has its number"
    if each.is_chained:
        return f"{stated}, and vouches for its hash"
    return (
        f"{stated}, among {span_text(*each.numbers)}, but not its hash: the chain goes on through "
        "entries of others"
    )


def _notes(excerpt: Excerpt, contents: Contents, key: PublicKey | None) -> Iterator[str]:
    yield from excerpt.box.notes
    lacking = {each.link.logged_day for each in vouched(excerpt) if _has_nothing(each)}
    for day in sorted(lacking - excerpt.days):
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


def _has_nothing(entry: Vouched) -> bool:
    """No statement speaks for it."""
    return entry.link.is_sound and not entry.is_chained
