"""Everything that was found in a mailbox, as data and for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from ops.offline.box import Mailbox, Party
from ops.offline.ledger.chain import check_chains
from ops.offline.ledger.links import (
    COMPLETENESS,
    INTEGRITY,
    Anchor,
    Finding,
    merged,
    ranges,
    span_text,
)
from ops.offline.ledger.public_key import PublicKey
from ops.offline.ledger.seals import broken_seals
from ops.offline.mail.others import wrong_quotes
from ops.offline.operators import unrecorded
from ops.offline.settled import Judged, Settled, excused_days, judged
from shared.ledger import MOST_ENTRIES, is_event_id
from shared.zones import has_zones

Notes = list[str]
UNSIGNED = "signatures of statements were not checked: give the public key with --key FILE"
NO_ZONES = (
    "this computer knows no time zones, so the days of entries and local times in mails could not "
    "be checked: install Python's package tzdata, and check again"
)


def findings_of(
    box: Mailbox,
    expected: Sequence[Anchor] = (),
    senders: Iterable[str] = (),
    key: PublicKey | None = None,
) -> list[Finding]:
    """What is wrong, as `judgement` has it."""
    return judgement(box, expected, senders, key).findings


def judgement(
    box: Mailbox,
    expected: Sequence[Anchor] = (),
    senders: Iterable[str] = (),
    key: PublicKey | None = None,
) -> Judged:
    """expected: heads that the auditor knows. senders: addresses that may have sent the mails.

    key: that signed the statements.
    """
    zone, operators = box.statements.zone, box.operators(key)
    certified = box.statements.certificates.through
    chains = check_chains(box.links, [*box.anchors, *expected], zone, certified)
    excused = excused_days(operators.settlements)
    result = judged(
        box,
        operators,
        [
            *about_mails(box, senders),
            *operators.wrong,
            *unrecorded(box.links, operators),
            *chains,
            *box.statements.findings(box.links, chains, excused),
            *broken_seals(box.statements.seals, key),
        ],
    )
    result.findings = merged(with_copies(box, each) for each in result.findings)
    return result


def about_mails(box: Mailbox, senders: Iterable[str] = ()) -> Iterator[Finding]:
    """What is wrong with single mails, or between them."""
    yield from box.wrong
    yield from (each for digest, each in box.misplaced.items() if not box.seen[digest])
    wanted = {each.lower() for each in senders}
    yield from _others(box.senders, wanted, "it comes from", "if both are right, name both")
    usual = wanted | _most(box.recipients)
    yield from _others(box.recipients, usual, "it is addressed to", "if that is right, name it")
    yield from wrong_quotes(box.quotes, box.links)


def why_not(error: OSError | ValueError) -> str:
    """Why a file cannot be read, as a sentence."""
    if isinstance(error, OSError) and error.filename:
        reason = str(error.strerror or type(error).__name__)
        return f"{error.filename} cannot be read: {reason[:1].lower()}{reason[1:]}"
    return str(error)


def expected_head(text: str) -> Anchor:
    """EVENT=SEQ:HASH. Raises ValueError."""
    event_id, _, rest = text.partition("=")
    number, _, digest = rest.partition(":")
    digest = digest.lower()
    is_hash = len(digest) == 64 and not digest.strip("0123456789abcdef")
    seq = int(number) if number.isascii() and number.isdigit() and len(number) < 13 else 0
    if not (is_event_id(event_id) and 0 < seq < MOST_ENTRIES and is_hash):
        raise ValueError(
            "an expected head looks like sunset-charter=42: and the 64 hex digits of the hash that "
            "entry #000042 has"
        )
    return Anchor(event_id, seq, digest, "the expected head")


def with_copies(box: Mailbox, finding: Finding) -> Finding:
    """A copy does not stand in for a mail, but it helps whoever looks for the mail."""
    if finding.kind != "missing":
        return finding
    event_id, span = finding.event_id, range(finding.seq, finding.last_seq + 1)
    if len(span) < len(box.held):
        seqs = [seq for seq in span if (event_id, seq) in box.held]
    else:
        seqs = sorted(seq for event, seq in box.held if event == event_id and seq in span)
    if not seqs:
        return finding
    told = f"a copy of {ranges(seqs)} is in {box.held[finding.event_id, seqs[0]].where}"
    return replace(finding, detail="; ".join(filter(None, (finding.detail, told))))


def _others(
    parties: Mapping[str, Party], wanted: set[str], told: str, hint: str
) -> Iterator[Finding]:
    """Mails from or to another address than the wanted ones, or than most mails."""
    wanted = wanted or _most(parties)
    for address, party in parties.items():
        if address in wanted:
            continue
        others = " or ".join(sorted(wanted))
        detail = f"{told} {address or 'no single address'} and not {others}; {hint} with --sender"
        for each in party.named:
            yield replace(each, detail=f"{each.detail}{detail}")


def _most(parties: Mapping[str, Party]) -> set[str]:
    return {max(parties, key=lambda each: parties[each].mails)} if parties else set()


def notes_of(box: Mailbox, key: PublicKey | None = None) -> Iterator[str]:
    """What is no finding, but limits what was checked."""
    yield from box.notes
    yield from box.statements.certificates.notes(box.links)
    if box.statement_mails and key is None:
        yield UNSIGNED
    if (box.links or box.anchors) and not has_zones():
        yield NO_ZONES
    if box.unsearched:
        mails = _counted(box.unsearched, "mail of others was", "mails of others were")
        yield f"{mails} too large to be searched for copies of records"
    if box.labels:
        labels = ", ".join(sorted(box.labels))
        yield f"audit mails have these labels, none of which should mean trash or spam: {labels}"


def summary(box: Mailbox, result: Judged, key: PublicKey | None = None) -> dict[str, Any]:
    """The report as plain data."""
    findings = result.findings
    events: dict[str, dict[str, Any]] = {}
    for link in box.links:
        event = events.setdefault(link.event_id, {"numbers": set(), "stated": 0})
        if link.is_sound:
            event["numbers"].add(link.seq)
    for anchor in box.anchors:
        event = events.setdefault(anchor.event_id, {"numbers": set(), "stated": 0})
        event["stated"] = max(event["stated"], anchor.seq)
    there = {(each.event_id, each.seq) for each in box.links}
    lost = [
        {"event_id": event_id, "seq": seq, "payment_id": each.payment_id, "where": each.where}
        for (event_id, seq), each in sorted(box.held.items())
        if (event_id, seq) not in there
    ]
    return {
        "mails": box.mails,
        "records": len({(each.event_id, each.seq, each.sha256) for each in box.links}),
        "statements": box.statement_mails,
        "ops_records": len(box.ops),
        "copies": box.copies,
        "forwards": box.forwards,
        "only_copies": lost,
        INTEGRITY: not any(each.verdict == INTEGRITY for each in findings),
        COMPLETENESS: not any(each.verdict == COMPLETENESS for each in findings),
        "events": [
            {
                "event_id": name,
                "anchored": ranges(event["numbers"]),
                "stated_up_to": event["stated"],
                "unseen_beyond": max([event["stated"], *event["numbers"]]),
            }
            for name, event in sorted(events.items())
        ],
        "notes": [*notes_of(box, key), *result.notes],
        "findings": [asdict(each) for each in findings],
        "settled": [settled_summary(each) for each in result.settled],
    }


def settled_summary(settled: Settled) -> dict[str, Any]:
    """What a person settled, as plain data. at: epoch milliseconds."""
    return asdict(settled.finding) | {
        "told": settled.told(),
        "by": [
            {"ops_id": by.finding.ops_id, "who": by.who, "at": by.at, "reason": by.reason}
            for by in settled.by
        ],
    }


def finding_text(finding: Mapping[str, Any]) -> str:
    words = [finding["kind"]]
    if finding["event_id"]:
        words.append(finding["event_id"])
    if finding["seq"]:
        words.append(span_text(finding["seq"], finding["last_seq"]))
    words += [each for each in (finding["payment_id"], finding["detail"]) if each]
    return printable("  ".join(words))


def report(content: Mapping[str, Any]) -> Iterator[str]:
    """The report for people, without characters that hide or move text."""
    yield count_line(content)
    for event in content["events"]:
        name = event["event_id"].encode("unicode_escape").decode()
        stated = (
            f"statements reach {span_text(event['stated_up_to'], 0)}"
            if event["stated_up_to"]
            else "no statement"
        )
        yield f"  {name}: intact mails of {event['anchored']}; {stated}"
    for copy in content["only_copies"]:
        told = f"  {copy['where']} holds a copy of {copy['event_id']} {span_text(copy['seq'], 0)}"
        yield printable(f"{told}, whose own mail is not here")
    yield from verdict_lines(content)
    yield (
        "What came after an event's last mail and last statement cannot be seen from this file: "
        "ask for a newer export, or for `scc verify --mbox`."
    )


def count_line(content: Mapping[str, Any]) -> str:
    counts = [
        _counted(content["records"], "entry", "entries"),
        _counted(content["statements"], "statement", "statements"),
    ]
    for name, one, many in (
        ("ops_records", "ops record", "ops records"),
        ("copies", "copy of a mail", "copies of mails"),
        ("forwards", "forward or reply, not judged", "forwards and replies, not judged"),
    ):
        if content[name]:
            counts.append(_counted(content[name], one, many))
    return f"{_counted(content['mails'], 'mail', 'mails')}: {', '.join(counts)}"


def verdict_lines(content: Mapping[str, Any], fine: str = "ok") -> Iterator[str]:
    """Notes, both verdicts with their findings, and what was settled. fine: without findings."""
    yield from (printable(f"  note: {each}") for each in content["notes"])
    for verdict in (INTEGRITY, COMPLETENESS):
        found = [each for each in content["findings"] if each["verdict"] == verdict]
        yield f"{verdict.upper()}: {'FAILED' if found else fine}"
        yield from (f"  {finding_text(each)}" for each in found)
    yield from settled_lines(content["settled"])


def settled_lines(settled: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What is no fault, since a person explained it, with who and why."""
    yield from (printable(f"  {finding_text(each)}  {each['told']}") for each in settled)


def printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
