"""What `scc verify --mbox` finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ops.offline.mails import read_mail
from ops.rules.verify.mails import Mailed, compare, compare_ops
from shared.ledger import entry_hash
from tests.ops.mailboxes import chain, mails, ops_mail
from tests.ops.rules.verify.world import World


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
