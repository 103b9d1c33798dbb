"""The history of one payment, from ledger, deliveries, queue and mailbox. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.offline.ledger.links import span_text
from ops.rules.dead_letters import moment
from ops.rules.hits import Hits
from ops.rules.mails.deeds import Deeds
from ops.rules.mails.story import MailStory, Step
from shared.audit.delivery import is_sent, mail_state, moment_of
from shared.ledger import faults_of, matches_its_hash
from shared.methods import foreign
from shared.text import dollars

MAIL_IS_LATE_MS = 15 * 60_000
MOST_NUMBERS = 10  # ranges of missing entries that are worth listing


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentHistory:
    """row: the ledger's. voided_by: its void's row. voids: the row that this one voids.

    is_linked: its pointer leads to the row. delivery, dead_letters, hits: as in MailStory. deeds:
    what operators settled and had issued again. now: epoch ms.
    """

    row: Mapping[str, Any]
    is_linked: bool
    delivery: Mapping[str, Any]
    voided_by: Mapping[str, Any]
    voids: Mapping[str, Any]
    dead_letters: Sequence[Mapping[str, Any]]
    hits: Hits | None
    now: int
    deeds: Deeds = field(default_factory=Deeds)

    @property
    def story(self) -> MailStory:
        return MailStory(
            payment_id=str(self.row.get("payment_id")),
            delivery=self.delivery,
            deeds=self.deeds,
            dead_letters=self.dead_letters,
            hits=self.hits,
        )

    @property
    def is_intact(self) -> bool:
        return not self.faults and matches_its_hash(self.row)

    @property
    def faults(self) -> list[str]:
        """What the row has that no entry has."""
        return faults_of(self.row)

    @property
    def mails(self) -> list[str] | None:
        """Gmail ids of the mails that hold this entry's record."""
        return None if self.hits is None else [each.gmail_id for each in self.hits.genuine]

    def steps(self) -> list[Step]:
        """In order of time; steps without a time come last."""
        return sorted(self._steps(), key=lambda step: (step.at is None, step.at or 0))

    def _steps(self) -> Iterator[Step]:
        row = self.row
        number, logged_at = numbered(row), moment_of(row, "logged_at")
        captured_at = moment_of(row, "timestamp")
        if captured_at and logged_at:  # a key that was taken is a millisecond later
            captured_at = min(captured_at, logged_at)
        yield Step(captured_at, f"captured by {row.get('logged_by')}")
        yield Step(logged_at, f"logged as {number} of {row.get('event_id')}")
        yield from self.story.steps()
        if self.voided_by:
            void = self.voided_by
            told = f"voided by {numbered(void)}, {void.get('logged_by')}: {void.get('reason')}"
            yield Step(moment_of(void, "logged_at"), f"{told} {void.get('note', '')}".strip())

    def concerns(self) -> list[str]:
        """What needs a person, and the command that helps."""
        found = []
        event_id, payment_id = self.row.get("event_id"), self.row.get("payment_id")
        if self.faults:
            found.append(
                f"The row is not what we write ({'; '.join(self.faults)}): run `scc verify --event "
                f"{event_id}`."
            )
        elif not self.is_intact:
            found.append(
                f"The row was changed after it was logged: run `scc verify --event {event_id}`."
            )
        elif why := foreign(str(self.row.get("currency")), str(self.row.get("method"))):
            found.append(
                f"The app never writes such an entry, {why}: docs/runbook.md#statement-findings "
                "says what to do."
            )
        if not self.is_linked:
            found.append(
                f"No pointer leads to it; its row is at {self.row.get('PK')}, "
                f"{self.row.get('SK')}: run `scc verify --event {event_id}`."
            )
        has_mail = is_sent(self.delivery)
        age = self.now - (moment_of(self.row, "logged_at") or 0)
        if self.dead_letters and has_mail:
            found.append(
                "Its mail was sent, but a dead letter is left: `scc dlq replay --id "
                f"{payment_id}` removes it."
            )
        elif self.dead_letters:
            found.append(
                "Its message is in the dead-letter queue: fix the cause, then run "
                f"`scc dlq replay --id {payment_id}`."
            )
        elif not has_mail and age > MAIL_IS_LATE_MS:
            found.append("Its mail is late: `scc status` says what the mailer is waiting for.")
        return [*found, *self.story.concerns()]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneEntry:
    """What is left of an entry whose row is gone.

    event_id: empty when nothing says which. missing: the ranges of numbers that the event lacks;
    this entry had one of them. delivery: empty when its mail was never tried. void_id: what voids
    it, or empty. certified: through which number the event's entries may be gone.
    """

    payment_id: str
    event_id: str
    missing: Sequence[tuple[int, int]]
    delivery: Mapping[str, Any]
    void_id: str
    certified: int = 0

    @property
    def is_expired(self) -> bool:
        """Whatever its number was, its seven years are over and a sealed statement says so."""
        return bool(self.missing) and all(last <= self.certified for _, last in self.missing)

    def told(self) -> str:
        """For example "This entry existed: #000004 of sunset-charter, mailed at …; ..."."""
        number = _one_of(self.missing)
        which = f"{number} of {self.event_id}" if number else f"an entry of {self.event_id}"
        words = [which if self.event_id else "of an unknown event", self._mailed()]
        if self.void_id:
            words.append(f"voided by {self.void_id}")
        told = f"This entry existed: {', '.join(words)}"
        if self.is_expired:
            return f"{told}; it was deleted after seven years, as a sealed statement certified."
        check = f"scc verify --event {self.event_id}" if self.event_id else "scc verify"
        return f"{told}; its row is gone. Run `{check}`."

    def _mailed(self) -> str:
        sent_at = moment_of(self.delivery, "sent_at")
        if is_sent(self.delivery) and sent_at is not None:
            return f"mailed at {moment(sent_at)} with Gmail id {self.delivery.get('gmail_id')}"
        return f"its mail {mail_state(self.delivery)}" if self.delivery else "never mailed"


def _one_of(missing: Sequence[tuple[int, int]]) -> str:
    told = ", ".join(span_text(*each) for each in missing[:MOST_NUMBERS])
    is_sure = [first == last for first, last in missing] == [True]
    return told if is_sure or not told else f"one of {told}"


def numbered(row: Mapping[str, Any]) -> str:
    seq = row.get("seq")
    return f"#{seq:06d}" if type(seq) is int else "no number"


def signed_amount(row: Mapping[str, Any]) -> str:
    """Negative for what takes money away. A value that no row has is shown as it is."""
    cents = row.get("amount_cents")
    if type(cents) is not int:
        return f"{cents} cents"
    return dollars(cents if row.get("kind") == "payment" else -cents)
