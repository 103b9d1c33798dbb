"""How a local stack's mailer delivers, and how much its Gmail sandbox allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, get_args

from functions.audit_mailer.delivery.pacing import PER_MINUTE
from functions.audit_mailer.settings import DeliveryMethod
from local.gmail_sandbox.quota import UNITS_PER_MINUTE

METHODS = get_args(DeliveryMethod)


class MailSettingsError(Exception):
    """A setting is invalid; the message names the variable and says what to do."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """method: messages.send or messages.import.

    units_per_minute, sends_per_day: what the sandbox allows each user. Its quota is a hundred times
    Gmail's 6,000, so that tests hit it only on purpose (as a fault). The mailer's pace follows it.

    retry_cap_seconds: the longest wait between two tries of one mail. search_settle_seconds: how
    long a search may take to show a mail; the sandbox indexes within a second.
    """

    method: str = "send"
    units_per_minute: int = 600_000
    sends_per_day: int = 2_000
    retry_cap_seconds: int = 10
    search_settle_seconds: int = 5

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> MailSettings:
        """Raises MailSettingsError."""
        method = environment.get("SCC_MAIL_METHOD") or "send"
        if method not in METHODS:
            raise MailSettingsError(f"SCC_MAIL_METHOD must be send or import, not {method!r}.")
        return cls(
            method=method,
            units_per_minute=_count(environment, "SCC_MAIL_UNITS_PER_MINUTE", 600_000),
            sends_per_day=_count(environment, "SCC_MAIL_SENDS_PER_DAY", 2_000),
            retry_cap_seconds=_count(environment, "SCC_MAIL_RETRY_CAP_SECONDS", 10),
            search_settle_seconds=_count(environment, "SCC_MAIL_SETTLE_SECONDS", 5),
        )

    def as_environment(self) -> dict[str, str]:
        """The variables that `from_environment` reads."""
        return {
            "SCC_MAIL_METHOD": self.method,
            "SCC_MAIL_UNITS_PER_MINUTE": str(self.units_per_minute),
            "SCC_MAIL_SENDS_PER_DAY": str(self.sends_per_day),
            "SCC_MAIL_RETRY_CAP_SECONDS": str(self.retry_cap_seconds),
            "SCC_MAIL_SETTLE_SECONDS": str(self.search_settle_seconds),
        }

    @property
    def _per_minute(self) -> int:
        """As the mailer takes it from Gmail's own quota."""
        share = PER_MINUTE[cast("DeliveryMethod", self.method)]
        return self.units_per_minute * share // UNITS_PER_MINUTE

    def as_parameters(self) -> dict[str, str]:
        """These settings as parameters of template.yaml."""
        return {
            "GmailDeliveryMethod": self.method,
            "GmailSendsPerMinute": str(max(1, self._per_minute)),
            "GmailSearchSettleSeconds": str(self.search_settle_seconds),
            "RetryCapSeconds": str(self.retry_cap_seconds),
        }


def _count(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable) or str(default)
    is_short_number = text.isascii() and text.isdecimal() and len(text) <= 10
    if not is_short_number or not 1 <= int(text) <= 10**9:
        raise MailSettingsError(
            f"{variable} must be a whole number from 1 to a billion, not {text!r:.40}."
        )
    return int(text)
