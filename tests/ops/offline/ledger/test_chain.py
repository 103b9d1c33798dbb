"""Each way in which entries can contradict each other, an anchor or a statement is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ops.offline.ledger.chain import check_chains
from ops.offline.ledger.links import Anchor, link_of
from ops.offline.mails import read_mail
from ops.offline.program import main
from ops.offline.report import expected_head, findings_of
from shared.attributes import Foreign
from shared.ledger import LedgerEntry, PaymentId, entry_hash
from tests.builders import NOW, ZONE
from tests.ops.mailboxes import (
    attachment_of,
    chain,
    mails,
    mbox,
    statement_mail,
    voided,
    with_attachment,
)

Found = list[tuple[str, int]]
DAY = 24 * 3_600_000  # milliseconds


def found(rows: Sequence[dict[str, Any]], anchors: Sequence[Anchor] = ()) -> Found:
    links = [link_of(each) for each in rows]
    return [(each.kind, each.seq) for each in check_chains(links, anchors, ZONE)]


def rows_of(entries: Sequence[LedgerEntry]) -> list[dict[str, Any]]:
    return [each.to_row() for each in entries]


def after(entries: Sequence[LedgerEntry], **changes: Any) -> LedgerEntry:
    """One more entry, sealed after the last; what `sealed` sets can be changed, too."""
    last = entries[-1]
    made = replace(last, payment_id=PaymentId(f"pay_{last.seq + 1}"), timestamp=last.timestamp + 1)
    made = replace(made.sealed(last.as_head, ZONE), **changes, hash="")
    return replace(made, hash=entry_hash(made.to_row()))


def test_every_anchor_counts_and_two_that_disagree_are_named() -> None:
    entries = chain(3)
    said = [Anchor("sunset-charter", 2, "a" * 64, "the first statement")]
    said += [Anchor("sunset-charter", 2, entries[1].hash, "the second statement")]
    for order in (said, said[::-1]):
        assert found(rows_of(entries), order) == [("altered", 2), ("contradiction", 2)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount_cents": Decimal("1000.99")}, "amount_cents is not a whole number"),
        ({"note": Foreign("B")}, "note is not text"),
        ({"logged_at": None}, "logged_at is missing"),
        ({"discount": 5}, "discount is no attribute of an entry"),
        ({"PK": "gala#jane.doe@example.com"}, "PK does not name its event and patron"),
    ],
)
def test_a_row_that_no_program_of_ours_wrote_is_named_and_the_rest_is_checked(
    change: dict[str, Any], says: str
) -> None:
    rows = rows_of(chain(4))
    rows[1] = {name: each for name, each in (rows[1] | change).items() if each is not None}
    rows[3]["hash"] = "b" * 64
    links = [link_of(each) for each in rows]
    findings = check_chains(links, [], ZONE)
    assert [(each.kind, each.seq) for each in findings] == [("altered", 2), ("altered", 4)]
    assert says in findings[0].detail


def test_time_that_runs_backwards_is_named() -> None:
    entries = chain(2)
    late = after(entries, logged_at=NOW - 3 * DAY, logged_day="2025-11-21")
    assert found(rows_of([*entries, late])) == [("back-dated", 3)]


@pytest.mark.parametrize("foreign", [{"currency": "EUR"}, {"method": "barter"}])
def test_money_that_the_app_does_not_take_is_named(foreign: dict[str, Any]) -> None:
    entries = chain(2)
    assert found(rows_of([*entries, after(entries, **foreign)])) == [("wrong-payment", 3)]


def test_a_day_that_is_not_the_day_it_was_logged_on_is_named() -> None:
    entries = chain(2)
    assert found(rows_of([*entries, after(entries, logged_day="2025-11-21")])) == [
        ("back-dated", 3)
    ]


def test_voids_that_mean_nothing_are_named() -> None:
    entries = chain(3)
    fine = voided(entries[0], entries[2])
    assert found(rows_of([*entries, fine])) == []
    nothing = voided(replace(entries[0], payment_id=PaymentId("pay_none")), entries[2])
    assert found(rows_of([*entries, nothing])) == [("wrong-void", 4)]
    again = voided(entries[0], fine)
    assert found(rows_of([*entries, fine, again])) == [("wrong-void", 5)]
    of_a_void = voided(fine, fine)
    assert found(rows_of([*entries, fine, of_a_void])) == [("wrong-void", 5)]
    for change in ({"amount_cents": 1}, {"method": "cash"}, {"patron_email": "lee@example.com"}):
        other = voided(entries[0], entries[2], **change)
        assert found(rows_of([*entries, other])) == [("wrong-void", 4)], change


def test_one_payment_id_under_two_numbers_is_named() -> None:
    entries = chain(2)
    twice = after(entries, payment_id=entries[0].payment_id)
    assert found(rows_of([*entries, twice])) == [("same-id", 3)]


def test_a_correction_of_what_is_not_voided_is_named() -> None:
    entries = chain(2)
    void = voided(entries[0], entries[1])
    fixed = after([void], kind="payment", voids=None, reason=None, corrects=entries[0].payment_id)
    assert found(rows_of([*entries, void, fixed])) == []
    wrong = after(entries, corrects=entries[0].payment_id)
    assert found(rows_of([*entries, wrong])) == [("wrong-payment", 3)]


def test_refunds_that_exceed_a_payment_or_have_none_are_named() -> None:
    entries = chain(1)
    refund = {"kind": "refund", "refunds": entries[0].payment_id, "reason": "goodwill"}
    half = after(entries, **refund, amount_cents=60_001)
    assert found(rows_of([*entries, half])) == []
    more = after([half], amount_cents=60_001)
    assert found(rows_of([*entries, half, more])) == [("wrong-refund", 3)]
    nothing = after(entries, **refund | {"refunds": PaymentId("pay_none")})
    assert found(rows_of([*entries, nothing])) == [("wrong-refund", 2)]
    assert found(rows_of([*entries, half, voided(entries[0], half)])) == [("wrong-void", 3)]


# ── statements ───────────────────────────────────────────────────────────────────────────────────


def box_with(entries: Sequence[LedgerEntry], *statements: bytes) -> Found:
    box = read_mail(b"")
    box.links += [link_of(each.to_row()) for each in entries]
    for raw in statements:
        one = read_mail(raw)
        box.wrong += one.wrong
        box.statements.anchors += one.statements.anchors
        box.statements.stated += one.statements.stated
        box.statements.timezones |= one.statements.timezones
        for day, different in one.statements.sha256.items():
            box.statements.sha256.setdefault(day, set()).update(different)
    return [(each.kind, each.seq) for each in findings_of(box)]


def test_a_second_different_statement_of_a_day_is_named() -> None:
    entries = chain(3)
    day = entries[0].logged_day
    first = statement_mail(day, entries, entries[-1])
    assert box_with(entries, first, first) == []
    second = statement_mail(day, entries, entries[1])
    assert box_with(entries, first, second) == [("contradiction", 0)]


def test_an_entry_in_a_day_that_was_already_stated_is_named() -> None:
    entries = chain(2)
    day = entries[0].logged_day
    stated = statement_mail(day, entries, entries[-1])
    third = after(entries)
    assert third.logged_day == day
    assert box_with([*entries, third], stated) == [("back-dated", 3)]
    of_another_event = chain(1, "gala")
    assert box_with([*entries, *of_another_event], stated) == [("back-dated", 1)]


def test_sums_of_a_statement_that_its_entries_do_not_add_up_to_are_named() -> None:
    entries = chain(2)
    raw = statement_mail(entries[0].logged_day, entries, entries[-1])
    forged = [replace(entries[0], amount_cents=5), entries[1]]
    assert box_with(entries, statement_mail(entries[0].logged_day, forged, entries[-1])) == [
        ("wrong-sums", 1)
    ]
    net = raw.replace(b"$2,400.03 net", b"$2,400.30 net")
    assert net != raw
    assert box_with(entries, net) == [("altered", 0)]
    record = attachment_of(raw).replace(b'"net_cents":240003', b'"net_cents":240004', 1)
    assert box_with(entries, with_attachment(raw, record)) == [("altered", 0)]


# ── a head that the auditor knows ────────────────────────────────────────────────────────────────


def test_an_expected_head_must_be_in_the_chain(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = chain(3)
    file = tmp_path / "export.mbox"
    file.write_bytes(mbox(mails(entries)))
    known = f"sunset-charter=2:{entries[1].hash}"
    assert main([str(file), "--expect-head", known]) == 0
    for head, says in (
        (f"sunset-charter=2:{'a' * 64}", "the expected head has a different hash"),
        (f"sunset-charter=5:{entries[1].hash}", "#000004-#000005"),
        (f"gala=1:{entries[1].hash}", "missing  gala  #000001"),
    ):
        capsys.readouterr()
        assert main([str(file), "--expect-head", known, "--expect-head", head]) == 1
        assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["", "sunset-charter", "a=1:b", "a=0:" + "0" * 64, "A b=1:" + "0" * 64]
)
def test_an_expected_head_that_is_none_is_explained(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="looks like"):
        expected_head(text)
    assert main(["export.mbox", "--expect-head", text]) == 2
    assert "looks like sunset-charter=42:" in capsys.readouterr().err
