"""The zip of an excerpt: the same bytes each time, and nothing that leaves its folder."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from ops.rules.evidence.archive import entry_files, packed, statement_files, stems_of
from tests.ops.excerpts import complete, corrected_payment, excerpt, sealed
from tests.ops.mailboxes import chain


def test_the_same_files_make_the_same_bytes_whatever_their_order() -> None:
    entries, own = corrected_payment()
    files = complete(excerpt(own, sealed(entries)))
    again = dict(reversed(files.items()))
    assert packed(files) == packed(again)
    with zipfile.ZipFile(BytesIO(packed(files))) as archive:
        members = archive.infolist()
    assert [each.filename for each in members] == sorted(files)
    assert {each.date_time for each in members} == {(1980, 1, 1, 0, 0, 0)}
    assert {each.external_attr >> 16 for each in members} == {0o100644}


@pytest.mark.parametrize(
    "name",
    [
        "../key.pem",
        "/etc/passwd",
        "mails/../../x",
        "mails\\x.eml",
        "a/b/c/d",
        ".profile",
        "x\n",
        "x\x1b",
    ],
)
def test_a_name_that_leads_elsewhere_is_never_packed(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a file"):
        packed({name: b""})


def test_an_altered_row_cannot_choose_where_its_files_go(tmp_path: Path) -> None:
    (row,) = (each.to_row() for each in chain(1))
    rows = [
        row,
        row | {"event_id": "../../etc/cron.d/x\x1b[2J", "payment_id": "pay_2"},
        row | {"event_id": ["x"], "seq": "1", "payment_id": "../pay_3"},
        row | {"payment_id": "pay_4"},
    ]
    stems = stems_of(rows)
    assert len(set(stems)) == len(rows)
    files: dict[str, bytes] = {}
    for stem, each in zip(stems, rows, strict=True):
        files |= dict(entry_files(stem, each, [b"one", b"two"]))
    with zipfile.ZipFile(BytesIO(packed(files))) as archive:
        archive.extractall(tmp_path)
    made = {each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*") if each.is_file()}
    assert made == files.keys()
    assert {each.split("/")[0] for each in made} == {"records", "mails"}


def test_what_is_not_there_is_not_packed() -> None:
    assert [name for name, _ in statement_files("2025-11-24", None, b"")] == [
        "statements/2025-11-24/statement.sig"
    ]
    assert dict(entry_files("x-000001", {"amount_cents": b"binary"}, [])) == {}
