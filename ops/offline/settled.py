"""Which findings about a mailbox a person has settled: they are told, and are no fault any more.

The operators' record names what was lost by its payment's id and by Gmail's id, and of a lost mail
an export has only the number. So a number is settled if a copy of its record, which the chain
vouches for, says whose it is, or if just as many numbers are missing as losses were settled. An
altered mail stays a finding: an export does not say which mail was meant.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ops.offline.box import MOST_NOTES, Mailbox
from ops.offline.ledger.days import Statements, lost_days
from ops.offline.ledger.links import COMPLETENESS, Finding, Link
from ops.offline.operators import Operators, Settlement, Unsealed

NO_MAIL = "its mail is not here"  # of an entry whose record is
_STATEMENT = re.compile(r"statement_(\d{4}-\d\d-\d\d)_final_[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Settled:
    """by: one of these, or, for numbers that no mail tells apart, all of them."""

    finding: Finding
    by: tuple[Settlement, ...]

    def told(self) -> str:
        return "; ".join(each.told() for each in self.by)


@dataclass(slots=True)
class Judged:
    """findings: what is wrong. settled: what a person explained. notes: about what was not."""

    findings: list[Finding]
    settled: list[Settled] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def excused_days(settlements: Iterable[Settlement]) -> dict[str, Settlement]:
    """The days whose final statement's mail may be gone."""
    named = ((_STATEMENT.fullmatch(each.finding.own_id), each) for each in settlements)
    return {match[1]: each for match, each in named if match and each.finding.kind == "missing"}


def settled_days(statements: Statements, excused: Mapping[str, Settlement]) -> Iterator[Settled]:
    known = statements.sha256
    for day, by in sorted(excused.items()):
        if day not in known and min(known, default=day) < day < max(known, default=day):
            detail = f"no statement for {day}"
            yield Settled(Finding(COMPLETENESS, "", 0, 0, "no-statement", "", detail), (by,))


def judged(box: Mailbox, operators: Operators, findings: Iterable[Finding]) -> Judged:
    """findings: before they are merged."""
    lost, result = operators.lost, Judged([])
    whose = _whose(box, lost)
    waiting = {each.said.about: each.why for each in operators.unsealed if _settles(each)}
    mails = mails_of(box.links)
    twice = {each.finding.own_id: each for each in operators.settlements if _is_twice(each)}
    for each in findings:
        payment_id = each.payment_id
        if each.kind == "missing" and not payment_id and each.seq:
            _split(each, whose.get(each.event_id, {}), lost, result)
        elif _is_about_its_mail(each) and payment_id in lost:
            result.settled.append(Settled(each, (lost[payment_id],)))
        elif (
            each.kind == "duplicate"
            and payment_id in twice
            and mails[payment_id] <= len(twice[payment_id].finding.gmail_ids)
        ):
            result.settled.append(Settled(each, (twice[payment_id],)))
        elif payment_id in waiting and _is_about_its_mail(each):
            detail = f"{each.detail}; settled, {waiting[payment_id]}".removeprefix("; ")
            result.findings.append(replace(each, detail=detail))
        else:
            result.findings.append(each)
    named = {own_id for numbers in whose.values() for own_id in numbers.values()}
    _settle_by_count(box, {own: lost[own] for own in lost.keys() - named}, result)
    result.settled += settled_days(box.statements, excused_days(operators.settlements))
    there = {each.payment_id for each in box.links}
    gone = {own_id: each for own_id, each in lost.items() if _is_gone(own_id, there)}
    notes = [*_notes(operators, gone, result), *(each.told() for each in operators.unsealed)]
    result.notes += notes[:MOST_NOTES]
    if len(notes) > MOST_NOTES:
        result.notes.append(f"{len(notes) - MOST_NOTES} more were settled and are named")
    return result


def _is_about_its_mail(finding: Finding) -> bool:
    """Not of a record that is not here, or of a relative."""
    return finding.kind == "misplaced" or (finding.kind == "missing" and finding.detail == NO_MAIL)


def _settles(unsealed: Unsealed) -> bool:
    said = unsealed.said
    return isinstance(said, Settlement) and said.finding.kind == "missing"


def _is_twice(settlement: Settlement) -> bool:
    return settlement.finding.kind == "duplicate"


def mails_of(links: Iterable[Link]) -> Counter[str]:
    """How many mails an entry has, by its id, of those that it should have once."""
    counts = Counter((each.payment_id, each.sha256, each.reissue) for each in links)
    most: Counter[str] = Counter()
    for (payment_id, _, _), count in counts.items():
        most[payment_id] = max(most[payment_id], count)
    return most


def _whose(box: Mailbox, lost: Mapping[str, Settlement]) -> dict[str, dict[int, str]]:
    """Lost mails' payments by event and number, ascending, by copies that are vouched for."""
    named: dict[str, dict[int, str]] = {}
    copies = box.vouched_copies.items() if lost else ()
    for (event_id, seq), each in sorted(copies, key=lambda one: one[0]):
        if each.payment_id in lost:
            named.setdefault(event_id, {})[seq] = each.payment_id
    return named


def _split(
    missing: Finding,
    whose: Mapping[int, str],
    lost: Mapping[str, Settlement],
    result: Judged,
) -> None:
    """Take the numbers that are settled out of a range of missing ones. whose: of its event."""
    first, numbers = missing.seq, [*whose]
    start, end = bisect_left(numbers, missing.seq), bisect_right(numbers, missing.last_seq)
    for seq in numbers[start:end]:
        own_id = whose[seq]
        if first < seq:
            result.findings.append(replace(missing, seq=first, last_seq=seq - 1))
        one = replace(missing, seq=seq, last_seq=seq, payment_id=own_id)
        result.settled.append(Settled(one, (lost[own_id],)))
        first = seq + 1
    if first <= missing.last_seq:
        result.findings.append(replace(missing, seq=first))


def _settle_by_count(box: Mailbox, lost: Mapping[str, Settlement], result: Judged) -> None:
    """If all that was settled must be among the missing, and nothing else can be."""
    there = {each.payment_id for each in box.links}
    gone = [lost[own_id] for own_id in sorted(lost) if _is_gone(own_id, there)]
    missing = [each for each in result.findings if _is_numbered_only(each)]
    count = sum(each.last_seq - each.seq + 1 for each in missing)
    if gone and count == len(gone) and _must_have(box.statements):
        result.findings = [each for each in result.findings if not _is_numbered_only(each)]
        result.settled += (Settled(each, tuple(gone)) for each in missing)


def _is_gone(own_id: str, there: set[str]) -> bool:
    return own_id not in there and not own_id.startswith(("ops_", "statement_"))


def _is_numbered_only(finding: Finding) -> bool:
    return finding.kind == "missing" and finding.seq > 0 and not finding.payment_id


def _must_have(statements: Statements) -> bool:
    """Whether the statements here name a number for every entry that they say was settled.

    That takes every day's statement, from the first one on, and no entry that expired.
    """
    is_whole = statements.begin and not lost_days(statements.sha256)
    return is_whole and not statements.certificates.through


def _notes(operators: Operators, lost: Mapping[str, Settlement], result: Judged) -> Iterator[str]:
    """What operators settled and is a finding nevertheless."""
    used = {by.finding.ops_id for each in result.settled for by in each.by}
    altered = {each.payment_id for each in result.findings if each.kind == "altered"}
    is_short = any(_is_numbered_only(each) for each in result.findings)
    for each in operators.settlements:
        own_id = each.finding.own_id
        if each.finding.ops_id in used:
            continue
        if each.finding.kind == "altered" and own_id in altered:
            yield (
                f"an altered mail of {own_id} was {each.told()}: an export does not say which one, "
                "so it is named"
            )
        elif each.finding.kind == "missing" and is_short and own_id in lost:
            yield (
                f"the loss of the mail of {own_id} was {each.told()}: no mail here says which "
                "number that is"
            )
