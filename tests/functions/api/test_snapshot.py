"""Two environments that start from one snapshot of the API share nothing that ages or repeats."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest

from tests.shells import environment

ROOT = Path(__file__).parents[3]
SECONDS_TO_RUN = 120


@dataclass
class World:
    """What AWS was asked. given: how many credentials, and how many secrets. calls: per call to
    DynamoDB, the access key and the caller's port, which is one connection.
    """

    first_lives: timedelta = timedelta(hours=6)
    given: int = 0
    calls: list[tuple[str, int]] = field(default_factory=list)
    lock: Any = field(default_factory=Lock)

    def credentials(self) -> dict[str, str]:
        """Another key each time, as another environment or a later hour has."""
        with self.lock:
            self.given += 1
            lives = self.first_lives if self.given == 1 else timedelta(hours=6)
            expires = datetime.now(UTC) + lives
            return {
                "AccessKeyId": f"KEY{self.given}",
                "SecretAccessKey": "secret",
                "Token": "token",
                "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }

    def answer(self, target: str, key: str, port: int) -> dict[str, str]:
        if target == "secretsmanager.GetSecretValue":
            return {"SecretString": f"seen by {key}"}
        with self.lock:
            self.calls.append((key, port))
        return {}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def endpoint(world: World) -> Iterator[str]:
    class Aws(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keeps connections open, as AWS does

        def do_GET(self) -> None:
            self.reply(world.credentials())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            (key,) = re.findall(r"Credential=(\w+)/", self.headers["Authorization"])
            self.reply(world.answer(self.headers["X-Amz-Target"], key, self.client_address[1]))

        def reply(self, content: dict[str, str]) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Aws) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def restored(endpoint: str, before: str = "used") -> list[dict[str, Any]]:
    """What the original and each of its two copies had. before: the snapshot, used or fresh."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.functions.api.restored", endpoint, before],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_TO_RUN,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("first_lives", [timedelta(hours=6), timedelta(minutes=1)])
def test_copies_share_nothing_with_each_other_or_with_the_original(
    world: World, endpoint: str, first_lives: timedelta
) -> None:
    """Even if something was used before the snapshot, which nothing is today."""
    world.first_lives = first_lives
    had = restored(endpoint)
    for name in ("token", "jitter", "cursor_key"):
        assert len({each[name] for each in had}) == 3, name
    keys, ports = zip(*world.calls, strict=True)
    assert len(set(keys)) == 3, "credentials are each environment's own, expired or not"
    assert len(set(ports)) == 3, "no connection is carried along"


def test_a_copys_clock_is_the_present_one(endpoint: str) -> None:
    began = time.time_ns() // 1_000_000
    _, first, second = restored(endpoint, before="fresh")
    assert began < first["now"] <= second["now"]


def test_starting_asks_for_no_credentials_and_connects_to_nothing(
    world: World, endpoint: str
) -> None:
    """What is made before the snapshot would be in every copy."""
    restored(endpoint, before="fresh")
    assert world.given == 2, "each copy asked once"
    assert [key for key, _ in world.calls] == ["KEY1", "KEY2"]
