"""A reconciliation in progress: it reads page by page, and can be saved and resumed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.clock import now_ms
from ops.errors import OpsError
from ops.offline.box import Mailbox
from ops.rules.hits import Hits
from ops.rules.reconcile import OtherReleaseError, Reconciliation
from ops.rules.verify.rows import out_of_reach
from ops.session import Session
from ops.stack.deeds import OpsRecordReader, deeds_of
from ops.stack.entries import LedgerReader
from ops.stack.evidence import certificates_of
from ops.stack.mailbox import AuditMailbox
from ops.terminal.console import Meter
from shared.statements.expiry import NOTHING_EXPIRES, Certificate


class Work:
    """A reconciliation in progress, saved after every page."""

    def __init__(
        self,
        session: Session,
        ledger: LedgerReader,
        mailbox: AuditMailbox | None,
        late_ms: int,
    ) -> None:
        self._certificates: Mapping[str, Certificate] = {}  # of entries that may be gone, by event
        self._session, self._ledger, self._mailbox = session, ledger, mailbox
        self._records = OpsRecordReader.of(session)
        self._late_ms = late_ms
        self._file: Path | None = None
        self.state = Reconciliation([])

    def load(self, file: Path | None, scope: list[str]) -> None:
        """Raises OpsError: the file belongs to another reconciliation, or cannot be used."""
        self._file, self.state = file, Reconciliation(scope, has_looked=self._mailbox is not None)
        if file is None or not file.exists():
            self._prepare()
            self.save()
            return
        try:
            self.state = Reconciliation.from_json(json.loads(file.read_text("utf-8")))
        except OtherReleaseError as error:
            raise OpsError(
                f"{file} was saved by another release of scc: remove it and start again."
            ) from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise OpsError(f"{file} is not a saved reconciliation: remove it.") from error
        if self.state.scope != scope:
            raise OpsError(
                f"{file} belongs to another reconciliation: remove it or choose another file."
            )
        self._prepare()

    def _prepare(self) -> None:
        """A reconciliation that is resumed goes on with the certificates that it began with."""
        self.state.deeds = deeds_of(self._session)
        found = certificates_of(self._session, self.state.certified_until)
        self.state.certified_until, self._certificates = found.day, found.of

    def save(self) -> None:
        """All or nothing: a kill leaves the file as it was after the page before."""
        if self._file is None:
            return
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            beside.write_text(json.dumps(self.state.to_json()))
            beside.replace(self._file)
        except OSError as error:
            raise OpsError(f"{self._file} cannot be written: {error.strerror}.") from error

    def take_rows(self, unit: str, meter: Meter) -> None:
        state = self.state
        if unit in state.done:
            return
        kind, name = unit.split(" ", 1)
        read = self._ledger.of_event if kind == "event" else self._ledger.of_day
        for rows, after in read(name, state.after if state.unit == unit else None):
            deliveries = self._ledger.deliveries([str(each.get("payment_id")) for each in rows])
            for row in rows:
                self._take_row(row, deliveries.get(str(row.get("payment_id")), {}))
            meter.advance(len(rows))
            state.unit, state.after = unit, after
            if not after:
                state.done.append(unit)
                if kind == "event":
                    state.tally(name).expire(self._certificate(name))
            self.save()

    def take_unlisted(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """rows: that no event leads to."""
        known = {each["detail"] for each in self.state.findings}
        for each in out_of_reach(rows):
            if each.detail not in known:
                self.state.found("altered", {}, each.detail)

    def take_mails(self, query: str, units: set[str] | None, meter: Meter) -> None:
        """units: of the reconciliation, or None when it leaves nothing out."""
        state, mailbox = self.state, self._mailbox
        if mailbox is None or state.mails_done:
            return
        for ids, after in mailbox.find(query, state.mails_after):
            mails = [(each, mailbox.mail(each)) for each in ids]
            links = [link for _, box in mails for link in box.links]
            self._look_up({each.reissue for each in links})
            rows = {each.payment_id: self._ledger.payment(each.payment_id) for each in links}
            gone = self._left_traces([each for each, row in rows.items() if not row])
            for gmail_id, box in mails:
                if units is None or _is_about(units, box, rows):
                    state.take_mail(gmail_id, box, rows, gone, self._certificates)
                meter.advance()
            state.mails_after, state.mails_done = after, not after
            self.save()

    def _left_traces(self, payment_ids: Sequence[str]) -> set[str]:
        """Which of these payments without a row have a pointer or a delivery."""
        ledger = self._ledger
        delivered = ledger.deliveries(payment_ids)
        return {each for each in payment_ids if each in delivered or ledger.place_of(each)}

    def _take_row(self, row: Mapping[str, Any], delivery: Mapping[str, Any]) -> None:
        hits = None
        if self._mailbox is not None:
            found = self._mailbox.hits_of(str(row.get("payment_id")))
            self._look_up({each.reissue for each in found})
            hits = Hits.of(row, found, self.state.deeds, delivery)
        self.state.take_row(
            row,
            delivery,
            hits=hits,
            now=now_ms(),
            late_ms=self._late_ms,
            certificate=self._certificate(str(row.get("event_id"))),
        )

    def _look_up(self, reissues: set[str]) -> None:
        """A mail may have been issued again since this began."""
        self.state.deeds = self._records.joined(self.state.deeds, reissues)

    def _certificate(self, event_id: str) -> Certificate:
        return self._certificates.get(event_id, NOTHING_EXPIRES)


def _is_about(units: set[str], box: Mailbox, rows: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a mail concerns these events or days, by the ledger's row or by what it claims.

    What claims nothing concerns everybody.
    """
    claims: set[str] = set()
    for link in box.links:
        row = rows.get(link.payment_id) or {}
        day = row.get("logged_day") or link.logged_day
        claims |= {f"event {row.get('event_id') or link.event_id}", f"event {link.event_id}"}
        claims.add(f"day {day}")
    return not box.links or bool(claims & units)
