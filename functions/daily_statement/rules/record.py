"""statement.json and the list of heads: what a statement says to machines. Money is in cents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.daily_statement.rules.account import EventAccount, Previous, Statement
from functions.daily_statement.rules.continuity import BEFORE_THE_FIRST, ChainEnd
from functions.daily_statement.rules.evidence import Damage
from functions.daily_statement.rules.totals import NO_ENTRIES, Totals
from shared.statements.expiry import NOTHING_EXPIRES, Certificate
from shared.statements.places import HEADS_SCHEMA, SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of an event at the end of a sealed day: its last entry, and what expired.

    totals: of all its entries, None if they are not known.
    """

    end: ChainEnd = BEFORE_THE_FIRST
    certificate: Certificate = NOTHING_EXPIRES
    totals: Totals | None = None


NEW_EVENT = Standing(totals=NO_ENTRIES)

Standings = dict[str, Standing]  # by event_id


def statement_record(statement: Statement) -> dict[str, Any]:
    previous = statement.previous
    rewritten = [
        {"event_id": each.event_id, "why": each.rewritten}
        for each in statement.events
        if each.rewritten
    ]
    return {
        "schema": SCHEMA,
        "day": statement.day,
        "timezone": statement.timezone,
        "made_at": statement.made_at,
        "is_final": statement.is_final,
        "number": statement.number,
        "previous": {"day": previous.day, "sha256": previous.sha256} if previous else None,
        "key_sha256": statement.key_sha256,
        "ledger": {
            "events": statement.whole.events,
            "entries": statement.whole.entries,
            "heads_sha256": statement.whole.heads_sha256,
        },
        "evidence": [
            {"day": each.day, "what": each.what, "is_new": statement.is_new(each)}
            for each in statement.damages
        ],
        "extends": {"holds": not rewritten, "rewritten": rewritten},
        "currency": "USD",
        **statement.sums.to_record(),
        "not_mailed": statement.unmailed_count,
        "malformed_rows": statement.malformed_count,
        "malformed": [
            {"pk": each.pk, "sk": each.sk, "faults": list(each.faults)}
            for each in statement.malformed
        ],
        "events": [_event_record(each) for each in statement.events],
        "by_admin": [
            {"logged_by": who, "logged_by_name": name, **sums.to_record()}
            for who, (name, sums) in sorted(statement.by_admin.items())
        ],
        "closings": [],  # of tills, which do not exist yet
        "notable": [each.to_record() for each in statement.notable],
        "expiring": [
            {"event_id": event_id, **certificate.to_record()}
            for event_id, certificate in sorted(statement.certificates.items())
        ],
        "ops": [
            {"ops_id": ops_id, "sha256": sha256}
            for ops_id, sha256 in sorted(statement.ops_records.items())
        ],
    }


def previous_of(day: str, sha256: str, record: Mapping[str, Any]) -> Previous:
    """record: of the statement before. Earlier releases neither numbered them nor named damages."""
    number = record.get("number")
    return Previous(
        day=day,
        sha256=sha256,
        number=number if type(number) is int else None,
        damages=frozenset(Damage(each["day"], each["what"]) for each in record.get("evidence", ())),
    )


def heads_record(day: str, standings: Standings) -> dict[str, Any]:
    """Every event's last entry and totals at the end of the day, and its last certificate.

    The next statement goes on from here.
    """
    return {"schema": HEADS_SCHEMA, "day": day, "events": dict(map(_head, standings.items()))}


def standings_of(record: Mapping[str, Any]) -> Standings:
    """Read a list of heads back."""
    return {
        event_id: Standing(
            end=ChainEnd(seq=each["seq"], hash=each["hash"]),
            certificate=(
                Certificate.from_record(each["expired"]) if "expired" in each else NOTHING_EXPIRES
            ),
            totals=Totals.from_record(each),
        )
        for event_id, each in record["events"].items()
    }


def _head(item: tuple[str, Standing]) -> tuple[str, dict[str, Any]]:
    event_id, standing = item
    head: dict[str, Any] = {"seq": standing.end.seq, "hash": standing.end.hash}
    if standing.totals is not None:
        head |= standing.totals.to_record()
    if standing.certificate.through_seq:
        head["expired"] = standing.certificate.to_record()
    return event_id, head


def _event_record(account: EventAccount) -> dict[str, Any]:
    last_seq, last_hash = account.last
    return {
        "event_id": account.event_id,
        "event_name": account.event_name,
        "first_seq": account.first,
        "last_seq": last_seq,
        "last_hash": last_hash,
        "head_seq": account.head.seq if account.head else 0,
        "head_hash": account.head.hash if account.head else "",
        **account.sums.to_record(),
        "missing": [list(each) for each in account.missing],
        "altered": account.altered,
        "unlinked": account.unlinked,
        "impossible": [[seq, why] for seq, why in sorted(account.impossible.items())],
        "totals_differ": account.totals_differ,
        "not_mailed": account.unmailed_count,
        "not_mailed_entries": [
            {
                "seq": each.seq,
                "payment_id": each.payment_id,
                "state": each.state,
                "error": each.error,
            }
            for each in account.unmailed
        ],
    }
