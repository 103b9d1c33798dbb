"""The rules of a chain: what its entries, its numbers and its anchors must agree on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from types import MappingProxyType

from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Anchor, Finding, Link, found
from ops.offline.ledger.meaning import check_meaning
from shared.ledger import GENESIS_HASH


def check_chains(
    links: Iterable[Link],
    anchors: Iterable[Anchor],
    zone: tzinfo | None = None,
    certified: Mapping[str, int] = MappingProxyType({}),
) -> list[Finding]:
    """Check every event's chain against itself and its anchors. zone: of business days.

    certified: through which number each event's entries may be gone.
    """
    by_event: dict[str, tuple[list[Link], list[Anchor]]] = {}
    for link in links:
        by_event.setdefault(link.event_id, ([], []))[0].append(link)
    for anchor in anchors:
        by_event.setdefault(anchor.event_id, ([], []))[1].append(anchor)
    return sorted(
        each
        for event in sorted(by_event)
        for each in check_chain(*by_event[event], zone, certified.get(event, 0))
    )


def check_chain(
    links: Sequence[Link],
    anchors: Sequence[Anchor],
    zone: tzinfo | None = None,
    certified: int = 0,
) -> Iterator[Finding]:
    """Check one event's chain. An altered entry with a new hash contradicts its neighbor.

    certified: through which number entries may be gone.
    """
    chain, rivals = _chosen(links, anchors)
    yield from rivals
    yield from _wrong_links(chain, anchors)
    yield from _hung_elsewhere(chain, anchors)
    yield from _rival_anchors(anchors)
    missing = gaps(chain, max((each.seq for each in anchors), default=0))
    event_id = links[0].event_id if links else anchors[0].event_id
    for first, last in missing:
        if last > certified:
            first_missing = max(first, certified + 1)
            yield Finding(COMPLETENESS, event_id, first_missing, last, "missing")
    is_whole = not missing and all(each.is_sound for each in chain.values())
    yield from check_meaning(chain, is_whole=is_whole, zone=zone)


def gaps(seen: Iterable[int], least: int = 0) -> list[tuple[int, int]]:
    """The ranges of missing numbers from 1 to the greatest one (or to `least`)."""
    missing, expected = [], 1
    for seq in sorted(seen):
        if seq > expected:
            missing.append((expected, seq - 1))
        expected = seq + 1
    if least >= expected:
        missing.append((expected, least))
    return missing


def _chosen(
    links: Sequence[Link], anchors: Sequence[Anchor]
) -> tuple[dict[int, Link], list[Finding]]:
    """For each number the entry that fits best, and findings about all others."""
    findings: list[Finding] = []
    claims: dict[int, dict[str, Link]] = {}
    mails: set[tuple[str, str]] = set()
    for link in links:
        if (link.sha256, link.reissue) in mails:
            findings.append(found(COMPLETENESS, link, "duplicate", "the same entry appears twice"))
        mails.add((link.sha256, link.reissue))
        claims.setdefault(link.seq, {})[link.sha256] = link
    said = {(each.seq, each.hash) for each in anchors}
    wanted = {(each.seq - 1, each.prev_hash) for each in links if each.hash == each.computed}
    chain: dict[int, Link] = {}
    for seq in sorted(claims):
        before = chain.get(seq - 1)
        best, *others = sorted(
            claims[seq].values(),
            key=lambda each: (
                each.hash != each.computed,
                (each.seq, each.hash) not in said,
                (each.seq, each.hash) not in wanted,
                before is not None and before.hash != each.prev_hash,
                each.sha256,
            ),
        )
        chain[seq] = best
        for other in others:
            is_same = other.payment_id == best.payment_id
            kind = "altered" if is_same else "inserted"
            rival = "another record of this payment" if is_same else best.payment_id
            detail = f"{rival} has this number and fits the chain"
            findings.append(found(INTEGRITY, other, kind, detail))
    return chain, findings


def _wrong_links(chain: Mapping[int, Link], anchors: Sequence[Anchor]) -> Iterator[Finding]:
    said: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        said.setdefault(anchor.seq, []).append(anchor)
    for seq, link in chain.items():
        after = chain.get(seq + 1)
        against = [each.source for each in said.get(seq, ()) if each.hash != link.hash]
        if link.faults:
            detail = "; ".join(link.faults)
        elif link.hash != link.computed:
            detail = "the record does not match its own hash"
        elif against:
            detail = f"{', '.join(dict.fromkeys(against))} has a different hash"
        elif after and after.hash == after.computed and after.prev_hash != link.hash:
            detail = f"#{seq + 1:06d} has a different hash for the entry before it"
        elif seq == 1 and link.prev_hash != GENESIS_HASH:
            detail = "the first entry names an entry before it"
        else:
            continue
        yield found(INTEGRITY, link, "altered", detail)


def _hung_elsewhere(chain: Mapping[int, Link], anchors: Sequence[Anchor]) -> Iterator[Finding]:
    """An entry that is not here is still named by the one after it."""
    for each in anchors:
        after = chain.get(each.seq + 1)
        if each.seq in chain or after is None or after.hash != after.computed:
            continue
        if after.prev_hash != each.hash:
            detail = f"{each.source} has a different hash for the entry before it"
            yield found(INTEGRITY, after, "altered", detail)


def _rival_anchors(anchors: Sequence[Anchor]) -> Iterator[Finding]:
    """Two sources that give one entry different hashes cannot both be right."""
    said: dict[int, dict[str, str]] = {}
    for each in anchors:
        said.setdefault(each.seq, {}).setdefault(each.hash, each.source)
    for seq, sources in said.items():
        if len(sources) > 1:
            detail = f"{' and '.join(sources.values())} disagree about its hash"
            yield Finding(INTEGRITY, anchors[0].event_id, seq, seq, "contradiction", "", detail)
