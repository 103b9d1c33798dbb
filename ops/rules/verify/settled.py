"""Which findings of `scc verify --mbox` a person has settled, by the table of ops records. Pure.

The same rule as that of `scc reconcile` and the watch: what was settled is one loss, under Gmail's
name for the lost mail, and the next loss is another finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ops.offline.box import Mailbox
from ops.offline.ledger.links import COMPLETENESS, Finding, Link
from ops.offline.operators import UNRECORDED, Operators, Settlement, operators_of, said_in
from ops.offline.settled import Settled, mails_of
from ops.rules.mails.deeds import Deeds
from shared.audit.delivery import Item, is_sent, lost_as
from shared.audit.findings import MailFinding
from shared.statements.places import StatementPlace


def heard_in(deeds: Deeds) -> Operators:
    """What operators decided, as far as compliance heard of it."""
    said = [said_in(each) for each in deeds.records.values()]
    return operators_of(
        each for each in said if not isinstance(each, Settlement) or deeds.is_settled(each.finding)
    )


@dataclass(frozen=True, slots=True)
class Settlements:
    """What operators settled, by the id of its record."""

    by_ops_id: Mapping[str, Settlement]

    @classmethod
    def of(cls, operators: Operators) -> Settlements:
        return cls({each.finding.ops_id: each for each in operators.settlements})

    def of_loss(self, own_id: str, delivery: Item | None) -> Settlement | None:
        """Of a sent mail that is not there now."""
        if not is_sent(delivery):
            return None
        lost = MailFinding("missing", own_id, lost_as(delivery))
        return self.by_ops_id.get(lost.ops_id)

    def of_losses(self, deliveries: Mapping[str, Item]) -> dict[str, Settlement]:
        """By the id of what a mail is about."""
        found = ((own_id, self.of_loss(own_id, each)) for own_id, each in deliveries.items())
        return {own_id: each for own_id, each in found if each}

    def of_doubles(self, payment_id: str, mails: int) -> Settlement | None:
        """An export does not name the mails; one more than was settled is another finding."""
        return next(
            (
                each
                for each in self.by_ops_id.values()
                if (each.finding.kind, each.finding.own_id) == ("duplicate", payment_id)
                and mails <= len(each.finding.gmail_ids)
            ),
            None,
        )

    def noted(self, finding: Finding) -> Finding:
        """With what a person said of an altered mail of the payment: the mail stays a finding."""
        if finding.kind not in ("altered", UNRECORDED) or not finding.payment_id:
            return finding
        said = [
            f"a mail about it was {each.told()}"
            for each in self.by_ops_id.values()
            if (each.finding.kind, each.finding.own_id) == ("altered", finding.payment_id)
        ]
        return replace(finding, detail="; ".join(filter(None, [finding.detail, *said])))


def settle(
    findings: Iterable[Finding],
    links: Iterable[Link],
    settlements: Settlements,
    lost: Mapping[str, Settlement],
) -> tuple[list[Finding], list[Settled]]:
    """What is open, and what is settled. findings: about the mails of an event.

    links: of these mails. lost: what settles the loss of a payment's mail, by its id.
    """
    mails = mails_of(links)
    still_open, settled = list[Finding](), list[Settled]()
    for each in findings:
        by = None
        if each.kind in ("missing", "misplaced"):
            by = lost.get(each.payment_id)
        elif each.kind == "duplicate":
            by = settlements.of_doubles(each.payment_id, mails[each.payment_id])
        if by:
            settled.append(Settled(each, (by,)))
        else:
            still_open.append(each)
    return still_open, settled


def lost_mails(box: Mailbox, lost: Mapping[str, Settlement]) -> list[Settled]:
    """Of statements and of what operators did. lost: what settles their loss, by id."""
    there = {each.ops_id for each in box.ops}
    there |= {
        StatementPlace(day=day, final=True, sha256=sha256).delivery_id
        for day, digests in box.statements.sha256.items()
        for sha256 in digests
    }
    return [
        Settled(_lost_mail(own_id), (by,))
        for own_id, by in sorted(lost.items())
        if own_id not in there
    ]


def _lost_mail(own_id: str) -> Finding:
    detail = f"the mail of {own_id} is not in this file"
    return Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)
