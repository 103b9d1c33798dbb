"""What statements say about days, zones and events is held against the entries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.offline.build import BUILT
from ops.offline.ledger.days import Stated, Statements
from ops.offline.ledger.links import link_of
from ops.offline.ledger.sums import sums_of
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
from tests.statements import drawn_up, mailed, stored


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


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"event_id": "A B"}, "'A B'"),
        ({"event_id": "x" * 1_900}, "'xxx"),
        ({"event_id": ["x"]}, "''"),
        ({"last_seq": 10**12}, "the last entry of sunset-charter"),
        ({"head_seq": 10**12}, "the head entry of sunset-charter"),
        ({"head_seq": "1"}, "the head entry of sunset-charter"),
        ({"head_hash": 7}, "the head entry of sunset-charter"),
    ],
)
def test_what_a_statement_names_that_no_event_has_is_found_and_the_rest_is_believed(
    changes: dict[str, Any], named: str
) -> None:
    entries = chain(2)
    record = json.loads(stored(drawn_up([each.to_row() for each in entries])).content)
    other = record["events"][0] | {"event_id": "harbor-gala", "head_seq": 7}
    record["events"] = [record["events"][0] | changes, other]
    for kind in ("payments", "voids", "refunds"):
        for sums in (record[kind], *record[kind]["by_method"].values()):
            sums |= {"count": sums["count"] * 2, "cents": sums["cents"] * 2}
    record |= {"entries": record["entries"] * 2, "net_cents": record["net_cents"] * 2}
    statements = Statements()
    assert statements.take(record, "0" * 64, b"") == ""
    (found,) = [each for each in statements.findings([]) if each.kind == "no-event"]
    wanted = f"the statement of 2025-11-24 names what no event has: {named}"
    assert found.detail.startswith(wanted)
    assert len(found.detail) < 200
    of_other = [each.seq for each in statements.anchors if each.event_id == "harbor-gala"]
    assert of_other == [2, 7]


def test_methods_that_the_app_does_not_have_are_counted_as_one() -> None:
    link = replace(link_of(chain(1)[0].to_row()), amount_cents=100)
    links = [replace(link, method=each) for each in ("m1", "m2", "cash")]
    assert sums_of(links) == {
        ("payment", "another method"): (2, 200),
        ("payment", "cash"): (1, 100),
    }


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
