"""A mail that came back, in the mailbox of a sender who is the recipient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from functions.audit_mailer.gmail.mailbox import FoundMail, Gmail, Receipt
from functions.audit_mailer.mails.copies import MOST_BYTES
from functions.audit_mailer.watch import bounces as rules
from functions.audit_mailer.watch.bounces import (
    MOST_FOREIGN,
    MOST_NAMED,
    NOTICES,
    Bounces,
    failed_by,
)
from local.gmail_sandbox.mailbox.bounce import Failed, bounce_mail
from local.gmail_sandbox.process import GmailSandbox
from tests.builders import NOW
from tests.functions.audit_mailer.conftest import AUDIT
from tests.functions.audit_mailer.watch.watching import Watching, mail_others

ORIGINAL = f"Message-ID: <one@mail.gmail.com>\r\nTo: {AUDIT}\r\nSubject: x\r\n\r\nx\r\n".encode()
NOTICE = bounce_mail(Failed(ORIGINAL, AUDIT, AUDIT, NOW, NOW + 1_000))


class Mails:
    """The notices in a mailbox."""

    def __init__(self, mails: Mapping[str, bytes]) -> None:
        self.mails = dict(mails)
        self.calls = 0
        self.read_as: list[str] = []

    def search(self, query: str) -> list[Receipt]:
        self.calls += 1
        assert query == NOTICES
        return [Receipt(name, "thread") for name in self.mails]

    def read(self, gmail_id: str) -> FoundMail | None:
        self.calls += 1
        self.read_as.append(gmail_id)
        raw = self.mails.get(gmail_id)
        return None if raw is None else sent(raw, gmail_id)


def sent(raw: bytes = ORIGINAL, name: str = "own", labels: str = "SENT") -> FoundMail:
    receipt = Receipt(name, "thread")
    return FoundMail(receipt=receipt, at=NOW, labels=frozenset(labels.split()), raw=raw)


def test_a_sent_mail_with_a_notice_came_back() -> None:
    assert Bounces(Mails({"notice": NOTICE})).have(sent())


@pytest.mark.parametrize(
    ("mail", "notices"),
    [
        (sent(), {}),
        (sent(labels="SENT INBOX UNREAD"), {"notice": NOTICE}),
        (sent(labels="Label_7"), {"notice": NOTICE}),
        (sent(ORIGINAL.replace(b"<one@", b"<another@")), {"notice": NOTICE}),
        (sent(), {"delay": NOTICE.replace(b"Action: failed", b"Action: delayed")}),
        (sent(), {"garbage": b"\xff\x00 Action: failed"}),
        (sent(b"\xff"), {"notice": NOTICE}),
    ],
    ids=["archived", "in the inbox", "imported", "another", "only late", "garbage", "no mail"],
)
def test_without_a_notice_of_its_failure_a_mail_is_there(
    mail: FoundMail, notices: Mapping[str, bytes]
) -> None:
    assert not Bounces(Mails(notices)).have(mail)


def test_a_notice_that_is_too_large_or_names_too_many_is_not_kept_whole() -> None:
    many = b"".join(b"X-SCC-Ops-Id: %d\r\nMessage-ID: <%d@x>\r\n" % (n, n) for n in range(999))
    failed = failed_by(bounce_mail(Failed(many + ORIGINAL, AUDIT, AUDIT, NOW, NOW)))
    assert 0 < len(failed.own_ids) <= MOST_NAMED
    assert 0 < len(failed.message_ids) <= MOST_NAMED
    assert failed_by(NOTICE + b"x" * MOST_BYTES) == rules.Failed()


def test_what_came_back_from_somebody_else_is_not_the_mail() -> None:
    """A filter passes the mail on as it is, and the accountant's mailbox is full."""
    passed_on = Failed(ORIGINAL, AUDIT, "accountant@gone.example", NOW, NOW)
    assert not Bounces(Mails({"notice": bounce_mail(passed_on)})).have(sent())
    to_itself = replace(passed_on, recipient=AUDIT.upper())
    assert Bounces(Mails({"notice": bounce_mail(to_itself)})).have(sent())


def test_what_a_mail_that_failed_contains_is_no_notice() -> None:
    """Its text may look like a report about another mail."""
    within = NOTICE.partition(b"message/delivery-status")[2]
    forward = b"To: x@x.example\r\nMessage-ID: <f@x.example>\r\n\r\n" + within
    notice = bounce_mail(Failed(forward, AUDIT, "x@x.example", NOW, NOW))
    assert failed_by(notice).message_ids == {"<f@x.example>"}


@pytest.mark.parametrize(("head", "most"), [(b"", MOST_FOREIGN), (b"X-SCC-Ops-Id: a\r\n", 120)])
def test_of_many_notices_the_newest_are_read_and_all_about_audit_mails(
    head: bytes, most: int
) -> None:
    """Gmail finds the oldest first. A day on which every mail comes back is told whole."""
    notice = bounce_mail(Failed(head + ORIGINAL, AUDIT, AUDIT, NOW, NOW))
    mails = Mails({f"n{number}": notice for number in range(120)})
    bounces = Bounces(mails)
    assert bounces.have(sent())
    assert mails.calls == 1 + most
    assert mails.read_as[0] == "n119"


def test_a_notice_is_looked_for_once_and_read_once() -> None:
    mails = Mails({"notice": NOTICE})
    bounces = Bounces(mails)
    for _ in range(3):
        assert bounces.have(sent())
        assert not bounces.have(sent(labels="SENT INBOX"))
        assert not bounces.may_concern("pay_1")
    assert mails.calls == 2


def test_a_notice_about_an_answer_says_nothing_of_what_it_answers() -> None:
    """A void's mail refers to the payment's: when the void came back, the payment did not."""
    answer = ORIGINAL.replace(b"<one@", b"<two@").replace(
        b"Subject:", b"References: <one@mail.gmail.com>\r\nSubject:"
    )
    bounces = Bounces(Mails({"notice": bounce_mail(Failed(answer, AUDIT, AUDIT, NOW, NOW))}))
    assert not bounces.have(sent())
    assert bounces.have(sent(answer))


def test_a_notice_says_what_the_mail_that_failed_is_about() -> None:
    own = b"X-SCC-Payment-Id: pay_1\r\n" + ORIGINAL
    notice = bounce_mail(Failed(own, AUDIT, AUDIT, NOW, NOW))
    bounces = Bounces(Mails({"notice": notice}))
    assert bounces.may_concern("pay_1")
    assert not bounces.may_concern("pay_2")


def test_the_watch_misses_a_mail_that_came_back(watching: Watching, sandbox: GmailSandbox) -> None:
    sandbox.post_fault({"kind": "bounce", "ms": 0, "times": 1})
    (bounced,) = mail_others(watching, 1)
    for _ in range(2):
        assert watching.run().found == {"missing": 1}
        assert [each.own_id for each in watching.reported] == [bounced.payment_id]


def test_a_notice_that_comes_later_counts(
    watching: Watching, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    """Gmail tries for days before it gives up."""
    sandbox.post_fault({"kind": "bounce", "ms": 600_000, "times": 1})
    (late,) = mail_others(watching, 1)
    assert watching.run().found.total() == 0
    mail = watching.box.read(watching.delivery(late.payment_id)["gmail_id"])
    assert mail
    notice = bounce_mail(Failed(mail.raw, AUDIT, AUDIT, NOW, NOW + 1))
    gmail("import").send_audit_email_via_gmail(notice)
    assert watching.run().found == {"missing": 1}
    assert watching.reported[0].own_id == late.payment_id


def test_a_mail_that_somebody_put_into_the_inbox_after_it_came_back_is_there(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    sandbox.post_fault({"kind": "bounce", "ms": 0, "times": 1})
    (bounced,) = mail_others(watching, 1)
    assert watching.run().found == {"missing": 1}
    sandbox.move(watching.delivery(bounced.payment_id)["gmail_id"], "inbox")
    assert watching.run().found.total() == 0


def test_strangers_who_call_themselves_the_mail_system_hide_no_notice(
    watching: Watching, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    sandbox.post_fault({"kind": "bounce", "ms": 0, "times": 1})
    mail_others(watching, 1)
    for number in range(3):
        gmail("import").send_audit_email_via_gmail(
            f"From: mailer-daemon <mailer-daemon@stranger.example>\r\nTo: {AUDIT}\r\n"
            f"Message-ID: <s{number}@stranger.example>\r\n\r\nhello\r\n".encode()
        )
    assert len(watching.box.search(NOTICES)) == 1
    assert watching.run().found == {"missing": 1}
