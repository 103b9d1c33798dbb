"""What a patron does before boarding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from local.running_stack import RunningStack
from tests.browser.visits import sign_in
from tests.dock import Dock

PATH = "/g/regatta-2027/waiver"


@pytest.fixture
def patron(stack: RunningStack) -> dict[str, Any]:
    """Someone on the roster who has not signed yet."""
    answer = Dock(stack).sign_in().call("GET", "/api/events/regatta-2027")
    return next(each for each in answer.json["roster"] if each["waiver_signed_at"] is None)


@pytest.fixture
def phone(browser: Browser, stack: RunningStack) -> Iterator[Page]:
    """The narrowest phone, in the dark."""
    context = browser.new_context(
        base_url=stack.url,
        viewport={"width": 320, "height": 640},
        color_scheme="dark",
    )
    yield context.new_page()
    context.close()


def test_a_waiver_is_signed_with_the_keyboard_alone(page: Page, patron: dict[str, Any]) -> None:
    page.goto(PATH)
    expect(page.get_by_role("heading", name="Sign the waiver")).to_be_visible()
    name, email = page.get_by_label("Full name"), page.get_by_label("E-mail")
    page.keyboard.press("Tab")
    expect(name).to_be_focused()

    page.keyboard.press("Enter")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Enter your full name.")).to_be_visible()

    page.keyboard.type(patron["name"])
    expect(page.get_by_text("Enter your full name.")).to_have_count(0)
    page.keyboard.press("Tab")
    page.keyboard.type("stranger@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_text("not on the event's roster")).to_be_visible()
    expect(email).to_be_focused()
    expect(email).to_have_accessible_description(
        "Use the e-mail you booked with; it is on the event's roster. This e-mail is not on the "
        "event's roster. Use the one that you booked with."
    )

    page.keyboard.press("Control+A")
    page.keyboard.type(patron["email"])
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign the waiver")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The waiver is signed")).to_be_focused()
    expect(page.get_by_text(f"Signed by {patron['name']} ({patron['email']})")).to_be_visible()
    expect(name).to_be_hidden()

    page.goto("/g/regatta-2027")
    sign_in(page, "crew")
    row = page.get_by_role("listitem").filter(has_text=patron["email"])
    expect(row).to_contain_text("Waiver signed")


def test_the_waiver_fits_the_narrowest_phone_in_the_dark(
    phone: Page, patron: dict[str, Any]
) -> None:
    phone.goto(PATH)
    phone.get_by_role("button", name="Sign the waiver").click()
    expect(phone.get_by_text("Enter your e-mail.")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == 320
    light = phone.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
    phone.emulate_media(color_scheme="light")
    assert light != phone.evaluate(
        "getComputedStyle(document.querySelector('main')).backgroundColor"
    )


def test_when_the_server_cannot_be_reached_nothing_typed_is_lost(
    page: Page, patron: dict[str, Any]
) -> None:
    page.goto(PATH)
    page.get_by_label("Full name").fill(patron["name"])
    page.get_by_label("E-mail").fill(patron["email"])
    page.context.set_offline(True)
    page.get_by_role("button", name="Sign the waiver").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    page.context.set_offline(False)
    page.get_by_role("button", name="Sign the waiver").click()
    expect(page.get_by_role("heading", name="The waiver is signed")).to_be_visible()


def test_without_javascript_the_waiver_can_be_read_and_says_how_to_sign(
    browser: Browser, stack: RunningStack
) -> None:
    context = browser.new_context(base_url=stack.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(PATH)
    expect(page.get_by_role("heading", name="Waiver: Spring Regatta")).to_be_visible()
    # Playwright turns scripts off after the parser has read <noscript> as raw text.
    assert "Signing online needs JavaScript." in page.content()
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()
