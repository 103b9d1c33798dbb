"""A mail was lost, and issued again or explained: the proofs say so, and are checked elsewhere."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from functions.audit_mailer.gmail.mailbox import Gmail
from local.running_stack import RunningStack
from ops.offline.program import FOUND, UNVOUCHED
from shared.audit.findings import reissue_run
from shared.ledger import LedgerEntry
from tests.dock import Dock, until
from tests.ops.commands.proofs.test_evidence import packed, verified
from tests.ops.operators import reissued
from tests.ops.voyage import Voyage, set_sail
from tests.shells import Scc
from tests.suites import LONG

REASON = "a filter deleted it on Monday"


@pytest.fixture
def voyage(stack: RunningStack) -> Voyage:
    return set_sail(Dock(stack).sign_in(), 3)


def await_record(voyage: Voyage, ops_id: str) -> None:
    until(
        lambda: [
            each for each in voyage.dock.inbox() if each["headers"].get("X-SCC-Ops-Id") == ops_id
        ]
    )


def verify(local: Scc, voyage: Voyage, folder: Path) -> tuple[int, dict[str, Any]]:
    export = voyage.export(folder / "export.mbox")
    answer = local("verify", "--event", voyage.event_id, "--mbox", str(export), "--json")
    assert answer.stdout, answer.stderr
    return answer.returncode, json.loads(answer.stdout)


def text_of(folder: Path) -> str:
    return " ".join((folder / "README.txt").read_text().split())


@LONG
def test_a_settled_loss_is_told_by_every_proof_and_the_next_one_is_not(
    local: Scc, voyage: Voyage, tmp_path: Path
) -> None:
    payment_id = voyage.payments[1]["payment_id"]
    voyage.delete_mail(2)
    code, told = verify(local, voyage, tmp_path)
    assert (code, [each["kind"] for each in told["findings"]]) == (FOUND, ["missing"])
    settled = local("findings", "ack", payment_id, "--reason", REASON, "--json")
    (finding,) = json.loads(settled.stdout)
    await_record(voyage, finding["ops_id"])

    code, told = verify(local, voyage, tmp_path)
    assert (code, told["findings"]) == (0, [])
    (one,) = told["settled"]
    assert (one["seq"], one["by"][0]["reason"]) == (2, REASON)
    assert one["by"][0]["ops_id"] == finding["ops_id"]

    code, told = packed(local, payment_id, tmp_path / "pay")
    assert (code, [each["kind"] for each in told["settled"]]) == (0, ["missing"])
    assert f"mails/{finding['ops_id']}.eml" in told["files"]
    assert f": {REASON} ({finding['ops_id']})" in text_of(tmp_path / "pay")
    answer = verified(tmp_path / "pay")
    assert answer.returncode == UNVOUCHED, answer.stdout
    assert REASON in answer.stdout

    voyage.delete_mail(3)
    code, told = verify(local, voyage, tmp_path)
    assert (code, [each["seq"] for each in told["findings"]]) == (FOUND, [3])
    assert packed(local, voyage.payments[2]["payment_id"], tmp_path / "next")[0] == FOUND


@LONG
def test_a_reissued_mail_is_proven_with_the_record_of_why(
    local: Scc, voyage: Voyage, tmp_path: Path
) -> None:
    payment_id = voyage.payments[1]["payment_id"]
    voyage.delete_mail(2)
    issue = ("payment", "reissue", payment_id, "--reason", REASON, "--json")
    answer = until(lambda: issued if (issued := local(*issue)).returncode == 0 else None)
    planned = f"{json.loads(answer.stdout)['run']}_planned"
    await_record(voyage, planned)
    until(lambda: voyage.dock.mails_of(payment_id))
    code, told = packed(local, payment_id, tmp_path / "pay")
    assert (told["findings"], told["gaps"][1:], code) == ([], [], 0)
    assert f"mails/{planned}.eml" in told["files"]
    assert f"its mail was issued again, with the same record: see mails/{planned}.eml" in (
        text_of(tmp_path / "pay")
    )
    assert verified(tmp_path / "pay").returncode == UNVOUCHED
    (tmp_path / "pay" / "mails" / f"{planned}.eml").unlink()
    assert "unrecorded-reissue" in verified(tmp_path / "pay").stdout
    assert verify(local, voyage, tmp_path)[0] == 0


@LONG
def test_a_reissue_that_somebody_invented_is_named_and_spoils_no_proof(
    local: Scc, voyage: Voyage, tmp_path: Path
) -> None:
    payment_id = voyage.payments[1]["payment_id"]
    entry = LedgerEntry.from_row(voyage.row(2))
    put_into(voyage, reissued(entry, reissue_run(payment_id, frozenset()), entry.logged_at + 1_000))
    until(lambda: len(voyage.dock.mails_of(payment_id)) == 2)
    code, told = verify(local, voyage, tmp_path)
    named = [(each["kind"], each["seq"]) for each in told["findings"]]
    assert (code, ("unrecorded-reissue", 2) in named) == (FOUND, True)
    until(lambda: local("payment", payment_id, "--mailbox").returncode == FOUND)
    code, told = packed(local, payment_id, tmp_path / "pay")
    assert (code, told["entries"][0]["mails"], told["findings"]) == (FOUND, 1, [])
    assert "no operators' record tells of that" in text_of(tmp_path / "pay")
    assert verified(tmp_path / "pay").returncode == UNVOUCHED


def put_into(voyage: Voyage, raw: bytes) -> None:
    """What whoever holds the mailer's key can do."""
    settings = voyage.dock.stack.settings
    key = json.loads((settings.state / "service-account.json").read_text())
    with closing(
        Gmail(lambda: key, "audit@shipcaptaincrew.example", "import", settings.mail_url)
    ) as gmail:
        gmail.send_audit_email_via_gmail(raw)
