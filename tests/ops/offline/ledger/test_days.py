"""What statements say about days, zones and events is held against the entries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from ops.offline.build import BUILT
from ops.offline.ledger.days import Stated, Statements
from ops.offline.ledger.links import link_of
from ops.offline.mails import read_mail
from ops.offline.report import NO_ZONES, findings_of
from shared.ledger import Head, canonical_json, entry_hash
from tests.builders import ZONE
from tests.ops.mailboxes import (
    ADDRESSES,
    attachment_of,
    chain,
    mail,
    mbox,
    ops_mail,
    statement_mail,
    with_attachment,
)
from tests.statements import drawn_up, mailed


def statement_in(timezone: str, *, is_final: bool) -> bytes:
    day = chain(1)[0].logged_day
    statement = drawn_up([], day, is_final=is_final)
    statement.timezone = timezone
    return mailed(statement, ADDRESSES)


def test_a_statement_with_another_time_zone_does_not_switch_the_check_of_days_off() -> None:
    first, second = chain(2)
    row = second.to_row() | {"logged_day": "2025-12-01"}
    forged = row | {"hash": entry_hash(row)}
    box = read_mail(mail(first.to_row()))
    parts = [mail(forged), statement_in("America/New_York", is_final=True)]
    for raw in [*parts, statement_in("UTC", is_final=False)]:
        one = read_mail(raw)
        box.links += one.links
        box.wrong += one.wrong
        box.statements.timezones |= one.statements.timezones
        box.statements.final_timezones |= one.statements.final_timezones
    told = {each.kind: each.detail for each in findings_of(box)}
    assert told["back-dated"] == "its day is not the day it was logged on"
    assert told["contradiction"] == "statements name 2 time zones: America/New_York, UTC"


def test_a_statement_without_a_real_time_zone_is_named() -> None:
    for timezone in ("America", "Nowhere/None", "x" * 5_000, "a\x00b"):
        found = findings_of(read_mail(statement_in(timezone, is_final=True)))
        assert any("which is no time zone" in each.detail for each in found), timezone


def test_a_statement_that_names_an_event_twice_is_refused() -> None:
    entries = chain(2)
    raw = statement_mail(entries[0].logged_day, entries, entries[-1])
    record = json.loads(attachment_of(raw))
    record["events"] *= 2
    box = read_mail(with_attachment(raw, canonical_json(record)))
    assert box.anchors == []
    assert box.wrong


def test_an_event_that_is_named_without_entries_claims_no_numbers() -> None:
    """Such as one that was cut or rewritten since: its head is an anchor, its numbers are none."""
    entries = chain(3)
    later = drawn_up([], "2025-12-01")
    later.account("sunset-charter").head = entries[-1].as_head
    box = read_mail(mailed(later, ADDRESSES))
    box.links += [link_of(each.to_row()) for each in entries]
    assert findings_of(box) == []
    assert [(each.seq, each.hash) for each in box.anchors] == [(3, entries[-1].hash)]


def test_many_events_in_a_statement_cost_no_more_than_one_each() -> None:
    statements = Statements()
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for day in range(1, 29):
        for number in range(2_000):
            date = f"2025-12-{day:02d}"
            stated = Stated("sunset-charter", date, 10**6 + number, 10**6 + number, 0, 0, sums)
            statements.stated.append(stated)
    links = [link_of(each.to_row()) for each in chain(300)]
    began = time.process_time()
    assert list(statements.findings(links)) == []
    assert time.process_time() - began < 2
    early = Stated("sunset-charter", "2025-12-03", 7, 9, 0, 0, sums)
    statements.stated.append(early)
    (first, *_) = [each for each in statements.findings(links) if each.kind == "back-dated"]
    assert (first.seq, first.detail) == (7, "the statement of 2025-12-03 has it on a later day")


def test_a_computer_without_time_zones_says_what_it_could_not_check(tmp_path: Path) -> None:
    """The event's own zone is UTC here: what its mail shows needs no database."""
    entry = replace(chain(1)[0], event_timezone="UTC").sealed(Head(), ZONE)
    did = ops_mail()
    statement = statement_mail(entry.logged_day, [entry], entry, [did])
    file = tmp_path / "export.mbox"
    file.write_bytes(mbox([mail(entry.to_row()), did, statement]))
    for paths in ("", str(tmp_path)):
        environment = {**os.environ, **({"PYTHONTZPATH": paths} if paths else {})}
        answer = subprocess.run(
            [sys.executable, "-S", str(BUILT), str(file)],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (answer.returncode, answer.stderr) == (0, "")
        assert (f"note: {NO_ZONES}" in answer.stdout) == bool(paths)
