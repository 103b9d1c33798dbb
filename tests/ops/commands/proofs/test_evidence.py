"""`scc evidence` on the deployed stack: one payment's proof, checked from an empty folder."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest

from local.running_stack import RunningStack
from ops.offline.program import UNVOUCHED
from shared.ledger import entry_hash
from tests.dock import Dock, until
from tests.ops.commands.test_permissions import holding
from tests.ops.voyage import Voyage, set_sail
from tests.pipeline.test_statement import versions, yesterday
from tests.shells import Scc
from tests.suites import LONG

VERIFY = [sys.executable, "-I", "-S", "verify_mbox.py", ".", "--excerpt", "--key", "key.pem"]


def packed(local: Scc, payment_id: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """What it tells, and its zip unpacked into `folder`."""
    answer = local("evidence", payment_id, "--out", f"{folder.name}.zip", "--json")
    assert answer.stdout, answer.stderr
    told: dict[str, Any] = json.loads(answer.stdout)
    content = (folder.parent / f"{folder.name}.zip").read_bytes()
    assert hashlib.sha256(content).hexdigest() == told["sha256"]
    with zipfile.ZipFile(folder.parent / f"{folder.name}.zip") as archive:
        assert archive.namelist() == told["files"]
        archive.extractall(folder)
    return answer.returncode, told


def verified(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(VERIFY, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def voyage(stack: RunningStack) -> Voyage:
    """Three payments; the second one is corrected."""
    made = set_sail(Dock(stack).sign_in(), 3)
    replacement = {"patron_email": "jane.doe@example.com", "amount": "9.00", "method": "cash"}
    answer = made.dock.call(
        "POST",
        f"/api/payments/{made.payments[1]['payment_id']}/void",
        {"reason": "wrong_amount", "note": "Misread", "replacement": replacement},
        {"Idempotency-Key": str(uuid.uuid4())},
    )
    assert answer.status == 200, answer.json
    made.payments += [answer.json["void"], answer.json["replacement"]]
    until(lambda: all(made.dock.mails_of(each["payment_id"]) for each in made.payments))
    return made


@LONG
def test_any_entry_of_a_payment_gives_its_whole_proof_and_no_other_entry(
    local: Scc, voyage: Voyage, tmp_path: Path
) -> None:
    ids = [each["payment_id"] for each in voyage.payments]
    codes = [packed(local, ids[at], tmp_path / f"from_{at}")[0] for at in (1, 3, 4)]
    assert codes == [0, 0, 0]
    folder = tmp_path / "from_1"
    answer = verified(folder)
    assert (answer.returncode, answer.stderr) == (UNVOUCHED, ""), answer.stdout
    assert ": ok" not in answer.stdout, "the day is not over"
    stems = [f"{voyage.event_id}-{number:06d}" for number in (2, 4, 5)]
    assert {each.name for each in folder.rglob("*.json")} == {f"{each}.json" for each in stems}
    assert {each.name for each in folder.rglob("*.eml")} == {f"{each}.eml" for each in stems}
    files = [each for each in folder.rglob("*") if each.is_file()]
    for lone in (ids[0], ids[2]):
        assert not any(lone.encode() in each.read_bytes() for each in files)
    assert (folder / f"mails/{stems[0]}.eml").read_bytes() == voyage.mail(2)
    sums = [(tmp_path / name / "SHA256SUMS").read_text() for name in ("from_1", "from_3")]
    assert sums[0].splitlines()[1:] == sums[1].splitlines()[1:], "but for README.txt"


@LONG
def test_a_mail_that_search_does_not_find_yet_is_packed(
    local: Scc, stack: RunningStack, tmp_path: Path
) -> None:
    voyage = set_sail(Dock(stack).sign_in(), 1)
    voyage.dock.sandbox("POST", "/sandbox/faults", [{"kind": "search_lag", "ms": 60_000}])
    try:
        code, told = packed(local, voyage.payments[0]["payment_id"], tmp_path / "pay")
    finally:
        voyage.dock.sandbox("DELETE", "/sandbox/faults")
    assert (code, told["entries"][0]["mails"]) == (0, 1)


def test_a_day_that_is_not_over_is_told(local: Scc, voyage: Voyage, tmp_path: Path) -> None:
    answer = local("evidence", voyage.payments[0]["payment_id"])
    assert answer.returncode == 0
    said = " ".join(answer.stderr.split())
    assert "that day was not over. Run this again tomorrow" in said
    assert "Nothing signed holds the content of #000001: record and mail agree; no state" in said
    assert f"{voyage.payments[0]['payment_id']}.zip" in answer.stderr
    assert "#000001" in answer.stdout
    assert (tmp_path / f"{voyage.payments[0]['payment_id']}.zip").is_file()


def test_a_mail_that_is_not_found_is_missed_by_everybody(
    local: Scc, stack: RunningStack, tmp_path: Path
) -> None:
    voyage = set_sail(Dock(stack).sign_in(), 1)
    mail_id = voyage.mail_id(1)
    voyage.move_mail(1, "trash")
    code, told = packed(local, voyage.payments[0]["payment_id"], tmp_path / "trashed")
    assert (code, told["entries"][0]["mails"], told["findings"]) == (1, 1, [])
    assert "was in the trash or in spam" in told["gaps"][0]["what"]
    voyage.dock.sandbox("DELETE", f"/sandbox/messages/{mail_id}")
    code, told = packed(local, voyage.payments[0]["payment_id"], tmp_path / "pay")
    assert code == 1
    (gap,) = (each["what"] for each in told["gaps"] if each["is_due"])
    name = f"#000001 ({voyage.payments[0]['payment_id']})"
    assert gap == f"The mail of {name} was sent, and is not in the audit mailbox."
    assert gap in " ".join((tmp_path / "pay" / "README.txt").read_text().split())
    answer = verified(tmp_path / "pay")
    assert answer.returncode == 1
    assert "its mail is not here" in answer.stdout


@LONG
def test_a_row_put_into_a_sealed_day_is_packed_with_that_days_statement(
    local: Scc, stack: RunningStack, tmp_path: Path
) -> None:
    voyage = set_sail(Dock(stack).sign_in(), 1)
    until(lambda: versions(voyage.dock))
    with voyage.restored():
        forged = voyage.row(1) | {"logged_day": yesterday()}
        voyage.put(forged | {"hash": entry_hash(forged)})
        code, told = packed(local, voyage.payments[0]["payment_id"], tmp_path / "pay")
    assert code == 1
    day = f"statements/{yesterday()}"
    assert [f"{day}/statement.json", f"{day}/statement.sig"] == told["files"][-3:-1]
    assert told["entries"][0]["statement"] == yesterday()
    check = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature"]
    check += [f"{day}/statement.sig", f"{day}/statement.json"]
    assert subprocess.run(check, cwd=tmp_path / "pay", check=False).returncode == 0
    answer = verified(tmp_path / "pay")
    assert answer.returncode == 1
    assert f"the statement of {yesterday()} does not have it" in answer.stdout


@LONG
def test_who_packs_needs_the_policies_to_read_the_ledger_and_the_mailbox(
    scc: Scc, voyage: Voyage
) -> None:
    payment_id = voyage.payments[0]["payment_id"]
    for policies in (["Read"], ["Mailbox"]):
        with holding(voyage.dock.stack, *policies) as env:
            refused = scc("evidence", payment_id, env=env)
        assert refused.returncode == 2
        assert "These credentials may not" in refused.stderr
    with holding(voyage.dock.stack, "Read", "Mailbox") as env:
        assert scc("evidence", payment_id, env=env).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("pay_1",), "is not a payment id"),
        (("pay_\x1b[2J",), "is not a payment id"),
        (("pay_" + "0" * 32,), "has no payment pay_000"),
        (("pay_" + "0" * 32, "--out", "-"), "nothing is written to stdout"),
        (("pay_" + "0" * 32, "--out", "/dev/null"), "exists already, and is not written over"),
        (("pay_" + "0" * 32, "--out", "no/such/folder.zip"), "no/such is not a folder"),
        ((), "Missing argument"),
    ],
)
def test_a_wrong_request_is_refused_with_a_sentence(
    local: Scc, arguments: tuple[str, ...], says: str
) -> None:
    answer = local("evidence", *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert says in " ".join(answer.stderr.split())
    assert "\x1b" not in answer.stderr


def test_an_existing_file_stays_as_it_is(local: Scc, voyage: Voyage, tmp_path: Path) -> None:
    payment_id = voyage.payments[0]["payment_id"]
    (tmp_path / f"{payment_id}.zip").write_text("mine")
    assert local("evidence", payment_id).returncode == 2
    assert (tmp_path / f"{payment_id}.zip").read_text() == "mine"


def test_an_entry_whose_row_is_gone_has_no_proof(local: Scc, stack: RunningStack) -> None:
    voyage = set_sail(Dock(stack).sign_in(), 1)
    payment_id = voyage.payments[0]["payment_id"]
    with voyage.restored():
        voyage.delete(voyage.row(1))
        answer = local("evidence", payment_id)
    assert answer.returncode == 2
    assert f"`scc payment {payment_id}` says what is left" in " ".join(answer.stderr.split())
