"""What the watch found and nobody has settled, as `scc findings ls` lists it. Pure rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.audit_mailer.watch.verdicts import Sighting, roles_of
from ops.rules.mails.deeds import Ack, Deeds
from shared.audit.delivery import last_known_as, lost_as, mailbox_finding
from shared.audit.findings import FindingKind, MailFinding

RUNBOOK = "docs/runbook.md#"
_PLACES = {
    "missing": "mailbox-missing",
    "duplicate": "mailbox-duplicate",
    "altered": "mailbox-altered",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFinding:
    """own_id: of a payment, a statement or an ops record. gmail_ids: as in MailFinding.

    unheard: what settles it without anybody having been mailed about that, or None.
    """

    kind: str
    own_id: str
    gmail_ids: frozenset[str] = frozenset()
    unheard: Ack | None = None

    @property
    def is_entrys(self) -> bool:
        """Or else of a statement's or operators' mail."""
        return not self.own_id.startswith(("ops_", "statement_"))

    @property
    def runbook(self) -> str:
        """Where it says what to do."""
        if self.unheard:
            return f"{RUNBOOK}settled-without-a-mail"
        if self.kind == "missing" and not self.is_entrys:
            return f"{RUNBOOK}lost-statement-or-operators-mail"
        return f"{RUNBOOK}{_PLACES.get(self.kind, 'mailbox-altered')}"


def open_findings(deliveries: Mapping[str, Mapping[str, Any]], deeds: Deeds) -> list[OpenFinding]:
    """deliveries: of what the watch has on its list. Then what a record settles unheard."""
    unheard = {each.ops_id: each for each in deeds.unheard()}
    found = []
    for own_id, delivery in deliveries.items():
        for each in noted(own_id, delivery):
            if not deeds.is_settled(each):
                ack = unheard.pop(each.ops_id, None)
                found.append(
                    OpenFinding(
                        kind=each.kind, own_id=own_id, gmail_ids=each.gmail_ids, unheard=ack
                    )
                )
    more = (
        OpenFinding(kind=each.kind, own_id=each.own_id, unheard=each) for each in unheard.values()
    )
    return [*found, *more]


def noted(own_id: str, delivery: Mapping[str, Any]) -> Iterator[MailFinding]:
    """What the watch found about a mail, by what it noted; also what it took for explained."""
    noted_as, known_as = mailbox_finding(delivery), last_known_as(delivery)
    if noted_as is None:
        return
    kind: FindingKind = "missing" if noted_as == "explained" else noted_as
    found = list(Sighting(own_id, roles_of(delivery), known_as).findings())
    yield from found or [MailFinding(kind, own_id, lost_as(delivery))]
