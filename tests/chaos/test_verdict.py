from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.ledger import record_of
from tests.builders import entry
from tests.chaos.verdict import DeadLetter, Evidence, judge

ROW = entry().to_row()
ID = ROW["payment_id"]
DEAD = DeadLetter("{}", "poison-schema", "the schema is not scc.audit/1")


def mail(row: dict[str, Any] = ROW, *, number: str = "m1") -> dict[str, Any]:
    return {
        "id": number,
        "headers": {"X-SCC-Payment-Id": row["payment_id"]},
        "attachments": [{"filename": "sunset-charter-000001.json", "json": record_of(row)}],
    }


GOOD = Evidence([ROW], {ID: {"state": "sent", "gmail_id": "m1"}}, [mail()], [DEAD])


def test_one_row_with_one_mail_marked_sent_is_fine() -> None:
    verdict = judge([ID], GOOD)
    assert verdict.wrong == {}
    assert (verdict.logged, verdict.rows, verdict.mails) == (1, 1, 1)
    assert verdict.dead == {"poison-schema": 1}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"mails": []}, {"lost": [ID]}),
        ({"rows": []}, {"lost": [ID]}),
        ({"mails": [mail(), mail(number="m2")]}, {"doubled": [ID]}),
        ({"mails": [mail(ROW | {"amount_cents": 1})]}, {"altered": [ID]}),
        ({"mails": [mail() | {"attachments": []}]}, {"altered": [ID]}),
        ({"deliveries": {}}, {"unmarked": [ID]}),
        ({"deliveries": {ID: {"state": "sending"}}}, {"unmarked": [ID]}),
        ({"deliveries": {ID: {"state": "sent", "gmail_id": "m9"}}}, {"unmarked": [ID]}),
        ({"dead_letters": [DeadLetter("x", "", "")]}, {"unexplained": ["x"]}),
        ({"dead_letters": [DeadLetter("x", "permanent", "")]}, {"unexplained": ["x"]}),
    ],
)
def test_every_deviation_is_named(changes: dict[str, Any], wrong: dict[str, list[str]]) -> None:
    assert judge([ID], replace(GOOD, **changes)).wrong == wrong


def test_an_entry_that_no_request_was_answered_with_is_named() -> None:
    assert judge([], GOOD).wrong == {"unasked": [ID]}


def test_a_missing_number_is_named() -> None:
    row = ROW | {"seq": 2}
    evidence = replace(GOOD, rows=[row], mails=[mail(row)])
    assert judge([ID], evidence).wrong == {"gaps": ["sunset-charter"]}
