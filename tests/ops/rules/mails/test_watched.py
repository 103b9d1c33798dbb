"""Which findings `scc findings ls` lists, and where each leads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ops.rules.mails.deeds import Deeds
from ops.rules.mails.watched import OpenFinding, noted, open_findings
from shared.audit.findings import MailFinding
from tests.ops.deeds import ack, deeds

RUNBOOK = (Path(__file__).parents[4] / "docs" / "runbook.md").read_text()
LOST = {"state": "sent", "gmail_id": "18c0", "mailbox_finding": "missing", "mails": {}}
FINDING = MailFinding("missing", "pay_1", frozenset({"18c0"}))
STATEMENT = "statement_2025-11-24_final_" + "0" * 64


def kinds(delivery: dict[str, Any], known: Deeds) -> list[tuple[str, bool]]:
    found = open_findings({"pay_1": delivery}, known)
    return [(each.kind, each.unheard is not None) for each in found]


def test_what_the_watch_misses_is_open_until_a_person_explains_it() -> None:
    assert kinds(LOST, deeds()) == [("missing", False)]
    assert kinds(LOST, deeds(ack(FINDING))) == []
    assert kinds({"state": "sent", "gmail_id": "18c0"}, deeds()) == []


def test_what_is_settled_unheard_is_open_once_even_if_the_watch_believes_it() -> None:
    forged = deeds(ack(FINDING), heard=False)
    assert kinds(LOST, forged) == [("missing", True)]
    assert kinds({"state": "sent", "gmail_id": "18c0"}, forged) == [("missing", True)]


def test_what_the_watch_took_for_explained_is_a_loss_that_a_record_explains() -> None:
    explained = {"state": "sent", "gmail_id": "18c0", "mailbox_explained": True, "mails": {}}
    assert list(noted("pay_1", explained)) == [FINDING]
    assert kinds(explained, deeds(ack(FINDING))) == []
    assert kinds(explained, deeds(ack(FINDING), heard=False)) == [("missing", True)]


def test_each_fault_of_a_mail_is_one_finding() -> None:
    mails = {"18c0": "own", "18c1": "own", "18c2": "altered"}
    delivery = LOST | {"mailbox_finding": "altered", "mails": mails}
    assert [(each.kind, sorted(each.gmail_ids)) for each in noted("pay_1", delivery)] == [
        ("altered", ["18c2"]),
        ("duplicate", ["18c0", "18c1"]),
    ]


@pytest.mark.parametrize("mails", ["text", {"18c0": "own"}, {"18c0": 1}, None])
def test_a_delivery_that_somebody_edited_still_has_its_finding(mails: object) -> None:
    assert [kind for kind, _ in kinds(LOST | {"mails": mails}, deeds())] == ["missing"]


@pytest.mark.parametrize("own_id", ["pay_1", STATEMENT, "ops_replay_1_done"])
@pytest.mark.parametrize("kind", ["missing", "duplicate", "altered", "orphan", "unknown"])
@pytest.mark.parametrize("heard", [True, False])
def test_every_finding_leads_to_an_entry_of_the_runbook(
    own_id: str, kind: str, *, heard: bool
) -> None:
    unheard = None if heard else next(deeds(ack(FINDING), heard=False).acks("pay_1"))
    finding = OpenFinding(kind=kind, own_id=own_id, unheard=unheard)
    anchor = finding.runbook.partition("#")[2]
    titles = [each.lower() for each in re.findall(r"^#{3,4} (.*)$", RUNBOOK, re.MULTILINE)]
    assert anchor in [re.sub(r"[^a-z0-9 -]", "", each).replace(" ", "-") for each in titles]


def test_only_an_entrys_mail_can_be_issued_again() -> None:
    entrys, statements = (OpenFinding(kind="missing", own_id=each) for each in ("pay_1", STATEMENT))
    assert entrys.runbook.endswith("#mailbox-missing")
    assert statements.runbook.endswith("#lost-statement-or-operators-mail")
