"""`scc findings`: what the mailbox lacks or has too much of, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from ops.errors import FINE, FOUND
from ops.lazy_group import LazyGroup
from ops.rules.hits import Hits
from ops.rules.mails.deeds import UNHEARD, Deeds
from ops.rules.mails.watched import OpenFinding
from ops.rules.payment import numbered, signed_amount
from ops.session import Session, pass_session, shared_options
from ops.stack.deeds import deeds_of, findings_of
from ops.stack.entries import LedgerReader
from ops.stack.mailbox import AuditMailbox, Where
from ops.terminal.counted import counted
from shared.audit.delivery import came_back


@dataclass(frozen=True, slots=True)
class Places:
    """Where mails are by now."""

    mailbox: AuditMailbox
    ledger: LedgerReader
    deeds: Deeds

    @classmethod
    def of(cls, session: Session) -> Places:
        return cls(AuditMailbox.of(session), LedgerReader.of(session), deeds_of(session))

    def where(self, finding: OpenFinding, row: Mapping[str, Any]) -> Where | None:
        """row: of the entry. A lost mail may be anywhere; another one is known by its id, or not.

        None when nothing says which mail it is about.
        """
        about, mailbox = finding.own_id, self.mailbox
        if finding.kind != "missing":
            return mailbox.place_of(finding.gmail_ids) if finding.gmail_ids else None
        delivery = self.ledger.deliveries([about]).get(about, {})
        if finding.is_entrys:  # a mail with another record is not it
            hits = Hits.of(row, mailbox.hits_of(about), self.deeds, delivery)
            ids, has_bounced = {each.gmail_id for each in hits.genuine}, bool(hits.bounced)
        else:
            bounced = came_back(delivery)
            ids = {*mailbox.ids_about(about), *finding.gmail_ids} - bounced
            has_bounced = bool(bounced)
        place = mailbox.place_of(ids)
        return "came back" if has_bounced and place == "nowhere" else place


@click.group(cls=LazyGroup, lazy={"ack": "ops.commands.ack", "tell": "ops.commands.tell"})
@shared_options
def findings() -> None:
    """Look at what the watch over the audit mailbox found, and settle what is explained.

    \b
    Examples:
      scc findings ls
      scc findings ack pay_9f86d081884c7d659a2feaa0c55ad015 --reason "deleted by mistake, ticket 12"
    """


@findings.command()
@shared_options
@click.option("--mailbox", "look", is_flag=True, help="Look into Gmail where each mail is now.")
@pass_session
def ls(session: Session, *, look: bool) -> None:
    """List the mails that the watch misses, has twice, or finds altered.

    The watch looks every hour. --mailbox says where each mail is by now: in the inbox or archived,
    in the trash or in spam, or nowhere. A finding that is settled by a record nobody was mailed
    about is open, too. Each row names the entry of docs/runbook.md that says what to do. Exit 1
    when something is listed.

    \b
    Examples:
      scc findings ls
      scc findings ls --mailbox
    """
    found = findings_of(session)
    places = Places.of(session) if look and found else None
    listed = list(_listed(LedgerReader.of(session), places, found))
    if session.console.as_json:
        session.console.show([each for _, each in listed])
    else:
        session.console.table(
            ("finding", "event", "entry", "amount", "about", "place", "last known as", "see"),
            [_line(row, content) for row, content in listed],
        )
    session.console.say(counted(len(listed), "open finding"))
    raise click.exceptions.Exit(FOUND if listed else FINE)


def _listed(
    ledger: LedgerReader, places: Places | None, found: list[OpenFinding]
) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Each with its ledger row, which is empty for other mails than entries'."""
    for each in found:
        row = ledger.payment(each.own_id) if each.is_entrys else {}
        yield (
            row,
            {
                "payment_id": each.own_id,
                "kind": each.kind,
                "event_id": str(row.get("event_id", "")),
                "seq": row.get("seq"),
                "amount_cents": row.get("amount_cents"),
                "place": places.where(each, row) if places else None,
                "gmail_ids": sorted(each.gmail_ids),
                "settled_unheard_by": each.unheard.ops_id if each.unheard else None,
                "runbook": each.runbook,
            },
        )


def _line(row: Mapping[str, Any], content: Mapping[str, Any]) -> tuple[object, ...]:
    doubt = f", {UNHEARD}" if content["settled_unheard_by"] else ""
    return (
        content["kind"] + doubt,
        content["event_id"],
        numbered(row) if row else "",
        signed_amount(row) if row else "",
        content["payment_id"],
        content["place"],
        ", ".join(content["gmail_ids"]),
        content["runbook"],
    )
