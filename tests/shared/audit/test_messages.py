from __future__ import annotations

import json
from typing import Any

import pytest

from shared.audit.messages import AuditMessage, MalformedMessageError
from tests.builders import message


def test_a_message_names_the_entry_and_none_of_its_content() -> None:
    assert json.loads(message().to_json()) == {
        "schema": "scc.audit/1",
        "payment_id": "pay_00000000000000000000000000000001",
        "pk": "sunset-charter#jane.doe@example.com",
        "sk": 1763999995000,
        "event_id": "sunset-charter",
        "seq": 1,
    }


def test_a_message_survives_the_queue() -> None:
    assert AuditMessage.from_json(message().to_json()) == message()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "object"),
        ("{}", "schema"),
        ('{"schema":"scc.audit/2"}', "schema"),
    ],
)
def test_a_body_of_another_kind_is_refused_with_the_reason(body: str, reason: str) -> None:
    with pytest.raises(MalformedMessageError, match=reason):
        AuditMessage.from_json(body)


@pytest.mark.parametrize("field", ["payment_id", "pk", "sk", "event_id", "seq"])
@pytest.mark.parametrize("value", [None, True, [], ""])
def test_a_missing_or_mistyped_field_is_named(field: str, value: Any) -> None:
    content = json.loads(message().to_json()) | {field: value}
    with pytest.raises(MalformedMessageError, match=f"(?i){field}"):
        AuditMessage.from_json(json.dumps(content))
