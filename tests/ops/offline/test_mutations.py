"""Whatever bytes of a mailbox change, the verifier answers, and vouches for no other record."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ops.offline.mails import read_mailbox
from ops.offline.report import findings_of, judgement, report, summary
from tests.ops.mailboxes import chain, mails, mbox, ops_mail, sent_by_gmail, statement_mail, voided
from tests.suites import later


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """A byte or a few changed, a piece cut out, doubled or moved."""
    spoilt, at = bytearray(whole), chance.randrange(len(whole))
    piece = chance.randrange(1, 400)
    match chance.randrange(5):
        case 0:
            spoilt[at] = chance.randrange(256)
        case 1:
            for _ in range(30):
                spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        case 2:
            del spoilt[at : at + piece]
        case 3:
            spoilt[at:at] = whole[at : at + piece]
        case _:
            spoilt[at : at + piece] = whole[at : at + piece][::-1]
    return bytes(spoilt)


@pytest.mark.parametrize("mutations", [60, later(600)])
def test_mutations_never_vouch_for_a_changed_record(tmp_path: Path, mutations: int) -> None:
    chance = random.Random(15)  # noqa: S311 - no secret: the same mutations every time
    entries = chain(3)
    entries.append(voided(entries[0], entries[2]))
    own = [sent_by_gmail(each) for each in mails(entries)]
    did = ops_mail()
    own += [statement_mail(entries[0].logged_day, entries, entries[-1], [did]), did]
    whole, file, unseen = mbox(own), tmp_path / "export.mbox", 0
    file.write_bytes(whole)
    box = read_mailbox([file])
    assert findings_of(box) == []
    genuine = {each.sha256 for each in box.links}
    for _ in range(mutations):
        file.write_bytes(mutated(whole, chance))
        try:
            box = read_mailbox([file])
        except ValueError:
            continue  # exit code 2, with a sentence
        result = judgement(box)
        list(report(summary(box, result)))
        if not result.findings:
            unseen += 1
            assert {each.sha256 for each in box.links} == genuine
    assert unseen < mutations / 3, "most of what is in a mail is judged"
