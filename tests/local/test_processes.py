import http.server
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes
from local.processes import ChildFailedError, clean_environment, start, wait_until


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def empty_server() -> Iterator[str]:
    handler = http.server.SimpleHTTPRequestHandler
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/pyproject.toml"
        server.shutdown()
        thread.join()


def python(code: str, logs: Path, name: str = "test child") -> processes.Child:
    return start(name, [sys.executable, "-u", "-c", code], clean_environment(), logs)


def test_a_child_that_ends_by_itself_is_named_with_the_end_of_its_log(logs: Path) -> None:
    child = python("print('one'); print('no such table'); raise SystemExit(3)", logs)
    child.process.wait(10)
    with pytest.raises(ChildFailedError) as caught:
        child.refuse_death()
    assert "The test child stopped unexpectedly (exit code 3)" in str(caught.value)
    assert "test-child.log" in str(caught.value)
    assert "    no such table" in str(caught.value)


def test_a_running_child_is_left_alone_and_stops_when_asked(logs: Path) -> None:
    child = python("import time\nwhile True: time.sleep(60)", logs)
    child.refuse_death()
    child.stop()
    assert child.process.returncode is not None


def test_a_child_may_save_its_state_before_it_stops(logs: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    child = python(
        "import pathlib, signal, sys\n"
        f"def save(*_): pathlib.Path({str(saved)!r}).touch(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, save); print('listening')\n"
        "while True: signal.pause()",
        logs,
    )
    assert wait_until(lambda: "listening" in child.log.read_text(), 10)
    child.stop()
    assert saved.exists()
    assert child.process.returncode == 0


def test_stopping_kills_a_child_that_ignores_signals_and_its_children(logs: Path) -> None:
    child = python(
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "code = 'import signal; signal.pause()'\n"
        "print('worker', subprocess.Popen([sys.executable, '-c', code]).pid)\n"
        "while True: signal.pause()",
        logs,
    )
    assert wait_until(lambda: "worker" in child.log.read_text(), 10)
    worker = int(child.log.read_text().split()[1])
    child.stop(patience=0.1)
    assert wait_until(lambda: not is_running(worker), 10)


def test_a_failing_command_is_named_with_the_end_of_its_log(logs: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('bad template')"]
    with pytest.raises(ChildFailedError, match=r"The sam build failed \(exit code 1\)") as caught:
        processes.run("sam build", command, clean_environment(), logs)
    assert "bad template" in str(caught.value)


def test_waiting_ends_when_there_is_an_answer(logs: Path, empty_server: str) -> None:
    child = python("import signal; signal.pause()", logs)
    processes.wait_until_answering(child, empty_server, 10)
    child.stop()


def test_waiting_for_an_answer_ends_when_the_child_dies(logs: Path) -> None:
    child = python("raise SystemExit('no port')", logs)
    with pytest.raises(ChildFailedError, match="no port"):
        processes.wait_until_answering(child, "http://127.0.0.1:9/", 30)


def test_the_developers_own_aws_and_python_settings_do_not_reach_a_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    environment = clean_environment(AWS_DEFAULT_REGION="us-east-1")
    assert "AWS_PROFILE" not in environment
    assert "PYTHONPATH" not in environment
    assert environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["PATH"] == os.environ["PATH"]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
