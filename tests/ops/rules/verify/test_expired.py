"""What `scc verify` makes of entries that a certificate says may be gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ops.offline.mails import read_mail
from ops.rules.verify.mails import Mailed, compare
from shared.ledger import EXPIRY, entry_hash
from tests.ops.mailboxes import mails
from tests.ops.rules.verify.world import World
from tests.seven_years import certified, payment_id, voyage


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
