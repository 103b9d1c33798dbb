"""What `scc verify` finds in rows, heads, pointers and marks, without a stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from ops.offline.ledger.links import Anchor
from ops.offline.mails import read_mail
from ops.rules.verify import EventProof, Ledger, Mailed, compare, compare_ops, prove
from shared.attributes import Foreign
from shared.expiry import NOTHING_EXPIRES, Certificate
from shared.ledger import EXPIRY, LedgerEntry, entry_hash
from tests.builders import NOW, ZONE
from tests.ops.mailboxes import chain, mails, ops_mail, voided
from tests.seven_years import certified, payment_id, voyage

SEVEN_YEARS = 2_555 * 24 * 3_600_000  # milliseconds
Found = list[tuple[str, int]]


@dataclass
class FakePlaces:
    places: dict[str, tuple[Any, Any]]
    marks: dict[str, str] = field(default_factory=dict)

    def of(self, payment_id: str) -> tuple[Any, Any] | None:
        return self.places.get(payment_id)

    def void_of(self, payment_id: str) -> str:
        return self.marks.get(payment_id, "")

    def mark_of(self, payment_id: str) -> str:
        return self.marks.get(payment_id, "")

    def lost(self, event_id: str, known: Collection[str], expired: int) -> Collection[str]:
        return sorted(self.places.keys() - set(known))[expired:]


class World:
    """An event's rows, head, pointers and marks, as the API writes them."""

    def __init__(self, entries: Sequence[LedgerEntry]) -> None:
        self.rows = [each.to_row() for each in entries]
        last = entries[-1]
        nets: Counter[str] = Counter()
        for each in entries:
            nets[f"{each.method}_cents"] += each.net_cents
        self.head: dict[str, Any] = {
            "PK": f"EVENT#{last.event_id}",
            "seq": last.seq,
            "hash": last.hash,
            "last_logged_at": last.logged_at,
            "payments_count": sum(1 if each.kind == "payment" else -1 for each in entries),
            "total_cents": sum(each.net_cents for each in entries),
            **nets,
        }
        self.places = FakePlaces(
            {each.payment_id: (each.pk, each.timestamp) for each in entries},
            {each.voids: each.payment_id for each in entries if each.voids},
        )

    def proof(self, now: int = NOW, certificate: Certificate = NOTHING_EXPIRES) -> EventProof:
        ledger = Ledger(places=self.places, zone=ZONE, now=now)
        through = certificate.through_seq
        said = [Anchor("sunset-charter", through, certificate.hash, "a statement")]
        named = said if through else []
        return prove("sunset-charter", self.rows, lambda: self.head, ledger, named, certificate)

    def found_with(self, certificate: Certificate) -> Found:
        return [(each.kind, each.seq) for each in self.proof(certificate=certificate).ledger]

    def found(self) -> Found:
        return [(each.kind, each.seq) for each in self.proof().ledger]


@pytest.fixture
def world() -> World:
    entries = chain(3)
    return World([*entries, voided(entries[0], entries[2])])


def test_what_the_api_writes_is_found_intact(world: World) -> None:
    assert world.found() == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"total_cents": 1}, "collected is $0.01, its entries add up to $2,400.05"),
        ({"payments_count": 3}, "the number of payments is 3, its entries add up to 2"),
        ({"cash_cents": 100}, "cash is $1.00, its entries add up to $0.00"),
        ({"last_logged_at": NOW + 9}, "last_logged_at"),
    ],
)
def test_a_heads_totals_must_be_what_its_entries_add_up_to(
    world: World, change: Mapping[str, Any], says: str
) -> None:
    world.head |= change
    (found,) = world.proof().ledger
    assert found.kind == "wrong-totals"
    assert says in found.detail


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seq": "4"}, "seq is not a number"),
        ({"seq": Decimal("3.5")}, "seq is not a number"),
        ({"hash": Foreign("B")}, "hash is not text"),
        ({"check_cents": Decimal("0.5")}, "check_cents is not a whole number"),
        ({"bonus": 1}, "bonus is no attribute of a head"),
    ],
)
def test_a_head_that_no_program_of_ours_wrote_is_named_and_its_rows_are_checked(
    world: World, change: Mapping[str, Any], says: str
) -> None:
    world.head |= change
    world.rows[1]["note"] = "altered"
    first, second = world.proof().ledger
    assert (first.kind, second.kind, second.seq) == ("unreadable", "altered", 2)
    assert says in first.detail


def test_totals_that_cannot_be_compared_are_not_passed_over_in_silence(world: World) -> None:
    world.head["total_cents"] = 1
    assert world.proof().totals_compared
    world.rows[1]["amount_cents"] = 1
    proof = world.proof()
    assert [each.kind for each in proof.ledger] == ["altered"]
    assert not proof.totals_compared
    del world.rows[1]
    assert not world.proof().totals_compared


def test_a_head_that_is_gone_is_named_while_its_rows_are_there(world: World) -> None:
    world.head = {}
    assert world.found() == [("missing-head", 0)]


def test_a_row_without_a_number_is_named_by_its_place(world: World) -> None:
    del world.rows[3]["seq"]
    found = world.proof().ledger
    assert [each.kind for each in found] == ["missing", "unreadable"]
    assert "the row at 'sunset-charter#jane.doe@example.com'" in found[1].detail


def test_pointers_and_marks_must_lead_to_their_rows(world: World) -> None:
    first, *_, void = world.rows
    world.places.places[first["payment_id"]] = ("elsewhere", 1)
    assert world.found() == [("unlinked", 1)]
    del world.places.places[first["payment_id"]]
    assert world.found() == [("unlinked", 1)]
    world.places.places[first["payment_id"]] = (first["PK"], first["SK"])
    world.places.marks.clear()
    assert world.found() == [("unlinked", 4)]
    world.places.marks |= {first["payment_id"]: void["payment_id"]}
    world.places.marks[world.rows[1]["payment_id"]] = "pay_nowhere"
    assert world.found() == [("unlinked", 2)]


def test_an_entry_of_which_only_the_pointer_is_left_is_missing(world: World) -> None:
    world.places.places["pay_gone"] = ("sunset-charter#jane.doe@example.com", 1)
    (found,) = world.proof().ledger
    assert (found.kind, found.payment_id) == ("missing", "pay_gone")


def test_a_gap_of_very_old_entries_says_that_retention_may_have_made_it() -> None:
    world = World(chain(3))
    gone = world.rows.pop(0)
    del world.places.places[gone["payment_id"]]
    (found,) = world.proof(now=NOW + 1).ledger
    assert (found.kind, found.detail) == ("missing", "")
    (found,) = world.proof(now=NOW + SEVEN_YEARS).ledger
    assert "retention" in found.detail


# ── against a mailbox ────────────────────────────────────────────────────────────────────────────


def compared(world: World, raws: Sequence[bytes]) -> list[tuple[str, str, int]]:
    box = read_mail(b"")
    for raw in raws:
        one = read_mail(raw)
        box.links += one.links
        box.wrong += one.wrong
        box.held |= one.held
    proof = world.proof()
    compare(proof, Mailed.of(box), {each["payment_id"] for each in world.rows})
    return [
        *(("ledger", each.kind, each.seq) for each in proof.ledger),
        *(("mailbox", each.kind, each.seq) for each in proof.mailbox),
    ]


def test_rows_that_were_rewritten_and_rechained_differ_from_their_mails() -> None:
    honest, forged = chain(3), chain(3, apart=2)
    assert compared(World(honest), mails(honest)) == []
    found = compared(World(forged), mails(honest))
    assert {each[1] for each in found} == {"altered"}
    assert {each[2] for each in found} == {1, 2, 3}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount_cents": 120_001}, "amount: the mail says $1,200.02, the ledger $1,200.01"),
        ({"method": "cash"}, "method: the mail says check, the ledger cash"),
        ({"logged_day": "2025-11-01"}, "logged_day: the mail says 2025-11-24, the ledger 2025"),
        ({"note": "other"}, "what differs is none of seq, kind, amount_cents"),
    ],
)
@pytest.mark.parametrize("is_resealed", [False, True])
def test_an_altered_entry_says_what_its_mail_says_and_what_the_ledger_says(
    change: dict[str, Any], says: str, *, is_resealed: bool
) -> None:
    entries = chain(3)
    world = World(entries)
    world.rows[1] |= change
    if is_resealed:
        world.rows[1]["hash"] = entry_hash(world.rows[1])
    proof = world.proof()
    box = read_mail(b"")
    for raw in mails(entries):
        box.links += read_mail(raw).links
    compare(proof, Mailed.of(box), set())
    (found,) = [each for each in proof.ledger if each.kind == "altered"]
    assert found.seq == 2
    assert says in found.detail


def test_a_sent_mail_that_is_not_in_the_file_is_missing_from_it() -> None:
    entries = chain(3)
    assert compared(World(entries), mails(entries)[:2]) == [("mailbox", "missing", 3)]


def test_operators_mails_are_compared_with_the_table_of_ops_records() -> None:
    raw = ops_mail()
    box = read_mail(raw)
    (mail,) = box.ops
    same = {mail.ops_id: mail.sha256}
    assert list(compare_ops(box, same, set())) == []
    told = [(where, each.kind) for where, each in compare_ops(box, {}, set())]
    assert told == [("ledger", "missing")]
    told = [(where, each.kind) for where, each in compare_ops(box, {mail.ops_id: "0"}, set())]
    assert told == [("ledger", "altered")]
    lost = {"ops_lost": "1"}
    told = [(where, each.kind) for where, each in compare_ops(box, same | lost, {"ops_lost"})]
    assert told == [("mailbox", "missing")]


@pytest.fixture
def old() -> World:
    return World(voyage())


CERTIFICATE = certified(voyage()[:3])


@pytest.mark.parametrize("gone", [(), (1,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3)])
def test_certified_entries_may_be_gone_in_any_order(old: World, gone: tuple[int, ...]) -> None:
    old.rows = [each for each in old.rows if each["seq"] not in gone]
    proof = old.proof(certificate=CERTIFICATE)
    assert (proof.ledger, proof.expired, proof.totals_compared) == ([], len(gone), True)


@pytest.mark.parametrize("held", [{}, {EXPIRY: 9_999_999_999}], ids=["for good", "postponed"])
def test_a_legal_hold_keeps_certified_entries_and_is_calm(old: World, held: dict[str, int]) -> None:
    old.rows[0] = {name: each for name, each in old.rows[0].items() if name != EXPIRY} | held
    del old.rows[1]
    proof = old.proof(certificate=CERTIFICATE)
    assert (proof.ledger, proof.expired, proof.totals_compared) == ([], 1, True)


def test_without_a_certificate_the_same_is_a_gap(old: World) -> None:
    old.rows = old.rows[3:]
    (found,) = old.proof().ledger
    assert (found.kind, found.seq, found.last_seq) == ("missing", 1, 3)
    assert "no sealed statement certifies that" in found.detail
    old.rows = old.rows[1:]
    (found,) = old.proof(certificate=CERTIFICATE).ledger
    assert (found.kind, found.seq, found.last_seq) == ("missing", 4, 4)


def test_an_event_that_expired_wholly_keeps_its_head_and_totals(old: World) -> None:
    whole = certified(voyage())
    old.rows = []
    proof = old.proof(certificate=whole)
    assert (proof.ledger, proof.expired, proof.totals_compared) == ([], 5, True)
    old.head["total_cents"] += 1
    assert old.found_with(whole) == [("wrong-totals", 0)]
    old.head = {}
    assert ("missing-head", 0) in old.found_with(whole)


def test_money_that_expired_stays_in_the_heads_totals(old: World) -> None:
    old.rows = old.rows[3:]
    old.head["check_cents"] -= 500
    old.head["total_cents"] -= 500
    assert old.found_with(CERTIFICATE) == [("wrong-totals", 0)] * 2
    old.head["check_cents"] += 500
    old.head["total_cents"] += 500
    old.head["payments_count"] -= 1
    assert old.found_with(CERTIFICATE) == [("wrong-totals", 0)]


def test_the_rest_must_hang_on_what_was_certified(old: World) -> None:
    old.rows = old.rows[3:]
    forged = replace(CERTIFICATE, hash="0" * 64)
    (found,) = [each for each in old.proof(certificate=forged).ledger if each.kind == "altered"]
    assert found.seq == 4
    assert "a statement has a different hash for the entry before it" in found.detail


def test_a_row_that_is_there_must_be_what_was_certified(old: World) -> None:
    forged = old.rows[0] | {"amount_cents": 1}
    old.rows[0] = forged | {"hash": entry_hash(forged)}
    assert ("altered", 1) in old.found_with(CERTIFICATE)


def test_no_more_may_be_gone_than_expired(old: World) -> None:
    """The last entry goes with its number: the head is moved back."""
    old.rows = old.rows[3:4]
    old.head |= {"seq": 4, "hash": old.rows[0]["hash"], "last_logged_at": old.rows[0]["logged_at"]}
    (found,) = [each for each in old.proof(certificate=CERTIFICATE).ledger if each.payment_id]
    assert (found.kind, found.payment_id) == ("missing", payment_id(5))
    assert found.detail == "of 4 pointers without a row, 3 expired"


def test_a_head_before_what_was_certified_is_named(old: World) -> None:
    old.rows, first = old.rows[:1], old.rows[0]
    old.head |= {"seq": 1, "hash": first["hash"]}
    assert ("missing", 2) in old.found_with(CERTIFICATE)


def test_mails_of_expired_entries_are_calm_and_must_be_what_was_certified(old: World) -> None:
    entries = voyage()
    box = read_mail(mails(entries)[0])
    for each in mails(entries)[1:]:
        box.links += read_mail(each).links
    old.rows = old.rows[3:]
    proof = old.proof(certificate=CERTIFICATE)
    compare(proof, Mailed.of(box), {each.payment_id for each in entries})
    assert [*proof.ledger, *proof.mailbox] == []
    proof = old.proof(certificate=replace(CERTIFICATE, hash="0" * 64))
    compare(proof, Mailed.of(box), set())
    assert ("altered", 3) in [(each.kind, each.seq) for each in proof.mailbox]
