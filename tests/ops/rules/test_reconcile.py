"""What `scc reconcile` counts and names, without a stack."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from functions.api.payments.listing import audit_view
from functions.daily_statement.rules.account import Statement
from ops.offline.mails import read_mail
from ops.rules.hits import Hits, hits_in
from ops.rules.payment import PaymentHistory
from ops.rules.reconcile import OtherReleaseError, Reconciliation
from ops.rules.status import Mails
from ops.rules.tally import Tally
from shared.attributes import Foreign
from shared.ledger import LedgerEntry, PaymentId, canonical_json, entry_hash, record_of
from shared.statements.expiry import Certificate
from tests.builders import NOW, ZONE
from tests.ops.deeds import deeds, planned
from tests.ops.mailboxes import (
    chain,
    mail,
    ops_mail,
    reissued_mail,
    sent_by_gmail,
    voided,
    with_attachment,
)
from tests.ops.office import forward_attached, forward_inline
from tests.seven_years import certified, voyage

LATE = 15 * 60_000  # milliseconds
SENT = {"state": "sent", "sent_at": NOW + 2_000}
HOUR = 3_600_000


def hits_for(row: dict[str, Any], *raws: bytes, labels: tuple[str, ...] = ("INBOX",)) -> Hits:
    found = ((str(number), read_mail(raw, "it", labels)) for number, raw in enumerate(raws))
    return Hits.of(row, hits_in(found))


def taken(
    row: dict[str, Any], hits: Hits | None = None, delivery: dict[str, Any] | None = None
) -> list[str]:
    state = Reconciliation([])
    state.take_row(row, SENT if delivery is None else delivery, hits=hits, now=NOW + HOUR,
                   late_ms=LATE)  # fmt: skip
    return [each["kind"] for each in state.findings]


@pytest.fixture
def entry() -> LedgerEntry:
    return chain(1)[0]


def other_record(entry: LedgerEntry) -> bytes:
    """The entry's mail with another amount, sealed anew."""
    forged = record_of(replace(entry, amount_cents=1).to_row())
    return with_attachment(
        mail(entry.to_row()), canonical_json(forged | {"hash": entry_hash(forged)})
    )


def test_a_mail_counts_only_if_it_holds_the_entrys_record(entry: LedgerEntry) -> None:
    row, own = entry.to_row(), mail(entry.to_row())
    assert taken(row, hits_for(row, own)) == []
    assert taken(row, hits_for(row)) == ["missing"]
    assert taken(row, hits_for(row, forward_inline(own), forward_attached(own))) == ["missing"]
    assert taken(row, hits_for(row, other_record(entry))) == ["missing", "altered"]
    assert taken(row, hits_for(row, own, other_record(entry))) == ["altered"]


def test_two_mails_are_a_duplicate_and_forwards_are_none(entry: LedgerEntry) -> None:
    row, own = entry.to_row(), mail(entry.to_row())
    again = sent_by_gmail(own)
    assert taken(row, hits_for(row, own, forward_inline(own))) == []
    assert taken(row, hits_for(row, own, own)) == ["duplicate"], "two messages, whatever they hold"
    assert taken(row, hits_for(row, own, again)) == ["duplicate"]


@pytest.mark.parametrize("place", ["TRASH", "SPAM"])
def test_a_mail_in_the_trash_is_named(entry: LedgerEntry, place: str) -> None:
    row, own = entry.to_row(), mail(entry.to_row())
    assert taken(row, hits_for(row, own, labels=(place,))) == ["misplaced"]


@pytest.mark.parametrize(
    "change",
    [
        {"amount_cents": Decimal("1000.99")},
        {"note": Foreign("B")},
        {"seq": Decimal("1.5")},
        {"payment_id": Foreign("B")},
        {"logged_at": "yesterday"},
        {"event_id": Foreign("B")},
    ],
)
def test_a_row_that_no_program_of_ours_wrote_is_named_and_not_added_up(
    entry: LedgerEntry, change: dict[str, Any]
) -> None:
    state = Reconciliation([])
    for row in (entry.to_row() | change, entry.to_row()):
        state.take_row(row, SENT, hits=None, now=NOW + HOUR, late_ms=LATE)
    (found,) = state.findings
    assert found["kind"] == "altered"
    assert next(iter(change)) in found["detail"]
    assert sum(each.entries for each in state.tallies.values()) == 2
    assert sum(each.net_cents for each in state.tallies.values()) == entry.amount_cents


def test_a_forged_amount_is_in_no_sum_and_its_row_is_counted_once(entry: LedgerEntry) -> None:
    state, forged = Reconciliation([]), entry.to_row() | {"amount_cents": 999}
    own = mail(entry.to_row())
    state.take_row(forged, SENT, hits=hits_for(forged, own), now=NOW + HOUR, late_ms=LATE)
    state.take_mail("own", read_mail(own), {entry.payment_id: forged})
    (found,) = state.findings
    assert (found["kind"], state.count("altered")) == ("altered", 1)
    assert "does not match its hash" in found["detail"]
    tally = state.tallies["sunset-charter"]
    assert (tally.entries, tally.left_out, tally.net_cents) == (1, 1, 0)


@pytest.mark.parametrize(
    "change", [{"seq": "1"}, {"payment_id": Foreign("B")}, {"note": Foreign("B")}]
)
def test_an_unreadable_row_is_counted_once_and_its_mail_is_not_missing(
    entry: LedgerEntry, change: dict[str, Any]
) -> None:
    state, broken = Reconciliation([]), entry.to_row() | change
    own = mail(entry.to_row())
    state.take_row(broken, SENT, hits=hits_for(broken, own), now=NOW + HOUR, late_ms=LATE)
    state.take_mail("own", read_mail(own), {entry.payment_id: broken})
    assert [each["kind"] for each in state.findings] == ["altered"]
    assert state.left_out == 1


def test_a_mail_whose_row_was_deleted_says_that_the_row_is_gone(entry: LedgerEntry) -> None:
    state, own = Reconciliation([]), read_mail(mail(entry.to_row()))
    state.take_mail("own", own, {entry.payment_id: {}}, {entry.payment_id})
    (found,) = state.findings
    assert (found["kind"], state.gone) == ("orphan", 1)
    assert "row of this entry is gone" in found["detail"]


def test_money_is_added_up_to_the_cent_by_kind_and_method() -> None:
    entries = chain(3)
    entries.append(voided(entries[0], entries[2]))
    refund = replace(
        entries[1], kind="refund", payment_id=PaymentId("pay_back"), reason="goodwill",
        refunds=entries[1].payment_id, amount_cents=33, method="cash",
    )  # fmt: skip
    entries.append(refund.sealed(entries[-1].as_head, ZONE))
    state = Reconciliation([])
    for each in entries:
        state.take_row(each.to_row(), SENT, hits=None, now=NOW + HOUR, late_ms=LATE)
    tally = state.tallies["sunset-charter"]
    assert tally.sums == {
        "payment": {"check": [3, 360_006]},
        "void": {"check": [1, 120_001]},
        "refund": {"cash": [1, 33]},
    }
    assert tally.net_cents == 360_006 - 120_001 - 33 == sum(each.net_cents for each in entries)
    assert (tally.net_of("check"), tally.net_of("cash")) == (240_005, -33)


def test_operators_and_forwarded_mails_are_nobodys_orphans(entry: LedgerEntry) -> None:
    state, own = Reconciliation([]), mail(entry.to_row())
    for number, raw in enumerate((ops_mail(), forward_inline(own), forward_attached(own))):
        state.take_mail(str(number), read_mail(raw), {})
    assert (state.findings, state.mails, state.forwards) == ([], 1, 2)
    state.take_mail("own", read_mail(own), {})
    assert [each["kind"] for each in state.findings] == ["orphan"]


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_mail_that_invents_a_reissue_is_altered_even_if_no_search_finds_it(
    entry: LedgerEntry, *, is_recorded: bool
) -> None:
    run, row = "ops_reissue_0a1b", entry.to_row()
    known = deeds(planned(run, entry.payment_id)) if is_recorded else deeds()
    state = Reconciliation([], deeds=known)
    state.take_mail("again", read_mail(reissued_mail(row, run)), {entry.payment_id: row})
    assert [each["kind"] for each in state.findings] == ["altered"] * (not is_recorded)


def test_progress_can_be_saved_and_an_older_files_is_refused(entry: LedgerEntry) -> None:
    state = Reconciliation(["all"])
    state.take_row(entry.to_row(), {}, hits=None, now=NOW + HOUR, late_ms=LATE)
    assert state.to_repair == [entry.payment_id]
    assert Reconciliation.from_json(state.to_json()) == state
    with pytest.raises(OtherReleaseError):
        Reconciliation.from_json(state.to_json() | {"version": 1})


@pytest.mark.parametrize(("klass", "missing"), [("permanent", 1), ("retry", 0)])
def test_a_mail_that_was_given_up_is_missing_at_once(
    entry: LedgerEntry, klass: str, missing: int
) -> None:
    state = Reconciliation(["all"])
    failed = {"state": "failed", "last_error": {"class": klass, "message": "refused"}}
    state.take_row(entry.to_row(), failed, hits=None, now=NOW + 1_000, late_ms=LATE)
    assert state.count("missing") == missing
    assert state.is_fine is (missing == 0)


ODD_DELIVERIES: list[dict[str, Any]] = [
    {"state": "failed", "last_error": "text"},
    {"state": "failed", "last_error": ["text"]},
    {"state": "failed", "last_error": {"class": "systemic", "at": "noon"}, "attempts": "three"},
    {"state": "failed", "last_error": {}},
    {"state": "sent", "sent_at": "noon"},
]


@pytest.mark.parametrize("delivery", ODD_DELIVERIES)
def test_a_delivery_that_somebody_edited_stops_no_check(
    entry: LedgerEntry, delivery: dict[str, Any]
) -> None:
    row = entry.to_row()
    assert taken(row, delivery=delivery) == ([] if delivery["state"] == "sent" else ["missing"])
    assert audit_view(delivery)["state"] in {"queued", "sent"}
    history = PaymentHistory(
        row=row,
        is_linked=True,
        delivery=delivery,
        voided_by={},
        voids={},
        dead_letters=(),
        hits=None,
        now=NOW,
    )
    assert len(history.steps()) > 1
    mails = Mails()
    mails.add(row, delivery)
    assert mails.credential in {"ok", "unknown", "refused"}
    statement = Statement(day=entry.logged_day, timezone=ZONE.key, made_at=NOW, is_final=True)
    statement.add([row], {entry.payment_id: delivery})
    assert statement.sums.entries == 1


def test_a_mail_that_breaks_its_reader_does_not_stop_the_search(entry: LedgerEntry) -> None:
    row, own = entry.to_row(), mail(entry.to_row())
    beyond = record_of(row) | {"logged_at": 10**17}  # no calendar has that year
    broken = with_attachment(own, canonical_json(beyond | {"hash": entry_hash(beyond)}))
    assert taken(row, hits_for(row, broken, own)) == ["altered"]


def reconciled(there: Sequence[LedgerEntry], certificate: Certificate) -> Tally:
    state = Reconciliation([])
    for each in there:
        state.take_row(each.to_row(), SENT, hits=None, now=NOW + HOUR, late_ms=10**15,
                       certificate=certificate)  # fmt: skip
    tally = Reconciliation.from_json(json.loads(json.dumps(state.to_json()))).tally(
        "sunset-charter"
    )
    tally.expire(certificate)
    return tally


@pytest.mark.parametrize("gone", [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4, 5)])
def test_money_that_expired_stays_in_the_sum(gone: tuple[int, ...]) -> None:
    entries = voyage()
    certificate = certified(entries[: max(3, *gone)] if gone else entries[:3])
    there = [each for each in entries if each.seq not in gone]
    tally = reconciled(there, certificate)
    assert (tally.entries, tally.expired) == (5 - len(gone), len(gone))
    assert tally.net_cents + tally.expired_cents == sum(each.net_cents for each in entries)


def test_a_mail_whose_row_expired_is_no_orphan() -> None:
    entries = voyage()
    certificates = {"sunset-charter": certified(entries[:3])}
    state = Reconciliation([])
    for each in entries[2:4]:
        box = read_mail(mail(each.to_row()))
        state.take_mail("1", box, {each.payment_id: {}}, {each.payment_id}, certificates)
    assert [(each["kind"], each["seq"]) for each in state.findings] == [("orphan", 4)]


def test_a_reconciliation_remembers_which_statement_it_began_with() -> None:
    state = Reconciliation(["all"], certified_until="2025-11-24")
    again = Reconciliation.from_json(json.loads(json.dumps(state.to_json())))
    assert again.certified_until == "2025-11-24"
