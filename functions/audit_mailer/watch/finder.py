"""What the mailbox has about one subject: searched for, and read where it was not read before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from functions.audit_mailer.gmail.mailbox import MOST_FOUND
from functions.audit_mailer.mails.copies import is_misplaced
from functions.audit_mailer.watch.bounces import Bounces, Reader, may_have_bounced
from functions.audit_mailer.watch.sightings import MOST_ROLES
from functions.audit_mailer.watch.subjects import Subject
from functions.audit_mailer.watch.verdicts import (
    OTHER,
    Sighting,
    is_genuine,
    role_of,
    roles_of,
)
from shared.audit.delivery import BOUNCED, last_known_as
from shared.text import search_token


class Reissues(Protocol):
    def is_reissue(self, run: str, own_id: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Finder:
    reader: Reader
    reissues: Reissues
    bounces: Bounces

    def sighting(
        self, subject: Subject, delivery: Mapping[str, Any], *, anew: bool = False
    ) -> Sighting:
        """delivery: its item of AuditDeliveries. anew: whatever was noted of a mail before.

        Raises DeliveryError or OutOfTimeError.
        """
        there = self.reader.search(f'"{search_token(subject.own_id)}" filename:json')
        before, roles = _read_before(subject, delivery), dict[str, str]()
        came_back = {name for name, role in before.items() if role == BOUNCED and not anew}
        for each in there:
            role = before.get(each.gmail_id)
            if anew or role is None or self._may_have_moved(role, subject):
                self._take(each.gmail_id, subject, roles, came_back)
            else:
                roles[each.gmail_id] = role
        if not any(map(is_genuine, roles.values())) or len(there) >= MOST_FOUND:
            for known in _known(delivery):  # a search may miss it
                if known not in roles:
                    self._take(known, subject, roles, came_back)
        return Sighting(subject.own_id, _most_telling(roles), last_known_as(delivery))

    def _may_have_moved(self, role: str, subject: Subject) -> bool:
        """One that came back may be in the inbox by now, and one that was there have come back."""
        own_id = subject.header[1]
        return role == BOUNCED or (is_genuine(role) and self.bounces.may_concern(own_id))

    def _take(
        self, gmail_id: str, subject: Subject, roles: dict[str, str], came_back: Collection[str]
    ) -> None:
        """Read a mail. One in the trash or in spam is none.

        came_back: mails that did, as an earlier run saw; their notices may be gone by now.
        """
        found = self.reader.read(gmail_id)
        if found is None or is_misplaced(found.labels):
            return
        role = role_of(
            found.raw, subject, lambda run: self.reissues.is_reissue(run, subject.own_id)
        )
        may_have = is_genuine(role) and may_have_bounced(found.labels)
        has_bounced = may_have and (gmail_id in came_back or self.bounces.have(found))
        roles[gmail_id] = BOUNCED if has_bounced else role


def _read_before(subject: Subject, delivery: Mapping[str, Any]) -> dict[str, str]:
    """What the mails were when they were read; nothing, if the record is not the one mailed."""
    mailed = delivery.get("record_sha256", subject.sha256)
    return roles_of(delivery) if mailed == subject.sha256 else {}


def _known(delivery: Mapping[str, Any]) -> list[str]:
    """As what the mail was sent or seen, of many the likeliest: each one costs a read."""
    roles, sent_as = roles_of(delivery), delivery.get("gmail_id")
    genuine = [name for name, role in roles.items() if is_genuine(role)]
    sent = [sent_as] if isinstance(sent_as, str) else []
    known = dict.fromkeys([*sent, *genuine, *sorted(last_known_as(delivery)), *roles])
    return [each for each in known if each][:MOST_ROLES]


def _most_telling(roles: Mapping[str, str]) -> dict[str, str]:
    """As many as are remembered: the subject's own mails first, those that only quote it last."""
    ranked = sorted(roles, key=lambda name: (not is_genuine(roles[name]), roles[name] == OTHER))
    return {name: roles[name] for name in ranked[:MOST_ROLES]}
