"""What `scc` says when Google gives no token or no mail: the real client and the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.gmail_sandbox.process import GmailSandbox
from ops.errors import OpsError
from ops.stack.mailbox import AuditMailbox, NoSuchMailError

AUDIT = "audit@shipcaptaincrew.example"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[GmailSandbox]:
    with GmailSandbox.start() as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "said", "remedy"),
    [
        (
            {"kind": "unknown_user", "user": AUDIT},
            "invalid_grant: Invalid email or User ID",
            f"Check that {AUDIT} is a user of the Workspace domain.",
        ),
        (
            {"kind": "revoke_delegation"},
            "unauthorized_client: Client is unauthorized",
            "domain-wide delegation, which must list gmail.readonly.",
        ),
        (
            {"kind": "clock_skew"},
            "invalid_grant: Invalid JWT: Token must be a short-lived token",
            "Check the service account's key",
        ),
        (
            {"kind": "status", "code": 502, "on": "token"},
            "internal_failure: Backend Error",
            "Try again in a minute.",
        ),
    ],
)
def test_a_refused_token_says_what_to_check(
    sandbox: GmailSandbox, fault: dict[str, Any], said: str, remedy: str
) -> None:
    sandbox.clear_faults()
    sandbox.post_fault(fault)
    box = AuditMailbox(sandbox.service_account_info, AUDIT, sandbox.url + "/")
    with pytest.raises(OpsError) as caught:
        box.authorize()
    told = str(caught.value)
    assert told.startswith(f"Google refuses a token for {AUDIT}: {said}")
    assert remedy in told


NO_ID = {
    "kind": "status", "code": 400, "on": "get", "reason": "invalidArgument",
    "message": "Invalid id value",
}  # fmt: skip


@pytest.mark.parametrize("edited", ["x" * 9_000, "..", "a/b"])
def test_a_delivery_that_names_what_is_no_id_has_no_mail(
    sandbox: GmailSandbox, edited: str
) -> None:
    sandbox.clear_faults()
    box = AuditMailbox(sandbox.service_account_info, AUDIT, sandbox.url + "/")
    assert box.hits_of("pay_1", sent_as=edited) == []
    assert box.place_of([edited]) == "nowhere"
    with pytest.raises(NoSuchMailError) as caught:
        box.content(edited)
    assert len(str(caught.value)) < 200


def test_a_mail_of_an_id_that_gmail_calls_invalid_is_not_there(sandbox: GmailSandbox) -> None:
    sandbox.clear_faults()
    sandbox.post_fault(NO_ID)
    box = AuditMailbox(sandbox.service_account_info, AUDIT, sandbox.url + "/")
    assert box.hits_of("pay_1", sent_as="zz") == []
    sandbox.clear_faults()
    sandbox.post_fault(NO_ID | {"message": "Invalid user id"})
    with pytest.raises(OpsError, match="does not let us read"):
        box.hits_of("pay_1", sent_as="zz")
    sandbox.clear_faults()
