"""What the mailbox has about one subject. Pure rules.

A mail is what it was when it was read: Gmail's messages never change, they only come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.audit_mailer.mails.copies import own_headers, record_sha256
from functions.audit_mailer.mails.envelope import REISSUE
from functions.audit_mailer.watch.subjects import Subject
from shared.audit.delivery import BOUNCED
from shared.audit.findings import MailFinding

OWN, ALTERED, INVENTED, OTHER = "own", "altered", "invented", "other"
_REISSUE = "reissue "


def role_of(raw: bytes, subject: Subject, is_reissue: Callable[[str], bool]) -> str:
    """OWN, ALTERED, OTHER, or a reissue by its name.

    is_reissue: whether operators had one made; if not, what says so is INVENTED.
    """
    headers, (name, value) = own_headers(raw), subject.header
    if headers.get(name) != value:
        return OTHER
    if record_sha256(raw) != subject.sha256:
        return ALTERED
    reissue = headers.get(REISSUE)
    if reissue is None:
        return OWN
    return f"{_REISSUE}{reissue[:200]}" if is_reissue(reissue) else INVENTED


def is_genuine(role: str) -> bool:
    """Whether it is the subject's mail, or one that was issued again."""
    return role not in (ALTERED, INVENTED, OTHER, BOUNCED)


@dataclass(frozen=True, slots=True)
class Sighting:
    """roles: what each mail that a search for the subject finds is, by Gmail id.

    known_as: the mails that were there before.
    """

    own_id: str
    roles: Mapping[str, str]
    known_as: frozenset[str] = frozenset()

    @property
    def genuine(self) -> list[str]:
        return [name for name, role in self.roles.items() if is_genuine(role)]

    def findings(self) -> Iterator[MailFinding]:
        """A mail with another record is one by itself: what a person said of it stays true."""
        altered = [name for name, role in self.roles.items() if role in (ALTERED, INVENTED)]
        for each in altered:
            yield MailFinding("altered", self.own_id, frozenset({each}))
        if not self.genuine:
            bounced = {name for name, role in self.roles.items() if role == BOUNCED}
            yield MailFinding("missing", self.own_id, self.known_as | bounced)
            return
        roles = [self.roles[each] for each in self.genuine]
        twice = {name for name in self.genuine if roles.count(self.roles[name]) > 1}
        if twice:
            yield MailFinding("duplicate", self.own_id, frozenset(twice))


def roles_of(delivery: Mapping[str, Any]) -> dict[str, str]:
    """What an earlier run read. Whoever edits a table by hand writes anything."""
    mails = delivery.get("mails")
    if not isinstance(mails, Mapping):
        return {}
    return {name: role for name, role in mails.items() if isinstance(role, str)}
