"""`scc verify` and `scc reconcile` on the deployed stack: they find exactly what was changed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from functions.audit_mailer.gmail.mailbox import Gmail
from local.running_stack import RunningStack
from shared.attributes import to_attributes
from shared.ledger import entry_hash
from tests.dock import Dock, until
from tests.ops.voyage import Voyage, set_sail
from tests.shells import Scc
from tests.suites import later

Found = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def voyage(stack: RunningStack) -> Voyage:
    return set_sail(Dock(stack).sign_in())


def verified(local: Scc, voyage: Voyage, *more: str) -> tuple[int, Found]:
    answer = local("verify", "--event", voyage.event_id, "--json", *more)
    assert answer.stdout, answer.stderr
    return answer.returncode, [
        (each["where"], each["kind"], each["seq"], each["last_seq"])
        for each in json.loads(answer.stdout)["findings"]
    ]


def test_an_untouched_event_verifies_alone_and_against_its_mails(
    local: Scc, voyage: Voyage, tmp_path: Path
) -> None:
    answer = local("verify", "--event", voyage.event_id)
    assert answer.returncode == 0
    assert [line.split() for line in answer.stdout.splitlines()] == [
        ["event", "id", "entries", "head"],
        [voyage.event_id, "4", "4"],
    ]
    assert "integrity: ok" in answer.stderr
    assert "completeness: ok" in answer.stderr
    export = voyage.export(tmp_path / "export.mbox")
    answer = local("verify", "--event", voyage.event_id, "--mbox", str(export))
    assert answer.returncode == 0
    assert [line.split() for line in answer.stdout.splitlines()][1:] == [
        [voyage.event_id, "4", "4", "#000001-#000004", "none"]
    ]


def altered(voyage: Voyage) -> None:
    voyage.put(voyage.row(2) | {"amount_cents": 1})


def resealed(voyage: Voyage) -> None:
    forged = voyage.row(2) | {"amount_cents": 1}
    voyage.put(forged | {"hash": entry_hash(forged)})


def deleted(voyage: Voyage) -> None:
    voyage.delete(voyage.row(2))


def cut(voyage: Voyage) -> None:
    voyage.delete(voyage.row(3))
    voyage.delete(voyage.row(4))


def cut_with_head(voyage: Voyage) -> None:
    second = voyage.row(2)
    cut(voyage)
    voyage.put(voyage.head() | {"seq": 2, "hash": second["hash"]}, "Ledger")


def headless(voyage: Voyage) -> None:
    head = voyage.head()
    voyage.put(head | {"hash": "0" * 64}, "Ledger")


@pytest.mark.parametrize(
    ("deed", "alone", "with_mails"),
    [
        (altered, [("ledger", "altered", 2, 2)], [("ledger", "altered", 2, 2)]),
        (resealed, [("ledger", "altered", 2, 2)], [("ledger", "altered", 2, 2)]),
        (deleted, [("ledger", "missing", 2, 2)], [("ledger", "missing", 2, 2)]),
        later(cut, [("ledger", "missing", 3, 4)], [("ledger", "missing", 3, 4)]),
        later(
            cut_with_head,  # the pointers do not say which numbers their entries have
            [("ledger", "missing", 0, 0), ("ledger", "missing", 0, 0)],
            [("ledger", "missing", 3, 3), ("ledger", "missing", 4, 4)],
        ),
        (headless, [("ledger", "altered", 4, 4)], [("ledger", "altered", 4, 4)]),
    ],
)  # fmt: skip
def test_every_change_to_the_rows_is_found(
    local: Scc,
    voyage: Voyage,
    tmp_path: Path,
    deed: Callable[[Voyage], None],
    alone: Found,
    with_mails: Found,
) -> None:
    export = voyage.export(tmp_path / "export.mbox")
    with voyage.restored():
        deed(voyage)
        assert verified(local, voyage) == (int(bool(alone)), alone)
        assert verified(local, voyage, "--mbox", str(export)) == (1, with_mails)
    assert verified(local, voyage) == (0, [])


def test_an_inserted_row_is_found(local: Scc, stack: RunningStack) -> None:
    voyage = set_sail(Dock(stack).sign_in())  # its own, because the stream reports the rows too
    second = voyage.row(2)
    forged = second | {"payment_id": "pay_forged", "SK": second["SK"] + 1}
    forged |= {"timestamp": forged["SK"]}
    forged |= {"hash": entry_hash(forged)}
    beyond = forged | {"SK": forged["SK"] + 1, "seq": 5}
    beyond |= {"timestamp": beyond["SK"], "hash": ""}
    beyond |= {"hash": entry_hash(beyond)}
    for row, number in ((forged, 2), (beyond, 5)):
        voyage.put(row)
        try:
            expected = (1, [("ledger", "inserted", number, number)])
            assert verified(local, voyage) == expected
        finally:
            voyage.delete(row)


def test_a_mail_that_is_not_in_the_file_is_found_by_what_was_sent(
    local: Scc, voyage: Voyage, tmp_path: Path
) -> None:
    export = voyage.export(tmp_path / "export.mbox")
    mails = export.read_bytes().split(b"From MAILER-DAEMON ")
    last = voyage.payments[-1]["payment_id"].encode()
    kept = [each for each in mails if b"X-SCC-Payment-Id: " + last not in each]
    assert len(kept) == len(mails) - 1
    export.write_bytes(b"From MAILER-DAEMON ".join(kept))
    expected = (1, [("mailbox", "missing", 4, 4)])
    assert verified(local, voyage, "--mbox", str(export)) == expected


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verify", "--event", "no-such-event"], "no-such-event"),
        (["verify", "--mbox", "absent.mbox"], "absent.mbox"),
        (["reconcile", "--event", "no-such-event"], "no-such-event"),
        (["reconcile", "--event", "x", "--from", "2026-11-01"], "not both"),
        (["reconcile", "--from", "yesterday"], "not a day such as"),
        (["reconcile", "--from", "20261101"], "not a day such as"),
        (["reconcile", "--from", "2026-W48-1"], "not a day such as"),
        (["reconcile", "--event", ""], "it is empty"),
        (["verify", "--event", ""], "it is empty"),
        (["reconcile", "--to", "2026-11-01"], "--from must be a day"),
        (["reconcile", "--from", "2026-11-02", "--to", "2026-11-01"], "on or before --to"),
        (["reconcile", "--from", "2099-01-01"], "has not begun yet"),
        (["reconcile", "--from", "0001-01-01"], "at most 400"),
        (["reconcile", "--state", "/dev/null/x"], "/dev/null/x"),
        (["reconcile", "--late", "0"], "--late"),
        (["reconcile", "--reason", "x"], "--reason is for the record of --repair"),
        (["verify", "--expect-head", "sunset-charter=42"], "looks like sunset-charter=42:"),
        (["verify", "--event", "a", "--expect-head", "b=1:" + "0" * 64], "another event"),
    ],
)
def test_an_impossible_check_is_explained_in_a_sentence(
    local: Scc, arguments: list[str], says: str
) -> None:
    answer = local(*arguments)
    assert answer.returncode == 2, answer.stdout
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""


# ── reconcile ────────────────────────────────────────────────────────────────────────────────────


def reconciled(local: Scc, voyage: Voyage, *more: str) -> tuple[int, Found, dict[str, Any]]:
    answer = local("reconcile", "--event", voyage.event_id, "--json", *more)
    assert answer.stdout, answer.stderr
    content = json.loads(answer.stdout)
    found = [(each["kind"], each["seq"]) for each in content["findings"]]
    return answer.returncode, found, content


def test_ledger_deliveries_and_mailbox_agree(local: Scc, voyage: Voyage) -> None:
    answer = local("reconcile", "--event", voyage.event_id, "--mailbox")
    assert answer.returncode == 0, answer.stderr
    assert [line.split() for line in answer.stdout.splitlines()[1:]] == [
        [name, "4", "4", "0", "0", "0", "0", "0", "0", "0", "cash", "4", "$10.00", "$10.00"]
        for name in (voyage.event_id, "total")
    ]
    assert "0 missing, 0 duplicate, 0 altered, 0 orphan, 0 misplaced" in answer.stderr


def test_what_was_not_looked_at_is_a_dash_and_not_a_zero(local: Scc, voyage: Voyage) -> None:
    answer = local("reconcile", "--event", voyage.event_id)
    assert answer.stdout.splitlines()[1].split()[:10] == [
        voyage.event_id, "4", "4", "0", "0", "-", "-", "-", "-", "0",
    ]  # fmt: skip
    found = json.loads(local("reconcile", "--event", voyage.event_id, "--json").stdout)["found"]
    assert found == {
        "missing": 0, "duplicate": None, "altered": None, "orphan": None, "misplaced": None,
        "late": 0, "settled": 0,
    }  # fmt: skip


def with_amount(raw: bytes) -> bytes:
    """Its record with another amount, sealed anew."""
    at = raw.index(b"\r\n\r\n", raw.index(b"Content-Disposition: attachment")) + 4
    end = raw.index(b"\r\n--", at)
    record = json.loads(base64.b64decode(raw[at:end])) | {"amount_cents": 1}
    record |= {"hash": entry_hash(record)}
    return raw[:at] + base64.b64encode(json.dumps(record).encode()) + raw[end:]


def send_again(voyage: Voyage, raw: bytes) -> None:
    """Gmail gives every sent mail a new Message-ID, so it is in the inbox twice."""
    settings = voyage.dock.stack.settings
    key = json.loads((settings.state / "service-account.json").read_text())
    gmail = Gmail(lambda: key, "audit@shipcaptaincrew.example", "send", settings.mail_url)
    with closing(gmail):
        gmail.send_audit_email_via_gmail(raw)


def test_missing_duplicate_altered_and_orphan_mails_are_named(
    local: Scc, stack: RunningStack
) -> None:
    voyage = set_sail(Dock(stack).sign_in(), 5)
    voyage.delete_mail(1)
    kept = voyage.mail(2)
    voyage.edit_mail(3, with_amount)
    orphan = voyage.row(4)
    voyage.delete(orphan)
    send_again(voyage, kept)

    def all_found() -> tuple[int, Found, dict[str, Any]] | None:
        told = reconciled(local, voyage, "--mailbox")
        return told if len(told[1]) >= 5 else None

    code, found, content = until(all_found)  # the search finds a new mail only after a while
    assert code == 1
    assert sorted(found) == [
        ("altered", 3), ("duplicate", 2), ("missing", 1), ("missing", 3), ("orphan", 4),
    ]  # fmt: skip
    assert content["found"] == {
        "missing": 2, "duplicate": 1, "altered": 1, "orphan": 1, "misplaced": 0, "late": 0,
        "settled": 0,
    }  # fmt: skip
    voyage.put(orphan)


def recorded(voyage: Voyage, ops_id: str) -> list[dict[str, Any]] | None:
    """The records of a repair as they were mailed: planned, then done."""
    found = {
        each["headers"]["X-SCC-Ops-Id"]: json.loads(json.dumps(each["attachments"][0]["json"]))
        for each in voyage.dock.inbox()
        if "X-SCC-Ops-Id" in each["headers"]
    }
    wanted = [ops_id.replace("_done", "_planned"), ops_id]
    return [found[each] for each in wanted] if found.keys() >= set(wanted) else None


def test_repair_queues_only_what_was_never_mailed(local: Scc, stack: RunningStack) -> None:
    voyage = set_sail(Dock(stack).sign_in(), 2)
    lost = voyage.row(1)
    deliveries = voyage.table("Deliveries")
    voyage.delete_mail(1)
    key = to_attributes({"payment_id": lost["payment_id"]})
    voyage.dynamodb.delete_item(TableName=deliveries, Key=key)
    # As if it had been logged an hour ago and the stream had never told.
    earlier = lost | {"logged_at": lost["logged_at"] - 3_600_000}
    voyage.put(earlier | {"hash": entry_hash(earlier)})
    code, found, content = reconciled(local, voyage, "--repair", "--reason", "a drill")
    assert (code, found) == (1, [("missing", 1)])
    assert content["repaired"] == [lost["payment_id"]]
    (planned, done) = until(lambda: recorded(voyage, content["ops_id"]))
    for record in (planned, done):
        assert (record["action"], record["reason"]) == ("repair", "a drill")
        assert record["who"].startswith("arn:")
    assert done["messages"] == [f"- {lost['payment_id']} queued"]
    until(lambda: voyage.dock.mails_of(lost["payment_id"]))

    def is_late() -> bool:
        return reconciled(local, voyage, "--mailbox")[:2] == (0, [("late", 1)])

    until(is_late)
    assert all(len(voyage.dock.mails_of(each["payment_id"])) == 1 for each in voyage.payments)


def test_an_interrupted_reconciliation_continues_where_it_stopped(
    local: Scc, voyage: Voyage, tmp_path: Path
) -> None:
    state = tmp_path / "progress.json"
    code, _, content = reconciled(local, voyage, "--state", str(state))
    assert code == 0
    assert json.loads(state.read_text())["done"] == [f"event {voyage.event_id}"]
    with voyage.restored():
        voyage.delete(voyage.row(2))  # what has been checked is not checked again
        assert reconciled(local, voyage, "--state", str(state))[2] == content
    other = local("reconcile", "--from", "2026-11-01", "--to", "2026-11-01", "--state", str(state))
    assert other.returncode == 2
    assert "another reconciliation" in other.stderr
    saved = json.loads(state.read_text())
    state.write_text(json.dumps({**saved, "version": 1}))
    older = local("reconcile", "--event", voyage.event_id, "--state", str(state))
    assert older.returncode == 2
    assert "another release" in older.stderr
    state.write_text("[]")
    broken = local("reconcile", "--event", voyage.event_id, "--state", str(state))
    assert broken.returncode == 2
    assert "remove it" in broken.stderr
    assert "Traceback" not in broken.stderr


def test_a_credential_that_google_refuses_is_reported(local: Scc, voyage: Voyage) -> None:
    voyage.dock.sandbox("POST", "/sandbox/faults", [{"kind": "revoke_delegation"}])
    try:
        answer = local("reconcile", "--event", voyage.event_id, "--mailbox")
    finally:
        voyage.dock.sandbox("DELETE", "/sandbox/faults")
    assert answer.returncode == 2
    assert "gmail.readonly" in answer.stderr
    assert "Traceback" not in answer.stderr
