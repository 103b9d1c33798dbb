"""The mails that a search of the mailbox found, and which of them are an entry's. Pure rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.offline.box import Mailbox
from ops.offline.ledger.links import link_of


@dataclass(frozen=True, slots=True)
class Hit:
    """A mail that Gmail's search found for an entry, read. is_misplaced: in trash or spam."""

    gmail_id: str
    payment_id: str
    hash: str
    sha256: str
    digest: bytes
    is_misplaced: bool


def hits_in(found: Iterable[tuple[str, Mailbox]]) -> Iterator[Hit]:
    """The own mails among these; a mail that only quotes an entry is none."""
    for gmail_id, box in found:
        for link in box.links:
            ((digest, is_well_placed),) = box.seen.items()
            yield Hit(gmail_id, link.payment_id, link.hash, link.sha256, digest, not is_well_placed)


@dataclass(frozen=True, slots=True)
class Hits:
    """An entry's mails. genuine: those that hold its record, each once."""

    genuine: Sequence[Hit]
    others: Sequence[Hit]

    @classmethod
    def of(cls, row: Mapping[str, Any], hits: Iterable[Hit]) -> Hits:
        try:
            own = link_of(row)
        except ValueError:
            return cls((), ())
        mine = [each for each in hits if each.payment_id == own.payment_id]
        genuine = {
            each.digest: each
            for each in sorted(mine, key=lambda each: not each.is_misplaced)
            if (each.hash, each.sha256) == (own.hash, own.sha256)
        }
        others = [each for each in mine if (each.hash, each.sha256) != (own.hash, own.sha256)]
        return cls(list(genuine.values()), others)
