"""docs/deploy.md followed word for word, from an empty account to the mail in the inbox."""

from __future__ import annotations

from typing import Any

from tests.dock import until
from tests.release.walk import Account, blocks


def test_the_walk_ends_with_the_mail_in_the_inbox(walked: Account) -> None:
    def first() -> list[dict[str, Any]]:
        return [each for each in walked.mails() if "$125.00" in each["subject"]]

    until(first)
    (mail,) = first()
    assert mail["mailbox"] == "compliance@shipcaptaincrew.example"
    assert "$125.00 cash - Jane Doe - First Sail" in mail["subject"]
    assert mail["attachments"][0]["filename"] == "first-sail-000001.json"


def test_the_walk_has_every_step_a_newcomer_needs() -> None:
    walk = "\n".join(blocks())
    for step in (
        *("make install", "make gmail-key", "make deploy STAGE=staging", "scc web publish"),
        *("scc users add", "make smoke STAGE=staging", "scc doctor", "/api/payments"),
    ):
        assert step in walk
