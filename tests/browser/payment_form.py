"""The payment dialog as a person uses it, for tests and scenes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect


def any_amount() -> str:
    """An amount that no other test logs and that is not unusual: 100.00 to 4,999.99."""
    cents = uuid.uuid4().int % 489_999 + 10_000
    return f"{cents // 100}.{cents % 100:02d}"


@dataclass(frozen=True)
class PaymentForm:
    page: Page

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog", name="Log payment")

    @property
    def patron(self) -> Locator:
        return self.dialog.get_by_role("combobox", name="Patron")

    @property
    def amount(self) -> Locator:
        return self.dialog.get_by_role("textbox", name="Amount")

    @property
    def submit(self) -> Locator:
        return self.dialog.get_by_role("button", name="Log payment", exact=True)

    @property
    def another(self) -> Locator:
        return self.dialog.get_by_role("button", name="Log & add another")

    @property
    def retry(self) -> Locator:
        return self.dialog.get_by_role("button", name="Retry")

    @property
    def notice(self) -> Locator:
        return self.dialog.locator("[data-part=notice]")

    @property
    def toast(self) -> Locator:
        return self.page.locator("#toasts")

    def open(self, path: str = "/g/sunset-charter") -> PaymentForm:
        self.page.goto(path)
        self.page.get_by_role("button", name="Log Payment", exact=True).first.click()
        expect(self.patron).to_be_focused()
        return self

    def fill(
        self,
        amount: str,
        method: str = "Cash",
        patron: str = "Jane Doe",
        reference: tuple[str, str] | None = None,
    ) -> PaymentForm:
        """reference: its label for this method, and what to type."""
        self.patron.fill(patron)
        self.page.get_by_role("option").first.click()
        self.amount.fill(amount)
        self.dialog.get_by_role("radio", name=method).check(force=True)
        if reference:
            self.dialog.get_by_label(reference[0]).fill(reference[1])
        return self
