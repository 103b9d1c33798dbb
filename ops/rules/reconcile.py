"""Compare ledger, deliveries and mailbox. Pure rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ops.offline.box import Mailbox
from ops.offline.ledger.links import Link, link_of
from ops.rules.hits import Hits
from ops.rules.mails.deeds import UNHEARD, Deeds
from ops.rules.tally import Tally
from shared.audit.delivery import last_error, lost_as, mail_state, sent_at
from shared.audit.findings import MailFinding
from shared.ledger import problem_with
from shared.statements.expiry import NOTHING_EXPIRES, Certificate

VERSION = 5  # of a saved reconciliation
LOOKED_UP = ("duplicate", "altered", "orphan", "misplaced")  # what only the mailbox shows
AILING = ("missing", *LOOKED_UP)  # exit code 1; "late" is history
ROW_GONE = "the row of this entry is gone: scc payment tells what is left of it"
OTHER_RECORD = "its record differs from the ledger's row"
INVENTED = "it says that it was issued again, and no ops record does"


def settling_of(finding: Mapping[str, Any]) -> MailFinding | None:
    """What a person would settle it as; None for what cannot be explained away."""
    payment_id, gmail_id = finding["payment_id"], finding.get("gmail_id")
    match finding["kind"]:
        case "missing" | "misplaced" if not finding.get("queue") and payment_id:
            return MailFinding("missing", payment_id, frozenset(finding.get("mails", ())))
        case "duplicate":
            return MailFinding("duplicate", payment_id, frozenset(finding.get("mails", ())))
        case "altered" if gmail_id and payment_id:
            return MailFinding("altered", payment_id, frozenset({gmail_id}))
        case "orphan" if gmail_id and payment_id:
            return MailFinding("orphan", payment_id, frozenset({gmail_id}))
        case _:
            return None


class OtherReleaseError(ValueError):
    """A saved reconciliation that this release does not read."""


@dataclass(slots=True)
class Reconciliation:
    """Everything found so far; JSON can store it to resume later.

    unit, after: the current event or day, and where its next page starts. mails_after: the next
    page of the mailbox. has_looked: the mailbox is part of it. repaired: payments that were queued
    again, as recorded by ops_id. certified_until: the day of the statement that says what may be
    gone, empty without one. deeds: what operators settled and had issued again; not stored.
    """

    scope: list[str]
    version: int = VERSION
    has_looked: bool = False
    done: list[str] = field(default_factory=list)
    unit: str = ""
    after: dict[str, Any] | None = None
    mails_after: str = ""
    mails_done: bool = False
    mails: int = 0
    forwards: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    ops_id: str = ""
    certified_until: str = ""
    deeds: Deeds = field(default_factory=Deeds)

    def to_json(self) -> dict[str, Any]:
        content = asdict(replace(self, deeds=Deeds()))
        del content["deeds"]
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Reconciliation:
        """Raises OtherReleaseError, or TypeError, KeyError or AttributeError for other files."""
        if content["version"] != VERSION:
            raise OtherReleaseError
        tallies = {name: Tally(**each) for name, each in content["tallies"].items()}
        return cls(**{**content, "tallies": tallies})

    def tally(self, event_id: str) -> Tally:
        return self.tallies.setdefault(event_id, Tally())

    def found(self, kind: str, row: Mapping[str, Any], detail: str, **more: Any) -> None:
        """more: gmail_id of the mail, which is named once for each kind; queue: to be repaired.

        mails: Gmail ids: of a duplicate, or as which a lost mail was last known.
        """
        if "gmail_id" in more and any(
            each["kind"] == kind and each.get("gmail_id") == more["gmail_id"]
            for each in self.findings
        ):
            return
        event_id, seq = str(row.get("event_id", "")), row.get("seq", 0)
        payment_id = row.get("payment_id", "")
        finding = {
            "kind": kind,
            "event_id": event_id,
            "seq": seq if type(seq) is int else 0,
            "payment_id": payment_id if isinstance(payment_id, str) else "",
            "detail": detail,
        } | more
        settling = settling_of(finding)
        if settling is not None and self.deeds.is_settled(settling):
            finding |= {"is_settled": True, "detail": f"{detail}; settled by {settling.ops_id}"}
        elif settling is not None and settling.ops_id in self.deeds.records:
            finding["detail"] = f"{detail}; {UNHEARD}, {settling.ops_id}"
        self.findings.append(finding)
        counts, name = self.tally(event_id).found, "settled" if "is_settled" in finding else kind
        counts[name] = counts.get(name, 0) + 1

    def count(self, kind: str) -> int:
        """Of those that are open. kind: also "settled"."""
        if kind == "settled":
            return len(self.findings) - len(self.open)
        return sum(each["kind"] == kind for each in self.open)

    @property
    def open(self) -> list[dict[str, Any]]:
        """The findings that nobody has settled."""
        return [each for each in self.findings if not each.get("is_settled")]

    @property
    def is_fine(self) -> bool:
        return not any(each["kind"] in AILING for each in self.open)

    @property
    def to_repair(self) -> list[str]:
        """Payments that were never sent and are not queued again yet."""
        waiting = [each["payment_id"] for each in self.open if each.get("queue")]
        return [each for each in dict.fromkeys(waiting) if each not in self.repaired]

    def take_row(
        self,
        row: Mapping[str, Any],
        delivery: Mapping[str, Any],
        *,
        hits: Hits | None,
        now: int,
        late_ms: int,
        certificate: Certificate = NOTHING_EXPIRES,
    ) -> None:
        """One ledger row. hits: what the mailbox has for it, None without a search.

        certificate: of its event's oldest entries, which may be gone.
        """
        tally = self.tally(str(row.get("event_id", "")))
        tally.entries += 1
        problem = problem_with(row)
        if problem:
            tally.left_out += 1
            where = f"the row at {row.get('PK')!r}, {row.get('SK')!r}"
            self.found("altered", row, f"{where}: {problem}")
            if type(row.get("logged_at")) is not int or not isinstance(row.get("payment_id"), str):
                return
            hits = None  # no mail can hold such a record: the row is at fault, and named once
        else:
            tally.add(row, certificate)
        self._take_delivery(row, delivery, tally, hits, now - int(row["logged_at"]), late_ms)
        if hits is None:
            return
        for each in hits.others:
            self.found("altered", row, OTHER_RECORD, gmail_id=each.gmail_id)
        for each in hits.invented:
            self.found("altered", row, INVENTED, gmail_id=each.gmail_id)
        if hits.twice:
            self.found("duplicate", row, f"{len(hits.twice)} mails", mails=sorted(hits.twice))
        if hits.genuine and not hits.placed:
            known = sorted(lost_as(delivery))
            self.found("misplaced", row, "its mail is in the trash or in spam", mails=known)

    def _take_delivery(
        self,
        row: Mapping[str, Any],
        delivery: Mapping[str, Any],
        tally: Tally,
        hits: Hits | None,
        age: int,
        late_ms: int,
    ) -> None:
        state = mail_state(delivery)
        if state == "sent" and hits is not None and not hits.genuine:
            known = sorted(lost_as(delivery))
            told = "came back" if hits.bounced else "was sent but is not in the mailbox"
            self.found("missing", row, told, queue=False, mails=known)
        elif state == "sent":
            tally.mailed += 1
            delay = (sent_at(delivery) or 0) - row["logged_at"]
            if delay > late_ms:
                self.found("late", row, f"mailed after {delay // 60_000} minutes")
        elif (age > late_ms or state == "failed") and not (hits and hits.genuine):
            error = last_error(delivery).get("message", "")
            told = "no delivery has started" if state == "queued" else state
            self.found("missing", row, f"{told}: {error}" if error else told, queue=True)
        else:
            tally.pending += 1

    def take_mail(
        self,
        gmail_id: str,
        box: Mailbox,
        rows: Mapping[str, Mapping[str, Any]],
        gone: Collection[str] = (),
        certificates: Mapping[str, Certificate] = MappingProxyType({}),
    ) -> None:
        """One mail, read. rows: the ledger's, by payment id; empty where there is none.

        gone: payments without a row of which a pointer or a delivery is left. certificates: of what
        may be gone, by event.
        """
        self.mails += bool(box.seen)
        self.forwards += box.forwards
        problems = [each.detail for each in box.wrong if each.seq]
        for each in box.wrong:
            if not each.seq:
                claimed = {"event_id": each.event_id, "payment_id": each.payment_id}
                self.found("altered", claimed, each.detail, gmail_id=gmail_id)
        for link in box.links:
            row = rows.get(link.payment_id) or {}
            if not row and link.payment_id in gone:
                certificate = certificates.get(link.event_id, NOTHING_EXPIRES)
                if link.seq > certificate.through_seq:
                    self._found_gone(link, gmail_id)
            else:
                self._take_link(link, row, problems, gmail_id)
        if not box.links and not all(box.seen.values()):
            self.found("misplaced", {}, "a statement's or operators' mail is in the trash or spam",
                       gmail_id=gmail_id)  # fmt: skip

    def _found_gone(self, link: Link, gmail_id: str) -> None:
        claimed = {"event_id": link.event_id, "seq": link.seq, "payment_id": link.payment_id}
        self.found("orphan", claimed, ROW_GONE, gmail_id=gmail_id, is_gone=True)

    @property
    def gone(self) -> int:
        """How many entries have a mail and no row, although the ledger knows them."""
        return len({each["payment_id"] for each in self.findings if each.get("is_gone")})

    @property
    def left_out(self) -> int:
        return sum(each.left_out for each in self.tallies.values())

    def _is_named(self, row: Mapping[str, Any], link: Link) -> bool:
        """Whether this row was found to be altered already."""
        places = {(each["event_id"], each["seq"]) for each in self._altered()}
        ids = {each["payment_id"] for each in self._altered()}
        is_numbered = type(row.get("seq")) is int
        return link.payment_id in ids or (
            is_numbered and (str(row.get("event_id", "")), row["seq"]) in places
        )

    def _altered(self) -> Iterator[dict[str, Any]]:
        return (each for each in self.findings if each["kind"] == "altered")

    def _take_link(
        self, link: Link, row: Mapping[str, Any], problems: Sequence[str], gmail_id: str
    ) -> None:
        claimed = {"event_id": link.event_id, "seq": link.seq, "payment_id": link.payment_id}
        try:
            own = link_of(row)
        except ValueError:
            own = None
        if row and problem_with(row):
            if not self._is_named(row, link):
                self.found("altered", claimed, OTHER_RECORD, gmail_id=gmail_id)
        elif not row or row.get("payment_id") != link.payment_id:
            self.found("orphan", claimed, "the ledger has no such entry", gmail_id=gmail_id)
        elif own is None or own.sha256 != link.sha256:
            self.found("altered", claimed, OTHER_RECORD, gmail_id=gmail_id)
        elif problems:
            self.found("altered", claimed, "; ".join(problems), gmail_id=gmail_id)
        elif link.reissue and not self.deeds.is_reissue(link.reissue, link.payment_id):
            self.found("altered", claimed, INVENTED, gmail_id=gmail_id)
