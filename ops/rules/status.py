"""Is everything fine? The rules of `scc status`: readings go in, what needs a person comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ops.rules.dead_letters import moment
from ops.rules.depth import Depth
from ops.terminal.counted import counted
from shared.audit.delivery import error_class, last_error, mail_state, moment_of, sent_at

# The router queues an entry within seconds; the sweep finds what it lost, every 15 minutes.
ROUTED_MS = 60_000
WAIT_MS = 30 * 60_000  # two sweeps
EXPIRES_SOON_MS = 72 * 3_600_000
MAPPING_OFF = "docs/runbook.md#stream-mapping-off"
TAMPERED = "docs/runbook.md#ledger-tampered"
UNWATCHED = "docs/runbook.md#mailbox-unwatched"
WatchState = Literal["ok", "behind", "unknown"]


@dataclass(slots=True, kw_only=True)
class Mails:
    """What happened to the entries of the last days. Times are epoch ms, or None.

    unmailed: how many, by state; `queued` has no delivery yet, `failed` is not retried.
    waiting_since: when the oldest unmailed entry was logged. unrouted_since: the same among
    entries without a delivery. systemic_at: the last time Google refused the credential.
    """

    entries: int = 0
    unmailed: Counter[str] = field(default_factory=Counter)
    waiting_since: int | None = None
    unrouted_since: int | None = None
    last_mail_at: int | None = None
    systemic_at: int | None = None
    systemic: str = ""

    def add(self, row: Mapping[str, Any], delivery: Mapping[str, Any] | None) -> None:
        """row: a ledger entry. delivery: its item in AuditDeliveries, if there is one."""
        self.entries += 1
        state = mail_state(delivery)
        if state == "sent":
            self.last_mail_at = max(self.last_mail_at or 0, sent_at(delivery) or 0) or None
            return
        self.unmailed[state] += 1
        logged_at = moment_of(row, "logged_at")
        if logged_at is not None:
            self.waiting_since = min(self.waiting_since or logged_at, logged_at)
            if delivery is None:
                self.unrouted_since = min(self.unrouted_since or logged_at, logged_at)
        error = last_error(delivery)
        at = moment_of(error, "at") or 0
        if error_class(delivery) == "systemic" and at >= (self.systemic_at or 0):
            self.systemic_at = at
            self.systemic = f"{error.get('code')}: {error.get('message')}"

    @property
    def credential(self) -> str:
        """ok, refused, or unknown when these days have neither a mail nor a refusal."""
        if self.systemic_at is not None and self.systemic_at >= (self.last_mail_at or 0):
            return "refused"
        return "ok" if self.last_mail_at is not None else "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """oldest_dead_at: epoch ms when the oldest dead letter was first queued.

    retention_ms: how long after that SQS deletes it. sampled: dead letters that were read; if there
    are more, the first expiry may be earlier. iterator_age_ms: how far the router is behind the
    stream, if CloudWatch knows. mapping_fault: why changes of the ledger do not reach the router,
    empty when they do. tampered: how many rows were altered or removed behind the API's back in
    these days, the last one at tampered_at (epoch ms). findings: about mails in the audit mailbox,
    those that are open. watch: behind when it has not looked at all for as long as its alarm takes.
    """

    now: int
    queue: Depth
    dead: Depth
    oldest_dead_at: int | None
    sampled: int
    retention_ms: int
    iterator_age_ms: int | None
    mails: Mails
    mapping_fault: str
    tampered: int
    tampered_at: int | None
    findings: int
    watch: WatchState

    @property
    def first_expiry(self) -> int | None:
        """When SQS deletes that one: it counts from when the message was first queued.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        """
        if self.oldest_dead_at is None:
            return None
        return self.oldest_dead_at + self.retention_ms

    def concerns(self) -> list[str]:
        """What needs a person, and the next command."""
        mails, found = self.mails, list(self._concerns_about_evidence())
        if self.dead.total:
            found.append(f"{counted(self.dead.total, 'dead letter')}: scc dlq groups")
        expiry = self.first_expiry
        if expiry is not None and expiry - self.now < EXPIRES_SOON_MS:
            found.append(
                f"the first dead letter is deleted at {moment(expiry)}: replay it before then"
            )
        if mails.credential == "refused":
            found.append(f"Google refuses the credential ({mails.systemic})")
        if mails.unmailed["failed"]:
            failed = counted(mails.unmailed["failed"], "entry", "entries")
            found.append(f"{failed} failed for good: scc dlq ls")
        if mails.waiting_since is not None and self.now - mails.waiting_since > WAIT_MS:
            found.append(
                f"an entry has been waiting for its mail since {moment(mails.waiting_since)}"
            )
        waiting = mails.unmailed["queued"] - self.queue.total
        unrouted = mails.unrouted_since
        if waiting > 0 and unrouted is not None and self.now - unrouted > ROUTED_MS:
            entries = counted(waiting, "entry is", "entries are")
            found.append(f"{entries} neither mailed nor queued: the router is behind")
        return found

    def _concerns_about_evidence(self) -> Iterator[str]:
        """Ledger and mailbox: what was done to them, and who looks."""
        if self.tampered_at is not None:
            rows = counted(self.tampered, "ledger row was", "ledger rows were")
            last = "" if self.tampered == 1 else "the last "
            yield (
                f"{rows} altered or removed behind the API's back, {last}at "
                f"{moment(self.tampered_at)}: {TAMPERED}"
            )
        if self.findings:
            yield (
                f"{counted(self.findings, 'open finding')} in the audit mailbox: scc findings ls"
            )
        if self.watch == "behind":
            yield f"nobody has looked into the audit mailbox for hours: {UNWATCHED}"
        if self.mapping_fault:
            yield (
                f"changes of the ledger do not reach the router, {self.mapping_fault}: "
                f"{MAPPING_OFF}"
            )

    def as_json(self) -> dict[str, Any]:
        mails = self.mails
        return {
            "ok": not self.concerns(),
            "concerns": self.concerns(),
            "queue": _depth(self.queue),
            "dead_letters": _depth(self.dead)
            | {
                "oldest_sent_at": _moment(self.oldest_dead_at),
                "first_expiry": _moment(self.first_expiry),
                "looked_at": self.sampled,
            },
            "mails": {
                "entries": mails.entries,
                "unmailed": mails.unmailed.total(),
                "unmailed_by_state": dict(mails.unmailed),
                "oldest_unmailed_at": _moment(mails.waiting_since),
                "oldest_unmailed_age_seconds": _age(self.now, mails.waiting_since),
                "last_mail_at": _moment(mails.last_mail_at),
            },
            "credential": {
                "state": mails.credential,
                "last_refused_at": _moment(mails.systemic_at),
                "error": mails.systemic or None,
            },
            "router": {
                "oldest_unrouted_age_seconds": _age(self.now, mails.unrouted_since),
                "iterator_age_ms": self.iterator_age_ms,
                "mapping_fault": self.mapping_fault or None,
            },
            "mailbox": {"open_findings": self.findings, "watch": self.watch},
            "tampered": {"records": self.tampered, "newest_at": _moment(self.tampered_at)},
        }


def days_until(now: int, days: int) -> Iterable[str]:
    """The last `days` UTC days (YYYY-MM-DD), today last. now: epoch milliseconds."""
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    return ((today - timedelta(days=back)).isoformat() for back in range(days - 1, -1, -1))


def _depth(depth: Depth) -> dict[str, int]:
    return {"waiting": depth.waiting, "in_flight": depth.in_flight, "delayed": depth.delayed}


def _moment(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else moment(milliseconds)


def _age(now: int, since: int | None) -> int | None:
    return None if since is None else max(0, now - since) // 1000
