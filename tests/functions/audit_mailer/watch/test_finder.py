"""What the finder makes of mails and of what earlier runs noted: a mailbox in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from functions.audit_mailer.gmail.mailbox import MOST_FOUND, FoundMail, Receipt
from functions.audit_mailer.mails.payment_mail import Reissue, compose
from functions.audit_mailer.watch.bounces import NOTICES, Bounces
from functions.audit_mailer.watch.finder import Finder
from functions.audit_mailer.watch.sightings import MOST_ROLES
from functions.audit_mailer.watch.subjects import entry_subject
from functions.audit_mailer.watch.verdicts import Sighting
from tests.builders import NOW, entry
from tests.functions.audit_mailer.conftest import ADDRESSES

OWN = compose(entry().to_row(), ADDRESSES).content
AGAIN = compose(entry().to_row(), ADDRESSES, reissue=Reissue("ops_reissue_1", NOW)).content
QUOTE = re.sub(rb"(?m)^X-SCC-.*\r\n", b"", OWN)


class Box:
    """hidden: what a search does not show. labels: of all mails."""

    def __init__(
        self, mails: Mapping[str, bytes], hidden: Mapping[str, bytes], labels: str = "SENT"
    ) -> None:
        self.mails, self.hidden, self.labels = mails, hidden, frozenset(labels.split())
        self.reads = 0

    def search(self, query: str) -> list[Receipt]:
        found = [] if query == NOTICES else list(self.mails)[-MOST_FOUND:]
        return [Receipt(name, "thread") for name in found]

    def read(self, gmail_id: str) -> FoundMail | None:
        self.reads += 1
        raw = {**self.mails, **self.hidden}.get(gmail_id)
        receipt = Receipt(gmail_id, "thread")
        return FoundMail(receipt=receipt, at=NOW, labels=self.labels, raw=raw) if raw else None

    def is_reissue(self, run: str, own_id: str) -> bool:
        return run == "ops_reissue_1"


def look(box: Box, delivery: Mapping[str, object], *, anew: bool = False) -> Sighting:
    subject = entry_subject(entry().to_row())
    assert subject
    return Finder(box, box, Bounces(box)).sighting(subject, delivery, anew=anew)


@pytest.mark.parametrize(
    ("labels", "anew", "role"),
    [
        ("SENT", False, "bounced"),
        ("SENT", True, "own"),
        ("Label_7", False, "own"),
        ("SENT INBOX", False, "own"),
    ],
    ids=["its notice may be gone", "in the round", "never sent from here", "in the inbox"],
)
def test_what_was_noted_as_returned_is_so_only_where_it_can_be(
    labels: str, role: str, *, anew: bool
) -> None:
    found = look(Box({"a": OWN}, {}, labels), {"mails": {"a": "bounced"}}, anew=anew)
    assert found.roles == {"a": role}


def test_a_reissued_mail_below_hundreds_of_quotes_is_seen_and_remembered() -> None:
    """The first one is lost, and a search shows only the newest mails."""
    box = Box({f"q{number}": QUOTE for number in range(MOST_FOUND + 10)}, {"again": AGAIN})
    for delivery in ({"last_seen_as": ["again"]}, {"mails": {"again": "reissue ops_reissue_1"}}):
        found = look(box, {"gmail_id": "lost", **delivery})
        assert found.genuine == ["again"]
        assert "again" in list(found.roles)[:MOST_ROLES]
        assert len(found.roles) == MOST_ROLES


def test_what_was_read_of_hundreds_of_quotes_is_not_read_again() -> None:
    box = Box({f"q{number}": QUOTE for number in range(MOST_FOUND - 1)} | {"a": OWN}, {})
    roles = look(box, {"gmail_id": "a"}).roles
    box.reads = 0
    assert look(box, {"gmail_id": "a", "mails": dict(roles)}).roles == roles
    assert box.reads == 0


def test_an_altered_mail_is_remembered_before_what_only_quotes_it() -> None:
    altered = compose(entry().to_row() | {"note": "other"}, ADDRESSES).content
    mails = {f"q{number}": QUOTE for number in range(MOST_FOUND)} | {"altered": altered}
    found = look(Box(mails, {"a": OWN}), {"gmail_id": "a"})
    assert list(found.roles)[:2] == ["a", "altered"]


def test_of_the_mails_that_somebody_noted_by_hand_not_all_are_read() -> None:
    box = Box({}, {"a": OWN})
    noted = {f"{number}": "own" for number in range(5_000)}
    assert look(box, {"gmail_id": "a", "mails": noted}).genuine == ["a"]
    assert box.reads <= MOST_ROLES
