"""`scc reconcile --repair`, stopped wherever it may be: its record tells of what is queued."""

from __future__ import annotations

import pytest

from ops.errors import INTERRUPTED
from shared.audit.messages import AuditMessage, OpsMessage
from tests.ops.harbor import HOWS, KILLED, Harbor
from tests.ops.mailboxes import chain

ENTRIES = chain(3)
ASK = ("reconcile", "--event", "sunset-charter", "--repair", "--reason", "a drill")
PAYMENTS = {str(each.payment_id) for each in ENTRIES}


@pytest.fixture
def unmailed(harbor: Harbor) -> Harbor:
    for each in ENTRIES:
        harbor.log(each)
    return harbor


def told(harbor: Harbor) -> tuple[set[str], int]:
    """Payments that the records call queued, and how many records there are."""
    records = harbor.records()
    done = [each for each in records.values() if each["phase"] == "done"]
    lines = [line.split() for each in done for line in each["messages"]]
    return {line[1] for line in lines if line[2] == "queued"}, len(records)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("number", range(1, 8))
def test_stopped_at_any_write_it_goes_on_when_asked_for_again(
    unmailed: Harbor, number: int, how: str
) -> None:
    code, _ = unmailed.scc_stopped(number, how, *ASK)
    assert code in (INTERRUPTED, KILLED)
    queued, records = unmailed.take(), unmailed.records()
    payments = {each.payment_id for each in queued if isinstance(each, AuditMessage)}
    if code == INTERRUPTED and records:
        assert told(unmailed) == (payments, 2), "nothing is queued that no record tells of"
        assert {each.ops_id for each in queued if isinstance(each, OpsMessage)} == records.keys()
    unmailed.scc(*ASK)
    again = {each.payment_id for each in unmailed.take() if isinstance(each, AuditMessage)}
    assert payments | again == PAYMENTS
    assert told(unmailed)[0] >= again
