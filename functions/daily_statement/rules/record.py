"""statement.json and the list of heads: what a statement says to machines. Money is in cents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.daily_statement.rules.account import EventAccount, Previous, Statement
from functions.daily_statement.rules.continuity import BEFORE_THE_FIRST, MOST_NAMED, ChainEnd
from functions.daily_statement.rules.evidence import Damage
from functions.daily_statement.rules.sums import Sums
from functions.daily_statement.rules.totals import NO_ENTRIES, Totals
from shared.ledger import canonical_json
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of each list is told. found: of what is wrong with an event. events: how many."""

    told: int
    found: int
    events: int


# A statement is mailed, and a mail must stay below what Gmail and our own search take. Counts and
# sums are always complete.
MOST_BYTES = 1_000_000  # of statement.json, which its mail encodes as a third more
LIMITS = (
    Limits(told=500, found=MOST_NAMED, events=5_000),
    Limits(told=100, found=MOST_NAMED, events=5_000),
    Limits(told=20, found=20, events=2_000),
    Limits(told=5, found=5, events=1_000),
    Limits(told=1, found=1, events=300),
)
MOST_ADMINS = 100
LONGEST_HASH = 64


def statement_content(statement: Statement) -> bytes:
    """The bytes of statement.json, with as much in its lists as can be mailed."""
    content = b""
    for limits in LIMITS:
        content = canonical_json(statement_record(statement, limits))
        if len(content) <= MOST_BYTES:
            break
    return content


def statement_record(statement: Statement, limits: Limits = LIMITS[0]) -> dict[str, Any]:
    previous = statement.previous
    events = _told_events(statement.events, limits.events)
    rewritten = [
        {"event_id": each.event_id, "why": each.rewritten} for each in events if each.rewritten
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
            for each in statement.malformed[: limits.told]
        ],
        "events": [_event_record(each, limits) for each in events],
        "by_admin": _by_admin(statement, min(limits.told, MOST_ADMINS)),
        "closings": [],  # of tills, which do not exist yet
        "notable_count": len(statement.notable),
        "notable": [each.to_record() for each in statement.notable[: limits.told]],
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


def _told_events(events: Sequence[EventAccount], most: int) -> list[EventAccount]:
    """In order; of too many, those with entries first. The others are one of no id, at the end."""
    told = sorted(events, key=lambda each: (not each.links, each.event_id))
    rest = told[most:]
    if not rest:
        return [*events]
    more = EventAccount("", event_name=f"and {len(rest)} more events")
    for each in rest:
        more.sums.add_all(each.sums)
        more.unmailed_count += each.unmailed_count
    return [*sorted(told[:most], key=lambda each: each.event_id), more]


def _by_admin(statement: Statement, most: int) -> list[dict[str, Any]]:
    """By their addresses; of too many, those who logged most, and the others together."""
    told = sorted(statement.by_admin.items(), key=lambda item: (-item[1][1].entries, item[0]))
    rest = Sums()
    for _, (_, sums) in told[most:]:
        rest.add_all(sums)
    records = [
        {"logged_by": who, "logged_by_name": name, **sums.to_record()}
        for who, (name, sums) in sorted(told[:most])
    ]
    if more := len(told) - len(records):
        records.append({"logged_by": "", "logged_by_name": f"and {more} more"} | rest.to_record())
    return records


def _event_record(account: EventAccount, limits: Limits) -> dict[str, Any]:
    last_seq, last_hash = account.last
    return {
        "event_id": account.event_id,
        "event_name": account.event_name,
        "first_seq": account.first,
        "last_seq": last_seq,
        "last_hash": last_hash[:LONGEST_HASH],  # of an altered row, it can be anything
        "head_seq": account.head.seq if account.head else 0,
        "head_hash": account.head.hash if account.head else "",
        **account.sums.to_record(),
        "missing": [list(each) for each in account.missing[: limits.found]],
        "altered": account.altered[: limits.found],
        "unlinked": account.unlinked[: limits.found],
        "impossible": [
            [seq, why] for seq, why in sorted(account.impossible.items())[: limits.found]
        ],
        "totals_differ": account.totals_differ,
        "not_mailed": account.unmailed_count,
        "not_mailed_entries": [
            {
                "seq": each.seq,
                "payment_id": each.payment_id,
                "state": each.state,
                "error": each.error,
            }
            for each in account.unmailed[: limits.told]
        ],
    }
