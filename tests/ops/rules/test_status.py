from __future__ import annotations

from typing import Any

import pytest

from ops.rules.depth import Depth
from ops.rules.status import EXPIRES_SOON_MS, ROUTED_MS, WAIT_MS, Mails, Status, days_until
from tests.builders import NOW, entry

EMPTY = Depth(0, 0, 0)
DAY_MS = 86_400_000
Items = list[tuple[int, dict[str, Any] | None]]


def sent(at: int = NOW) -> dict[str, Any]:
    return {"state": "sent", "sent_at": at}


def failed(klass: str, at: int = NOW) -> dict[str, Any]:
    error = {"class": klass, "code": "invalid_grant", "message": "why", "at": at}
    return {"state": "failed", "last_error": error}


def health(items: Items = [], **changes: Any) -> Status:  # noqa: B006 - never changed
    mails = Mails()
    for logged_at, delivery in items:
        mails.add(entry(logged_at=logged_at).to_row(), delivery)
    fields: dict[str, Any] = {
        "now": NOW,
        "queue": EMPTY,
        "dead": EMPTY,
        "oldest_dead_at": None,
        "sampled": 0,
        "retention_ms": 14 * DAY_MS,
        "iterator_age_ms": None,
        "mails": mails,
        "mapping_fault": "",
        "tampered": 0,
        "tampered_at": None,
        "findings": 0,
        "watch": "unknown",
    }
    return Status(**(fields | changes))


@pytest.mark.parametrize(
    "well",
    [
        health(),
        health([(NOW - DAY_MS, sent())]),
        health([(NOW - 1000, None)]),
        health([(NOW - ROUTED_MS - 1, None)], queue=Depth(0, 1, 0)),
        health([(NOW - 1000, {"state": "sending"}), (NOW - 1000, failed("retry"))]),
        health([(NOW - DAY_MS, sent(NOW)), (NOW - 1000, failed("systemic", NOW - 1))]),
    ],
)
def test_problems_that_fix_themselves_need_nobody(well: Status) -> None:
    assert well.concerns() == []
    assert well.as_json()["ok"] is True


@pytest.mark.parametrize(
    ("ill", "says"),
    [
        (health(dead=Depth(1, 0, 0)), "1 dead letter: scc dlq groups"),
        (health(dead=Depth(0, 2, 0)), "2 dead letters"),
        (health(oldest_dead_at=NOW - 14 * DAY_MS + EXPIRES_SOON_MS - 1), "deleted at 2025-11-27"),
        (health([(NOW - 1000, failed("systemic"))]), "refuses the credential (invalid_grant: why)"),
        (health([(NOW - 1000, failed("permanent"))]), "1 entry failed for good"),
        (health([(NOW - WAIT_MS - 1, failed("retry"))]), "has been waiting for its mail since"),
        (health([(NOW - ROUTED_MS - 1, None)]), "the router is behind"),
        (health(findings=1), "1 open finding in the audit mailbox: scc findings ls"),
        (health(findings=3, watch="ok"), "3 open findings in the audit mailbox"),
        (health(watch="behind"), "for hours: docs/runbook.md#mailbox-unwatched"),
        (health(mapping_fault="the mapping is disabled"), "the mapping is disabled: docs/runbook"),
        (health(tampered=1, tampered_at=NOW), "1 ledger row was altered or removed behind"),
        (health(tampered=2, tampered_at=NOW), "the last at 2025-11-24T16:00:00Z: docs/runbook.md"),
    ],
)  # fmt: skip
def test_problems_that_need_a_person_are_named(ill: Status, says: str) -> None:
    (concern,) = ill.concerns()
    assert says in concern
    assert ill.as_json()["ok"] is False


def test_the_first_expiry_counts_from_the_first_enqueueing() -> None:
    shown = health(oldest_dead_at=NOW).as_json()["dead_letters"]
    assert shown["first_expiry"] == "2025-12-08T16:00:00Z"
    assert health().as_json()["dead_letters"]["first_expiry"] is None


@pytest.mark.parametrize(
    ("items", "state"),
    [
        ([], "unknown"),
        ([(NOW, None)], "unknown"),
        ([(NOW, sent())], "ok"),
        ([(NOW, failed("systemic", NOW)), (NOW, sent(NOW - 1))], "refused"),
        ([(NOW, failed("systemic", NOW - 2)), (NOW, sent(NOW - 1))], "ok"),
        ([(NOW, failed("retry", NOW)), (NOW, sent(NOW - 1))], "ok"),
    ],
)
def test_the_credential_is_judged_by_googles_latest_answer(items: Items, state: str) -> None:
    assert health(items).as_json()["credential"]["state"] == state


def test_unmailed_entries_are_counted_by_state_with_the_oldest() -> None:
    shown = health(
        [
            (NOW - 9000, {"state": "sending"}),
            (NOW - 5000, None),
            (NOW - 60_000, sent(NOW - 3000)),
            (NOW, failed("permanent")),
        ]
    ).as_json()
    assert shown["mails"]["entries"] == 4
    assert shown["mails"]["unmailed_by_state"] == {"sending": 1, "queued": 1, "failed": 1}
    assert shown["mails"]["oldest_unmailed_age_seconds"] == 9
    assert shown["router"]["oldest_unrouted_age_seconds"] == 5
    assert shown["mails"]["last_mail_at"] == "2025-11-24T15:59:57Z"


def test_days_are_utc_days_with_today_last() -> None:
    assert list(days_until(NOW, 3)) == ["2025-11-22", "2025-11-23", "2025-11-24"]


@pytest.mark.parametrize("at", [10**120, True, -1, "noon", None])
def test_a_time_that_no_calendar_has_is_none(at: Any) -> None:
    mails = health([(NOW, sent(at)), (NOW, failed("systemic", at))]).mails
    assert (mails.last_mail_at, mails.systemic_at) == (None, 0)
    later = health([(NOW, sent(at)), (NOW, sent(NOW + 1))])
    assert later.as_json()["mails"]["last_mail_at"] == "2025-11-24T16:00:00Z"


def test_an_entry_logged_at_no_time_waits_since_no_time() -> None:
    mails = Mails()
    mails.add(entry().to_row() | {"logged_at": 10**30}, None)
    assert (mails.unmailed["queued"], mails.waiting_since, mails.unrouted_since) == (1, None, None)
