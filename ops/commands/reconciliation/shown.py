"""What `scc reconcile` prints: one line per event, what was found, and the totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import click

from ops.errors import FINE, FOUND
from ops.rules.reconcile import AILING, LOOKED_UP, Reconciliation
from ops.rules.tally import KINDS, Tally
from ops.session import Session
from ops.terminal.counted import counted
from shared.text import dollars


def show(session: Session, state: Reconciliation) -> None:
    """Print it all and end the command: exit code 1 when something needs a person."""
    if session.console.as_json:
        session.console.show(_content(state))
    else:
        session.console.table(
            ("event", "entries", "mailed", "pending", *AILING, "late", "payments", "voids",
             "refunds", "net"),
            list(_lines(state)),
        )  # fmt: skip
        if state.findings:
            session.console.table(
                ("finding", "event", "entry", "payment", "detail"),
                [
                    (
                        f"{each['kind']}, settled" if each.get("is_settled") else each["kind"],
                        each["event_id"],
                        f"#{each['seq']:06d}" if each["seq"] else "",
                        each["payment_id"], each["detail"],
                    )
                    for each in state.findings
                ],
            )  # fmt: skip
    if state.repaired:
        session.console.say(
            f"Queued again: {len(state.repaired)}, recorded as {state.ops_id}. Run it again to "
            "check."
        )
    looked = AILING if state.has_looked else ("missing",)
    session.console.say(", ".join(f"{state.count(kind)} {kind}" for kind in looked))
    if state.count("settled"):
        session.console.say(f"{state.count('settled')} settled by a person: scc payment says more")
    if state.gone:
        rows = counted(state.gone, "row is gone", "rows are gone")
        session.console.say(f"{rows} from the ledger: the mails are there, see orphan")
    if state.left_out:
        rows = counted(state.left_out, "row is", "rows are")
        session.console.say(f"{rows} not as written, and in no sum: see altered")
    raise click.exceptions.Exit(FINE if state.is_fine else FOUND)


def _content(state: Reconciliation) -> dict[str, Any]:
    """What was not looked at is null, as it is a dash in the table."""
    content = state.to_json()
    counts = {kind: _counted(state, kind, state.count(kind)) for kind in (*AILING, "late")}
    kept = ("tallies", "findings", "repaired", "ops_id", "mails", "forwards")
    for name, tally in state.tallies.items():
        shown = content["tallies"][name]
        shown["net_cents"] = tally.net_cents + tally.expired_cents
        shown["expired"] = {
            "count": tally.expired,
            "net_cents": tally.expired_cents,
            "net_by_method": tally.expired_nets,
        }
        del shown["expired_nets"], shown["certified"]
    counts["settled"] = state.count("settled")
    told = {"rows_gone": state.gone, "rows_in_no_sum": state.left_out}
    return {"found": counts} | told | {each: content[each] for each in kept}


def _counted(state: Reconciliation, kind: str, count: int) -> int | None:
    is_looked_at = state.has_looked or kind not in LOOKED_UP or count
    return count if is_looked_at else None


def _lines(state: Reconciliation) -> Iterator[tuple[object, ...]]:
    total = Tally()
    for name, tally in sorted(state.tallies.items()):
        total.join(tally)
        yield name or "?", *_line(state, tally, Counter())
        if tally.expired:
            net = [f"{method} {dollars(cents)}" for method, cents in tally.expired_nets.items()]
            told = ", ".join([dollars(tally.expired_cents), *(net if len(net) > 1 else [])])
            yield f"{name} expired", tally.expired, *[""] * (len(AILING) + 6), told
    yield "total", *_line(state, total, Counter(total.expired_nets))


def _line(state: Reconciliation, tally: Tally, expired: Counter[str]) -> tuple[object, ...]:
    """expired: cents by method that belong into its net, too."""
    found = (_counted(state, kind, tally.found.get(kind, 0)) for kind in (*AILING, "late"))
    methods = sorted({method for each in tally.sums.values() for method in each} | {*expired})
    net = [f"{each} {dollars(tally.net_of(each) + expired[each])}" for each in methods]
    return (
        tally.entries, tally.mailed, tally.pending,
        *("-" if each is None else each for each in found),
        *(_sums(tally.sums[kind]) for kind in KINDS),
        ", ".join(
            [
                dollars(tally.net_cents + expired.total()),
                *(net if len(net) > 1 else []),
                *([f"without {counted(tally.left_out, 'row')}"] if tally.left_out else []),
            ]
        ),
    )  # fmt: skip


def _sums(by_method: Mapping[str, list[int]]) -> str:
    return ", ".join(
        f"{name} {count} {dollars(cents)}" for name, (count, cents) in sorted(by_method.items())
    )
