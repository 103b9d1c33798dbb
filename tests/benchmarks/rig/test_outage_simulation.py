"""The model of an outage, for cases whose answer is known."""

from __future__ import annotations

from benchmarks.rig.outage_simulation import simulate


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
