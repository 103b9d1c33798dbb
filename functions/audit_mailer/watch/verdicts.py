"""What the mailbox has about one entry. Pure rules.

A mail is what it was when it was read: Gmail's messages never change, they only come and go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from functions.audit_mailer.mails.copies import own_headers, record_sha256
from functions.audit_mailer.mails.envelope import REISSUE
from shared.findings import MailFinding

OWN, ALTERED, OTHER = "own", "altered", "other"
_REISSUE = "reissue "


def role_of(raw: bytes, payment_id: str, sha256: str) -> str:
    """OWN, ALTERED, OTHER, or a reissue by its name. sha256: of the entry's record."""
    headers = own_headers(raw)
    if headers.get("X-SCC-Payment-Id") != payment_id:
        return OTHER
    if record_sha256(raw) != sha256:
        return ALTERED
    name = headers.get(REISSUE)
    return f"{_REISSUE}{name[:200]}" if name else OWN


@dataclass(frozen=True, slots=True)
class Sighting:
    """roles: what each mail that a search for the entry finds is, by Gmail id."""

    payment_id: str
    roles: Mapping[str, str]

    @property
    def genuine(self) -> list[str]:
        return [name for name, role in self.roles.items() if role not in (ALTERED, OTHER)]

    def findings(self) -> Iterator[MailFinding]:
        """A mail with another record is one by itself: what a person said of it stays true."""
        altered = [name for name, role in self.roles.items() if role == ALTERED]
        for each in altered:
            yield MailFinding("altered", self.payment_id, frozenset({each}))
        if not self.genuine:
            if not altered:
                yield MailFinding("missing", self.payment_id)
            return
        roles = [self.roles[each] for each in self.genuine]
        twice = {name for name in self.genuine if roles.count(self.roles[name]) > 1}
        if twice:
            yield MailFinding("duplicate", self.payment_id, frozenset(twice))


def still_known(roles: Mapping[str, str], there: Collection[str]) -> dict[str, str]:
    """What was read before and is still there: it need not be read again."""
    return {name: role for name, role in roles.items() if name in there}
