"""All scenes, in the order in which they are shown."""

from __future__ import annotations

from tests.browser import ledger_scenes as _ledger
from tests.browser import patron_scenes as _patron
from tests.browser.scenes import SCENES

__all__ = ["SCENES", "_ledger", "_patron"]
