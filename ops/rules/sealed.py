"""Do sealed statements hang together, and do ledger and mailbox agree with them? Pure rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ops.offline.ledger.days import Statements, few
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Anchor, Finding, merged
from ops.offline.ledger.public_key import PublicKey
from ops.offline.ledger.seals import broken_seals
from shared.ledger import MOST_ENTRIES, is_event_id
from shared.statements.expiry import RETENTION, Certificate, last_day_to_certify
from shared.statements.final import not_final
from shared.statements.places import StatementPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedDay:
    """What the evidence bucket keeps of a day. content, signature: None without one.

    heads_sha256: of its lists of heads, by their names. others: whether other bytes lie on top of
    the statement. is_hidden: a delete marker does.
    """

    day: str
    content: bytes | None
    signature: bytes | None
    heads_sha256: Collection[str]
    others: bool = False
    is_hidden: bool = False


@dataclass(slots=True)
class Sealed:
    """All days of the evidence bucket. sha256: of each day's statement. heads: of the last day.

    last: that day, and the hash of its list of heads. key: that must have signed all of them. A
    statement that it has not signed says nothing here.
    """

    key: PublicKey
    statements: Statements = field(default_factory=Statements)
    sha256: dict[str, str] = field(default_factory=dict)
    heads: list[Anchor] = field(default_factory=list)
    last: tuple[str, str] = ("", "")
    wrong: list[Finding] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)

    def take(self, each: SealedDay, today: str) -> None:
        """One day. today: the business day that is not over."""
        if each.is_hidden:
            self._found(COMPLETENESS, "hidden", each.day, "is hidden by a delete marker")
        if each.others:
            self._found(INTEGRITY, "contradiction", each.day, "has another version beside it")
        if each.day >= today:
            self._found(INTEGRITY, "inserted", each.day, "is there, and the day is not over")
            return
        if each.content is None:
            self.leftovers.append(each.day)
            return
        sha256 = hashlib.sha256(each.content).hexdigest()
        try:
            record = json.loads(each.content)
            problem = _problem(record, each) or self._unsigned(sha256, each)
            problem = problem or self.statements.take(record, sha256, each.signature or b"")
            if not problem:
                self.last = max(self.last, (each.day, str(record["ledger"]["heads_sha256"])))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            problem = f"cannot be read: {type(error).__name__}: {str(error)[:100]}"
        self.sha256[each.day] = sha256
        if problem:
            self._found(INTEGRITY, "altered", each.day, problem)

    def take_heads(self, day: str, content: bytes | None) -> None:
        """The list of heads that the last day's statement names, None if its hash is another."""
        try:
            if content is None:
                raise ValueError("its hash is another one")
            events = json.loads(content)["events"]
            named = [(name, each["seq"], each["hash"]) for name, each in events.items()]
            self.heads = [
                Anchor(name, seq, digest, f"the heads of {day}")
                for name, seq, digest in named
                if seq and _is_head(name, seq, digest)
            ]
            unfit = [repr(name) for name, seq, digest in named if not _is_head(name, seq, digest)]
            if unfit:
                what = f"has a list of heads that names what no event has: {few(unfit)}"
                self._found(INTEGRITY, "no-event", day, what)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            self._found(INTEGRITY, "altered", day, f"has a wrong list of heads: {error}")

    @property
    def anchors(self) -> list[Anchor]:
        return [*self.statements.anchors, *self.heads]

    @property
    def events(self) -> set[str]:
        return {each.event_id for each in self.anchors}

    def certificate(self, event_id: str) -> Certificate:
        return self.statements.certificates.of(event_id)

    def about_itself(self, today: str) -> list[Finding]:
        """today: the business day that is not over."""
        found = [*self.wrong, *broken_seals(self.statements.seals, self.key)]
        for day in self.leftovers:  # a run that dies before it seals leaves the last day's
            if day < max(self.sha256, default=""):
                detail = f"the sealed statement of {day} is gone; what belongs to it is there"
                found.append(Finding(COMPLETENESS, "", 0, 0, "missing", "", detail))
        return merged([*found, *self._at_the_ends(today)])

    def _at_the_ends(self, today: str) -> Iterator[Finding]:
        """The first one follows none, unless that is past its time; and yesterday has one."""
        final = sorted(self.statements.seals, key=lambda each: each.day)
        if not final:
            return
        before = final[0].previous[0]
        oldest = (date.fromisoformat(today) - RETENTION).isoformat()
        if before and before > oldest:
            detail = f"the sealed statement of {before[:10]} is gone; the next day's names it"
            yield Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)
        due = (date.fromisoformat(today) - timedelta(2)).isoformat()
        if final[-1].day < due:
            detail = f"no statement after {final[-1].day}"
            yield Finding(COMPLETENESS, "", 0, 0, "no-statement", "", detail)

    def _unsigned(self, sha256: str, each: SealedDay) -> str:
        is_signed = self.key.has_signed(bytes.fromhex(sha256), each.signature or b"")
        return "" if is_signed else "is not signed by this key"

    def about_ops(self, records: Mapping[str, str]) -> Iterator[Finding]:
        """records: SHA-256 of the operators' records that are there, by id."""
        for ops_id, stated in sorted(self.statements.ops().items()):
            if ops_id not in records:
                detail = f"{ops_id[:100]} is in a sealed statement, and the ops record is gone"
                yield Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)
            elif {records[ops_id]} != stated:
                detail = f"the ops record {ops_id[:100]} differs from its sealed statement"
                yield Finding(INTEGRITY, "", 0, 0, "altered", "", detail)

    def about_mails(
        self, mailed: Statements, sent: Collection[str], today: str
    ) -> Iterator[Finding]:
        """Sealed statements and those of a mailbox. sent: delivery ids that were marked as sent.

        A mailbox may delete its mails after seven years, as the ledger does.
        """
        oldest = last_day_to_certify(date.fromisoformat(today)).isoformat()
        for day, found in sorted(mailed.sha256.items()):
            if day not in self.sha256:
                detail = f"the statement of {day} is in the mailbox and was never sealed"
                yield Finding(INTEGRITY, "", 0, 0, "contradiction", "", detail)
            elif found != {self.sha256[day]}:
                detail = f"the mail of the statement of {day} differs from what was sealed"
                yield Finding(INTEGRITY, "", 0, 0, "contradiction", "", detail)
        for day, sha256 in sorted(self.sha256.items()):
            if day > oldest and day not in mailed.sha256 and _delivery_id(day, sha256) in sent:
                detail = f"the mail of the statement of {day} was sent but is not in this file"
                yield Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)

    @property
    def delivery_ids(self) -> list[str]:
        return [_delivery_id(day, sha256) for day, sha256 in self.sha256.items()]

    def _found(self, verdict: str, kind: str, day: str, what: str) -> None:
        detail = f"the sealed statement of {day} {what}"
        self.wrong.append(Finding(verdict, "", 0, 0, kind, "", detail))


def _is_head(event_id: str, seq: Any, digest: Any) -> bool:
    is_number = type(seq) is int and 0 <= seq < MOST_ENTRIES
    return is_number and isinstance(digest, str) and is_event_id(event_id)


def _problem(record: Mapping[str, Any], sealed: SealedDay) -> str:
    if problem := not_final(record, sealed.content or b"", sealed.day):
        return problem
    if sealed.signature is None:
        return "has no signature"
    if record["ledger"]["heads_sha256"] not in sealed.heads_sha256:
        return "has lost its list of heads"
    return ""


def _delivery_id(day: str, sha256: str) -> str:
    return StatementPlace(day=day, final=True, sha256=sha256).delivery_id
