"""Which of what operators recorded counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ops.offline.ledger.links import link_of
from ops.rules.hits import Hit, Hits
from ops.rules.mails.deeds import Deeds
from shared.attributes import Foreign
from shared.audit.findings import CLOCKS_DIFFER_MS, UNHEARD_MS, MailFinding
from tests.builders import NOW, entry
from tests.ops.deeds import HOUR, ack, deed, deeds, mailed, planned

LOST = MailFinding("missing", "pay_1", frozenset({"18c0"}))
RUN = "ops_reissue_0a1b"


def test_what_a_person_explained_and_compliance_was_mailed_is_settled() -> None:
    known = deeds(ack(LOST))
    assert known.is_settled(LOST)
    assert known.unheard() == []
    assert not known.is_settled(MailFinding("missing", "pay_1", frozenset({"18c1"})))


def test_a_record_nobody_was_mailed_about_settles_nothing() -> None:
    known = deeds(ack(LOST), heard=False)
    assert not known.is_settled(LOST)
    assert [each.ops_id for each in known.unheard()] == [LOST.ops_id]


@pytest.mark.parametrize(
    ("age", "counts"),
    [
        (0, True),
        (UNHEARD_MS - 1, True),
        (UNHEARD_MS, False),
        (-CLOCKS_DIFFER_MS, True),
        (-CLOCKS_DIFFER_MS - 1, False),
    ],
)
def test_the_mail_about_a_young_record_may_be_on_its_way(age: int, *, counts: bool) -> None:
    assert deeds(ack(LOST), heard=False, now=NOW + age).is_settled(LOST) is counts


@pytest.mark.parametrize(
    "change", [{"who": "arn:aws:iam::123456789012:user/nobody"}, {"note": Foreign("B")}]
)
def test_a_record_that_is_not_the_one_that_was_mailed_settles_nothing(
    change: dict[str, Any],
) -> None:
    record = ack(LOST)
    delivery = {record["ops_id"]: mailed(record)}
    assert Deeds({record["ops_id"]: record}, delivery, NOW + HOUR).is_settled(LOST)
    edited = Deeds({record["ops_id"]: record | change}, delivery, NOW + 2 * HOUR)
    assert not edited.is_settled(LOST)
    assert len(edited.unheard()) == 1


@pytest.mark.parametrize(
    "change",
    [{"filter": "pay_2"}, {"action": "replay"}, {"at": "noon"}, {"action": None, "filter": None}],
)
def test_a_record_about_something_else_settles_nothing(change: dict[str, Any]) -> None:
    record = ack(LOST) | change
    assert not deeds(record, heard="at" not in change).is_settled(LOST)


def test_a_mail_that_was_not_sent_is_not_heard() -> None:
    record = ack(LOST)
    waiting = {record["ops_id"]: {"state": "failed", "last_error": {"class": "permanent"}}}
    assert not Deeds({record["ops_id"]: record}, waiting, NOW + 2 * HOUR).is_settled(LOST)


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        (planned(RUN, "pay_1"), True),
        (planned(RUN, "pay_2"), False),
        (planned(RUN, "pay_1", action="replay"), False),
        (planned(RUN, "pay_1", phase="done"), False),
        (planned("ops_reissue_other", "pay_1"), False),
    ],
)
def test_a_reissue_counts_only_with_the_record_that_planned_it(
    record: dict[str, Any], *, counts: bool
) -> None:
    assert deeds(record).is_reissue(RUN, "pay_1") is counts


def test_a_reissue_that_was_looked_up_later_counts_too() -> None:
    known = deeds()
    assert not known.knows(RUN)
    record = planned(RUN, "pay_1")
    joined = known.joined({record["ops_id"]: record, "ops_none_planned": {}})
    assert joined.is_reissue(RUN, "pay_1")
    assert joined.knows("ops_none")
    assert not joined.is_reissue("ops_none", "pay_1")


def test_the_reissues_of_a_payment_say_whether_they_are_queued() -> None:
    first, second = planned("ops_reissue_1", "pay_1"), planned("ops_reissue_2", "pay_1")
    done = planned("ops_reissue_1", "pay_1", phase="done")
    known = deeds(first, second, done, planned("ops_reissue_3", "pay_2"), deed("ops_ack_x"))
    assert [(each.run, each.is_queued) for each in known.reissues("pay_1")] == [
        ("ops_reissue_1", True),
        ("ops_reissue_2", False),
    ]


def test_a_mail_that_invents_a_reissue_is_altered_and_stands_for_nothing() -> None:
    row = entry().to_row()
    payment_id = row["payment_id"]
    first, again = (
        Hit(gmail_id, payment_id, row["hash"], "", reissue, is_misplaced=False)
        for gmail_id, reissue in (("18c0", ""), ("18c1", RUN))
    )
    known = deeds(planned(RUN, payment_id))
    for reissued, missing in ((known, 0), (deeds(), 1)):
        hits = Hits.of(row, held(row, first, again), reissued)
        kinds = [each.kind for each in hits.findings(payment_id, {"gmail_id": "18c0"})]
        assert kinds == ["altered"] * missing
        alone = Hits.of(row, held(row, again), reissued)
        kinds = [each.kind for each in alone.findings(payment_id, {"gmail_id": "18c0"})]
        assert kinds == ["altered", "missing"] * missing


def held(row: dict[str, Any], *hits: Hit) -> list[Hit]:
    """With the digest of the row's own record."""
    return [replace(each, sha256=link_of(row).sha256) for each in hits]
