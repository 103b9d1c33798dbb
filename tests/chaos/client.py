"""Admins who never give up: they repeat each request with its key until it is answered."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tests.chaos.plan import Payment
from tests.dock import Answer, Dock

TABS = 4
PATIENCE_SECONDS = 180.0
UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, OSError)


class RefusedError(Exception):
    """An answer that no retry will change, or no answer in time."""


class Client:
    """Several tabs at once. entries: those answered with 200, by payment_id.

    seconds: the duration of each request that was answered on its first try.
    """

    def __init__(self, dock: Dock) -> None:
        self._dock = dock
        self._pool = ThreadPoolExecutor(TABS)
        self._lock = threading.Lock()
        self.entries: dict[str, dict[str, Any]] = {}
        self.seconds: list[float] = []
        self.retries = 0
        self._closed = False

    @property
    def logged(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self.entries.values())

    def submit(self, payment: Payment) -> list[Future[dict[str, Any]]]:
        """Send a payment's requests from the pool; the futures raise RefusedError."""
        copies = 2 if payment.asked_twice else 1
        requests = [self._pool.submit(self._log, payment) for _ in range(copies)]
        if payment.correction is not None:
            requests.append(self._pool.submit(self._correct, payment, requests[0]))
        return requests

    def log(self, **body: str) -> dict[str, Any]:
        """Log one payment now, and return its entry."""
        answer = self._insist("/api/payments", body, str(uuid.uuid4()))
        return self._remember(answer.json["payment"])

    def close(self) -> None:
        """Give up on requests that have no answer yet."""
        self._closed = True
        self._pool.shutdown(cancel_futures=True)

    def _log(self, payment: Payment) -> dict[str, Any]:
        answer = self._insist("/api/payments", payment.body, payment.key)
        return self._remember(answer.json["payment"])

    def _correct(self, payment: Payment, logged: Future[dict[str, Any]]) -> dict[str, Any]:
        assert payment.correction is not None
        amount, key = payment.correction
        entry = logged.result()
        body = {
            "reason": "wrong_amount",
            "replacement": {
                "patron_email": payment.body["patron_email"],
                "amount": amount,
                "method": "cash",
            },
        }
        answer = self._insist(f"/api/payments/{entry['payment_id']}/void", body, key)
        self._remember(answer.json["void"])
        return self._remember(answer.json["replacement"])

    def _remember(self, entry: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            known = self.entries.setdefault(entry["payment_id"], entry)
        if known["hash"] != entry["hash"]:
            raise RefusedError(f"{entry['payment_id']} was answered in two ways")
        return entry

    def _insist(self, path: str, body: Mapping[str, Any], key: str) -> Answer:
        deadline = time.monotonic() + PATIENCE_SECONDS
        first = True
        while True:
            began = time.monotonic()
            answer = self._ask(path, body, key)
            if answer is not None and answer.status == 200:
                with self._lock:
                    self.retries += 0 if first else 1
                    if first:
                        self.seconds.append(time.monotonic() - began)
                return answer
            if answer is not None and not _may_change(answer):
                raise RefusedError(f"{path}: {answer.status} {answer.content.decode()}")
            if self._closed or time.monotonic() > deadline:
                raise RefusedError(f"{path}: no answer within {PATIENCE_SECONDS:.0f} s")
            first = False
            time.sleep(0.2)

    def _ask(self, path: str, body: Mapping[str, Any], key: str) -> Answer | None:
        """None: we do not know whether it was logged."""
        try:
            return self._dock.call("POST", path, body, {"Idempotency-Key": key})
        except UNREACHABLE:
            return None


def _may_change(answer: Answer) -> bool:
    """Whether to retry with the same key, as the web client does."""
    contended = answer.status == 409 and "Retry-After" in answer.headers
    return contended or answer.status >= 500 or answer.status == 429
