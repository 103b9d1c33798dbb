"""What the watch sees in the audit mailbox reaches the app: seen, gone, and issued again."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.visits import row_of
from tests.dock import Dock, until
from tests.shells import Scc
from tests.suites import LONG


def watch(dock: Dock) -> None:
    """Run the watch once, as its schedule does."""
    answer = dock.stack.aws.client("lambda").invoke(
        FunctionName=dock.stack.outputs["WatchFunctionName"], Payload=b"{}"
    )
    content = json.load(answer["Payload"])
    assert content.get("is_finished"), content


def watch_until(dock: Dock, payment_id: str, finding: str | None) -> None:
    """Run the watch until it says this of a payment's mail; None: it is there.

    A mail that was just sent is not looked for yet.
    """

    def is_so() -> bool:
        watch(dock)
        audit = dock.listed(payment_id)["audit"]
        is_seen = audit["seen_at"] is not None
        return audit["mailbox"] == finding and is_seen == (finding is None)

    until(is_so)


@LONG
def test_a_mail_is_in_the_inbox_once_it_was_seen_there_and_until_it_is_gone(
    admin_page: Page, dock: Dock, local: Scc
) -> None:
    payment_id = dock.logged()["payment_id"]
    mail = dock.await_mail(payment_id)
    admin_page.goto("/g/sunset-charter?tab=payments")
    chip = row_of(admin_page, payment_id).locator("[data-part=audit]")
    expect(chip).to_have_text(re.compile("^Sent "))

    watch_until(dock, payment_id, None)
    admin_page.reload()
    expect(chip).to_have_text("In the inbox")
    row_of(admin_page, payment_id).get_by_role("link", name=re.compile("^#")).click()
    seen = admin_page.get_by_role("listitem").filter(has_text="Seen in the audit inbox.")
    expect(seen.locator("time")).to_have_attribute("title", re.compile("UTC$"))

    dock.sandbox("DELETE", f"/sandbox/messages/{mail['id']}")
    watch_until(dock, payment_id, "missing")
    admin_page.reload()
    gone = admin_page.get_by_role("listitem").filter(has_text="Not in the inbox")
    expect(gone).to_contain_text("Operations has been alerted.")
    expect(seen).to_have_count(0)
    admin_page.go_back()
    expect(chip).to_have_text("Not in the inbox")
    expect(chip).to_have_attribute("data-tone", "bad")

    issued = local("payment", "reissue", payment_id, "--reason", "deleted by a test")
    assert issued.returncode == 0, issued.stderr
    watch_until(dock, payment_id, None)
    admin_page.reload()
    expect(chip).to_have_text("In the inbox")
