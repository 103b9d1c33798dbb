"""Which entries belong to one payment."""

from __future__ import annotations

import pytest

from ops.rules.evidence.chain import chain_of, lost_in
from shared.ledger import LedgerEntry
from tests.ops.mailboxes import chain, corrected, refunded, voided


def history() -> list[LedgerEntry]:
    """#2 is corrected twice (#4 #5, #6 #7), and refunded at last (#8); #1, #3, #9 are others."""
    entries = chain(3)
    payment = entries[1]
    for _ in range(2):
        void = voided(payment, entries[-1])
        payment = corrected(payment, void)
        entries += [void, payment]
    entries.append(refunded(payment, entries[-1]))
    entries.append(voided(entries[0], entries[-1]))
    return entries


@pytest.mark.parametrize("seq", [2, 4, 5, 6, 7, 8])
def test_every_entry_of_a_payment_leads_to_all_of_them(seq: int) -> None:
    entries = history()
    rows = [each.to_row() for each in reversed(entries)]
    found = chain_of(entries[seq - 1].payment_id, rows)
    assert [each["seq"] for each in found] == [2, 4, 5, 6, 7, 8]


def test_a_payment_that_nothing_is_about_stands_alone() -> None:
    entries = history()
    found = chain_of(entries[2].payment_id, [each.to_row() for each in entries])
    assert [each["seq"] for each in found] == [3]


def test_an_acknowledged_duplicate_is_another_payment() -> None:
    first, second = chain(2)
    row = second.to_row() | {"acknowledged_duplicates": [first.payment_id]}
    assert chain_of(first.payment_id, [first.to_row(), row]) == [first.to_row()]


def test_an_id_that_no_row_has_leads_nowhere() -> None:
    assert chain_of("pay_none", [{"payment_id": 7}, *(each.to_row() for each in chain(2))]) == []


def test_what_the_chain_names_and_lacks_is_told() -> None:
    entries = history()
    rows = [each.to_row() for each in entries[3:5]]
    void, payment = entries[3].payment_id, entries[1].payment_id
    assert list(lost_in(rows, {payment: void, entries[4].payment_id: "pay_void_9"})) == [
        f"{payment}, which {void} is about, has no row in the ledger.",
        f"{payment}, which {entries[4].payment_id} is about, has no row in the ledger.",
        f"pay_void_9, which voids {entries[4].payment_id}, has no row in the ledger.",
    ]
    whole = chain_of(payment, [each.to_row() for each in entries])
    assert list(lost_in(whole, {payment: void, void: ""})) == []
