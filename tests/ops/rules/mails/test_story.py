"""The story of a mail, from the first try to what a person made of its loss."""

from __future__ import annotations

from typing import Any

import pytest

from ops.rules.hits import Hit, Hits
from ops.rules.mails.deeds import Deeds
from ops.rules.payment import PaymentHistory
from shared.audit.findings import MailFinding
from tests.builders import NOW, entry
from tests.ops.deeds import HOUR, ack, deeds, mailed, planned

ROW = entry().to_row()
PAYMENT = ROW["payment_id"]
SENT = {"state": "sent", "sent_at": NOW + 2_000, "attempts": 1, "gmail_id": "18c0"}
LOST = SENT | {"mailbox_finding": "missing", "mails": {}, "last_seen_as": ["18c0"]}
FINDING = MailFinding("missing", PAYMENT, frozenset({"18c0"}))
RUN = "ops_reissue_0a1b"


def told(
    delivery: dict[str, Any], known: Deeds | None = None, hits: Hits | None = None
) -> PaymentHistory:
    return PaymentHistory(
        row=ROW, is_linked=True, delivery=delivery, voided_by={}, voids={}, dead_letters=(),
        hits=hits, now=NOW + 3 * HOUR, deeds=known or deeds(),
    )  # fmt: skip


def steps(history: PaymentHistory) -> list[str]:
    return [each.what for each in history.steps()][2:]  # after captured and logged


def hit(gmail_id: str = "18c0", reissue: str = "", *, is_misplaced: bool = False) -> Hit:
    return Hit(gmail_id, PAYMENT, "h", "s", reissue, is_misplaced)


def test_a_mail_is_sent_and_seen() -> None:
    seen = told(SENT | {"seen_at": NOW + HOUR, "last_seen_as": ["18c0"]})
    assert steps(seen) == [
        "mailed, Gmail id 18c0",
        "seen in the mailbox by the watch; there as 18c0",
    ]
    assert (seen.concerns(), seen.story.watch_says()) == ([], "seen in the mailbox")
    assert told(SENT).story.watch_says() == "has not seen it yet"


def test_a_mail_that_the_watch_misses_needs_a_person_without_another_search() -> None:
    history = told(LOST)
    assert steps(history)[-1] == (
        "missing: the watch does not find it in the mailbox, last known as 18c0"
    )
    (concern,) = history.concerns()
    assert f"`scc payment {PAYMENT} --mailbox` looks now" in concern
    assert "docs/runbook.md#mailbox-missing" in concern
    assert history.story.watch_says() == "missing"


def test_a_loss_stands_in_the_order_of_time() -> None:
    lost = LOST | {"found_since": {"missing": NOW + HOUR}}
    history = told(lost, deeds(ack(FINDING, at=NOW + 2 * HOUR)))
    assert [each.at for each in history.steps()][-2:] == [NOW + HOUR, NOW + 2 * HOUR]
    assert history.steps()[-2].what.startswith("missing: ")


def test_a_loss_that_is_over_is_told_still() -> None:
    times = {"first_seen_at": NOW + HOUR, "missed_at": NOW + 2 * HOUR, "seen_at": NOW + 3 * HOUR}
    history = told(SENT | times | {"last_seen_as": ["18c1"]})
    assert steps(history)[1:] == [
        "first seen in the mailbox by the watch",
        "missing: the watch does not find it in the mailbox",
        "seen in the mailbox by the watch; there as 18c1",
    ]
    assert history.concerns() == []


def test_a_reissue_that_came_back_is_another_loss_than_the_one_that_was_settled() -> None:
    lost = LOST | {"mails": {"18c9": "bounced"}}
    assert told(LOST, deeds(ack(FINDING))).concerns() == []
    (concern,) = told(lost, deeds(ack(FINDING))).concerns()
    assert "does not find it" in concern
    both = MailFinding("missing", PAYMENT, frozenset({"18c0", "18c9"}))
    assert told(lost, deeds(ack(both))).concerns() == []


def test_a_mail_that_only_says_that_it_was_issued_again_is_called_that() -> None:
    noted = {"mailbox_finding": "altered", "mails": {"18c0": "own", "18c9": "invented"}}
    (concern,) = told(SENT | noted).concerns()
    assert "a mail that says it was issued again, and no ops record does" in concern
    other = noted | {"mails": {"18c0": "own", "18c9": "altered"}}
    (concern,) = told(SENT | other).concerns()
    assert "another record in a mail about it" in concern


@pytest.mark.parametrize("hits", [None, Hits([], []), Hits([hit(is_misplaced=True)], [])])
def test_a_loss_that_is_explained_needs_nobody_and_says_who_explained_it(
    hits: Hits | None,
) -> None:
    history = told(LOST, deeds(ack(FINDING, at=NOW + HOUR)), hits)
    assert history.concerns() == []
    assert history.story.watch_says() == "missing, settled"
    (settled,) = [each for each in history.steps() if "settled" in each.what]
    assert settled.at == NOW + HOUR
    assert "user/grace, ticket 12" in settled.what
    assert FINDING.ops_id in settled.what


def test_a_loss_that_is_settled_unheard_needs_a_person() -> None:
    history = told(LOST, deeds(ack(FINDING), heard=False))
    assert len(history.concerns()) == 2
    assert "a record nobody was mailed about" in history.concerns()[1]
    assert f"{FINDING.ops_id}, which nobody was mailed about" in " ".join(steps(history))


def test_a_mail_that_was_issued_again_says_by_whom_why_and_as_what() -> None:
    record = planned(RUN, PAYMENT, at=NOW + HOUR)
    done = planned(RUN, PAYMENT, at=NOW + HOUR, phase="done")
    again = {"state": "sent", "sent_at": NOW + 2 * HOUR, "attempts": 1, "gmail_id": "18c1"}
    seen = SENT | {"seen_at": NOW + 2 * HOUR + 1, "last_seen_as": ["18c1"]}
    history = told(seen, deeds(record, done, deliveries={RUN: again}), Hits([hit("18c1", RUN)], []))
    assert steps(history) == [
        "mailed, Gmail id 18c0",
        f"issued again by arn:aws:iam::123456789012:user/grace, ticket 12; {RUN}",
        "issued again: mailed, Gmail id 18c1",
        "seen in the mailbox by the watch; there as 18c1",
        f"in the audit mailbox as 18c1, issued again as {RUN}",
    ]
    assert history.concerns() == []


@pytest.mark.parametrize(
    ("state", "says"), [("sending", "is on its way"), ("sent", "issue it again with")]
)
def test_a_lost_mail_that_is_being_issued_again_is_not_asked_for_twice(
    state: str, says: str
) -> None:
    records = planned(RUN, PAYMENT), planned(RUN, PAYMENT, phase="done")
    known = deeds(*records, deliveries={RUN: {"state": state}})
    (concern,) = told(LOST, known, Hits([], [])).concerns()
    assert says in concern


def test_a_reissue_that_fails_says_why() -> None:
    error = {"class": "permanent", "code": "400", "message": "no", "at": NOW + HOUR}
    failed = {"state": "failed", "attempts": 1, "last_error": error}
    history = told(LOST, deeds(planned(RUN, PAYMENT), deliveries={RUN: failed}))
    assert "issued again: try 1 failed, permanent 400: no" in steps(history)


@pytest.mark.parametrize("heard", [True, False])
def test_an_invented_reissue_needs_a_person_until_it_is_explained(*, heard: bool) -> None:
    forged = Hits([hit()], [], [hit("18c9", RUN)])
    altered = MailFinding("altered", PAYMENT, frozenset({"18c9"}))
    concerns = told(SENT, hits=forged).concerns()
    assert concerns == ["The mail 18c9 says that it was issued again, and no ops record does."]
    explained = told(SENT, deeds(ack(altered), heard=heard), forged).concerns()
    assert explained == [] if heard else len(explained) == 2


def test_two_mails_that_are_explained_need_nobody() -> None:
    twice = MailFinding("duplicate", PAYMENT, frozenset({"18c0", "18c1"}))
    both = Hits([hit(), hit("18c1")], [])
    assert len(told(SENT, hits=both).concerns()) == 1
    assert told(SENT, deeds(ack(twice)), both).concerns() == []


def test_the_mail_of_a_record_is_the_record_as_it_was_mailed() -> None:
    record = ack(FINDING)
    assert mailed(record)["record_sha256"] != mailed(record | {"reason": "x"})["record_sha256"]
