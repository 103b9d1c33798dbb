"""What `scc payment` says about an entry whose row or mails are not what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from ops.rules.hits import Hit, Hits
from ops.rules.payment import GoneEntry, PaymentHistory
from shared.attributes import Foreign
from tests.builders import NOW, entry

SENT = {"state": "sent", "sent_at": NOW + 2_000, "attempts": 1, "gmail_id": "18c0"}


def history(
    row: dict[str, Any] | None = None,
    hits: Hits | None = None,
    delivery: Mapping[str, Any] = SENT,
) -> PaymentHistory:
    return PaymentHistory(
        row=row or entry().to_row(), is_linked=True, delivery=delivery, voided_by={}, voids={},
        dead_letters=(), hits=hits, now=NOW + 10_000,
    )  # fmt: skip


def hit(gmail_id: str = "18c0", *, is_misplaced: bool = False) -> Hit:
    return Hit(gmail_id, "pay_1", "h", "s", "", is_misplaced)


@pytest.mark.parametrize(("klass", "is_said"), [("retry", True), ("permanent", False)])
def test_only_a_mail_that_will_be_tried_again_is_said_to_be(klass: str, *, is_said: bool) -> None:
    error = {"class": klass, "code": "400", "message": "no", "at": NOW + 1_000}
    failed = {"state": "failed", "attempts": 1, "retry_at": NOW + 5_000, "last_error": error}
    steps = [each.what for each in history(delivery=failed).steps()]
    assert ("can be tried again" in steps) is is_said


def test_a_mailed_payment_needs_nobody() -> None:
    assert history(hits=Hits([hit()], [])).concerns() == []


@pytest.mark.parametrize(
    ("hits", "says"),
    [
        (Hits([], []), "has no mail"),
        (Hits([hit("18c0"), hit("18c1")], []), "has 2 mails"),
        (Hits([hit(is_misplaced=True)], []), "in the trash or in spam"),
        (Hits([hit()], [hit()]), "holds another record"),
    ],
)
def test_mails_that_are_not_as_they_should_be_are_named(hits: Hits, says: str) -> None:
    (told,) = history(hits=hits).concerns()
    assert says in told


@pytest.mark.parametrize(
    "change",
    [
        {"amount_cents": Decimal("12.5")},
        {"timestamp": Foreign("B")},
        {"seq": "1"},
        {"logged_at": Decimal("0.5")},
        {"note": Foreign("BS")},
    ],
)
def test_a_row_that_no_program_of_ours_wrote_still_has_a_history(change: dict[str, Any]) -> None:
    told = history(entry().to_row() | change)
    assert not told.is_intact
    assert any(next(iter(change)) in each for each in told.concerns())
    assert [each.what.split()[0] for each in told.steps()].count("mailed,") == 1


def test_an_altered_row_is_named() -> None:
    (told,) = history(entry().to_row() | {"amount_cents": 1}).concerns()
    assert "changed after it was logged" in told


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "#000004 of sunset-charter, mailed at 2025-11-24T16:00:00Z with Gmail id 18c0; its"),
        ({"missing": [(4, 6)]}, "one of #000004-#000006 of sunset-charter, mailed"),
        ({"missing": []}, "existed: an entry of sunset-charter, mailed"),
        ({"delivery": {}}, "#000004 of sunset-charter, never mailed; its row is gone"),
        ({"event_id": "", "missing": []}, "existed: of an unknown event, mailed at"),
        ({"void_id": "pay_v"}, "voided by pay_v; its row is gone. Run `scc verify --event sunset"),
        (
            {"certified": 4},
            "18c0; it was deleted after seven years, as a sealed statement certified",
        ),
        ({"missing": [(1, 2), (4, 4)], "certified": 3}, "its row is gone. Run"),
        ({"missing": [], "certified": 9}, "its row is gone. Run"),
    ],
)
def test_what_is_left_of_an_entry_is_said(changes: dict[str, Any], says: str) -> None:
    left: dict[str, Any] = {
        "payment_id": "pay_1",
        "event_id": "sunset-charter",
        "missing": [(4, 4)],
        "delivery": {"state": "sent", "sent_at": NOW, "gmail_id": "18c0"},
        "void_id": "",
    }
    assert says in GoneEntry(**left | changes).told()


@pytest.mark.parametrize("foreign", [{"currency": "EUR"}, {"method": "barter"}])
def test_an_entry_that_the_app_never_writes_needs_a_person(foreign: dict[str, Any]) -> None:
    row = entry(**foreign).to_row()
    (concern,) = history(row=row, delivery=SENT).concerns()
    assert "The app never writes such an entry" in concern
