"""At Gmail's real quota: what the adapter and those who read are told, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.audit_mailer.delivery.courier import Outcome
from functions.audit_mailer.delivery.pacing import LARGEST_BURST, SEARCH_UNITS
from functions.audit_mailer.gmail.failures import DeliveryError, Failure
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.gmail.paced import Paced
from functions.audit_mailer.mails.payment_mail import compose
from local.gmail_sandbox.process import REAL_QUOTA, GmailSandbox
from local.gmail_sandbox.quota import REQUESTS_AT_ONCE, UNITS, UNITS_PER_MINUTE
from tests.builders import entry
from tests.functions.audit_mailer.conftest import ADDRESSES, AUDIT
from tests.functions.audit_mailer.world import World
from tests.suites import LONG

MAILERS = 2  # MaximumConcurrency of the queue


@pytest.fixture(scope="module")
def real() -> Iterator[GmailSandbox]:
    with GmailSandbox.start(flags=[*REAL_QUOTA, "--search-lag-ms", "0"]) as sandbox:
        yield sandbox


@pytest.fixture
def box(real: GmailSandbox) -> Iterator[Gmail]:
    real.clear_faults()
    real.clear_messages()
    key = real.service_account_info
    box = Gmail(lambda: key, AUDIT, "send", real.url + "/")
    yield box
    box.close()


def mail(number: int) -> bytes:
    return compose(entry(timestamp=number).to_row(), ADDRESSES).content


class FreeQuota:
    def reserve_reading(self, now: int, units: int) -> None:
        """As if nobody else used it."""


@LONG
def test_sixty_sends_leave_nothing_and_who_reads_waits_as_long_as_gmail_says(
    real: GmailSandbox, box: Gmail
) -> None:
    for number in range(UNITS_PER_MINUTE // UNITS["send"]):
        box.send_audit_email_via_gmail(mail(number))
    waits: list[float] = []

    def a_minute_passes(seconds: float) -> None:
        waits.append(seconds)
        real.clear_messages()

    reader = Paced(quota=FreeQuota(), pause=a_minute_passes)
    assert reader.call(SEARCH_UNITS, lambda: box.search("ahoy")) == []
    (waited,) = waits
    assert 20 < waited <= 60


@LONG
def test_all_that_runs_at_once_stays_below_the_requests_that_gmail_answers(
    real: GmailSandbox, box: Gmail
) -> None:
    at_once = MAILERS * LARGEST_BURST + 2  # a watch and one scc
    assert at_once < REQUESTS_AT_ONCE
    box.search("warm")
    real.post_fault({"kind": "latency", "ms": 2_000})
    with ThreadPoolExecutor(at_once) as threads:
        receipts = list(threads.map(box.send_audit_email_via_gmail, map(mail, range(at_once))))
    assert len({each.gmail_id for each in receipts}) == at_once


def test_of_too_many_requests_at_once_each_is_sent_or_certainly_not(
    real: GmailSandbox, box: Gmail
) -> None:
    box.send_audit_email_via_gmail(mail(0))
    real.clear_messages()
    real.post_fault({"kind": "concurrency", "requests": 3}, {"kind": "latency", "ms": 2_000})

    def failure_of(number: int) -> Failure | None:
        try:
            box.send_audit_email_via_gmail(mail(number))
        except DeliveryError as error:
            return error.failure
        return None

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(failure_of, range(8)))
    failures = [each for each in outcomes if each is not None]
    assert len(failures) >= 1
    assert {each.klass for each in failures} == {"retry"}
    assert {each.message for each in failures} == {"Too many concurrent requests for user"}
    assert len(real.messages()) == 8 - len(failures)


def test_a_mail_refused_for_too_many_requests_is_sent_in_place_a_moment_later(
    world: World, sandbox: GmailSandbox
) -> None:
    sandbox.post_fault({"kind": "concurrency", "requests": 0, "times": 2})
    assert world.deliver() is Outcome.SENT
    assert all(pause >= 1 for pause in world.clock.pauses)
    assert len(world.clock.pauses) == 2
    assert len(sandbox.messages()) == 1


def test_a_user_whom_the_domain_does_not_have_is_nobodys_mail(
    sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    box = gmail()
    box.search("warm")
    sandbox.post_fault({"kind": "unknown_user", "user": AUDIT})
    with pytest.raises(DeliveryError) as caught:
        box.send_audit_email_via_gmail(mail(1))
    assert caught.value.failure.klass == "systemic"
    assert caught.value.failure.message == "Invalid email or User ID"
    sandbox.clear_faults()
    box.send_audit_email_via_gmail(mail(1))
    assert len(sandbox.messages()) == 1
