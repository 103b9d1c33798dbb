"""What becomes of a mail that Gmail has accepted: the active faults decide, for each recipient."""

from dataclasses import dataclass

from local.gmail_sandbox.faults import Faults
from local.gmail_sandbox.mailbox.places import Place

BOUNCE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Bounced:
    """The recipient gets nothing; the sender is told this many milliseconds later."""

    after_ms: int


Fate = Place | Bounced


@dataclass(frozen=True, slots=True)
class Fates:
    faults: Faults

    def of_sent(self, recipient: str) -> Fate:
        """Return where one recipient's copy goes, and count the fault that sends it there."""
        if bounce := self.faults.take("bounce", user=recipient):
            return Bounced(bounce.number("ms", BOUNCE_MS))
        if self.faults.peek("unknown_user", user=recipient):
            return Bounced(BOUNCE_MS)
        return self._classified(recipient, never_spam=False)

    def of_imported(self, user: str, *, never_spam: bool) -> Place:
        """Imported mail is scanned and filtered like received mail, but it cannot bounce.

        `never_spam`: the call's neverMarkSpam. Filters still work: with reports of imported mail
        that they moved, https://github.com/YoRyan/turbogmailify/pull/47.
        """
        return self._classified(user, never_spam=never_spam)

    def merges_imports(self) -> bool:
        """Return whether a Message-ID that the mailbox has makes no second mail."""
        return self.faults.take("doubled_imports") is None

    def _classified(self, recipient: str, *, never_spam: bool) -> Place:
        if not never_spam and self.faults.take("spam", user=recipient):
            return "spam"
        return "trash" if self.faults.take("trash", user=recipient) else "inbox"
