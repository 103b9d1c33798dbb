"""What the watch makes of the mails that it finds, and of those that it does not."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.payment_mail import Reissue, compose
from local.gmail_sandbox.mailbox.places import Place
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.audit.delivery import (
    first_seen_at,
    found_since,
    mailbox_finding,
    missed_at,
    seen_at,
)
from shared.audit.findings import MailFinding
from tests.builders import NOW, entry
from tests.functions.audit_mailer.conftest import ADDRESSES
from tests.functions.audit_mailer.watch.watching import Watching, ids, put
from tests.suites import later


def test_a_mail_in_the_inbox_is_seen(watching: Watching) -> None:
    watched = watching.run()
    assert (watched.looked, watched.found.total(), watched.is_finished) == (1, 0, True)
    assert watching.delivery()["seen_at"] == watching.world.clock.now
    first = watching.delivery()
    watching.world.clock.now += 3_600_000
    assert watching.run().found.total() == 0
    assert watching.delivery() == first, "nothing is written again"


def test_a_mail_that_was_read_once_is_not_read_again(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    watching.run()
    sandbox.post_fault({"kind": "status", "code": 400, "on": "get"})
    assert watching.run().found.total() == 0


def test_a_mail_is_given_time_to_be_found(watching: Watching, sandbox: GmailSandbox) -> None:
    sandbox.delete(ids(sandbox)[0])
    assert watching.run(after_ms=1_000).looked == 0
    assert watching.run().found == {"missing": 1}


@pytest.mark.parametrize("runs_before", [0, later(1)])
@pytest.mark.parametrize("place", [None, "trash", later("spam")])
def test_a_mail_that_is_gone_is_missing_until_it_is_back(
    watching: Watching, sandbox: GmailSandbox, place: Place | None, runs_before: int
) -> None:
    for _ in range(runs_before):
        watching.run()
    (mail,) = ids(sandbox)
    sandbox.move(mail, place) if place else sandbox.delete(mail)
    for _ in range(2):
        assert watching.run().found == {"missing": 1}
        assert watching.reported == [MailFinding("missing", entry().payment_id, frozenset({mail}))]
        assert watching.delivery()["mailbox_finding"] == "missing"
        assert "seen_at" not in watching.delivery()
    if place:
        sandbox.move(mail, "inbox")
        assert watching.run().found.total() == 0
        assert "mailbox_finding" not in watching.delivery()
        assert "seen_at" in watching.delivery()


def test_a_reply_that_quotes_everything_does_not_stand_in_for_the_deleted_mail(
    watching: Watching, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    (mail,) = ids(sandbox)
    reply = re.sub(rb"(?m)^X-SCC-.*\r\n", b"", compose(entry().to_row(), ADDRESSES).content)
    put(gmail, reply)
    assert watching.run().found.total() == 0
    sandbox.delete(mail)
    assert watching.run().found == {"missing": 1}


def test_two_mails_for_one_entry_are_a_duplicate(
    watching: Watching, gmail: Callable[..., Gmail]
) -> None:
    put(gmail, compose(entry().to_row(), ADDRESSES).content)
    assert watching.run().found == {"duplicate": 1}
    (finding,) = watching.reported
    assert len(finding.gmail_ids) == 2


def test_a_mail_with_another_record_is_altered(
    watching: Watching, gmail: Callable[..., Gmail]
) -> None:
    forged = put(gmail, compose(entry().to_row() | {"note": "other"}, ADDRESSES).content)
    assert watching.run().found == {"altered": 1}
    assert watching.reported == [MailFinding("altered", entry().payment_id, frozenset({forged}))]


def test_what_a_person_settled_is_not_found_again_and_what_is_new_is(
    watching: Watching, gmail: Callable[..., Gmail]
) -> None:
    second = compose(entry().to_row(), ADDRESSES).content
    put(gmail, second)
    watching.run()
    watching.settled = {each.ops_id for each in watching.reported}
    watched = watching.run()
    assert (watched.found.total(), watched.settled) == (0, 1)
    assert "mailbox_finding" not in watching.delivery()
    put(gmail, second.replace(b"Message-ID: <", b"Message-ID: <third."))
    assert watching.run().found == {"duplicate": 1}


def test_a_loss_that_was_explained_is_told_as_that_until_the_mail_is_back(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    (mail,) = ids(sandbox)
    sandbox.move(mail, "trash")
    watching.run()
    watching.settled = {each.ops_id for each in watching.reported}
    for _ in range(2):
        watching.run()
        assert mailbox_finding(watching.delivery()) == "explained"
    sandbox.move(mail, "inbox")
    watching.run()
    assert mailbox_finding(watching.delivery()) is None
    assert seen_at(watching.delivery())


def test_times_are_those_of_the_mail_that_is_there_and_of_the_finding_that_stands(
    watching: Watching, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    (first,) = ids(sandbox)
    watching.run()
    seen = watching.delivery()["seen_at"]
    watching.world.clock.now += 1_000
    second = put(gmail, compose(entry().to_row(), ADDRESSES).content)
    watching.run()
    doubled_at = watching.world.clock.now
    assert seen_at(watching.delivery()) == seen, "the first one is there still"
    assert found_since(watching.delivery(), "duplicate") == doubled_at
    sandbox.delete(first)
    watching.run()
    assert found_since(watching.delivery(), "duplicate") is None
    sandbox.delete(second)
    watching.world.clock.now += 1_000
    lost_at = watching.world.clock.now
    for _ in range(2):
        watching.run()
        assert found_since(watching.delivery(), "missing") == lost_at
        watching.world.clock.now += 1_000
    watching.settled = {each.ops_id for each in watching.reported}
    watching.run()
    assert found_since(watching.delivery(), "missing") == lost_at, "explained, and missing still"
    forged = put(gmail, compose(entry().to_row() | {"note": "other"}, ADDRESSES).content)
    forged_at = watching.world.clock.now
    watching.run()
    assert found_since(watching.delivery(), "altered") == forged_at
    assert found_since(watching.delivery(), "missing") == lost_at
    sandbox.delete(forged)
    put(gmail, compose(entry().to_row(), ADDRESSES).content)
    watching.world.clock.now += 1_000
    watching.run()
    there = watching.delivery()
    assert (first_seen_at(there), missed_at(there)) == (seen, lost_at)
    assert (seen_at(there), mailbox_finding(there)) == (watching.world.clock.now, None)


def test_a_mail_that_took_the_place_of_another_is_seen_since_then(
    watching: Watching, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    (first,) = ids(sandbox)
    watching.run()
    put(gmail, compose(entry().to_row(), ADDRESSES).content)
    sandbox.delete(first)
    watching.world.clock.now += 1_000
    watching.run()
    assert seen_at(watching.delivery()) == watching.world.clock.now


def mailed_to(watching: Watching, recipient: str) -> None:
    watching.world.dynamodb.update_item(
        TableName=watching.world.table,
        Key=to_attributes({"payment_id": entry().payment_id}),
        UpdateExpression="SET recipient = :recipient",
        ExpressionAttributeValues=to_attributes({":recipient": recipient}),
    )


@pytest.mark.parametrize("runs_before", [0, 1])
def test_what_went_to_a_former_recipient_is_not_looked_for_here(
    watching: Watching, sandbox: GmailSandbox, runs_before: int
) -> None:
    """Whether or not it was seen in the mailbox of that time."""
    for _ in range(runs_before):
        watching.run()
    sandbox.delete(ids(sandbox)[0])
    mailed_to(watching, "Former@shipcaptaincrew.example")
    watching.former = {"former@shipcaptaincrew.example"}
    assert watching.run().looked == 0


def test_a_recipient_that_the_stack_never_had_hides_no_loss(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    sandbox.delete(ids(sandbox)[0])
    mailed_to(watching, "elsewhere@example.com")
    assert watching.run().found == {"missing": 1}


def test_a_mail_that_came_back_and_is_lost_again_is_a_new_finding(
    watching: Watching, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    sandbox.delete(ids(sandbox)[0])
    watching.run()
    watching.settled = {each.ops_id for each in watching.reported}
    assert watching.run().found.total() == 0
    put(gmail, compose(entry().to_row(), ADDRESSES).content)
    assert watching.run().found.total() == 0
    sandbox.delete(ids(sandbox)[0])
    assert watching.run().found == {"missing": 1}


def test_a_forged_mail_that_was_explained_does_not_stand_in_for_the_original(
    watching: Watching, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    (original,) = ids(sandbox)
    put(gmail, compose(entry().to_row() | {"note": "other"}, ADDRESSES).content)
    watching.run()
    watching.settled = {each.ops_id for each in watching.reported}
    sandbox.delete(original)
    assert watching.run().found == {"missing": 1}


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_reissued_mail_counts_only_with_its_ops_record(
    watching: Watching, sandbox: GmailSandbox, gmail: Callable[..., Gmail], *, is_recorded: bool
) -> None:
    reissue = Reissue("ops_reissue_1", NOW)
    if is_recorded:
        record = {"ops_id": "ops_reissue_1_planned", "part": 0, "action": "reissue"}
        item = to_attributes(record | {"filter": entry().payment_id, "at": 1})
        watching.world.dynamodb.put_item(TableName=watching.ops_table, Item=item)
    (original,) = ids(sandbox)
    made = compose(entry().to_row(), ADDRESSES, reissue=reissue)
    again = gmail("import").send_audit_email_via_gmail(made.content).gmail_id
    assert watching.run().found == ({} if is_recorded else {"altered": 1})
    role = "reissue ops_reissue_1" if is_recorded else "invented"
    assert watching.delivery()["mails"] == {original: "own", again: role}
    sandbox.delete(original)
    assert watching.run().found == ({} if is_recorded else {"altered": 1, "missing": 1})
