"""AWS and Google as one local HTTP server with fixed answers, the same for both sides of a row.

The emulator's cost would hide ours, and we would measure its locks instead of our threads. This
server finds items by key, accepts every write, and records every call.
"""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from shared.attributes import to_attributes

MAIL = {"id": "18c0ffee", "threadId": "18c0ffee", "labelIds": ["SENT"]}
TOKEN = {"access_token": "ya29.fixed", "expires_in": 3599, "token_type": "Bearer"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request: AWS's target, such as DynamoDB_20120810.Query, or the path. Times in seconds."""

    name: str
    came: float
    went: float


@dataclass
class Endpoint:
    """Use it as a context. delay: seconds before each answer, as on a network."""

    delay: float = 0.0
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    _items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.endpoint = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, table: str, keys: Iterable[str], row: Mapping[str, Any]) -> None:
        """Add a row to a table, found by these attributes."""
        item = to_attributes(row)
        self._items.setdefault(table, {})[_canonical({key: item[key] for key in keys})] = item

    def answer(self, name: str, body: bytes) -> Mapping[str, Any]:
        operation = name.rpartition(".")[2]
        if operation == "GetItem":
            asked = json.loads(body)
            item = self._find(asked["TableName"], asked["Key"])
            return {"Item": item} if item else {}
        if operation == "BatchGetItem":
            wanted = json.loads(body)["RequestItems"]
            found = {
                table: [item for key in each["Keys"] if (item := self._find(table, key))]
                for table, each in wanted.items()
            }
            return {"Responses": found, "UnprocessedKeys": {}}
        if operation == "Query":
            return {"Items": [], "Count": 0, "ScannedCount": 0}
        if operation == "SendMessageBatch":
            entries = json.loads(body)["Entries"]
            return {"Successful": [{"Id": each["Id"], "MessageId": "m"} for each in entries]}
        if operation == "/token":
            return TOKEN
        return MAIL if operation.startswith("/") else {}

    def _find(self, table: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
        return self._items.get(table, {}).get(_canonical(key))


def _canonical(key: Mapping[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    endpoint: Endpoint


class _Connection(socketserver.StreamRequestHandler):
    """Just enough HTTP/1.1, with one write per answer: http.server takes three times as long."""

    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        endpoint = self.server.endpoint
        while request := self.rfile.readline():
            came = time.perf_counter()
            headers = self._headers()
            body = self.rfile.read(int(headers.get("content-length", 0)))
            name = headers.get("x-amz-target") or request.split()[1].decode().partition("?")[0]
            content = json.dumps(endpoint.answer(name, body)).encode()
            if endpoint.delay:
                time.sleep(endpoint.delay)
            endpoint.calls.append(Call(name, came, time.perf_counter()))
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(content), content)
            )

    def _headers(self) -> dict[str, str]:
        headers = {}
        while (line := self.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return headers
