"""The mails that a search of the mailbox found, and which of them are an entry's. Pure rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ops.offline.box import Mailbox
from ops.offline.ledger.links import link_of
from ops.rules.mails.deeds import Deeds
from shared.audit.delivery import came_back, lost_as
from shared.audit.findings import MailFinding


@dataclass(frozen=True, slots=True)
class Hit:
    """A mail that Gmail's search found for an entry, read. is_misplaced: in trash or spam.

    reissue: what it is called if it was issued again, empty for the first one.
    """

    gmail_id: str
    payment_id: str
    hash: str
    sha256: str
    reissue: str
    is_misplaced: bool


def hits_in(found: Iterable[tuple[str, Mailbox]]) -> Iterator[Hit]:
    """The own mails among these; a mail that only quotes an entry is none."""
    for gmail_id, box in found:
        for link in box.links:
            (is_well_placed,) = box.seen.values()
            yield Hit(
                gmail_id=gmail_id,
                payment_id=link.payment_id,
                hash=link.hash,
                sha256=link.sha256,
                reissue=link.reissue,
                is_misplaced=not is_well_placed,
            )


@dataclass(frozen=True, slots=True)
class Hits:
    """An entry's mails. genuine: those that hold its record. others: with another record.

    invented: they hold the record and say that operators had them issued again, and no ops record
    does. bounced: they hold the record and came back to a sender who is the recipient.
    """

    genuine: Sequence[Hit]
    others: Sequence[Hit]
    invented: Sequence[Hit] = ()
    bounced: Sequence[Hit] = ()

    @classmethod
    def of(
        cls,
        row: Mapping[str, Any],
        hits: Iterable[Hit],
        deeds: Deeds | None = None,
        delivery: Mapping[str, Any] = MappingProxyType({}),
    ) -> Hits:
        """deeds: which reissues count; without them, each is believed.

        delivery: the entry's, where the watch notes which mails bounced.
        """
        try:
            own = link_of(row)
        except ValueError:
            return cls((), ())
        mine = [each for each in hits if each.payment_id == own.payment_id]
        held = [each for each in mine if (each.hash, each.sha256) == (own.hash, own.sha256)]
        invented = [
            each
            for each in held
            if each.reissue and deeds and not deeds.is_reissue(each.reissue, own.payment_id)
        ]
        bounced = [each for each in held if each.gmail_id in came_back(delivery)]
        genuine = [each for each in held if each not in (*invented, *bounced)]
        return cls(genuine, [each for each in mine if each not in held], invented, bounced)

    @property
    def placed(self) -> list[Hit]:
        """The genuine ones that are neither in the trash nor in spam: only they count."""
        return [each for each in self.genuine if not each.is_misplaced]

    @property
    def twice(self) -> frozenset[str]:
        """Gmail ids of mails that are there more than once; a reissued mail is another one."""
        names = [each.reissue for each in self.placed]
        return frozenset(each.gmail_id for each in self.placed if names.count(each.reissue) > 1)

    def findings(self, payment_id: str, delivery: Mapping[str, Any]) -> Iterator[MailFinding]:
        """Of an entry whose mail was sent. delivery: its item of AuditDeliveries."""
        for each in (*self.others, *self.invented):
            yield MailFinding("altered", payment_id, frozenset({each.gmail_id}))
        if not self.placed:
            yield MailFinding("missing", payment_id, lost_as(delivery))
        if self.twice:
            yield MailFinding("duplicate", payment_id, self.twice)
