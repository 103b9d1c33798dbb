"""Request units by DynamoDB's rules."""

from __future__ import annotations

import pytest

from benchmarks.families.pages import Bill, item_bytes, read_units
from shared.attributes import to_attributes


def test_an_item_weighs_its_names_and_values() -> None:
    item = to_attributes({"a": "éé", "number": 12_345, "list": ["x", "yz"]})
    assert item_bytes(item) == (1 + 4) + (6 + 1 + 3) + (4 + 3 + 1 + 1 + 1 + 2)


@pytest.mark.parametrize(
    ("size", "consistent", "eventual"), [(0, 1, 0.5), (4096, 1, 0.5), (4097, 2, 1), (40_960, 10, 5)]
)
def test_reads_are_billed_by_four_kilobytes(size: int, consistent: float, eventual: float) -> None:
    assert read_units(size, is_consistent=True) == consistent
    assert read_units(size, is_consistent=False) == eventual


def test_a_transaction_counts_double_and_each_index_once() -> None:
    row = to_attributes({"PK": "a", "SK": 1, "payment_id": "pay_1", "note": "x" * 1_500})
    pointer = to_attributes({"PK": "PAYMENT#pay_1"})
    bill = Bill()
    items = [{"Put": {"Item": row}}, {"Update": {"Key": pointer}}]
    bill.add("TransactWriteItems", {"TransactItems": items}, {})
    assert bill.writes == (2 * 2 + 3 * 2) + 2
    assert bill.calls == ["TransactWriteItems"]


def test_missing_keys_are_billed_too() -> None:
    bill = Bill()
    asked = {"RequestItems": {"T": {"Keys": [{}, {}, {}], "ConsistentRead": True}}}
    bill.add("BatchGetItem", asked, {"Responses": {"T": [to_attributes({"a": "b"})]}})
    assert bill.reads == 3
