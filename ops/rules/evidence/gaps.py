"""What an excerpt lacks, or has and should not have, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.offline.operators import Settlement
from ops.rules.evidence.chain import entry_name
from ops.rules.evidence.mails import EntryMails
from ops.rules.sealed import SealedDay
from shared.ledger import problem_with


@dataclass(frozen=True, slots=True)
class Gap:
    """what: for whoever gets the excerpt. remedy: for us. is_due: it needs a person."""

    what: str
    remedy: str = ""
    is_due: bool = True

    def told(self) -> str:
        return f"{self.what} {self.remedy}".strip()


def row_gaps(row: Mapping[str, Any]) -> Iterator[Gap]:
    problem = problem_with(row)
    if problem:
        yield Gap(
            f"The record of {entry_name(row)} is not what was written: {problem}.",
            "Run `scc verify`.",
        )


def mail_gaps(row: Mapping[str, Any], mails: EntryMails) -> Iterator[Gap]:
    name, hits = entry_name(row), mails.hits
    if not hits.genuine and hits.others:
        yield Gap(f"No mail of {name} holds its record.", "Run `scc verify`.")
    elif not hits.genuine and mails.is_sent:
        became = "came back to its sender" if hits.bounced else "is not in the audit mailbox"
        what = f"The mail of {name} was sent, and {became}"
        yield _settled(what, mails.lost, "Run `scc reconcile --mailbox`.")
    elif not hits.genuine:
        what = f"The mail of {name} is not sent yet."
        yield Gap(what, f"`scc payment {row['payment_id']}` says what it is waiting for.")
    elif not hits.placed:
        what = f"The mail of {name} was in the trash or in spam"
        yield _settled(what, mails.lost, "Move it back to the inbox.")
    if hits.bounced and hits.genuine:
        what = f"A mail of {name} came back to its sender, and is not in this excerpt."
        yield Gap(what, is_due=False)
    if hits.twice:
        what = f"The mail of {name} was there {len(hits.twice)} times"
        yield _settled(what, mails.doubled, "Run `scc reconcile --mailbox`.")
    for each in hits.others:
        what = f"A mail about {name} holds another record, and is not in this excerpt"
        by = (mails.altered or {}).get(each.gmail_id)
        yield _settled(what, by, f"Its Gmail id is {each.gmail_id}.")
    for gmail_id in mails.strange:
        what = (
            f"A mail about {name} says that it was issued again, and no operators' record tells of "
            "that: it is not in this excerpt"
        )
        yield _settled(what, (mails.altered or {}).get(gmail_id), f"Its Gmail id is {gmail_id}.")


def _settled(what: str, by: Settlement | None, remedy: str) -> Gap:
    """What a person explained is told, and needs nobody."""
    return Gap(f"{what}: {by.told()}.", is_due=False) if by else Gap(f"{what}.", remedy)


def record_gap(ops_id: str, *, has_bounced: bool = False) -> Gap:
    """An operators' record whose mail is not found."""
    what = f"The mail of the operators' record {ops_id}"
    if has_bounced:
        remedy = f"Mend what refused it, then run `scc findings tell {ops_id}`."
        return Gap(f"{what} came back to its sender.", remedy)
    remedy = "If it was made just now, run this again. Else run `scc findings ls`."
    return Gap(f"{what} is not in the audit mailbox.", remedy)


def day_gaps(sealed: SealedDay, today: str) -> Iterator[Gap]:
    """today: the business day that is not over."""
    day = sealed.day
    if sealed.content is None and day >= today:
        what = f"The statement of {day} is not here: that day was not over."
        yield Gap(what, "Run this again tomorrow to have it, too.", is_due=False)
    elif sealed.content is None:
        what = f"The statement of {day} is not here: that day has none."
        yield Gap(what, "docs/runbook.md#statements-missing says what to do.")
    elif sealed.signature is None:
        yield Gap(f"The statement of {day} has lost its signature.", "Run `scc verify`.")
    if sealed.others or sealed.is_hidden:
        how = "hidden" if sealed.is_hidden else "covered by another version"
        what = f"The statement of {day} was {how} after it was sealed; here is what was sealed."
        yield Gap(what, "Run `scc verify`.")
