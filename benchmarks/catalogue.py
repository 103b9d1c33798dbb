"""The families of measurements by name, which is what ONLY= takes.

A family is a module `benchmarks.families.<name>` with a function `measure(say) -> list[Result]`.
It starts and stops what it needs itself, takes ours and the baseline in turns, and reports its
progress: `say("api: 3 of 7")`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from benchmarks.report.result import Result

Say = Callable[[str], None]


class UnknownFamilyError(Exception):
    """ONLY names what is not there; the message names what is."""


@dataclass(frozen=True, slots=True)
class Family:
    """is_on_demand: it runs only when it is named."""

    name: str
    what: str
    is_on_demand: bool = False

    def measure(self, say: Say) -> list[Result]:
        results: list[Result] = import_module(f"benchmarks.families.{self.name}").measure(say)
        return results


FAMILIES = (
    Family("cold", "cold start of each bundle, beside a ten-line handler"),
    Family("memory", "peak memory of each function, beside a ten-line handler"),
    Family("warm", "a warm POST /api/payments, beside the bare transaction"),
    Family("router", "10,000 stream records, beside a loop of send_message_batch"),
    Family("mailer", "a batch of ten mails, beside one after the other; overhead a mail"),
    Family("latency", "POST latency and an outage of Gmail, beside mailing inside the request"),
    Family("pipeline", "from POST to mail on the deployed stack, and the highest rate it holds"),
    Family("pages", "calls and request units of a payment and of a page, as the event grows"),
    Family("startup", "make run from a fresh clone, and again"),
    Family("suite", "make test, as a whole and by folder; only when named", is_on_demand=True),
    Family("trips", "DynamoDB round trips of a logged payment, one after another"),
)


def chosen(only: str) -> list[Family]:
    """The families that a comma-separated ONLY names, in the order of the table.

    Empty is all but those on demand.
    Raises UnknownFamilyError.
    """
    names = [name for each in only.split(",") if (name := each.strip())]
    known = [each.name for each in FAMILIES]
    if unknown := [name for name in names if name not in known]:
        raise UnknownFamilyError(f"ONLY={','.join(unknown)}: choose from {', '.join(known)}")
    return [each for each in FAMILIES if each.name in names or not (names or each.is_on_demand)]
