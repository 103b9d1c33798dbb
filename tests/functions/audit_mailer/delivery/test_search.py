"""However many mails quote a mail, some try comes to the end of them, at Gmail's pace."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from functions.audit_mailer.delivery.courier import Outcome, PostponeError
from functions.audit_mailer.delivery.deliveries import MARK_LENGTH
from functions.audit_mailer.delivery.pacing import READ_UNITS, SEARCH_UNITS, NoSlotError
from functions.audit_mailer.delivery.search import LOOK_AGAIN_SECONDS, Search, mark_of
from functions.audit_mailer.gmail.failures import DeliveryError
from functions.audit_mailer.gmail.mailbox import MOST_FOUND, FoundMail, Gmail, Receipt
from functions.audit_mailer.mails.payment_mail import compose
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from tests.builders import NOW, entry, message
from tests.functions.audit_mailer.conftest import ADDRESSES
from tests.functions.audit_mailer.world import SETTLE_MS, TRY, Clock, World

MAIL = compose(entry().to_row(), ADDRESSES)
QUOTE = re.sub(rb"(?m)^X-SCC-.*\r\n", b"", MAIL.content)


@dataclass
class Desk:
    """A mailbox and a quota in memory. mails: by id. slots: reads that the quota allows."""

    mails: dict[str, bytes]
    slots: int = 10_000
    clock: Clock = field(default_factory=Clock)
    read_as: list[str] = field(default_factory=list)
    paid: int = 0

    def search(self, query: str, pages: int = 1) -> list[Receipt]:
        return [Receipt(name, "thread") for name in self.mails]

    def read(self, gmail_id: str) -> FoundMail | None:
        self.read_as.append(gmail_id)
        self.clock.now += 150
        receipt = Receipt(gmail_id, "thread")
        return FoundMail(receipt=receipt, at=NOW, labels=frozenset(), raw=self.mails[gmail_id])

    def reserve_search(self, now: int, patience_ms: int, units: int) -> int:
        if self.slots <= 0:
            raise NoSlotError(90_000)
        self.slots -= 1
        self.paid += units
        return now + min(patience_ms, 10)

    def find(
        self,
        ruled_out: set[str],
        budget_ms: int = 10_000,
        counts: Callable[[FoundMail], bool] = lambda _: True,
    ) -> FoundMail | None:
        looking = Search(
            mailbox=self,
            pace=self,
            came_back=frozenset(),
            ruled_out=ruled_out,
            deadline=self.clock.now + budget_ms,
            now=self.clock,
            pause=self.clock.pause,
        )
        return looking.find(MAIL, "send", counts)


def quotes(count: int) -> dict[str, bytes]:
    return {f"q{number}": QUOTE for number in range(count)}


def test_each_try_goes_on_where_the_last_one_stopped() -> None:
    desk, ruled_out = Desk(quotes(150) | {"own": MAIL.content}), set[str]()
    for _ in range(2):
        with pytest.raises(DeliveryError, match="search_not_finished") as caught:
            desk.find(ruled_out)
        assert caught.value.failure.wait == LOOK_AGAIN_SECONDS
    found = desk.find(ruled_out)
    assert found
    assert found.receipt.gmail_id == "own"
    assert sorted(desk.read_as) == sorted(desk.mails), "each is read once"


def test_all_but_the_first_search_and_read_are_paid_for_before_they_are_made() -> None:
    desk = Desk(quotes(MOST_FOUND + 1))
    assert desk.find(set(), budget_ms=1_000_000) is None
    assert desk.paid == SEARCH_UNITS + MOST_FOUND * READ_UNITS
    assert len(desk.clock.pauses) == MOST_FOUND


def test_without_quota_a_try_reads_one_mail_and_says_when_to_read_on() -> None:
    desk, ruled_out = Desk(quotes(3), slots=0), set[str]()
    with pytest.raises(DeliveryError) as caught:
        desk.find(ruled_out)
    assert caught.value.failure.wait == 90
    assert ruled_out == {mark_of("q0")}


def test_a_copy_that_does_not_count_is_read_again() -> None:
    """It lay in the trash or outside the inbox, and may be back there."""
    desk, ruled_out = Desk({"own": MAIL.content}), set[str]()
    assert desk.find(ruled_out, counts=lambda _: False) is None
    assert ruled_out == set()


@dataclass
class SlowBox:
    """box: read at half a second a mail."""

    box: Gmail
    clock: Clock
    reads: int = 0

    def search(self, query: str, pages: int = 1) -> list[Receipt]:
        return self.box.search(query, pages)

    def read(self, gmail_id: str) -> FoundMail | None:
        self.clock.now += 500
        self.reads += 1
        return self.box.read(gmail_id)

    def send_audit_email_via_gmail(self, mail: bytes, thread_id: str | None = None) -> Receipt:
        return self.box.send_audit_email_via_gmail(mail, thread_id)


def test_a_mail_that_many_quote_is_sent_once_in_the_end_and_each_quote_read_once(
    world: World, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    for number in range(25):
        another_id = b"Message-ID: <quote%d." % number
        gmail("import").send_audit_email_via_gmail(QUOTE.replace(b"Message-ID: <", another_id))
    world.clock.now += SETTLE_MS + 1
    box = SlowBox(gmail(), world.clock)
    mailer = replace(world.mailer, courier=replace(world.mailer.courier, mailbox=box))
    progress = list[int]()
    for number in (1, 2):
        with pytest.raises(PostponeError, match="search_not_finished") as caught:
            mailer.deliver(message(), replace(TRY, number=number, budget=4))
        assert caught.value.seconds < 60, "it does not wait longer each time"
        progress.append(len(world.delivery()["ruled_out"]) // MARK_LENGTH)
        world.come_back()
    assert mailer.deliver(message(), replace(TRY, number=3, budget=4)).outcome is Outcome.SENT
    assert 0 < progress[0] < progress[1] < 25
    assert box.reads == 25
    assert len(sandbox.messages()) == 26
    assert "ruled_out" not in world.delivery()


@pytest.mark.parametrize("edited", [7, "no marks", ["q"]])
def test_marks_that_somebody_edited_hide_no_mail(
    world: World, sandbox: GmailSandbox, edited: object
) -> None:
    sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    with pytest.raises(PostponeError):
        world.deliver()
    world.dynamodb.update_item(
        TableName=world.table,
        Key=to_attributes({"payment_id": entry().payment_id}),
        UpdateExpression="SET ruled_out = :edited",
        ExpressionAttributeValues=to_attributes({":edited": edited}),
    )
    world.come_back()
    assert world.deliver() is Outcome.FOUND
    assert len(sandbox.messages()) == 1
