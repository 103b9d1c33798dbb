"""All scenes, registered by importing their modules."""

from __future__ import annotations

from tests.browser.scenes import ledger as _ledger
from tests.browser.scenes import log_payment as _log_payment
from tests.browser.scenes import mailbox as _mailbox
from tests.browser.scenes import patron as _patron
from tests.browser.scenes import screens as _screens
from tests.browser.scenes.stage import SCENES

__all__ = ["SCENES", "_ledger", "_log_payment", "_mailbox", "_patron", "_screens"]
