"""What a page sent for a payment, and what the ledger has of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Request, Route

from tests.dock import Dock


def logged(dock: Dock, amount: str) -> list[dict[str, Any]]:
    """The ledger's payments of this amount; no two tests log the same amount."""
    answer = dock.call("GET", "/api/payments?event_id=sunset-charter&limit=100")
    return [each for each in answer.json["payments"] if each["amount"] == amount]


def keys_sent(page: Page) -> list[str]:
    """Fills with the idempotency key of every payment that the page sends from now on."""
    keys: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/api/payments"):
            keys.append(request.headers["idempotency-key"])

    page.on("request", note)
    return keys


def refuse_once(status: int, code: str, **headers: str) -> Callable[[Route], None]:
    """Answer the first request as a busy or broken API does; let the others through."""
    answered: list[Route] = []

    def handle(route: Route) -> None:
        if answered:
            return route.continue_()
        answered.append(route)
        return route.fulfill(
            status=status,
            headers={"Content-Type": "application/problem+json"} | headers,
            body=f'{{"status": {status}, "code": "{code}", "detail": "Not now.", "errors": []}}',
        )

    return handle
