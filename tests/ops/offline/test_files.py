"""The files that an office has: a bad one keeps none of the others from being checked."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest

from ops.offline.program import main
from tests.ops.mailboxes import chain, mails, mbox

OWN = mails(chain(2))
WHOLE = mbox(OWN)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    answer = capsys.readouterr()
    assert answer.err == ""
    return answer.out


def test_a_mailbox_that_apple_mail_exported_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported = tmp_path / "desk" / "Audit.mbox"
    exported.mkdir(parents=True)
    (exported / "mbox").write_bytes(WHOLE)
    (exported / "table_of_contents").write_bytes(b"\x00\x01")
    (exported / "._mbox").write_bytes(b"\x00\x05\x16\x07")
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Audit.mbox/", b"")
        archive.writestr("Audit.mbox/mbox", WHOLE)
        archive.writestr("Audit.mbox/table_of_contents", b"\x00\x01")
        archive.writestr("__MACOSX/Audit.mbox/._mbox", b"\x00\x05\x16\x07")
    for path in (exported, exported.parent, packed):
        assert main([str(path)]) == 0
        out = told(capsys)
        assert out.startswith("2 mails: 2 entries")
        assert "note" not in out


@pytest.fixture(params=["folder", "zip"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Beside a whole mailbox, files that no mail can be read from."""
    content = {"All.mbox": WHOLE, "Drafts.mbox": b"", "notes/blank.eml": b"\n\n"}
    if request.param == "zip":
        with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
            for name, each in content.items():
                archive.writestr(name, each)
        return tmp_path / "export.zip"
    for name, each in content.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(each)
    return tmp_path


def test_an_empty_file_among_others_is_named_and_skipped(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(files)]) == 0
    out = told(capsys)
    for name in ("Drafts.mbox", "blank.eml"):
        assert f"{name} was skipped: it is empty" in out


def test_an_unreadable_file_among_others_is_a_finding(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if files.is_dir():
        (files / "Sent.mbox").write_bytes(b"\x1f\x8b\x08\x00rest")
    else:
        with zipfile.ZipFile(files, "a") as archive:
            archive.writestr("Sent.mbox", b"\x1f\x8b\x08\x00rest")
    assert main([str(files)]) == 1
    out = told(capsys)
    assert "INTEGRITY: ok" in out
    assert "unreadable  Sent.mbox cannot be read: it is compressed by gzip" in out
    assert "intact mails of #000001-#000002" in out


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_dead_link_and_a_pipe_among_others_are_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "All.mbox").write_bytes(WHOLE)
    (tmp_path / "old.mbox").symlink_to(tmp_path / "gone.mbox")
    os.mkfifo(tmp_path / "pipe.mbox")
    assert main([str(tmp_path)]) == 0
    assert "old.mbox was skipped: it is a link that leads nowhere" in told(capsys)


def test_a_folder_without_any_readable_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Drafts.mbox").write_bytes(b"")
    (tmp_path / "Sent.mbox").write_bytes(b"%PDF-1.4")
    assert main([str(tmp_path)]) == 2
    assert "Sent.mbox: it is neither an mbox file nor a mail" in capsys.readouterr().err


def test_a_name_that_would_steer_the_terminal_is_spelled_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "a\x1b[2J\nINTEGRITY: ok\u202e.mbox"
    assert main([str(tmp_path / name)]) == 2
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--a\x1b[2J\u202e"])
    (tmp_path / name).write_bytes(b"%PDF-1.4")
    assert main([str(tmp_path / name)]) == 2
    (tmp_path / "All.mbox").write_bytes(WHOLE)
    (tmp_path / name).write_bytes(b"")
    assert main([str(tmp_path)]) == 0
    answer = capsys.readouterr()
    assert "\\x1b[2J\\nINTEGRITY" in answer.err
    for text in (answer.out, answer.err):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert text.count("\nINTEGRITY: ok") == (text is answer.out)


def with_length(raw: bytes, length: int) -> bytes:
    return b"Content-Length: %d\n" % length + raw


def test_two_outsiders_who_forge_a_length_blind_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "export.mbox"
    second = b"Subject: b\n\nhi\n"
    for off in range(-4, 5):
        entry = mbox([second])
        first = with_length(b"Subject: a\n\nhi\n", len(b"hi\n\n" + entry) + off)
        file.write_bytes(mbox([first, with_length(second, 3), *OWN, *mails(chain(2, "gala"))]))
        assert main([str(file)]) == 0, capsys.readouterr()
