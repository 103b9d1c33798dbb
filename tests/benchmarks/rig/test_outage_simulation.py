"""The model of an outage, for cases whose answer is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.rig.outage_simulation import (
    LONGEST_CHAIN,
    RETRY_CAP_SECONDS,
    VISIBILITY_SECONDS,
    line,
    simulate,
)
from functions.audit_mailer.delivery import audit_queue
from functions.audit_mailer.delivery.audit_queue import MAX_RECEIVES
from tests.template.transformed import raw_template, template_for

A_DAY = 24 * 60  # minutes


def test_a_backlog_drains_at_the_pace_that_new_entries_leave() -> None:
    found = simulate(30, 60, mails_per_minute=60, retry_cap_seconds=60)
    assert 1_500 < found.backlog < 2_100, "thirty a minute for an hour"
    # While it drains, new entries take half the pace: at most about as long as the outage.
    assert 20 < found.all_mailed < 70
    assert found.worst_delay >= 60


def test_with_spare_quota_the_last_try_decides_how_long_it_takes() -> None:
    found = simulate(6, 10, mails_per_minute=60_000, retry_cap_seconds=60)
    assert found.all_mailed <= 1.1
    assert 9 <= found.worst_delay <= 11.1


def test_a_shorter_maximum_wait_costs_more_tries() -> None:
    often = simulate(6, 60, mails_per_minute=6_000, retry_cap_seconds=60)
    seldom = simulate(6, 60, mails_per_minute=6_000, retry_cap_seconds=900)
    assert often.tries_a_mail > 2 * seldom.tries_a_mail
    assert often.all_mailed < seldom.all_mailed


def test_after_a_day_without_gmail_nothing_is_dead_with_the_templates_recursive_loop() -> None:
    """Lambda ends a chain of sixteen invocations, and a day needs more copies than that.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    mailer = template_for("prod")["MailerFunction"]
    found = simulate(1, A_DAY, is_loop_allowed=mailer.get("RecursiveLoop") == "Allow")
    assert (found.dead_letters, found.first_dead) == (0, None)
    assert found.backlog > 1_300
    assert found.tries_a_mail > LONGEST_CHAIN * (MAX_RECEIVES - 1) / 2, "a long outage"


def test_without_it_the_days_first_entries_would_be_dead_before_gmail_is_back() -> None:
    found = simulate(1, A_DAY, is_loop_allowed=False)
    assert found.first_dead is not None
    assert 18 * 60 < found.first_dead < A_DAY
    assert found.dead_letters > 60


def test_a_short_outage_ends_before_a_chain_does() -> None:
    assert simulate(1, 6 * 60, is_loop_allowed=False).dead_letters == 0


def test_a_mailer_that_made_no_copies_would_leave_all_to_the_dead_letter_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audit_queue, "MAX_RECEIVES", 1_000)  # the mailer's idea, not the queue's
    found = simulate(1, 6 * 60)
    assert found.dead_letters > 200
    assert found.first_dead is not None
    assert found.first_dead < 2 * 60


def test_the_model_waits_as_the_template_says() -> None:
    prod, parameters = template_for("prod"), raw_template()["Parameters"]
    assert prod["AuditQueue"]["VisibilityTimeout"] == VISIBILITY_SECONDS
    assert parameters["RetryCapSeconds"]["Default"] == RETRY_CAP_SECONDS


def test_the_page_shows_what_the_model_says_today() -> None:
    page = (Path(__file__).parents[3] / "docs" / "capacity.md").read_text("utf-8")
    for rate, hours in ((1, 1), (10, 1), (1, 6)):
        assert line(rate, hours) in page
