"""The payment form in use: fields, keys, and ways out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.payment_form import PaymentForm, any_amount
from tests.dock import Dock
from tests.suites import later


def test_from_card_to_logged_payment_by_keyboard_in_eight_key_actions(
    admin_page: Page,
) -> None:
    actions: list[str] = []

    def press(key: str) -> None:
        actions.append(key)
        admin_page.keyboard.press(key)

    admin_page.goto("/")
    card = admin_page.get_by_role("article").filter(has_text="Sunset Charter")
    opener = card.get_by_role("button", name="Log Payment")
    opener.focus()
    form = PaymentForm(admin_page)
    press("Enter")
    expect(form.patron).to_be_focused()
    admin_page.keyboard.type("seamus")
    expect(admin_page.get_by_role("option", name="Séamus")).to_be_visible()
    press("Tab")  # takes the best match
    admin_page.keyboard.type(any_amount())
    press("Tab")
    press("3")
    press("Tab")
    admin_page.keyboard.type(any_amount())
    press("Enter")
    expect(form.toast).to_contain_text("check · Séamus O'Brien")
    expect(opener).to_be_focused()
    assert len(actions) <= 8


def test_patrons_are_found_by_name_or_address_with_or_without_accents(admin_page: Page) -> None:
    form = PaymentForm(admin_page).open()
    options = admin_page.get_by_role("option")
    for typed, found in (("seamus o’b", "Séamus O'Brien"), ("LEE@exam", "李小龍")):
        form.patron.fill(typed)
        expect(options).to_have_count(1)
        expect(options).to_contain_text(found)
        expect(form.patron).to_have_attribute("aria-expanded", "true")
    form.patron.fill("nobody at all")
    expect(options).to_have_count(0)
    expect(form.dialog.locator("[data-part=no-match]")).to_have_text(
        "No match on this event’s roster."
    )
    form.patron.press("Tab")
    form.submit.click()
    expect(form.patron).to_have_accessible_description(re.compile("Pick a name from the list"))


def test_the_arrows_choose_a_patron_and_escape_closes_only_the_list(admin_page: Page) -> None:
    form = PaymentForm(admin_page).open()
    form.patron.press("ArrowDown")
    options = admin_page.get_by_role("option")
    expect(options.first).to_have_attribute("aria-selected", "true")
    form.patron.press("ArrowDown")
    active = form.patron.get_attribute("aria-activedescendant")
    expect(options.nth(1)).to_have_id(active or "")
    form.patron.press("Escape")
    expect(options).to_have_count(0)
    expect(form.dialog).to_be_visible()
    form.patron.press("ArrowDown")
    form.patron.press("Enter")
    expect(form.patron).not_to_have_value("")


def test_a_patron_shows_the_total_so_far_and_the_new_total(admin_page: Page, dock: Dock) -> None:
    dock.logged(patron_email="x@example.com", amount="25.00", reference="", note="", key="")
    form = PaymentForm(admin_page).open()
    form.patron.fill("x@example")
    option = admin_page.get_by_role("option")
    expect(option).to_contain_text(re.compile(r"already logged \$[\d,.]+"))
    option.click()
    form.amount.fill("50")
    expect(form.dialog.get_by_text(re.compile(r"Xu’s total .* will be \$[\d,.]+"))).to_be_visible()


def test_log_in_a_roster_row_locks_the_patron(admin_page: Page) -> None:
    admin_page.goto("/g/sunset-charter")
    admin_page.get_by_role("button", name="Log for Jane Doe").click()
    form = PaymentForm(admin_page)
    expect(form.amount).to_be_focused()
    expect(form.patron).to_have_value("Jane Doe")
    expect(form.patron).not_to_be_editable()
    admin_page.keyboard.press("Escape")
    expect(form.dialog).to_be_hidden()  # nothing was typed: nothing is asked


def test_an_amount_is_raw_while_edited_and_tidied_afterward(admin_page: Page) -> None:
    form = PaymentForm(admin_page).open()
    form.amount.fill("$1,234.50")
    form.amount.blur()
    expect(form.amount).to_have_value("1,234.50")
    form.amount.focus()
    expect(form.amount).to_have_value("1234.50")
    form.amount.fill("7500")
    expect(form.dialog.get_by_text("$7,500.00 is an unusually large payment")).to_be_visible()
    assert form.amount.get_attribute("inputmode") == "decimal"


def test_an_error_does_not_move_the_method_from_under_the_pointer(admin_page: Page) -> None:
    form = PaymentForm(admin_page).open()
    form.fill("12\u2075\u2070", method="Cash")
    expect(form.dialog.get_by_role("radio", name="Cash")).to_be_checked()
    expect(form.dialog.locator("#payment-amount-error")).to_contain_text("not an amount")


def test_the_reference_follows_the_method(admin_page: Page) -> None:
    form = PaymentForm(admin_page).open()
    form.dialog.get_by_role("heading").click()
    assert form.dialog.get_by_role("radio", checked=True).count() == 0
    form.dialog.get_by_role("button", name="Close").focus()
    for key, method, label in (
        ("1", "Credit card", "Last 4 or auth code"),
        ("3", "Check", "Check number"),
        ("4", "ACH", "ACH trace number"),
        ("2", "Cash", ""),
    ):
        admin_page.keyboard.press(key)
        expect(form.dialog.get_by_role("radio", name=method)).to_be_checked()
        reference = form.dialog.locator("#payment-reference")
        if label:
            expect(reference).to_have_accessible_name(label)
        else:
            expect(reference).to_be_hidden()


def test_a_card_number_is_refused_before_it_is_sent(admin_page: Page) -> None:
    form = PaymentForm(admin_page).open().fill(any_amount(), "Credit card")
    form.dialog.get_by_label("Last 4").fill("4111 1111 1111 1111")
    form.dialog.get_by_label("Note").fill("x" * 281)
    expect(form.dialog.get_by_text("281 / 280")).to_be_visible()
    expect(form.dialog.get_by_text("Do not enter card numbers").first).to_be_visible()
    form.submit.click()
    expect(form.dialog.get_by_role("alert").filter(has_text="Fix 2 things")).to_be_visible()


def test_the_stamp_ticks_in_local_time_and_utc(admin_page: Page) -> None:
    admin_page.clock.install()
    form = PaymentForm(admin_page).open()
    clock = form.dialog.locator("#payment-clock")
    expect(clock).to_have_text(re.compile(r"\d:\d\d:\d\d [AP]M .+ \(\d\d:\d\d:\d\d UTC\)"))
    before = clock.text_content() or ""
    admin_page.clock.run_for(2_000)
    expect(clock).not_to_have_text(before)


def test_log_and_add_another_clears_the_form_and_shows_the_servers_stamp(admin_page: Page) -> None:
    form = PaymentForm(admin_page).open().fill(any_amount())
    first_key = admin_page.evaluate("JSON.parse(sessionStorage['scc.pending-payment']).key")
    form.another.click()
    expect(form.notice).to_contain_text(re.compile(r"Logged #\d{6} .* Stamped by the server"))
    expect(form.patron).to_be_focused()
    expect(form.patron).to_have_value("")
    expect(form.amount).to_have_value("")
    assert first_key != admin_page.evaluate("JSON.parse(sessionStorage['scc.pending-payment']).key")


@pytest.mark.parametrize("way", ["Escape", "back", *map(later, ("Close", "backdrop", "Cancel"))])
def test_closing_asks_before_discarding_what_was_typed(admin_page: Page, way: str) -> None:
    admin_page.goto("/")
    admin_page.get_by_role("link", name="Sunset Charter").click()
    admin_page.get_by_role("button", name="Log Payment", exact=True).click()
    form = PaymentForm(admin_page)
    form.amount.fill("50")
    question = admin_page.get_by_role("alertdialog", name="Discard this payment?")
    # A second step back would leave the app, which the browser itself asks about.
    for answer in ("Discard",) if way == "back" else ("Keep editing", "Discard"):
        if way == "Escape":
            admin_page.keyboard.press("Escape")
        elif way == "backdrop":
            admin_page.mouse.click(20, 400)
        elif way == "back":
            admin_page.evaluate("history.back()")
        else:
            form.dialog.get_by_role("button", name=way).click()
        question.get_by_role("button", name=answer).click()
        if answer == "Keep editing":
            expect(form.amount).to_have_value(re.compile(r"50(\.00)?"))
    expect(form.dialog).to_be_hidden()
    if way == "back":
        expect(admin_page.get_by_role("heading", name="Events")).to_be_visible()
    else:
        expect(admin_page.get_by_role("button", name="Log Payment", exact=True)).to_be_focused()


def test_the_focus_stays_in_the_dialog(admin_page: Page) -> None:
    PaymentForm(admin_page).open()
    outside = """() => document.activeElement !== document.body
        && !document.activeElement.closest("#payment-dialog")"""
    for _ in range(14):
        admin_page.keyboard.press("Tab")
        assert not admin_page.evaluate(outside)


def test_a_narrow_window_needs_no_sideways_scrolling_and_targets_fit_a_thumb(
    admin_page: Page,
) -> None:
    admin_page.set_viewport_size({"width": 320, "height": 568})
    form = PaymentForm(admin_page).open().fill("12000", "Check")
    form.submit.click()
    too_small = """(dialog) => [...dialog.querySelectorAll("button, input, textarea, .tile")]
        .filter((each) => each.checkVisibility() && each.type !== "radio")
        .filter((each) => each.getBoundingClientRect().height < 44)
        .map((each) => each.outerHTML)"""
    assert form.dialog.evaluate(too_small) == []
    sideways = "(e) => e.scrollWidth - e.clientWidth"
    for part in (form.dialog, form.dialog.locator("form"), form.dialog.locator(".dialog-body")):
        assert part.evaluate(sideways) <= 0
    assert admin_page.locator("html").evaluate(sideways) <= 0


def test_reduced_motion_is_respected(admin_page: Page) -> None:
    name = "(e) => getComputedStyle(e).animationName"
    admin_page.emulate_media(reduced_motion="no-preference")
    form = PaymentForm(admin_page).open()
    assert form.dialog.evaluate(name) != "none"
    admin_page.emulate_media(reduced_motion="reduce")
    assert form.dialog.evaluate(name) == "none"
    moving = "(e) => [e, ...e.querySelectorAll('*')].filter((x) => x.getAnimations().length).length"
    assert form.dialog.evaluate(moving) == 0
