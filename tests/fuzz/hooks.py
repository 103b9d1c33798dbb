"""What schemathesis cannot know: people and events that exist, and which refusals are legitimate.

Loaded by schemathesis itself, in the process that test_contract.py starts.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis.core.failures import Failure

# Refusals of well-formed data that no schema could predict.
BEYOND_SCHEMAS = {
    "amount_out_of_range",  # above zero, below the configured limit
    "cursor_invalid",  # only those that we issued are valid
    "day_invalid",  # from and to, unless event_id is there
    "event_id_invalid",  # exactly one of event_id and patron_email
    "from_invalid",  # not beside event_id
    "idempotency_key_reused",
    "other_event",  # a replacement belongs to the event of what it replaces
    "patron_email_invalid",  # exactly one of event_id and patron_email
    "patron_not_on_roster",
    "range_invalid",  # from must not be after to
    "search_invalid",  # which characters print depends on the version of Unicode
    "timestamp_out_of_range",  # depends on now
    "to_invalid",  # not beside event_id
    "too_short",  # blanks around a text do not count
    "value_error",  # card numbers, a check without its number, a name without letters
}
KNOWN = {
    "key": os.environ["SCC_FUZZ_KEY"],
    "event_id": "sunset-charter",
    "patron_email": "jane.doe@example.com",
    "email": "jane.doe@example.com",
}
_payments = [os.environ["SCC_FUZZ_PAYMENT"]]
_numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(1))  # of each operation's calls


@schemathesis.check
def refused_for_a_reason_no_schema_can_give(ctx: Any, response: Any, case: Any) -> None:
    if response.status_code not in (400, 422) or case.meta is None:
        return
    if not case.meta.generation.mode.is_positive:
        return
    codes = {each["code"] for each in json.loads(response.content)["errors"]}
    if not codes or not codes <= BEYOND_SCHEMAS:
        raise Failure(
            operation=case.operation.label,
            title="Refused data that is right by the schema",
            message=f"The codes are {sorted(codes)}; the schema could say so.",
        )


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Give three of four well-formed requests people, events and payments that exist.

    The first of each kind has a key and a check number of its own, and the first void is a plain
    one: what was made up may have been used by another run, or may be refused by chance.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    number = next(_numbers[case.operation.label])  # not the case's own, another one in every run
    if number % 4 == 0:
        return
    if number == 1 and case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())
    for content in (case.body, case.query, case.path_parameters):
        if isinstance(content, dict):
            _make_known(content, number)
            if number == 1 and "reference" in content:
                content["reference"] = str(os.getpid())
            if number == 1 and "reason" in content:
                content.update(reason="entered_twice", note="", replacement=None)
            if isinstance(content.get("replacement"), dict):
                _make_known(content["replacement"], number)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Record how it was answered and what was logged, to be shown and voided later."""
    method = case.method.upper()
    with Path(os.environ["SCC_FUZZ_ANSWERS"]).open("a") as answers:
        answers.write(f"{response.status_code} {method} {case.operation.path}\n")
    if (method, case.operation.path, response.status_code) == ("POST", "/api/payments", 200):
        _payments.append(json.loads(response.content)["payment"]["payment_id"])


def _make_known(content: dict[str, Any], number: int) -> None:
    for name, value in KNOWN.items():
        if name in content and "password" not in content:
            content[name] = value
    if "payment_id" in content:
        content["payment_id"] = _payments[-1]
    if "amount" in content:  # a different one every time, or it is a likely duplicate
        content["amount"] = f"{os.getpid() % 90_000 + 1}.{number % 100:02d}"
        content.pop("timestamp", None)
