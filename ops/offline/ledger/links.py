"""What the verifier works with: entries as links of a chain, anchors, and findings."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from shared.ledger import MOST_ENTRIES, canonical_json, entry_hash, faults_of, record_of
from shared.methods import foreign

INTEGRITY, COMPLETENESS = "integrity", "completeness"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """seq, last_seq: which entries, or 0 when unknown."""

    verdict: str
    event_id: str
    seq: int
    last_seq: int
    kind: str
    payment_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One entry of a chain, as small as it can be: a mailbox has tens of thousands.

    computed: the hash it should have, empty for values that no entry has. sha256: of the whole
    record. faults: of the strict reading; if there are any, the fields below mean nothing. about:
    the payment that this entry voids, refunds or corrects. logged_at: epoch milliseconds. told: a
    digest of what other mails may say about the entry, empty if its own mail was not read. reissue:
    the name of a mail that was issued again, empty for the first one and for rows. foreign: why the
    app never writes such an entry, empty if it does.
    """

    event_id: str
    seq: int
    payment_id: str
    hash: str
    prev_hash: str
    computed: str
    sha256: str
    faults: tuple[str, ...] = ()
    kind: str = ""
    about: str = ""
    patron_email: str = ""
    method: str = ""
    foreign: str = ""
    amount_cents: int = 0
    logged_at: int = 0
    logged_day: str = ""
    told: bytes = b""
    reissue: str = ""

    @property
    def is_sound(self) -> bool:
        return self.hash == self.computed and not self.faults

    @property
    def net_cents(self) -> int:
        return self.amount_cents if self.kind == "payment" else -self.amount_cents


@dataclass(frozen=True, slots=True)
class Anchor:
    """What another source says about a chain: at `seq` its hash was `hash`."""

    event_id: str
    seq: int
    hash: str
    source: str


def link_of(row: Mapping[str, Any]) -> Link:
    """A row or a record as a link. Raises ValueError, which says why it is not one of a chain."""
    for name in ("event_id", "payment_id", "hash", "prev_hash"):
        if type(row.get(name)) is not str:
            raise ValueError(f"{name} is missing or not text")
    seq = row.get("seq")
    if type(seq) is not int or not 0 < seq < MOST_ENTRIES:
        raise ValueError("seq is not a number from 1 up")
    faults = tuple(faults_of(row))
    try:
        computed = entry_hash(row)
        content = canonical_json(record_of(row))
    except (TypeError, ValueError, RecursionError):
        computed, content = "", repr(row).encode("utf-8", "backslashreplace")
        faults = faults or ("it holds a value that no entry has",)
    link = Link(
        event_id=sys.intern(row["event_id"]),
        seq=seq,
        payment_id=row["payment_id"],
        hash=sys.intern(row["hash"]),
        prev_hash=sys.intern(row["prev_hash"]),
        computed=sys.intern(computed),
        sha256=hashlib.sha256(content).hexdigest(),
        faults=faults,
    )
    return link if faults else _with_meaning(link, row)


def _with_meaning(link: Link, row: Mapping[str, Any]) -> Link:
    return replace(
        link,
        kind=sys.intern(row["kind"]),
        about=row.get("voids") or row.get("refunds") or row.get("corrects") or "",
        patron_email=sys.intern(row["patron_email"]),
        method=sys.intern(row["method"]),
        foreign=foreign(row["currency"], row["method"]),
        amount_cents=row["amount_cents"],
        logged_at=row["logged_at"],
        logged_day=sys.intern(row["logged_day"]),
    )


def found(verdict: str, link: Link, kind: str, detail: str) -> Finding:
    return Finding(verdict, link.event_id, link.seq, link.seq, kind, link.payment_id, detail)


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """In order, each kind once per entry: an alteration shows up in several places."""
    by_place: dict[tuple[Any, ...], Finding] = {}
    for each in sorted(set(findings)):
        place = (each.verdict, each.event_id, each.seq, each.kind, each.payment_id)
        if each.seq and place in by_place:
            detail = f"{by_place[place].detail}; {each.detail}"
            by_place[place] = replace(each, detail=detail)
        else:
            by_place[place if each.seq else (*place, each.detail)] = each
    return list(by_place.values())


def ranges(numbers: Iterable[int]) -> str:
    """For example "#000001-#000041, #000043", or "none"."""
    distinct = enumerate(sorted(set(numbers)))
    spans = [list(span) for _, span in groupby(distinct, lambda pair: pair[1] - pair[0])]
    return ", ".join(span_text(span[0][1], span[-1][1]) for span in spans) or "none"


def span_text(first: int, last: int) -> str:
    return f"#{first:06d}" if last <= first else f"#{first:06d}-#{last:06d}"
