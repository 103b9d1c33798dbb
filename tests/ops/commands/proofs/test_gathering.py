"""Which mail stands for an operators' record in a proof."""

from __future__ import annotations

from ops.commands.proofs.gathering import record_mail
from tests.ops.harbor import Box
from tests.ops.operators import ack_record, mailed

RECORD = ack_record("pay_" + "a" * 32)
OPS_ID, RAW = str(RECORD["ops_id"]), mailed(RECORD)
BOUNCED = {"state": "sent", "gmail_id": "18d0", "mails": {"18d0": "bounced"}}


def test_a_mail_that_came_back_proves_that_nobody_was_told() -> None:
    sent, arrived = (RAW, ["SENT"]), (RAW + b"\r\n", ["INBOX"])
    assert record_mail(Box({"18d0": sent}), OPS_ID, {"gmail_id": "18d0"}) == RAW
    assert record_mail(Box({"18d0": sent}), OPS_ID, BOUNCED) is None
    assert record_mail(Box({"18d0": sent, "18d1": arrived}), OPS_ID, BOUNCED) == arrived[0]


def test_a_mail_that_a_search_does_not_show_yet_is_read_by_its_id() -> None:
    class Behind(Box):
        def ids_about(self, own_id: str) -> list[str]:
            return []

    assert record_mail(Behind({"18d0": (RAW, [])}), OPS_ID, {"gmail_id": "18d0"}) == RAW
    assert record_mail(Behind({}), OPS_ID, {"gmail_id": "18d0"}) is None
    assert record_mail(Behind({}), OPS_ID, {}) is None
