"""Whether an excerpt's records, mails and statements agree, and what vouches for each entry.

Of the rules for a whole mailbox, those that ask for what lies between or beside the entries of an
excerpt do not hold here: a number or a day that is not here is missing from nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ops.offline.excerpt.contents import Excerpt
from ops.offline.excerpt.files import Contents, wrong_sums
from ops.offline.ledger.chain import check_chains
from ops.offline.ledger.days import Stated
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Anchor, Finding, Link, found, merged
from ops.offline.ledger.public_key import PublicKey
from ops.offline.ledger.seals import broken_seals
from ops.offline.operators import unrecorded
from ops.offline.report import about_mails
from ops.offline.settled import Judged, judged

_OF_WHOLE_LEDGERS = frozenset({"missing", "no-statement"})


def judgement_of_excerpt(
    excerpt: Excerpt,
    contents: Contents,
    expected: Sequence[Anchor] = (),
    senders: Iterable[str] = (),
    key: PublicKey | None = None,
) -> Judged:
    """expected: entries that must be here. senders, key: as of a mailbox."""
    box = excerpt.box
    statements, operators = box.statements, box.operators(key).with_unsealed()
    chains = check_chains(box.links, [*box.anchors, *expected], statements.zone)
    result = judged(
        box,
        operators,
        [
            *wrong_sums(contents),
            *excerpt.wrong,
            *about_mails(box, senders),
            *operators.wrong,
            *unrecorded(box.links, operators),
            *_without_gaps(chains),
            *_without_gaps(statements.findings(box.links, chains)),
            *broken_seals(statements.seals, key),
            *_doubtful(excerpt),
            *_lost_relatives(excerpt),
            *_lost_days(excerpt),
        ],
    )
    result.findings = merged([*result.findings, *_lost_heads(excerpt, expected)])
    return result


def _without_gaps(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (each for each in findings if each.kind not in _OF_WHOLE_LEDGERS)


def _doubtful(excerpt: Excerpt) -> Iterator[Finding]:
    """Who is given an excerpt does not read what its statements say of the day."""
    for each in excerpt.box.links:
        for doubt in excerpt.doubts:
            is_meant = doubt.first_seq <= each.seq <= doubt.last_seq
            if is_meant and doubt.event_id == each.event_id:
                yield found(INTEGRITY, each, "contradiction", doubt.detail)


def _lost_relatives(excerpt: Excerpt) -> Iterator[Finding]:
    """What an entry, or its mail, says that it belongs to must be here, too."""
    box = excerpt.box
    there = {(each.event_id, each.payment_id) for each in box.links}
    for each in box.links:
        if each.about and (each.event_id, each.about) not in there:
            detail = f"it is about {each.about}, which is not here"
            yield found(COMPLETENESS, each, "missing", detail)
    for quote in box.quotes:
        other = quote.other
        named = (quote.event_id, other.payment_id)
        is_related = quote.is_looked_up and other.payment_id != quote.about
        if is_related and other.seq and named not in there:
            place = (COMPLETENESS, quote.event_id, quote.seq, quote.seq, "missing")
            detail = f"its mail names {other.payment_id}, which is not here"
            yield Finding(*place, quote.payment_id, detail)


def _lost_days(excerpt: Excerpt) -> Iterator[Finding]:
    """Days are sealed in order: one before a sealed day was sealed, too."""
    last = max(excerpt.days, default="")
    for each in excerpt.box.links:
        if each.is_sound and each.logged_day < last and each.logged_day not in excerpt.days:
            detail = f"the statement of {each.logged_day} is not here"
            yield found(COMPLETENESS, each, "missing", detail)
    logged = {each.logged_day for each in excerpt.box.links}
    for day in sorted(excerpt.days - logged):
        detail = f"no entry of {day} is here, and its statement is"
        yield Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)


def _lost_heads(excerpt: Excerpt, expected: Iterable[Anchor]) -> Iterator[Finding]:
    there = {(each.event_id, each.seq) for each in excerpt.box.links}
    for each in expected:
        if (each.event_id, each.seq) not in there:
            place = (COMPLETENESS, each.event_id, each.seq, each.seq, "missing")
            yield Finding(*place, "", "it is expected, and not in this excerpt")


@dataclass(frozen=True, slots=True)
class Vouched:
    """An entry, and what speaks for it. has_record, has_mail: here. agree: both hold these bytes.

    day: of the statement that has its number, or empty. numbers: the event's first and last on that
    day. is_chained: hashes lead from the entry to one that a statement holds.
    """

    link: Link
    has_record: bool
    has_mail: bool
    agree: bool
    day: str
    numbers: tuple[int, int]
    is_chained: bool


def vouched(excerpt: Excerpt) -> list[Vouched]:
    """In order of events and numbers. It is worth nothing where there are findings."""
    stated = {(each.event_id, each.day): each for each in excerpt.box.statements.stated}
    records, mails = _digests(excerpt.records), _digests(excerpt.mailed)
    chained = _chained(excerpt.box.links, excerpt.box.anchors)
    entries = {(each.event_id, each.seq, each.sha256): each for each in excerpt.box.links}
    return [
        Vouched(
            link=each,
            has_record=place in records,
            has_mail=place in mails,
            agree=records.get(place) == mails.get(place) == {each.sha256},
            day=each.logged_day if _has(stated, each) else "",
            numbers=_numbers(stated, each),
            is_chained=(*place, each.hash) in chained,
        )
        for place, each in ((key[:2], link) for key, link in sorted(entries.items()))
    ]


def _digests(links: Iterable[Link]) -> dict[tuple[str, int], set[str]]:
    """Of records, by event and number."""
    found_at: dict[tuple[str, int], set[str]] = {}
    for each in links:
        found_at.setdefault((each.event_id, each.seq), set()).add(each.sha256)
    return found_at


def _chained(links: Iterable[Link], anchors: Iterable[Anchor]) -> set[tuple[str, int, str]]:
    """Event, number and hash of entries that statements name, and of those that these hang on."""
    named = {(each.event_id, each.seq, each.hash) for each in anchors}
    for each in sorted(links, key=lambda each: -each.seq):
        if each.is_sound and (each.event_id, each.seq, each.hash) in named:
            named.add((each.event_id, each.seq - 1, each.prev_hash))
    return named


def _has(stated: Mapping[tuple[str, str], Stated], link: Link) -> bool:
    first, last = _numbers(stated, link)
    return first <= link.seq <= last


def _numbers(stated: Mapping[tuple[str, str], Stated], link: Link) -> tuple[int, int]:
    of_day = stated.get((link.event_id, link.logged_day))
    return (of_day.first_seq, of_day.last_seq) if of_day else (0, 0)
