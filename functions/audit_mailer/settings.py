"""What the mailer reads from its environment, and the Gmail credential."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from functions.audit_mailer.mails.envelope import Addresses
from shared.settings import SettingsError

DeliveryMethod = Literal["send", "import"]
NOT_WATCHED = "none"
# As in template.yaml, which refuses the same typos before anything is deployed.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_MAILBOX = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailerSettings:
    """What only the mailer reads: where messages and entries come from.

    app_url: the app's address, to which mails link; empty for no link.
    """

    payments_table: str
    ledger_table: str
    ops_record_table: str
    evidence_bucket: str
    audit_queue_url: str
    dead_letter_queue_url: str
    app_url: str = ""

    def check(self) -> None:
        """Raises SettingsError. What is no address of the web must not become a link."""
        if self.app_url and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", self.app_url):
            raise SettingsError("APP_URL must be like https://pay.example.com, without a path")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """What only the watch over the mailbox reads.

    gmail_former_recipients: who was the recipient before, with commas between.
    """

    payments_table: str
    ledger_table: str
    deliveries_table: str
    ops_record_table: str
    evidence_bucket: str
    business_timezone: str
    gmail_former_recipients: str = ""

    @property
    def former(self) -> frozenset[str]:
        """Whose mails are not in the mailbox that is watched, in lower case."""
        named = (each.strip().lower() for each in self.gmail_former_recipients.split(","))
        return frozenset(filter(None, named))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How a mail is claimed and tried again.

    retry_cap_seconds: the longest wait between two tries of one message; a refused account or a
    daily limit may take a few times that.
    """

    deliveries_table: str
    retry_cap_seconds: int = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class GmailSettings:
    """gmail_watched_mailbox: whose mailbox shows what arrived; empty: the recipient's; or `none`.

    gmail_search_settle_seconds: how long Gmail's search may not show a mail it accepted.

    gmail_sends_per_minute: what all mailers together may deliver; 0 is what Gmail's quota allows
    for the method.
    """

    gmail_service_account_email: str
    gmail_audit_recipient: str
    gmail_service_account_key: str = field(default="", repr=False)
    gmail_credentials_secret_id: str = ""
    gmail_sender: str = ""
    gmail_watched_mailbox: str = ""
    gmail_delivery_method: str = "send"
    gmail_api_endpoint: str = ""
    gmail_search_settle_seconds: int = 180
    gmail_sends_per_minute: int = 0

    def check(self) -> None:
        """Raises SettingsError, which says what to set."""
        if self.gmail_delivery_method not in get_args(DeliveryMethod):
            raise SettingsError("GMAIL_DELIVERY_METHOD must be send or import")
        if not (self.gmail_service_account_key or self.gmail_credentials_secret_id):
            raise SettingsError(
                "set GMAIL_CREDENTIALS_SECRET_ID (or GMAIL_SERVICE_ACCOUNT_KEY for small installs)"
            )
        if self.gmail_sends_per_minute < 0:
            raise SettingsError("GMAIL_SENDS_PER_MINUTE must be 0 (Gmail's own quota) or more")
        for variable in ("gmail_audit_recipient", "sender"):
            _require_mailbox(variable.upper(), getattr(self, variable))

    def check_watched(self) -> None:
        """Raises SettingsError. Whoever reads a mailbox checks this; no mail waits for it."""
        if self.watched is not None:
            _require_mailbox("GMAIL_WATCHED_MAILBOX", self.watched)

    @property
    def sender(self) -> str:
        """Whom the mails are from."""
        return self.gmail_sender or self.gmail_audit_recipient

    @property
    def mailbox(self) -> str:
        """The Workspace user whose mailbox the service account acts for.

        `import` puts a mail into the mailbox of the user it acts for, whoever the mail is to:
        acting for the sender, it would never reach the recipient.
        """
        return self.gmail_audit_recipient if self.method == "import" else self.sender

    @property
    def watched(self) -> str | None:
        """The Workspace user whose mailbox shows what arrived; None when nobody may look there."""
        named = self.gmail_watched_mailbox or self.gmail_audit_recipient
        return None if named == NOT_WATCHED else named

    @property
    def addresses(self) -> Addresses:
        return Addresses(self.sender, self.gmail_audit_recipient)

    @property
    def method(self) -> DeliveryMethod:
        return cast("DeliveryMethod", self.gmail_delivery_method)

    def service_account(self, read_secret: Callable[[str], str]) -> dict[str, Any]:
        """The service account's key, as Google's JSON. Raises SettingsError, never with the key."""
        if self.gmail_credentials_secret_id:
            text = read_secret(self.gmail_credentials_secret_id)
            return _checked(text, "the Gmail secret", self.gmail_service_account_email)
        try:
            text = base64.b64decode(self.gmail_service_account_key, validate=True).decode()
        except ValueError:
            raise SettingsError("GMAIL_SERVICE_ACCOUNT_KEY is not base64") from None
        return _checked(text, "GMAIL_SERVICE_ACCOUNT_KEY", self.gmail_service_account_email)


def _checked(text: str, source: str, email: str) -> dict[str, Any]:
    try:
        key = json.loads(text)
    except ValueError:
        raise SettingsError(f"{source} does not hold a service account's JSON key") from None
    if not isinstance(key, dict) or not all(
        isinstance(key.get(name), str) for name in ("client_email", "private_key", "token_uri")
    ):
        raise SettingsError(f"{source} lacks client_email, private_key or token_uri")
    if key["client_email"] != email:
        raise SettingsError(f"{source} is for another account than GMAIL_SERVICE_ACCOUNT_EMAIL")
    return key


def _require_mailbox(variable: str, address: str) -> None:
    """One plain mailbox. A service account has none, so it cannot be the sender."""
    if not _MAILBOX.fullmatch(address) or address.lower().endswith(".gserviceaccount.com"):
        raise SettingsError(f"{variable} must be one Workspace mailbox, such as ada@example.com")
