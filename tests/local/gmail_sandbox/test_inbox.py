from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from local.gmail_sandbox.process import GmailSandbox
from tests.browser.chromium import launch
from tests.local.gmail_sandbox.client import body_of, compose, messages_of
from tests.suites import LONG

HOSTILE = '<img src=x onerror=alert(1)> & "O\'Brien" 李小龍'
HTML = (
    "<p style='color:#333'>Amount $125.00</p><script>alert(2)</script><img src=x onerror=alert(3)>"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture
def page(gmail: GmailSandbox, browser: Browser) -> Iterator[Page]:
    """The open inbox; a dialog or script error fails the test."""
    trouble: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        address = str(message.location.get("url"))
        if message.type == "error" and not address.endswith(("/html", "/move")):
            trouble.append(message.text)

    context = browser.new_context()
    opened = context.new_page()
    opened.on("dialog", lambda dialog: trouble.append(dialog.message))
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("console", heard)
    opened.goto(gmail.url)
    yield opened
    context.close()
    assert [line for line in trouble if "sandboxed" not in line] == []


def send(gmail: GmailSandbox, subject: str = HOSTILE, html: str | None = HTML) -> Any:
    mail = compose(subject, html=html)
    mail.add_attachment(
        b'{"seq":1}', maintype="application", subtype="json", filename='"><b>entry.json'
    )
    return messages_of(gmail).send(userId="me", body=body_of(mail)).execute()


def test_an_empty_inbox_is_explained_and_new_mail_appears_and_is_announced(
    gmail: GmailSandbox, page: Page
) -> None:
    expect(page).to_have_title("Gmail sandbox")
    expect(page.get_by_text("No mail yet")).to_be_visible()
    send(gmail, "Payment #1")
    expect(page.get_by_role("link", name="Payment #1")).to_be_visible()
    expect(page.locator("#news")).to_have_text("1 new message: Payment #1")
    expect(page).to_have_title("(1) Gmail sandbox")


def test_a_hostile_mail_is_shown_as_text_and_runs_nothing(gmail: GmailSandbox, page: Page) -> None:
    send(gmail)
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    frame = page.frame_locator("iframe")
    amount = frame.get_by_text("Amount $125.00")
    expect(amount).to_have_css("color", "rgb(51, 51, 51)")
    expect(page.get_by_role("link", name='"><b>entry.json')).to_be_visible()
    assert page.locator("#mail img, #messages img").count() == 0


@LONG
def test_text_source_and_headers_have_their_tabs(gmail: GmailSandbox, page: Page) -> None:
    send(gmail)
    page.get_by_role("link", name=HOSTILE).click()
    page.get_by_role("tab", name="HTML").press("ArrowRight")
    expect(page.get_by_role("tabpanel", name="Text")).to_contain_text("Amount $125.00")
    page.get_by_role("tab", name="Source").click()
    expect(page.get_by_role("tabpanel", name="Source")).to_contain_text("Delivered-To: audit@")
    page.get_by_role("tab", name="Headers").click()
    expect(page.get_by_role("row", name="Subject")).to_contain_text(HOSTILE)


def test_an_attachment_is_downloaded_with_its_bytes(gmail: GmailSandbox, page: Page) -> None:
    send(gmail)
    page.get_by_role("link", name=HOSTILE).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="entry.json").click()
    assert download.value.path().read_bytes() == b'{"seq":1}'


@LONG
def test_the_list_is_searched_read_and_left_by_keyboard(gmail: GmailSandbox, page: Page) -> None:
    for number in (1, 2):
        send(gmail, f"Payment #{number} AUD{number}")
    expect(page.get_by_text("2 messages")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("aud1")
    expect(page.get_by_text("1 message", exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Payment #1")).to_be_visible()
    expect(page).to_have_title("Gmail sandbox")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Payment #1")).to_be_hidden()
    expect(page.get_by_role("link", name="Payment #1")).to_be_focused()
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.get_by_text("No mail matches")).to_be_visible()


@LONG
def test_a_phone_shows_one_pane_at_a_time(gmail: GmailSandbox, page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 720})
    send(gmail, "W" * 300)
    row = page.get_by_role("link", name="WWW")
    row.click()
    expect(row).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.get_by_role("link", name="Inbox").click()
    expect(row).to_be_visible()


@LONG
def test_active_faults_are_shown(gmail: GmailSandbox, page: Page) -> None:
    gmail.post_fault({"kind": "status", "code": 429, "times": 5})
    expect(page.get_by_text("Faults active: status 429")).to_be_visible()


@LONG
def test_rows_scroll_out_of_sight_below_the_lists_heading(gmail: GmailSandbox, page: Page) -> None:
    for number in range(12):
        send(gmail, f"Payment #{number}")
    expect(page.get_by_text("12 messages")).to_be_visible()
    page.get_by_role("link", name="Payment #0").scroll_into_view_if_needed()
    in_front = """head => {
        const { left, top, width, height } = head.getBoundingClientRect();
        const along = [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => left + width * part);
        return along.every((x) => head.contains(document.elementFromPoint(x, top + height / 2)));
    }"""
    assert page.locator(".list").evaluate("list => list.scrollTop") > 0
    assert page.locator(".list-head").evaluate(in_front)


def open_mail(page: Page, subject: str) -> None:
    page.get_by_role("link", name=subject).click()
    expect(page.get_by_role("heading", name=subject)).to_be_visible()


def test_an_open_mail_goes_to_spam_and_comes_back_by_keyboard(
    gmail: GmailSandbox, page: Page
) -> None:
    for number in (1, 2, 3):
        send(gmail, f"Payment #{number}")
    open_mail(page, "Payment #2")
    expect(page.get_by_role("button", name="Move to inbox")).to_be_hidden()
    page.get_by_role("button", name="Report spam").press("Enter")
    expect(page.locator("#news")).to_have_text("Moved to spam")
    expect(page.get_by_text("2 messages")).to_be_visible()
    expect(page.get_by_role("heading", name="Payment #2")).to_be_hidden()
    expect(page.get_by_role("link", name="Payment #1")).to_be_focused()
    page.get_by_role("button", name="Spam", exact=True).press("Enter")
    expect(page.get_by_role("searchbox")).to_have_value("in:spam")
    expect(page.get_by_role("button", name="Spam", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    open_mail(page, "Payment #2")
    page.get_by_role("button", name="Move to inbox").press("Enter")
    expect(page.get_by_text("No spam.")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert len(gmail.messages()) == 3


def test_a_mail_is_deleted_forever_only_after_a_confirmation(
    gmail: GmailSandbox, page: Page
) -> None:
    send(gmail, "Payment #1")
    open_mail(page, "Payment #1")
    page.get_by_role("button", name="Move to trash").click()
    page.get_by_role("searchbox").fill("in:trash")
    open_mail(page, "Payment #1")
    delete = page.get_by_role("button", name="Delete forever")
    dialog = page.get_by_role("dialog", name="Delete this message forever?")
    delete.click()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    delete.click()
    dialog.get_by_role("button", name="Cancel").click()
    assert len(gmail.messages("trash")) == 1
    delete.click()
    dialog.get_by_role("button", name="Delete forever").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
    expect(page.locator("#news")).to_have_text("Deleted forever")
    assert gmail.messages("trash") == []


@LONG
def test_a_mail_that_is_already_gone_is_named(gmail: GmailSandbox, page: Page) -> None:
    send(gmail, "Payment #1")
    open_mail(page, "Payment #1")
    gmail.clear_messages()
    page.get_by_role("button", name="Move to trash").click()
    expect(page.locator("#news")).to_have_text("The message no longer exists")
