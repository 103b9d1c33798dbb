"""What `scc reconcile` believes of mails and records, in this process."""

from __future__ import annotations

from typing import Any

import pytest

from ops.clock import now_ms
from ops.rules.mails.deeds import Deeds
from ops.session import Session
from ops.stack.deeds import deeds_of
from shared import keys
from shared.audit.findings import MailFinding
from shared.ledger import PaymentId
from tests.builders import entry
from tests.ops.deeds import HOUR, ack, mailed, planned
from tests.ops.harbor import Harbor
from tests.ops.mailboxes import ops_mail, reissued_mail

PAYMENT = entry(payment_id=PaymentId("pay_" + "a" * 32))
LOST = MailFinding("missing", PAYMENT.payment_id, frozenset({"18c0"}))
RUN = "ops_reissue_" + "0a1b" * 6
ASK = ("reconcile", "--event", PAYMENT.event_id, "--mailbox")


def reissued() -> tuple[bytes, list[str]]:
    return reissued_mail(PAYMENT.to_row(), RUN), ["INBOX"]


def found(harbor: Harbor, *more: str) -> dict[str, int]:
    counts: dict[str, int] = harbor.json(*ASK, *more)["found"]
    return {kind: count for kind, count in counts.items() if count}


def issued_again(harbor: Harbor) -> None:
    """With a mail that is there, and one that says it was issued again."""
    harbor.log(PAYMENT, "18c0")
    harbor.mails["18c9"] = reissued()


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        (None, {"altered": 1}),
        (planned(RUN, PAYMENT.payment_id), {}),
        (planned(RUN, "pay_" + "b" * 32), {"altered": 1}),
        (planned(RUN, PAYMENT.payment_id, action="replay"), {"altered": 1}),
    ],
)
def test_a_reissue_counts_only_with_its_record(
    harbor: Harbor, record: dict[str, Any] | None, counts: dict[str, int]
) -> None:
    issued_again(harbor)
    if record:
        harbor.put("OpsRecord", record)
    assert found(harbor) == counts


def test_an_invented_reissue_does_not_stand_for_the_lost_mail(harbor: Harbor) -> None:
    issued_again(harbor)
    del harbor.mails["18c0"]
    assert found(harbor) == {"missing": 1, "altered": 1}
    told = harbor.scc("payment", PAYMENT.payment_id, "--mailbox").output
    assert "18c9 says that it was issued again" in told
    assert "has no mail for it" in told


def test_a_name_that_no_table_could_hold_stops_nothing(harbor: Harbor) -> None:
    harbor.log(PAYMENT, "18c0")
    raw, labels = reissued()
    named = b"X-SCC-Reissue: "
    forged = raw.replace(named + RUN.encode(), named + b"ops_" + b"x" * 3_000)
    harbor.mails["18c9"] = (forged, labels)
    assert found(harbor) == {"altered": 1}


def test_a_mail_that_is_issued_again_meanwhile_is_no_forgery(
    harbor: Harbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued_again(harbor)
    record = planned(RUN, PAYMENT.payment_id)

    def then_issued(session: Session) -> Deeds:
        deeds = deeds_of(session)
        harbor.put("OpsRecord", record)
        return deeds

    monkeypatch.setattr("ops.commands.reconciliation.work.deeds_of", then_issued)
    assert found(harbor) == {}


@pytest.mark.parametrize(
    ("age_ms", "is_mailed", "counts"),
    [
        (2 * HOUR, True, {"settled": 1}),
        (0, False, {"settled": 1}),
        (2 * HOUR, False, {"missing": 1}),
    ],
)
def test_a_record_settles_only_what_somebody_is_mailed_about(
    harbor: Harbor, *, age_ms: int, is_mailed: bool, counts: dict[str, int]
) -> None:
    harbor.log(PAYMENT, "18c0")
    harbor.mails.clear()
    record = ack(LOST, at=now_ms() - age_ms)
    harbor.put("OpsRecord", record)
    if is_mailed:
        harbor.put("AuditDeliveries", mailed(record))
    assert found(harbor) == counts
    output = harbor.scc(*ASK).output
    assert ("settled by a record nobody was mailed about" in output) is ("missing" in counts)


def test_a_mail_that_came_back_is_missing_for_every_verb(
    harbor: Harbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.commands.reissue.gmail_settings", lambda _: Settings)
    noted = {"mails": {"18c0": "bounced"}, "mailbox_finding": "missing"}
    harbor.log(PAYMENT, "18c0", **noted)
    harbor.put("AuditDeliveries", keys.watch() | {"unsettled": [PAYMENT.payment_id]})
    assert found(harbor) == {"missing": 1}
    (row,) = harbor.json("findings", "ls", "--mailbox")
    assert row["place"] == "came back"
    told = harbor.scc("payment", PAYMENT.payment_id, "--mailbox").output
    assert "18c0 came back to the sender" in told
    assert "mend what refused it" in told
    issued = harbor.scc("payment", "reissue", PAYMENT.payment_id, "--reason", "quota was full")
    assert issued.exit_code == 0, issued.output


def test_an_operators_mail_that_came_back_is_where_nobody_got_it(harbor: Harbor) -> None:
    """It lies in *Sent*, where a search finds it."""
    record = ack(LOST, at=now_ms())
    ops_id = str(record["ops_id"])
    harbor.mails["18d0"] = (ops_mail(ops_id, action="ack"), ["SENT"])
    noted = {"gmail_id": "18d0", "mails": {"18d0": "bounced"}, "mailbox_finding": "missing"}
    harbor.put("OpsRecord", record)
    harbor.put("AuditDeliveries", mailed(record) | noted)
    harbor.put("AuditDeliveries", keys.watch() | {"unsettled": [ops_id]})
    assert place_of(harbor, ops_id) == "came back"
    harbor.mails["18d1"] = (ops_mail(ops_id, action="ack"), ["INBOX"])
    assert place_of(harbor, ops_id) == "in the mailbox"


def place_of(harbor: Harbor, own_id: str) -> str | None:
    listed = harbor.json("findings", "ls", "--mailbox")
    (place,) = (each["place"] for each in listed if each["payment_id"] == own_id)
    return str(place)


class Settings:
    gmail_search_settle_seconds = 180
