"""The watch over the mailbox: the real rules, adapters and sandbox, moto's tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import boto3
import pytest

from functions.audit_mailer.delivery.pacing import Pacer, Rate
from functions.audit_mailer.gmail.failures import DeliveryError
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.gmail.paced import OutOfTimeError, Paced
from functions.audit_mailer.ledger_rows import LedgerRows
from functions.audit_mailer.mails.payment_mail import Reissue, compose
from functions.audit_mailer.watch.reader import PacedReader
from functions.audit_mailer.watch.rounds import Watch, Watched
from functions.audit_mailer.watch.sightings import Sightings
from functions.audit_mailer.watch.subjects import OpsRecords, Subjects
from local.gmail_sandbox.mailbox.places import Place
from local.gmail_sandbox.process import GmailSandbox
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.daybook import Daybook
from shared.findings import MailFinding
from shared.ledger import LedgerEntry, PaymentId
from shared.messages import OpsMessage, StatementMessage
from shared.statements.bucket import Evidence
from tests.builders import NOW, entry, message
from tests.functions.audit_mailer.conftest import ADDRESSES, AUDIT, BUCKET
from tests.functions.audit_mailer.test_statements import sealed
from tests.functions.audit_mailer.world import SETTLE_MS, TRY, World
from tests.suites import later

DAY = date.fromisoformat(entry().logged_day)


@dataclass
class Watching:
    """The watch, and what it said."""

    world: World
    box: Gmail
    settled: set[str] = field(default_factory=set)
    reported: list[MailFinding] = field(default_factory=list)
    calls_left: int = 10_000

    def run(self, today: date = DAY, after_ms: int = SETTLE_MS + 1) -> Watched:
        world, self.reported = self.world, []
        world.clock.now = max(world.clock.now, NOW + after_ms)
        ledger, watched = world.payments.replace("Payments", "Ledger"), Watched()
        Watch(
            ledger=Daybook(world.dynamodb, world.payments, world.table),
            subjects=Subjects(
                entries=LedgerRows(world.dynamodb, world.payments, ledger),
                ops_records=OpsRecords(world.dynamodb, self.ops_table),
                evidence=Evidence(boto3.client("s3"), BUCKET),
            ),
            reader=PacedReader(self.box, self.paced(self._may_go_on)),
            sightings=Sightings(world.dynamodb, world.table),
            recipient=AUDIT,
            is_settled=lambda finding: finding.ops_id in self.settled,
            report=self.reported.append,
            now=world.clock.now,
            settle_ms=SETTLE_MS,
        ).run(today, watched)
        return watched

    def paced(self, may_go_on: Callable[[], bool]) -> Paced:
        return Paced(
            quota=Pacer(self.world.dynamodb, self.world.table, AUDIT, Rate(60_000), probe_ms=1),
            now=self.world.clock,
            pause=self.world.clock.pause,
            may_go_on=may_go_on,
        )

    def _may_go_on(self) -> bool:
        self.calls_left -= 1
        return self.calls_left >= 0

    @property
    def ops_table(self) -> str:
        return self.world.payments.replace("Payments", "OpsRecord")

    def delivery(self, payment_id: str = entry().payment_id) -> dict[str, Any]:
        key = to_attributes({"payment_id": payment_id})
        item = self.world.dynamodb.get_item(TableName=self.world.table, Key=key)
        return from_attributes(item.get("Item", {}))


@pytest.fixture
def watching(world: World, gmail: Callable[..., Gmail]) -> Watching:
    assert world.deliver() == "sent"
    return Watching(world, gmail())


def mail_others(watching: Watching, count: int) -> list[LedgerEntry]:
    made, head = list[LedgerEntry](), entry().as_head
    for number in range(1, count + 1):
        at = NOW + number
        payment_id = PaymentId(f"pay_{number:016x}{0:016x}")
        made.append(entry(head, payment_id=payment_id, timestamp=at, logged_at=at))
        head = made[-1].as_head
    watching.world.log(*made)
    for each in made:
        watching.world.mailer.deliver(message(each), TRY)
    return made


def ids(sandbox: GmailSandbox) -> list[str]:
    return [str(each["id"]) for each in sandbox.messages()]


def put(gmail: Callable[..., Gmail], raw: bytes) -> str:
    another_id = re.sub(rb"(?m)^Message-ID: <", b"Message-ID: <another.", raw)
    return str(gmail("import").send_audit_email_via_gmail(another_id).gmail_id)


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
    found = [watching.run(date(DAY.year + 1, 11, 1)).found["missing"] for _ in range(4)]
    assert found[0] == 0
    assert found[-1] == 1


def test_a_run_that_is_cut_off_goes_on_where_it_stopped(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    made = mail_others(watching, 5)
    later = date.fromordinal(DAY.toordinal() + 10)
    for _ in range(16):
        watching.calls_left = 3
        watched = watching.run(later)
        assert watched.is_finished, "of the last days, which have no entries"
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


def test_a_delivery_that_is_gone_is_not_made_by_the_watch(watching: Watching) -> None:
    watching.run()
    key = to_attributes({"payment_id": entry().payment_id})
    watching.world.dynamodb.delete_item(TableName=watching.world.table, Key=key)
    assert watching.run().looked == 0
    assert watching.delivery() == {}


def test_a_reader_without_time_stops(watching: Watching) -> None:
    reader = PacedReader(watching.box, watching.paced(lambda: False))
    with pytest.raises(OutOfTimeError):
        reader.search("anything")


def test_what_went_to_another_mailbox_is_not_looked_for_here(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    """The stack's recipient was changed: the old mails are where they were sent."""
    sandbox.delete(ids(sandbox)[0])
    watching.world.dynamodb.update_item(
        TableName=watching.world.table,
        Key=to_attributes({"payment_id": entry().payment_id}),
        UpdateExpression="SET recipient = :old",
        ExpressionAttributeValues=to_attributes({":old": "former@shipcaptaincrew.example"}),
    )
    assert watching.run().looked == 0


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


@pytest.mark.parametrize(
    "edited",
    [
        {"day": {"S": "tomorrow"}, "after": {"S": "x"}, "unsettled": {"S": "pay_1"}},
        {"day": {"N": "1"}, "after": {"N": "1.5"}, "unsettled": {"L": [{"N": "1"}, {"S": ""}]}},
        {"day": {"B": b"1"}, "after": {"BOOL": True}, "unsettled": {"L": [{"S": "no such id"}]}},
        {"day": {"S": "9999-12-31"}, "after": {"N": "-1"}, "unsettled": {"NULL": True}},
    ],
)
def test_a_round_that_somebody_edited_begins_anew(
    watching: Watching, edited: dict[str, Any]
) -> None:
    item = to_attributes(keys.watch()) | edited
    watching.world.dynamodb.put_item(TableName=watching.world.table, Item=item)
    assert watching.run().looked == 1


@pytest.mark.parametrize(
    "edited",
    [
        {"mails": {"S": "own"}, "seen_at": {"S": "x"}, "mailbox_finding": {"N": "1"}},
        {"mails": {"M": {"x": {"N": "1"}, "y": {"S": "own"}}}, "gmail_id": {"N": "1"}},
        {"sent_at": {"S": "x"}, "record_sha256": {"NULL": True}, "gmail_id": {"BOOL": True}},
    ],
)
def test_a_delivery_that_somebody_edited_is_looked_at_all_the_same(
    watching: Watching, sandbox: GmailSandbox, edited: dict[str, Any]
) -> None:
    key = to_attributes({"payment_id": entry().payment_id})
    table, dynamodb = watching.world.table, watching.world.dynamodb
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.put_item(TableName=table, Item=item | edited)
    assert watching.run().found.total() == 0
    sandbox.delete(ids(sandbox)[0])
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
    gmail("import").send_audit_email_via_gmail(made.content)
    assert watching.run().found == ({} if is_recorded else {"altered": 1})
    sandbox.delete(original)
    assert watching.run().found == ({} if is_recorded else {"altered": 1, "missing": 1})


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
        watching.calls_left = 3
        watching.run(later_on)
    assert all("seen_at" in watching.delivery(each.payment_id) for each in made)


@pytest.mark.parametrize(
    "edited",
    [
        {"recipient": {"S": AUDIT.upper()}},
        {"recipient": {"N": "1"}},
        {"sent_at": {"N": "9999999999999"}},
    ],
)
def test_an_edited_delivery_does_not_blind_the_watch(
    watching: Watching, sandbox: GmailSandbox, edited: dict[str, Any]
) -> None:
    key = to_attributes({"payment_id": entry().payment_id})
    table, dynamodb = watching.world.table, watching.world.dynamodb
    dynamodb.put_item(
        TableName=table, Item=dynamodb.get_item(TableName=table, Key=key)["Item"] | edited
    )
    sandbox.delete(ids(sandbox)[0])
    assert watching.run().found == {"missing": 1}


def test_a_finding_whose_row_is_gone_stays_open(watching: Watching, sandbox: GmailSandbox) -> None:
    watching.world.log(entry())
    sandbox.delete(ids(sandbox)[0])
    watching.run()
    key = to_attributes({"PK": entry().pk, "SK": entry().timestamp})
    watching.world.dynamodb.delete_item(TableName=watching.world.payments, Key=key)
    for _ in range(2):
        assert watching.run(date(DAY.year + 5, 1, 1)).found == {"missing": 1}


def test_an_ops_record_of_odd_types_does_not_end_the_run(watching: Watching) -> None:
    odd = to_attributes({"ops_id": "ops_odd", "part": 0, "at": NOW}) | {"x": {"N": "1.5"}}
    watching.world.dynamodb.put_item(TableName=watching.ops_table, Item=odd)
    assert watching.run().is_finished
