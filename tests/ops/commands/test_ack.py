"""`scc findings`: what is listed and settled, whoever stopped or forged it; in this process."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ops.clock import now_ms
from ops.errors import INTERRUPTED
from shared import keys
from shared.audit.findings import MailFinding
from shared.audit.messages import OpsMessage
from shared.ledger import PaymentId
from tests.builders import NOW, entry
from tests.ops.deeds import HOUR, ack, deed, mailed, planned
from tests.ops.harbor import HOWS, KILLED, SENT, Harbor
from tests.ops.mailboxes import mail, ops_mail

PAYMENT = entry(payment_id=PaymentId("pay_" + "a" * 32))
LOST = MailFinding("missing", PAYMENT.payment_id, frozenset({"18c0"}))
ASK = ("findings", "ack", PAYMENT.payment_id, "--reason", "ticket 12")
OPS_ID = "ops_replay_20251124T160000Z_0a1b2c3d_done"
OPS_LOST = MailFinding("missing", OPS_ID, frozenset({"18d0"}))


@pytest.fixture
def lost(harbor: Harbor) -> Harbor:
    """A payment whose mail was sent, was deleted, and is missed by the watch."""
    harbor.log(PAYMENT, "18c0", mailbox_finding="missing", mails={}, last_seen_as=["18c0"])
    harbor.mails.clear()
    watched(harbor, PAYMENT.payment_id)
    return harbor


def watched(harbor: Harbor, *own_ids: str) -> None:
    harbor.put("AuditDeliveries", keys.watch() | {"unsettled": list(own_ids)})


def old(record: dict[str, Any]) -> dict[str, Any]:
    return record | {"at": now_ms() - 2 * HOUR}


def kinds(harbor: Harbor) -> list[tuple[str, str]]:
    return [(each["payment_id"], each["kind"]) for each in harbor.json("findings", "ls")]


def test_a_finding_is_listed_with_what_a_person_needs_to_know(lost: Harbor) -> None:
    answer = lost.scc("findings", "ls", "--mailbox")
    assert answer.exit_code == 1
    for told in (
        "missing", "sunset-charter", "#000001", "$125.00", PAYMENT.payment_id, "nowhere", "18c0",
        "docs/runbook.md#mailbox-missing", "1 open finding",
    ):  # fmt: skip
        assert told in answer.output
    (row,) = lost.json("findings", "ls")
    assert (row["amount_cents"], row["seq"], row["place"]) == (12_500, 1, None)


@pytest.mark.parametrize(
    ("labels", "place"),
    [(["INBOX"], "in the mailbox"), ([], "in the mailbox"), (["TRASH"], "in the trash or in spam"),
     (["SPAM"], "in the trash or in spam")],
)  # fmt: skip
def test_the_list_says_where_a_mail_is_by_now(lost: Harbor, labels: list[str], place: str) -> None:
    lost.log(PAYMENT, "18c0", mailbox_finding="missing", mails={})
    lost.mails["18c0"] = (lost.mails["18c0"][0], labels)
    (row,) = lost.json("findings", "ls", "--mailbox")
    assert row["place"] == place


def test_the_list_reads_well_at_eighty_columns(
    lost: Harbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("COLUMNS", "80")):
        monkeypatch.setenv(name, value)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", lost.scc("findings", "ls").output).splitlines()
    assert max(len(each) for each in shown) <= 80
    facts = dict(each.split(None, 1) for each in shown if each.count("  "))
    assert facts["amount"].strip() == "$125.00"
    assert facts["entry"].strip() == "#000001"


def test_what_is_settled_is_recorded_in_plain_words_and_mailed(lost: Harbor) -> None:
    answer = lost.scc(*ASK)
    assert answer.exit_code == 0, answer.output
    record = lost.record(LOST.ops_id)
    assert record["counts"] == {"missing mail explained": 1}
    assert record["messages"] == [f"18c0 {PAYMENT.payment_id} missing mail explained"]
    assert lost.take() == [OpsMessage(ops_id=LOST.ops_id)]
    assert kinds(lost) == []


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("number", [1, 2])
def test_stopped_at_any_write_it_is_whole_when_asked_for_again(
    lost: Harbor, number: int, how: str
) -> None:
    assert lost.scc_stopped(number, how, *ASK)[0] in (INTERRUPTED, KILLED)
    assert lost.scc(*ASK).exit_code == 0
    assert lost.records().keys() == {LOST.ops_id}
    assert OpsMessage(ops_id=LOST.ops_id) in lost.take()


def test_a_reason_that_comes_too_late_is_said_not_to_be_recorded(lost: Harbor) -> None:
    assert "was not recorded" not in lost.scc(*ASK).output
    record = lost.record(LOST.ops_id)
    again = lost.scc(*ASK[:-1], "another reason")
    assert (again.exit_code, "this reason was not recorded" in again.output) == (0, True)
    assert lost.record(LOST.ops_id) == record


def test_a_forged_record_settles_nothing_and_is_named(lost: Harbor) -> None:
    forged = old(ack(LOST, who="nobody", reason="nothing to see"))
    lost.put("OpsRecord", forged)
    (row,) = lost.json("findings", "ls")
    assert row["settled_unheard_by"] == LOST.ops_id
    assert row["runbook"] == "docs/runbook.md#settled-without-a-mail"
    assert "settled by a record nobody was mailed about" in lost.scc("findings", "ls").output
    watched(lost)  # the watch believes it
    assert kinds(lost) == [(PAYMENT.payment_id, "missing")]

    answer = lost.scc(*ASK)
    assert "recorded before by nobody (nothing to see)" in answer.output
    assert lost.take() == [OpsMessage(ops_id=LOST.ops_id)]
    assert lost.record(LOST.ops_id) == forged, "records are never written over"
    lost.put("AuditDeliveries", mailed(forged))
    assert kinds(lost) == [], "compliance has it in writing"


def test_a_record_that_was_changed_after_its_mail_is_an_incident(lost: Harbor) -> None:
    record = old(ack(LOST))
    lost.put("AuditDeliveries", mailed(record))
    lost.put("OpsRecord", record | {"reason": "nothing to see"})
    assert kinds(lost) == [(PAYMENT.payment_id, "missing")]
    answer = lost.scc(*ASK)
    assert (answer.exit_code, "was changed after it was mailed" in answer.output) == (1, True)
    assert lost.take() == []


def test_a_forged_mail_is_not_the_place_of_the_lost_one(lost: Harbor) -> None:
    other = entry(payment_id=PAYMENT.payment_id, amount_cents=1)
    lost.mails["18c9"] = (mail(other.to_row()), ["INBOX"])
    (row,) = lost.json("findings", "ls", "--mailbox")
    assert row["place"] == "nowhere"


def test_two_who_settle_at_once_are_one_record(lost: Harbor) -> None:
    assert lost.scc(*ASK).exit_code == 0
    lost.caller = "arn:aws:iam::123456789012:user/linus"
    assert lost.scc(*ASK).exit_code == 0
    assert lost.record(LOST.ops_id)["who"].endswith("user/grace")


def test_nothing_is_settled_where_nothing_is_wrong(harbor: Harbor) -> None:
    harbor.log(PAYMENT, "18c0")
    answer = harbor.scc(*ASK)
    assert (answer.exit_code, "nothing to settle" in answer.output) == (2, True)
    assert harbor.records() == {}


@pytest.mark.parametrize("is_in_the_trash", [False, True])
def test_a_lost_operators_mail_is_listed_placed_and_settled(
    harbor: Harbor, *, is_in_the_trash: bool
) -> None:
    record = deed(OPS_ID.removesuffix("_done"), action="replay")
    harbor.put("OpsRecord", record)
    delivery = SENT | {"payment_id": OPS_ID, "gmail_id": "18d0", "mailbox_finding": "missing"}
    harbor.put("AuditDeliveries", delivery)
    watched(harbor, OPS_ID)
    if is_in_the_trash:
        harbor.mails["18d0"] = (ops_mail(OPS_ID), ["TRASH"])
    (row,) = harbor.json("findings", "ls", "--mailbox")
    assert row["place"] == ("in the trash or in spam" if is_in_the_trash else "nowhere")
    assert row["runbook"].endswith("#lost-statement-or-operators-mail")
    settled = harbor.json("findings", "ack", OPS_ID, "--reason", "ticket 12")
    assert [each["settled"] for each in settled] == ["now"]
    assert harbor.record(OPS_LOST.ops_id)["filter"] == OPS_ID
    assert kinds(harbor) == []


def test_an_id_that_no_record_has_is_refused(harbor: Harbor) -> None:
    made_up = harbor.scc("findings", "ack", "ops_made_up", "--reason", "x")
    assert (made_up.exit_code, "Nothing that was mailed has the id" in made_up.output) == (2, True)
    forged = SENT | {"payment_id": "ops_made_up", "mailbox_finding": "missing", "gmail_id": "1"}
    harbor.put("AuditDeliveries", forged)
    made_up = harbor.scc("findings", "ack", "ops_made_up", "--reason", "x")
    assert (made_up.exit_code, "No ops record has the id" in made_up.output) == (2, True)
    assert harbor.records() == {}


def test_a_reissued_mails_id_leads_to_its_payment(harbor: Harbor) -> None:
    record = planned("ops_reissue_0a1b", PAYMENT.payment_id, at=NOW)
    harbor.put("OpsRecord", record)
    harbor.put("AuditDeliveries", SENT | {"payment_id": "ops_reissue_0a1b"})
    answer = harbor.scc("findings", "ack", "ops_reissue_0a1b", "--reason", "x")
    assert answer.exit_code == 2
    assert f"settle its payment, {PAYMENT.payment_id}" in answer.output


def test_a_reason_that_looks_like_a_card_number_is_refused(lost: Harbor) -> None:
    answer = lost.scc("findings", "ack", PAYMENT.payment_id, "--reason", "4111 1111 1111 1111")
    assert (answer.exit_code, lost.records()) == (2, {})
    assert "looks like a card number" in answer.output
