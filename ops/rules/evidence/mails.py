"""Which mails prove an entry, and which of the operators' mails belong to them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.offline.operators import Operators, Settlement
from ops.rules.hits import Hit, Hits
from ops.rules.verify.settled import Settlements
from shared.audit.delivery import Item, is_sent
from shared.audit.findings import MailFinding
from shared.audit.messages import ReissueMessage


@dataclass(frozen=True, slots=True)
class EntryMails:
    """An entry's mails. strange: Gmail ids of those that only say that they were issued again.

    lost, doubled: what settles the loss of its mail, or that it is there twice. altered: what
    settles a mail with another record, or a strange one, by its Gmail id. said: the ids of all
    operators' records about its mails. is_sent: as the delivery says.
    """

    hits: Hits
    strange: Sequence[str] = ()
    lost: Settlement | None = None
    doubled: Settlement | None = None
    altered: Mapping[str, Settlement] | None = None
    said: Sequence[str] = ()
    is_sent: bool = True

    @property
    def packed(self) -> list[str]:
        """Gmail ids of the mails for the excerpt."""
        return [each.gmail_id for each in self.hits.placed or self.hits.genuine]

    @property
    def reissues(self) -> list[str]:
        """The ids of the operators' records of why a mail was issued again."""
        runs = dict.fromkeys(each.reissue for each in self.hits.genuine if each.reissue)
        return [ReissueMessage(run=each).planned for each in runs]

    @property
    def records(self) -> list[str]:
        """The ids of the operators' records for the excerpt."""
        return list(dict.fromkeys([*self.reissues, *self.said]))


def entry_mails(
    row: Mapping[str, Any], found: Iterable[Hit], delivery: Item, operators: Operators
) -> EntryMails:
    """found: by a search for the entry. operators: what their records say."""
    payment_id = str(row["payment_id"])
    named = {(each.run, each.payment_id) for each in operators.reissues}
    known, strange = list[Hit](), list[str]()
    for each in found:
        is_known = not each.reissue or (each.reissue, each.payment_id) in named
        if is_known or each.payment_id != payment_id:
            known.append(each)
        else:
            strange.append(each.gmail_id)
    hits = Hits.of(row, known, delivery=delivery)
    settlements = Settlements.of(operators)
    by_id, doubles = settlements.by_ops_id, MailFinding("duplicate", payment_id, hits.twice)
    return EntryMails(
        hits,
        strange,
        lost=None if hits.placed else settlements.of_loss(payment_id, delivery),
        doubled=by_id.get(doubles.ops_id) if hits.twice else None,
        altered=dict(
            _altered(payment_id, [*(each.gmail_id for each in hits.others), *strange], by_id)
        ),
        said=[*_said(payment_id, operators)],
        is_sent=is_sent(delivery),
    )


def _altered(
    payment_id: str, gmail_ids: Iterable[str], by_id: Mapping[str, Settlement]
) -> Iterator[tuple[str, Settlement]]:
    for each in gmail_ids:
        finding = MailFinding("altered", payment_id, frozenset({each}))
        if by := by_id.get(finding.ops_id):
            yield each, by


def _said(payment_id: str, operators: Operators) -> Iterator[str]:
    for reissued in operators.reissues:
        if reissued.payment_id == payment_id:
            yield ReissueMessage(run=reissued.run).planned
    for settlement in operators.settlements:
        if settlement.about == payment_id:
            yield settlement.finding.ops_id
