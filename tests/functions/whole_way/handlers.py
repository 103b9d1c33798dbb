"""The functions by their logical ids, and how to have them read their environments again."""

from __future__ import annotations

from functions.api import handler as api_handler
from functions.api import wiring as api_wiring
from functions.audit_mailer import handler as mailer_handler
from functions.audit_mailer import wiring as mailer_wiring
from functions.audit_mailer.watch import handler as watch_handler
from functions.daily_statement import handler as statement_handler
from functions.daily_statement import wiring as statement_wiring
from functions.stream_router import handler as router_handler
from functions.stream_router import sweep_handler as sweep

HANDLERS = {
    "ApiFunction": api_handler,
    "RouterFunction": router_handler,
    "SweepFunction": sweep,
    "MailerFunction": mailer_handler,
    "StatementFunction": statement_handler,
    "WatchFunction": watch_handler,
}


def forget_wiring() -> None:
    """Let every function read its environment again."""
    modules = (
        api_wiring, router_handler, sweep, mailer_wiring, statement_wiring, watch_handler,
    )  # fmt: skip
    for module in modules:
        for each in vars(module).values():
            if hasattr(each, "cache_clear") and each.__module__ == module.__name__:
                each.cache_clear()
