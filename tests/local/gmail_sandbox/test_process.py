import json
import mailbox
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.gmail_sandbox.process import GmailSandbox, SandboxStartError
from tests.local.gmail_sandbox.client import body_of, compose, fetch, messages_of
from tests.suites import LONG

COMMAND = [sys.executable, "-m", "local.gmail_sandbox"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[GmailSandbox]:
    """A sandbox that the test may stop and start."""
    sandbox = GmailSandbox.start(state=tmp_path)
    yield sandbox
    sandbox.stop()


def test_a_killed_sandbox_loses_nothing_it_has_confirmed(own: GmailSandbox) -> None:
    messages = messages_of(own)
    sent = messages.send(userId="me", body=body_of(compose())).execute()
    own.kill()
    own.restart()
    assert [mail["id"] for mail in own.messages()] == [sent["id"]]
    own.post_fault({"kind": "status", "code": 400, "on": "token"})  # its token must stay valid
    messages._http.close()
    assert messages.get(userId="me", id=sent["id"]).execute()["id"] == sent["id"]


def test_a_stopped_sandbox_finds_its_mail_again(own: GmailSandbox) -> None:
    imported = body_of(compose()) | {"labelIds": ["INBOX"]}
    first = messages_of(own).import_(userId="me", body=imported).execute()
    own.stop()
    own.restart()
    assert messages_of(own).import_(userId="me", body=imported).execute()["id"] == first["id"]
    assert len(own.messages()) == 1


@LONG
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_and_stops_cleanly_on_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    key = tmp_path / "key.json"
    subprocess.run([*COMMAND, "--new-service-account", str(key)], check=True)
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--state", str(tmp_path), "--service-account", str(key)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("gmail sandbox ready on http://127.0.0.1:")
    assert b"<title>Gmail sandbox</title>" in fetch(line.split()[-1])[1]
    process.send_signal(number)
    rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_port_in_use_is_one_clear_line(own: GmailSandbox, tmp_path: Path) -> None:
    port = int(own.url.rsplit(":", 1)[1])
    with pytest.raises(SandboxStartError) as caught:
        GmailSandbox.start(port=port, state=tmp_path / "second")
    assert str(port) in str(caught.value)
    assert "in use" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_service_account_is_one_clear_line(tmp_path: Path) -> None:
    missing = str(tmp_path / "no")
    command = [*COMMAND, "--port", "0", "--state", str(tmp_path), "--service-account", missing]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--new-service-account" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_new_service_account_is_complete_private_and_never_replaced(tmp_path: Path) -> None:
    key = tmp_path / "deep" / "key.json"
    command = [*COMMAND, "--new-service-account", str(key), "--token-uri"]
    command.append("http://localhost:1/token")
    subprocess.run(command, check=True)
    info = json.loads(key.read_text())
    assert set(info) == {
        "type",
        "project_id",
        "private_key_id",
        "private_key",
        "client_email",
        "client_id",
        "token_uri",
    }
    assert info["client_email"] == "audit-mailer@scc-local.iam.gserviceaccount.com"
    assert info["token_uri"] == "http://localhost:1/token"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    again = subprocess.run(command, check=False, capture_output=True, text=True)
    assert again.returncode == 2
    assert json.loads(key.read_text()) == info


@LONG
def test_the_limits_are_set_by_flags(tmp_path: Path) -> None:
    flags = ["--units-per-minute", "100", "--sends-per-day", "0", "--search-lag-ms", "600000"]
    with GmailSandbox.start(state=tmp_path, flags=flags) as sandbox:
        messages = messages_of(sandbox)
        messages.import_(userId="me", body=body_of(compose())).execute()
        assert "messages" not in messages.list(userId="me", q="ahoy").execute()
        assert "messages" in messages.list(userId="me").execute()


def test_the_mbox_export_is_read_back_line_for_line(gmail: GmailSandbox, tmp_path: Path) -> None:
    messages = messages_of(gmail)
    for number in range(2):
        mail = compose(f"mail {number}", message_id=f"<{number}@audit.shipcaptaincrew.example>")
        mail.set_content("From the dock\n>From the sea\n\nend\n")
        messages.import_(userId="me", body=body_of(mail) | {"labelIds": ["INBOX"]}).execute()
    file = tmp_path / "export.mbox"
    file.write_bytes(fetch(gmail.url + "/sandbox/export.mbox")[1])
    box = mailbox.mbox(file, create=False)
    mails = list(box)
    assert [mail["Subject"] for mail in mails] == ["mail 0", "mail 1"]
    assert mails[0].get_payload() == ">From the dock\n>>From the sea\n\nend\n"
    box.close()
