"""What was read from a mailbox, kept small: a box may hold tens of thousands of mails."""

from __future__ import annotations

from dataclasses import dataclass, field

from ops.offline.ledger.days import Statements
from ops.offline.ledger.links import Anchor, Finding, Link
from ops.offline.ledger.public_key import PublicKey
from ops.offline.mail.others import Quote
from ops.offline.operators import Operators, OpsMail, operators_in

MOST_NOTES = 50


@dataclass(frozen=True, slots=True)
class Copy:
    """A record in a mail that is not its own, such as a forward. hash, logged_at: that it has."""

    payment_id: str
    where: str
    hash: str
    logged_at: int


@dataclass(slots=True)
class Party:
    """A sender or recipient. mails: those with this address. named: the first of them."""

    mails: int = 0
    named: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Mailbox:
    """What a mailbox contains. wrong: findings about single mails.

    copies: the same mail again, as labels and folders make them. forwards: mails about ours.
    held: records in forwards, by event and number. seen: each own mail's digest, and whether it is
    anywhere but in trash or spam. labels: of our mails, those that mean nothing to us. unsearched:
    mails of others that are too large to be searched for copies. notes: what is no finding.
    """

    links: list[Link] = field(default_factory=list)
    statements: Statements = field(default_factory=Statements)
    ops: list[OpsMail] = field(default_factory=list)
    wrong: list[Finding] = field(default_factory=list)
    mails: int = 0
    statement_mails: int = 0
    copies: int = 0
    forwards: int = 0
    held: dict[tuple[str, int], Copy] = field(default_factory=dict)
    quotes: list[Quote] = field(default_factory=list)
    senders: dict[str, Party] = field(default_factory=dict)
    recipients: dict[str, Party] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    unsearched: int = 0
    notes: list[str] = field(default_factory=list)
    seen: dict[bytes, bool] = field(default_factory=dict)
    misplaced: dict[bytes, Finding] = field(default_factory=dict)

    def note(self, sentence: str) -> None:
        """Anybody may fill a mailbox with odd mails: the first ones are told."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append(sentence)

    @property
    def anchors(self) -> list[Anchor]:
        return self.statements.anchors

    @property
    def vouched_copies(self) -> dict[tuple[str, int], Copy]:
        """Those that the chain or a statement vouches for: anybody can forward what he made up."""
        if not self.held:
            return {}
        said = {(each.event_id, each.seq, each.hash) for each in self.anchors}
        said |= {
            (each.event_id, each.seq - 1, each.prev_hash) for each in self.links if each.is_sound
        }
        return {place: each for place, each in self.held.items() if (*place, each.hash) in said}

    def operators(self, key: PublicKey | None = None) -> Operators:
        """What operators say, by the mails that are here. key: that signs statements."""
        logged = {each.payment_id: each.logged_at for each in self.vouched_copies.values()}
        logged |= {each.payment_id: each.logged_at for each in self.links if each.is_sound}
        return operators_in(self.ops, self.statements, logged, key)

    @property
    def is_empty(self) -> bool:
        """No mail of ours is in it."""
        return not (self.links or self.anchors or self.wrong or self.ops or self.statement_mails)
