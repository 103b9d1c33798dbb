"""What can happen to a request: lost before the server, lost after it, or never answered."""

from __future__ import annotations

from playwright.sync_api import Page, Route

PAYMENTS = "**/api/payments"

_held: list[Route] = []


def lose_answer(route: Route) -> None:
    """Let the server do its work, then cut the line before the answer comes."""
    route.fetch()
    route.abort()


def lose_request(route: Route) -> None:
    """Cut the line before the server hears of it."""
    route.abort()


def hold(route: Route) -> None:
    """Leave the request without an answer until the page is closed."""
    _held.append(route)


def close(page: Page) -> None:
    """Close the tab; held requests are dropped first, so that nothing waits for them."""
    while _held:
        _held.pop().abort()
    page.unroute_all(behavior="ignoreErrors")
    page.context.close()
