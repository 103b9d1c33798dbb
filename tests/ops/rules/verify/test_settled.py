"""What a person settled is no fault of `scc verify --mbox`; the next one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ops.offline.mails import read_mail, read_mailbox
from ops.offline.operators import Operators, operators_of, said_in
from ops.rules.mails.deeds import Deeds
from ops.rules.verify.mails import Mailed, compare
from ops.rules.verify.rows import EventProof
from ops.rules.verify.settled import Settlements, heard_in, lost_mails
from tests.ops.deeds import mailed as delivered
from tests.ops.mailboxes import chain, mail, mails, mbox
from tests.ops.operators import LOST_AS, REASON, WHO, ack_record, reissue_record, reissued
from tests.ops.rules.verify.world import World

ENTRIES = chain(3)
SECOND = ENTRIES[1]
(LOST,) = LOST_AS
SENT = {"state": "sent", "gmail_id": LOST}


def proof_of(
    tmp_path: Any,
    raws: Sequence[bytes],
    records: Sequence[Mapping[str, Any]] = (),
    delivery: Mapping[str, Any] = SENT,
) -> EventProof:
    """records: of the table. delivery: of the second entry."""
    file = tmp_path / "export.mbox"
    file.write_bytes(mbox(raws))
    operators = operators_of(map(said_in, records))
    mailed = Mailed.of(read_mailbox([file]), (), operators)
    proof = World(ENTRIES).proof()
    sent = {str(each.payment_id) for each in ENTRIES}
    deliveries = dict.fromkeys(sent, SENT) | {str(SECOND.payment_id): delivery}
    compare(proof, mailed, sent, mailed.settlements.of_losses(deliveries))
    return proof


def kinds(proof: EventProof) -> tuple[list[str], list[str]]:
    return [each.kind for each in proof.mailbox], [each.finding.kind for each in proof.settled]


def without_second() -> list[bytes]:
    first, _, third = mails(ENTRIES)
    return [first, third]


def test_a_settled_loss_is_told_with_who_and_why(tmp_path: Any) -> None:
    assert kinds(proof_of(tmp_path, without_second())) == (["missing"], [])
    proof = proof_of(tmp_path, without_second(), [ack_record(SECOND.payment_id)])
    assert kinds(proof) == ([], ["missing"])
    told = proof.settled[0].told()
    assert WHO in told
    assert REASON in told


def test_the_next_loss_is_a_finding_again(tmp_path: Any) -> None:
    """Another mail was seen since: what was settled is another loss."""
    delivery = SENT | {"last_seen_as": ["18c0another"]}
    proof = proof_of(tmp_path, without_second(), [ack_record(SECOND.payment_id)], delivery)
    assert kinds(proof) == (["missing"], [])


def test_a_settlement_of_another_payment_settles_nothing(tmp_path: Any) -> None:
    proof = proof_of(tmp_path, without_second(), [ack_record(ENTRIES[0].payment_id)])
    assert kinds(proof) == (["missing"], [])


def test_a_mail_in_the_trash_is_settled_as_lost(tmp_path: Any) -> None:
    trashed = b"X-Gmail-Labels: Trash\r\n" + mail(SECOND.to_row(), ENTRIES)
    raws = [*without_second(), trashed]
    assert kinds(proof_of(tmp_path, raws)) == (["misplaced"], [])
    proof = proof_of(tmp_path, raws, [ack_record(SECOND.payment_id)])
    assert kinds(proof) == ([], ["misplaced"])


def test_doubles_are_settled_up_to_their_number() -> None:
    ack = ack_record(SECOND.payment_id, "duplicate", frozenset({"18c0", "18c1"}))
    settlements = Settlements.of(operators_of([said_in(ack)]))
    assert settlements.of_doubles(SECOND.payment_id, 2)
    assert settlements.of_doubles(SECOND.payment_id, 3) is None
    assert settlements.of_doubles(ENTRIES[0].payment_id, 2) is None


def test_an_altered_mail_stays_a_finding_and_says_who_explained_it(tmp_path: Any) -> None:
    forged = mail(SECOND.to_row() | {"note": "other"}, ENTRIES)
    raws = [*mails(ENTRIES), forged]
    ack = ack_record(SECOND.payment_id, "altered", frozenset({"18c9"}))
    plain, explained = proof_of(tmp_path, raws), proof_of(tmp_path, raws, [ack])
    assert [each.kind for each in explained.mailbox] == [each.kind for each in plain.mailbox]
    details = [each.detail for each in explained.mailbox if each.kind == "altered"]
    assert [f"a mail about it was settled by {WHO}" in each for each in details] == [True]
    assert not any(WHO in each.detail for each in plain.mailbox)


def test_a_reissue_counts_by_the_table_of_records(tmp_path: Any) -> None:
    raws = [*without_second(), reissued(SECOND)]
    invented = proof_of(tmp_path, raws)
    assert kinds(invented)[0] == ["missing", "unrecorded-reissue"]
    assert kinds(proof_of(tmp_path, raws, [reissue_record(SECOND.payment_id)])) == ([], [])


def test_statements_and_operators_mails_that_are_settled_as_lost_are_told() -> None:
    own_ids = ["ops_replay_x_done", f"statement_2025-11-25_final_{'a' * 64}"]
    settlements = Settlements.of(operators_of(said_in(ack_record(each)) for each in own_ids))
    lost = settlements.of_losses(dict.fromkeys(own_ids, SENT) | {"ops_y_done": SENT})
    told = lost_mails(read_mail(b""), lost)
    assert [each.finding.detail for each in told] == [
        f"the mail of {each} is not in this file" for each in own_ids
    ]
    assert settlements.of_loss(own_ids[0], {"state": "sending"}) is None
    assert Settlements.of(Operators()).of_losses(dict.fromkeys(own_ids, SENT)) == {}


def test_a_settlement_that_nobody_was_mailed_about_is_none() -> None:
    """Whoever may write into the table writes a record; its mail comes from the mailer alone."""
    record = ack_record(SECOND.payment_id)
    ops_id, at = record["ops_id"], record["at"]
    day = 24 * 3_600_000
    for delivery, now, count in (
        (delivered(record), at + day, 1),
        ({"state": "sent"}, at + day, 0),
        ({}, at + 1, 1),
        ({}, at + day, 0),
        ({"state": "sent", "record_sha256": "of another"}, at + day, 0),
    ):
        heard = heard_in(Deeds({ops_id: record}, {ops_id: delivery}, now))
        assert len(heard.settlements) == count, delivery
    again = reissue_record(SECOND.payment_id)
    assert len(heard_in(Deeds({again["ops_id"]: again})).reissues) == 1


@pytest.mark.parametrize("at", [10**120, True, "noon"])
def test_a_record_of_no_time_says_nothing(at: Any) -> None:
    assert said_in(ack_record(SECOND.payment_id) | {"at": at}) is None
    assert said_in(reissue_record(SECOND.payment_id) | {"at": at}) is None
