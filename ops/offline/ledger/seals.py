"""Whether statements hang together: each names the one before it, and one key signs them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ops.offline.ledger.links import INTEGRITY, Finding
from ops.offline.ledger.public_key import PublicKey


@dataclass(frozen=True, slots=True)
class Seal:
    """What holds one statement in its place. previous: the day before it and its hash, or empty.

    sha256: of the statement. key: SHA-256 of the public key that it names.
    """

    day: str
    is_final: bool
    sha256: str
    previous: tuple[str, str]
    key: str
    signature: bytes


def seal_of(record: Mapping[str, Any], sha256: str, signature: bytes) -> Seal:
    """Raises KeyError, TypeError or ValueError for what is no statement."""
    previous = record["previous"]
    named = (str(previous["day"]), str(previous["sha256"])) if previous is not None else ("", "")
    return Seal(
        day=date.fromisoformat(record["day"]).isoformat(),
        is_final=record["is_final"] is True,
        sha256=sha256,
        previous=named,
        key=str(record["key_sha256"]),
        signature=signature,
    )


def unsigned(seals: Iterable[Seal], key: PublicKey | None) -> set[str]:
    """SHA-256 of the statements that the key has not signed; without a key, none are."""
    every = [*seals] if key else []
    signed = {
        each.sha256
        for each in every
        if key and key.has_signed(bytes.fromhex(each.sha256), each.signature)
    }
    return {each.sha256 for each in every} - signed


def broken_seals(seals: Sequence[Seal], key: PublicKey | None) -> Iterator[Finding]:
    """key: of the stack; without it, only what the statements say of each other is compared."""
    final = sorted({each for each in seals if each.is_final}, key=lambda each: each.day)
    known = {(each.day, each.sha256) for each in final}
    days = {each.day for each in final}
    for each in final:
        before = (date.fromisoformat(each.day) - timedelta(1)).isoformat()
        day, sha256 = each.previous
        if not day and each.day != final[0].day:
            yield _broken(each, "says that it is the first, and there are earlier ones")
        elif day and day != before:
            yield _broken(each, f"follows {day[:10]}, not the day before it")
        elif day in days and (day, sha256) not in known:
            yield _broken(each, f"was made after another statement of {day} than the one here")
    yield from _other_keys(seals, key)
    for each in seals if key else ():
        if key and not key.has_signed(bytes.fromhex(each.sha256), each.signature):
            yield _broken(each, "is not signed by this key")


def _other_keys(seals: Sequence[Seal], key: PublicKey | None) -> Iterator[Finding]:
    named = {each.key for each in seals}
    if key is None and len(named) > 1:
        detail = f"statements name {len(named)} signing keys, and a stack has one"
        yield Finding(INTEGRITY, "", 0, 0, "contradiction", "", detail)
    for each in seals if key else ():
        if key and each.key != key.sha256:
            yield _broken(each, "names another signing key than this one")


def _broken(seal: Seal, what: str) -> Finding:
    so_far = "" if seal.is_final else " so far"
    detail = f"the statement of {seal.day}{so_far} {what}"
    return Finding(INTEGRITY, "", 0, 0, "broken-seal", "", detail)
