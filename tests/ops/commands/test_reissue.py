"""`scc payment reissue`, stopped wherever it may be, and asked for again."""

from __future__ import annotations

import pytest

from ops.errors import INTERRUPTED
from shared.audit.findings import reissue_run
from shared.audit.messages import OpsMessage, ReissueMessage
from shared.ledger import PaymentId
from tests.builders import NOW, entry
from tests.ops.harbor import HOWS, KILLED, Harbor

PAYMENT = entry(payment_id=PaymentId("pay_" + "a" * 32))
RUN = reissue_run(PAYMENT.payment_id, frozenset({"18c0"}))
ASK = ("payment", "reissue", PAYMENT.payment_id, "--reason", "a filter deleted it")


@pytest.fixture
def lost(harbor: Harbor, monkeypatch: pytest.MonkeyPatch) -> Harbor:
    """A payment whose mail was sent and is in the mailbox no more."""
    monkeypatch.setattr("ops.commands.reissue.gmail_settings", lambda _: Settings)
    harbor.log(PAYMENT, "18c0")
    harbor.mails.clear()
    return harbor


class Settings:
    gmail_search_settle_seconds = 180


def is_whole(harbor: Harbor) -> bool:
    """Both records are there and say the same, each is mailed, and the mail is queued."""
    records, queued = harbor.records(), harbor.take()
    assert records.keys() == {f"{RUN}_planned", f"{RUN}_done"}
    assert records[f"{RUN}_done"]["counts"] == {"queued": 1}
    return all(OpsMessage(ops_id=each) in queued for each in records) and (
        ReissueMessage(run=RUN) in queued
    )


def test_a_lost_mail_is_queued_and_recorded(lost: Harbor) -> None:
    answer = lost.scc(*ASK)
    assert (answer.exit_code, is_whole(lost)) == (0, True), answer.output


def test_a_mail_in_spam_is_told_of(lost: Harbor) -> None:
    lost.log(PAYMENT, "18c0")
    lost.mails["18c0"] = (lost.mails["18c0"][0], ["SPAM"])
    answer = lost.scc(*ASK)
    assert (answer.exit_code, is_whole(lost)) == (0, True), answer.output
    assert "18c0, a mail of it, is in the trash or in spam" in answer.output


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("number", range(1, 6))
def test_stopped_at_any_write_it_is_whole_when_asked_for_again(
    lost: Harbor, number: int, how: str
) -> None:
    assert lost.scc_stopped(number, how, *ASK)[0] in (INTERRUPTED, KILLED)
    again = lost.scc(*ASK)
    assert again.exit_code == 0, again.output
    assert is_whole(lost)


def test_nothing_says_that_it_is_done_before_it_is_queued(lost: Harbor) -> None:
    code, told = lost.scc_stopped(2, "interrupted after", *ASK)
    assert (code, "ask again" in told) == (INTERRUPTED, True)
    assert lost.records().keys() == {f"{RUN}_planned"}
    steps = lost.json("payment", PAYMENT.payment_id)["steps"]
    assert "planned only, not queued: ask again" in steps[-1]["what"]


@pytest.mark.parametrize("number", [3, 4, 5])
def test_what_is_queued_is_recorded_before_an_interrupt_ends_it(lost: Harbor, number: int) -> None:
    code, told = lost.scc_stopped(number, "interrupted before", *ASK)
    assert (code, "It is queued and recorded" in told) == (INTERRUPTED, True)
    assert is_whole(lost)


@pytest.mark.parametrize("is_seen", [False, True])
def test_one_that_was_queued_and_not_recorded_is_recorded_when_asked_for_again(
    lost: Harbor, *, is_seen: bool
) -> None:
    lost.scc_stopped(3, "killed after", *ASK)
    assert f"{RUN}_done" not in lost.records()
    state = "sent" if is_seen else "sending"
    lost.put("AuditDeliveries", {"payment_id": RUN, "state": state, "gmail_id": "18c1"})
    again = lost.scc(*ASK)
    assert again.exit_code == 0 if is_seen else again.exit_code == 2, again.output
    done = lost.record(f"{RUN}_done")
    assert (done["counts"], done["reason"]) == ({"queued": 1}, "a filter deleted it")


def test_a_record_of_something_else_under_its_name_is_not_taken_for_it(lost: Harbor) -> None:
    forged = {"ops_id": f"{RUN}_planned", "part": 0, "action": "reissue", "filter": "pay_other"}
    lost.put("OpsRecord", forged | {"at": NOW})
    answer = lost.scc(*ASK)
    assert answer.exit_code == 2
    assert "about something else" in answer.output
    assert ReissueMessage(run=RUN) not in lost.take()
