from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from shared.attributes import Foreign, from_attributes, to_attributes

ROW: dict[str, Any] = {
    "text": "Zoë 😀",
    "empty": "",
    "number": -1_764_000_000_000_000,
    "yes": True,
    "nothing": None,
    "list": ["a", 1, [False, None]],
    "map": {"deep": {"er": [1]}},
    "set": {"pay_1", "pay_2"},
}


def test_a_row_converts_as_in_boto3_and_back() -> None:
    attributes = to_attributes(ROW)
    assert sorted(attributes["set"].pop("SS")) == ["pay_1", "pay_2"]
    serialize = TypeSerializer().serialize
    others = {name: value for name, value in ROW.items() if name != "set"}
    assert attributes == {"set": {}} | {name: serialize(each) for name, each in others.items()}
    assert from_attributes(to_attributes(ROW)) == ROW


def test_rows_written_by_boto3_can_be_read() -> None:
    serialize, deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize
    row = from_attributes({name: serialize(each) for name, each in ROW.items()})
    assert row == ROW
    assert {name: deserialize(each) for name, each in to_attributes(row).items()} == ROW


@pytest.mark.parametrize("value", [1.5, b"bytes", set(), {1, 2}, object()])
def test_a_row_cannot_hold_types_that_the_ledger_does_not_use(value: object) -> None:
    with pytest.raises(TypeError, match="a row cannot hold a"):
        to_attributes({"x": value})


@pytest.mark.parametrize(
    "attribute",
    [
        {},
        {"S": "a", "N": "1"},
        {"N": "a lot"},
        {"N": "Infinity"},
        {"N": "NaN"},
        "text",
    ],
)
def test_an_invalid_attribute_is_refused(attribute: Any) -> None:
    with pytest.raises((TypeError, ValueError, ArithmeticError, AttributeError)):
        from_attributes({"x": attribute})


@pytest.mark.parametrize(("number", "value"), [("1E+3", 1000), ("1764000000000", 1764000000000)])
def test_a_number_is_read_however_dynamodb_writes_it(number: str, value: int) -> None:
    assert from_attributes({"x": {"N": number}}) == {"x": value}


def test_a_fraction_of_a_cent_is_not_cut_off() -> None:
    assert from_attributes({"x": {"N": "1000.99"}}) == {"x": Decimal("1000.99")}


@pytest.mark.parametrize("attribute", [{"B": b"\x00"}, {"NS": ["1"]}, {"BS": [b"\x00"]}])
def test_a_type_that_no_row_has_is_read_as_what_it_is(attribute: dict[str, Any]) -> None:
    (kind,) = attribute
    assert from_attributes({"x": attribute, "y": {"S": "kept"}}) == {
        "x": Foreign(kind),
        "y": "kept",
    }
