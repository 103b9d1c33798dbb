"""Which mails the watch looks for, in which run, and what outlives a run."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from functions.audit_mailer.gmail.failures import DeliveryError
from functions.audit_mailer.gmail.paced import OutOfTimeError
from functions.audit_mailer.watch.reader import PacedReader
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.audit.messages import OpsMessage, StatementMessage
from shared.ledger import PaymentId
from tests.builders import NOW, entry, message
from tests.functions.audit_mailer.test_statements import sealed
from tests.functions.audit_mailer.watch.watching import (
    DAY,
    ROUND_DAYS,
    Watching,
    ids,
    mail_others,
)
from tests.functions.audit_mailer.world import TRY


def test_a_finding_is_looked_at_again_however_old_its_entry_is(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    (mail,) = ids(sandbox)
    sandbox.move(mail, "trash")
    watching.world.log(entry())
    years_later = date(DAY.year + 5, 1, 1)
    assert watching.run().found == {"missing": 1}
    assert watching.run(years_later).found == {"missing": 1}
    sandbox.move(mail, "inbox")
    assert watching.run(years_later).found.total() == 0


def test_every_entry_has_its_turn_in_the_round(watching: Watching, sandbox: GmailSandbox) -> None:
    sandbox.delete(ids(sandbox)[0])
    watching.world.log(entry())
    later = date.fromordinal(DAY.toordinal() + 4 * ROUND_DAYS)
    found = [watching.run(later).found["missing"] for _ in range(4)]
    assert found[0] == 0
    assert found[-1] == 1


def test_a_run_that_is_cut_off_goes_on_where_it_stopped(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    made = mail_others(watching, 5)
    later = date.fromordinal(DAY.toordinal() + 10)
    for _ in range(16):
        watching.calls_left = 4
        watched = watching.run(later)
        assert watched.is_finished, "of the last days, which have no entries"
    assert all("seen_at" in watching.delivery(each.payment_id) for each in made)


def test_entries_of_the_same_millisecond_each_have_their_turn(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    """A void and what replaces the payment are logged at once."""
    made = [
        entry(entry().as_head, payment_id=PaymentId(f"pay_{number:016x}{0:016x}"),
              patron_email=f"{number}@example.com", logged_at=NOW + 1)
        for number in (1, 2, 3)
    ]  # fmt: skip
    watching.world.log(*made)
    for each in made:
        watching.world.mailer.deliver(message(each), TRY)
    later_on = date.fromordinal(DAY.toordinal() + 10)
    for _ in range(12):
        watching.calls_left = 4
        watching.run(later_on)
    assert all("seen_at" in watching.delivery(each.payment_id) for each in made)


def test_what_is_unsettled_outlives_a_run_without_time(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    sandbox.delete(ids(sandbox)[0])
    watching.world.log(entry())
    watching.run()
    watching.calls_left = 0
    assert not watching.run().is_finished
    watching.calls_left = 1_000
    assert watching.run(date(DAY.year + 5, 1, 1)).found == {"missing": 1}


def test_a_finding_whose_row_is_gone_stays_open(watching: Watching, sandbox: GmailSandbox) -> None:
    watching.world.log(entry())
    sandbox.delete(ids(sandbox)[0])
    watching.run()
    key = to_attributes({"PK": entry().pk, "SK": entry().timestamp})
    watching.world.dynamodb.delete_item(TableName=watching.world.payments, Key=key)
    for _ in range(2):
        assert watching.run(date(DAY.year + 5, 1, 1)).found == {"missing": 1}


def test_a_mailbox_that_cannot_be_read_is_no_missing_mail(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    sandbox.post_fault({"kind": "revoke_delegation"})
    with pytest.raises(DeliveryError):
        watching.run()
    assert watching.reported == []
    sandbox.clear_faults()
    assert watching.run().found.total() == 0


def test_a_used_up_quota_is_waited_for_as_long_as_google_says(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    sandbox.post_fault({"kind": "rate_limit", "seconds": 30, "times": 2, "on": "list"})
    assert watching.run().looked == 1
    assert sum(watching.world.clock.pauses) >= 30


def test_a_reader_without_time_stops(watching: Watching) -> None:
    reader = PacedReader(watching.box, watching.paced(lambda: False))
    with pytest.raises(OutOfTimeError):
        reader.search("anything")


def test_statements_and_operators_mails_of_the_last_days_are_watched_too(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    world = watching.world
    (statement,) = sealed(DAY.isoformat())
    world.mailer.deliver(StatementMessage(place=statement.place), TRY)
    deed: dict[str, Any] = {"ops_id": "ops_1_done", "part": 0, "action": "repair", "phase": "done"}
    deed |= {"at": NOW, "messages": [], "who": "Grace", "reason": "a drill"}
    world.dynamodb.put_item(TableName=watching.ops_table, Item=to_attributes(deed))
    world.mailer.deliver(OpsMessage(ops_id="ops_1_done"), TRY)
    watched = watching.run()
    assert (watched.looked, watched.found.total()) == (3, 0)
    later = deed | {"reason": "another one"}
    world.dynamodb.put_item(TableName=watching.ops_table, Item=to_attributes(later))
    (mail,) = (each for each in sandbox.messages() if "X-SCC-Statement" in each["headers"])
    sandbox.delete(mail["id"])
    assert watching.run().found == {"missing": 2, "altered": 1}, "the record's mail is lost, too"
    years_later = date(DAY.year + 5, 1, 1)
    assert watching.run(years_later).found == {"missing": 2, "altered": 1}, "until it is settled"
