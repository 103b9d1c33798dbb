"""What happened to an entry's mail, step by step. Pure rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.audit_mailer.watch.verdicts import INVENTED, roles_of
from ops.rules.hits import Hits
from ops.rules.mails.deeds import UNHEARD, Deeds, Reissue
from ops.rules.mails.watched import OpenFinding, noted
from shared.audit.delivery import (
    came_back,
    first_seen_at,
    found_since,
    last_error,
    last_known_as,
    lost_as,
    mail_state,
    missed_at,
    moment_of,
    seen_at,
)
from shared.audit.findings import MailFinding

_FOUND = {
    "missing": "the watch does not find it in the mailbox",
    "duplicate": "the watch finds it more than once",
    "altered": "the watch finds another record in a mail about it",
}
_INVENTED = "the watch finds a mail that says it was issued again, and no ops record does"


@dataclass(frozen=True, slots=True)
class Step:
    """at: epoch ms, or None when the time is not recorded."""

    at: int | None
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStory:
    """delivery: from AuditDeliveries, empty before the first try. hits: None without a search.

    dead_letters: rows of `scc dlq ls`, with sent_ms, about it or about a reissue of it.
    """

    payment_id: str
    delivery: Mapping[str, Any]
    deeds: Deeds
    dead_letters: Sequence[Mapping[str, Any]]
    hits: Hits | None

    def steps(self) -> Iterator[Step]:
        yield from _tries(self.delivery)
        yield from self._watched()
        for each in self.deeds.acks(self.payment_id):
            doubt = "" if each.is_heard else ", which nobody was mailed about"
            told = f"{each.kind}: settled by {each.who}, {each.reason}; {each.ops_id}{doubt}"
            yield Step(each.at, told)
        for reissue in self.deeds.reissues(self.payment_id):
            yield from _reissued(reissue)
        for letter in self.dead_letters:
            told = f"{letter['class']}: {letter['message']}"
            yield Step(
                letter["sent_ms"], f"queued as {letter['message_id']}, now a dead letter ({told})"
            )
        for hit in self.hits.genuine if self.hits else ():
            place = "trash or spam" if hit.is_misplaced else "the audit mailbox"
            again = f", issued again as {hit.reissue}" if hit.reissue else ""
            yield Step(None, f"in {place} as {hit.gmail_id}{again}")

    def watch_says(self) -> str:
        """For example "seen in the mailbox", or what it found."""
        found = dict.fromkeys(
            f"{each.kind}, settled" if self.deeds.is_settled(each) else each.kind
            for each in noted(self.payment_id, self.delivery)
        )
        if found:
            return "; ".join(found)
        return "seen in the mailbox" if seen_at(self.delivery) else "has not seen it yet"

    def concerns(self) -> Iterator[str]:
        """What needs a person, by the mailbox if it was searched, or else by the watch."""
        if self.hits is None:
            for each in noted(self.payment_id, self.delivery):
                if not self.deeds.is_settled(each):
                    place = OpenFinding(kind=each.kind, own_id=each.own_id).runbook
                    look = f"`scc payment {self.payment_id} --mailbox` looks now"
                    yield f"{self._found(each).capitalize()}: {look}; {place}"
        else:
            yield from self._concerns_about(self.hits)
        for ack in self.deeds.acks(self.payment_id):
            if not ack.is_heard:
                place = OpenFinding(kind=ack.kind, own_id=ack.own_id, unheard=ack).runbook
                yield f"{ack.kind.capitalize()}, {UNHEARD} ({ack.ops_id}): {place}"

    def _watched(self) -> Iterator[Step]:
        first, seen = first_seen_at(self.delivery), seen_at(self.delivery)
        if first is not None and first != seen:
            yield Step(first, "first seen in the mailbox by the watch")
        found = list(noted(self.payment_id, self.delivery))
        missed = missed_at(self.delivery)
        if missed is not None and all(each.kind != "missing" for each in found):
            yield Step(missed, f"missing: {_FOUND['missing']}")
        if seen is not None:
            known = ", ".join(sorted(last_known_as(self.delivery)))
            yield Step(seen, f"seen in the mailbox by the watch; there as {known}")
        for each in found:
            known = ", ".join(sorted(each.gmail_ids)) or "nothing"
            last = "last known as" if each.kind == "missing" else "as"
            since = found_since(self.delivery, each.kind)
            yield Step(since, f"{each.kind}: {self._found(each)}, {last} {known}")
        for gmail_id in sorted(came_back(self.delivery)):
            yield Step(None, f"{gmail_id} came back to the sender")

    def _found(self, finding: MailFinding) -> str:
        roles = roles_of(self.delivery)
        is_invented = any(roles.get(each) == INVENTED for each in finding.gmail_ids)
        return _INVENTED if is_invented else _FOUND[finding.kind]

    def _concerns_about(self, hits: Hits) -> Iterator[str]:
        if hits.twice and not self._is_settled("duplicate", hits.twice):
            yield f"The mailbox has {len(hits.twice)} mails for it: delete one, or settle it."
        if not hits.placed:
            yield from self._concerns_about_the_loss(hits)
        elif mail_state(self.delivery) != "sent":
            yield "The mailbox has a mail for it that the mailer does not know of."
        for each in hits.others:
            if not self._is_settled("altered", frozenset({each.gmail_id})):
                yield f"The mail {each.gmail_id} is about it and holds another record."
        for each in hits.invented:
            if not self._is_settled("altered", frozenset({each.gmail_id})):
                yield (
                    f"The mail {each.gmail_id} says that it was issued again, and no ops record "
                    "does."
                )

    def _concerns_about_the_loss(self, hits: Hits) -> Iterator[str]:
        again = f"`scc payment reissue {self.payment_id} --reason WHY`"
        if self._is_settled("missing", lost_as(self.delivery)):
            return
        if hits.genuine:
            yield "Its mail is in the trash or in spam: move it back to the inbox."
        elif mail_state(self.delivery) != "sent":
            return
        elif self._is_on_its_way():
            yield "The mailbox has no mail for it, and one that was issued again is on its way."
        elif hits.bounced:
            yield f"Its mail came back: mend what refused it, then issue it again with {again}."
        else:
            yield f"The mailbox has no mail for it: issue it again with {again}, or settle it."

    def _is_on_its_way(self) -> bool:
        """Whether a mail was issued again that Gmail has not taken yet."""
        reissues = self.deeds.reissues(self.payment_id)
        return any(
            each.is_queued and mail_state(each.delivery) not in ("sent", "failed")
            for each in reissues
        )

    def _is_settled(self, kind: Any, gmail_ids: frozenset[str]) -> bool:
        return self.deeds.is_settled(MailFinding(kind, self.payment_id, gmail_ids))


def _tries(delivery: Mapping[str, Any]) -> Iterator[Step]:
    error = last_error(delivery)
    if error:
        told = f"{error.get('class')} {error.get('code')}: {error.get('message')}"
        yield Step(moment_of(error, "at"), f"try {delivery.get('attempts')} failed, {told}")
    match mail_state(delivery):
        case "sending":
            yield Step(moment_of(delivery, "lease_until"), "the current try has ended by now")
        case "retrying":
            yield Step(moment_of(delivery, "retry_at"), "can be tried again")
        case "sent":
            attempts = delivery.get("attempts")
            tries = f" on try {attempts}" if attempts != 1 else ""
            told = f"mailed{tries}, Gmail id {delivery.get('gmail_id')}"
            yield Step(moment_of(delivery, "sent_at"), told)


def _reissued(reissue: Reissue) -> Iterator[Step]:
    told = f"issued again by {reissue.who}, {reissue.reason}; {reissue.run}"
    is_on_its_way = reissue.is_queued or reissue.delivery
    yield Step(
        reissue.at, told if is_on_its_way else f"{told}; planned only, not queued: ask again"
    )
    for step in _tries(reissue.delivery):
        yield Step(step.at, f"issued again: {step.what}")
