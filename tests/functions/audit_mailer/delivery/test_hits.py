"""In doubt, only the mail itself counts as delivered, not what quotes it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from functions.audit_mailer.delivery.courier import Outcome, PostponeError
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.copies import is_copy, own_headers, record_sha256
from functions.audit_mailer.mails.payment_mail import compose
from local.gmail_sandbox.process import GmailSandbox
from tests.builders import entry
from tests.functions.audit_mailer.conftest import ADDRESSES
from tests.functions.audit_mailer.world import SETTLE_MS, World
from tests.suites import later

MAIL = compose(entry().to_row(), ADDRESSES)


def strangers() -> bytes:
    return (
        f"From: a@x.example\r\nTo: {ADDRESSES.recipient}\r\nSubject: about {MAIL.token}\r\n"
        f"Message-ID: <s@x.example>\r\n\r\nYour mail {MAIL.token} did not come.\r\n"
    ).encode()


def without_our_headers() -> bytes:
    """A forward with everything in it, the record too."""
    return re.sub(rb"(?m)^X-SCC-.*\r\n", b"", MAIL.content)


def with_another_record() -> bytes:
    return compose(entry().to_row() | {"note": "another"}, ADDRESSES).content


def with_another_header() -> bytes:
    return MAIL.content.replace(b"X-SCC-Payment-Id: pay_", b"X-SCC-Payment-Id: other_")


OTHERS = (strangers, without_our_headers, with_another_record, with_another_header)


def another_message(raw: bytes) -> bytes:
    return re.sub(rb"(?m)^Message-ID: <", b"Message-ID: <another.", raw)


@pytest.mark.parametrize("make", OTHERS)
def test_what_only_quotes_a_mail_is_no_copy_of_it(make: Callable[[], bytes]) -> None:
    assert is_copy(MAIL.content, MAIL)
    assert not is_copy(make(), MAIL)


@pytest.mark.parametrize("make", [strangers, *map(later, OTHERS[1:])])
def test_after_a_503_the_true_mail_arrives_once_whatever_quotes_it(
    world: World, sandbox: GmailSandbox, gmail: Callable[..., Gmail], make: Callable[[], bytes]
) -> None:
    gmail("import").send_audit_email_via_gmail(another_message(make()))
    sandbox.post_fault({"kind": "status", "code": 503, "times": 1})
    with pytest.raises(PostponeError):
        world.deliver()
    world.clock.now += SETTLE_MS + 1_000_000
    assert world.deliver() is Outcome.SENT
    _, arrived = sandbox.messages()
    assert arrived["headers"]["X-SCC-Payment-Id"] == entry().payment_id
    assert arrived["attachments"][0]["sha256"] == MAIL.record_sha256


@pytest.mark.parametrize("make", [with_another_record, later(strangers)])
def test_in_doubt_the_mail_that_did_arrive_is_found_among_those_that_quote_it(
    world: World, sandbox: GmailSandbox, gmail: Callable[..., Gmail], make: Callable[[], bytes]
) -> None:
    gmail("import").send_audit_email_via_gmail(another_message(make()))
    sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    with pytest.raises(PostponeError):
        world.deliver()
    world.come_back()
    assert world.deliver() is Outcome.FOUND
    assert len(sandbox.messages()) == 2


@pytest.mark.parametrize("garbage", [b"", b"\xff" * 100, b"X-SCC-Payment-Id: \r\n", b"a\n\nb"])
def test_garbage_is_no_mail_of_ours(garbage: bytes) -> None:
    assert own_headers(garbage) == {}
    assert record_sha256(garbage) == ""
    assert not is_copy(garbage, MAIL)


def test_an_own_header_that_comes_twice_counts_for_nothing() -> None:
    twice = MAIL.content.replace(b"X-SCC-Payment-Id", b"X-SCC-Payment-Id: x\r\nX-SCC-Payment-Id")
    assert not is_copy(twice, MAIL)


def test_two_records_are_none() -> None:
    """Which one would be meant?"""
    head, _, body = MAIL.content.partition(b"\r\n\r\n")
    mark = re.findall(rb"--=+[0-9]+==", body)[-1]
    *_, record, end = body.split(mark)
    twice = body.removesuffix(mark + end) + mark + record + mark + end
    assert record_sha256(head + b"\r\n\r\n" + twice) == ""
