"""Every screen and state of the app, by name: how to bring a page there.

The accessibility tests look at each of them, and `make screens` photographs each into
build/screens.

To add one, write a function in a module of this folder: `@scene("name")`, or
`@scene("name", who="crew")`; who="" is nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from local.running_stack import RunningStack
from tests.browser.chromium import open_tab
from tests.browser.routes import close
from tests.dock import Dock

Bring = Callable[[Page, Dock], None]
EVENT = "/g/sunset-charter"
SENT = 20_000  # ms within which a mail is sent


@dataclass(frozen=True)
class Scene:
    """who: the demo account that is signed in."""

    name: str
    who: str
    bring: Bring


SCENES: dict[str, Scene] = {}


def scene(name: str, who: str = "admin") -> Callable[[Bring], Bring]:
    def note(bring: Bring) -> Bring:
        SCENES[name] = Scene(name, who, bring)
        return bring

    return note


def seed(dock: Dock) -> None:
    """Log an evening's payments. Those from an earlier run are likely duplicates."""
    for patron, amount, method, reference, note in (
        ("jane.doe@example.com", "25.00", "cash", "", "Deposit"),
        ("lee@example.com", "180.00", "credit_card", "4242", ""),
        ("o'brien+dock@example.com", "125.00", "check", "1042", "Paid for two"),
        ("a.dubois@example.net", "90.00", "ach", "091000019876548", ""),
        ("bjork.s@example.org", "60.00", "cash", "", ""),
    ):
        payment = {
            "patron_email": patron,
            "amount": amount,
            "method": method,
            "reference": reference,
            "note": note,
        }
        answer = dock.log(**payment)
        if answer.status == 409:
            earlier = [each["payment_id"] for each in answer.json["payments"]]
            answer = dock.log(**payment, acknowledge_duplicates=earlier)
        assert answer.status == 200, answer.content


@contextmanager
def on_stage(
    browser: Browser, stack: RunningStack, dock: Dock, scene: Scene, **options: Any
) -> Iterator[Page]:
    """A tab in which the scene stands still. options: those of a browser context."""
    cookie = ""
    if scene.who:
        cookie = dock.cookie if scene.who == "admin" else Dock(stack).sign_in(scene.who).cookie
    page = open_tab(browser, stack, cookie, reduced_motion="reduce", **options)
    try:
        scene.bring(page, dock)
        yield page
    finally:
        close(page)
