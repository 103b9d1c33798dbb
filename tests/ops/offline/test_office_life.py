"""Forwards, replies, copies and operators' mails are office life, not tampering."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.gmail_sandbox.mailbox.bounce import Failed, bounce_mail
from ops.offline.mails import read_mailbox
from ops.offline.program import main
from ops.offline.report import judgement, report, summary
from tests.builders import NOW
from tests.ops.mailboxes import (
    attachment_of,
    chain,
    mail,
    mails,
    mbox,
    ops_mail,
    sent_by_gmail,
    statement_mail,
    voided,
    with_attachment,
)
from tests.ops.office import forward_attached, forward_inline, reply

Read = Callable[..., tuple[list[tuple[str, str, int]], dict[str, Any]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def run(messages: list[bytes]) -> tuple[list[tuple[str, str, int]], dict[str, Any]]:
        file = tmp_path / "export.mbox"
        file.write_bytes(mbox(messages))
        box = read_mailbox([file])
        found = judgement(box)
        places = [(each.kind, each.event_id, each.seq) for each in found.findings]
        return places, summary(box, found)

    return run


@pytest.mark.parametrize("as_sent", [False, True], ids=["import", "send"])
def test_forwards_replies_copies_and_ops_mails_leave_every_check_green(
    read: Read, *, as_sent: bool
) -> None:
    entries = chain(3)
    entries.append(voided(entries[1], entries[2]))
    did = [ops_mail(), ops_mail("ops_discard_20251124T170000Z_0a1b2c3d_done", action="discard")]
    stated = statement_mail(entries[0].logged_day, entries, entries[-1], did)
    own = [*mails(entries), stated, *did]
    if as_sent:
        own = [sent_by_gmail(each) for each in own]
    office = [
        *(forward_inline(each) for each in own),
        *(forward_attached(each) for each in own),
        reply(own[0]),
        own[1],
    ]
    found, content = read([*own, *office])
    assert found == []
    counts = [content[name] for name in ("records", "ops_records", "copies", "forwards")]
    assert counts == [4, 2, 1, 15]
    (first, *_) = report(content)
    assert "1 copy of a mail, 15 forwards and replies, not judged" in first


def test_a_copy_does_not_stand_in_for_a_mail_that_is_gone(read: Read) -> None:
    own = mails(chain(3))
    for copy in (forward_inline(own[1]), forward_attached(own[1])):
        found, content = read([own[0], own[2], copy])
        assert found == [("missing", "sunset-charter", 2)]
        assert "a copy of #000002 is in mail 3 of the file" in content["findings"][0]["detail"]


def test_a_notice_of_a_mail_that_came_back_is_told_as_one(read: Read) -> None:
    own = mails(chain(3))
    audit = "audit@shipcaptaincrew.example"
    notice = bounce_mail(Failed(own[1], audit, audit, NOW, NOW + 1_000))
    found, content = read([own[0], own[2], notice])
    assert found == [("missing", "sunset-charter", 2)]
    told = "a copy of #000002 is in mail 3 of the file (a notice about its delivery)"
    assert told in content["findings"][0]["detail"]


def test_a_copy_after_the_last_mail_is_told_and_is_no_finding(read: Read) -> None:
    own = mails(chain(2))
    found, content = read([own[0], forward_inline(own[1])])
    assert found == []
    told = "  mail 2 of the file holds a copy of sunset-charter #000002, whose own mail is not here"
    assert told in report(content)


def test_a_mail_that_was_sent_twice_is_a_duplicate(read: Read) -> None:
    own = mails(chain(2))
    again = [sent_by_gmail(own[1]), sent_by_gmail(own[1], NOW + 60_000)]
    assert read([own[0], *again])[0] == [("duplicate", "sunset-charter", 2)]


def test_an_ops_mail_that_does_not_show_its_record_is_found(read: Read) -> None:
    own, raw = mails(chain(1)), ops_mail()
    record = attachment_of(raw)
    for forged in (
        with_attachment(raw, record.replace(b"credential renewed", b"nothing happened")),
        raw.replace(b"credential renewed", b"nothing happened"),
        raw.replace(b"X-SCC-Ops-Id: ops_replay", b"X-SCC-Ops-Id: ops_repair"),
    ):
        assert read([*own, forged])[0] == [("altered", "", 0)]


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def zipped(file: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


@pytest.mark.parametrize("kind", ["takeout", "eml zip", "eml", "folder", "bom", "crlf", "mboxo"])
def test_what_an_auditor_gets_can_be_read(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [*mails(chain(2)), b"Subject: hi\r\n\r\nFrom here\n>From there\n"]
    whole, file = mbox(own), tmp_path / "export"
    match kind:
        case "takeout":
            members = {
                "Takeout/archive_browser.html": b"<html>",
                "Takeout/Mail/All mail Including Spam and Trash.mbox": whole,
                "Takeout/Mail/Audit.mbox": mbox(own[:1]),
                "__MACOSX/Takeout/Mail/._Audit.mbox": b"\x00\x05\x16\x07",
            }
            zipped(file, members)
        case "eml zip":
            zipped(file, {f"{number}.eml": each for number, each in enumerate(own)})
        case "eml":
            file.write_bytes(own[0])
        case "folder":
            file.mkdir()
            for number, each in enumerate(own):
                (file / f"{number}.EML").write_bytes(each)
        case "bom":
            file.write_bytes(b"\xef\xbb\xbf" + whole)
        case "crlf":
            file.write_bytes(whole.replace(b"\n", b"\r\n"))
        case "mboxo":
            file.write_bytes(whole.replace(b"\n>>From ", b"\n>From "))
    assert main([str(file)]) == 0, capsys.readouterr()
    first = capsys.readouterr().out.splitlines()[0]
    assert ("1 entry" if kind == "eml" else "2 entries") in first
    assert ("1 copy of a mail" in first) == (kind == "takeout")


def mboxcl2(own: list[bytes]) -> bytes:
    made = b""
    for each in own:
        head, _, body = each.replace(b"\r\n", b"\n").partition(b"\n\n")
        length = b"Content-Length: %d\n" % len(body)
        made += (
            b"From a@b Mon Nov 24 16:00:00 2025\n" + head + b"\n" + length + b"\n" + body + b"\n"
        )
    return made


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x1f\x8b\x08\x00rest", "gunzip"),
        ("From a@b\nSubject: x\n\n".encode("utf-16"), "UTF-16"),
        (b"!BDN\x00", "Outlook data file"),
        (b"PK\x03\x04 not a zip", "damaged or cut off"),
        (b"%PDF-1.4", "neither an mbox file nor a mail"),
        (mboxcl2([b"Subject: x\n\nhi\n\nFrom here on\n\nbye\n", *mails(chain(1))]), "mboxcl2"),
    ],
    ids=["gzip", "utf-16", "pst", "broken zip", "pdf", "mboxcl2"],
)
def test_what_cannot_be_read_is_answered_with_what_to_export(
    tmp_path: Path, content: bytes, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "export"
    file.write_bytes(content)
    assert main([str(file)]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.out == ""


def test_a_zip_without_mail_a_bomb_and_a_cut_zip_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, whole = tmp_path / "export.zip", mbox(mails(chain(2)))
    for members, says in (
        ({"photo.jpg": b"x"}, "no mail"),
        ({"inner.zip": b"x"}, "a zip inside a zip"),
        ({"bomb.mbox": b"From a\n" + b"\n" * 30_000_000}, "200 times its size"),
    ):
        assert main([str(zipped(file, members))]) == 2
        assert says in capsys.readouterr().err
    content = zipped(file, {"a.mbox": whole}).read_bytes()
    for cut in (content[:-30], content[: len(content) // 2]):
        file.write_bytes(cut)
        assert main([str(file)]) == 2
        assert "download it again" in capsys.readouterr().err


@pytest.mark.parametrize("packing", ["STORED", "DEFLATED", "BZIP2", "LZMA"])
def test_a_damaged_zip_is_a_sentence_whatever_it_was_packed_with(
    tmp_path: Path, packing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, chance = tmp_path / "export.zip", random.Random(7)  # noqa: S311 - which byte, no secret
    with zipfile.ZipFile(file, "w", getattr(zipfile, f"ZIP_{packing}")) as archive:
        archive.writestr("Takeout/Mail/All mail.mbox", mbox(mails(chain(2))))
    whole = file.read_bytes()
    for _ in range(150):
        damaged = bytearray(whole)
        where = chance.choice((chance.randrange(len(whole)), -1 - chance.randrange(90)))
        damaged[where] = chance.randrange(256)
        file.write_bytes(damaged)
        if main([str(file)]) == 2:
            assert str(file) in capsys.readouterr().err


def test_a_zip_without_names_or_with_a_password_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = zipped(tmp_path / "export.zip", {"a.mbox": mbox(mails(chain(1)))})
    content = bytearray(file.read_bytes())
    for start in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[start] |= 1  # encrypted, by the flags of both headers
    file.write_bytes(content)
    assert main([str(file)]) == 2
    assert "password" in capsys.readouterr().err
    nameless = zipped(file, {"a.mbox": b"x"}).read_bytes().replace(b"a.mbox", b"\0.mbox")
    file.write_bytes(nameless)
    assert main([str(file)]) == 2
    assert "no mail" in capsys.readouterr().err


def test_a_mail_with_a_length_in_its_header_blinds_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junk = b"Content-Length: 3000\nSubject: x\n\nhi\n"
    file = tmp_path / "export.mbox"
    file.write_bytes(mbox([junk, *mails(chain(2)), junk, *mails(chain(2, "gala"))]))
    assert main([str(file)]) == 0, capsys.readouterr()


@pytest.mark.parametrize("cut", [1, 40, 400, 2_000])
def test_a_file_that_ends_inside_a_mail_does_not_pass(
    tmp_path: Path, cut: int, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "export.mbox"
    whole = mbox(mails(chain(3)))
    file.write_bytes(whole.rstrip()[:-cut])
    assert main([str(file)]) == 1
    assert "the file ends inside mail 3 of the file" in capsys.readouterr().out
    file.write_bytes(mail(chain(1)[0].to_row())[: -cut - 9])
    assert main([str(file)]) == 1
