"""The families of measurements, by the names that ONLY= takes.

A family is a module `benchmarks.families.<name>` with a function `measure(say) -> list[Result]`.
It starts and stops what it needs, measures ours and the baseline in turns, and reports progress:
`say("api: 3 of 7")`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from benchmarks.report.result import Result

Say = Callable[[str], None]


class UnknownFamilyError(Exception):
    """ONLY names an unknown family; the message lists the known ones."""


@dataclass(frozen=True, slots=True)
class Family:
    """is_on_demand: it runs only if named."""

    name: str
    what: str
    is_on_demand: bool = False

    def measure(self, say: Say) -> list[Result]:
        results: list[Result] = import_module(f"benchmarks.families.{self.name}").measure(say)
        return results


FAMILIES = (
    Family("cold", "cold start of each bundle, compared with a ten-line handler"),
    Family("memory", "peak memory of each function, compared with a ten-line handler"),
    Family("warm", "a warm POST /api/payments, compared with the bare transaction"),
    Family("router", "10,000 stream records, compared with a loop of send_message_batch"),
    Family("mailer", "a batch of ten mails, compared with one by one; overhead per mail"),
    Family("latency", "POST latency and a Gmail outage, compared with mailing inside the request"),
    Family("pipeline", "from POST to mail on the deployed stack, and the highest rate it holds"),
    Family("pages", "calls and request units per payment and page, as the event grows"),
    Family("statement", "the daily statement over 100,000 entries and 2,000 events"),
    Family("mailbox", "Gmail's real quota, shared; only if named", is_on_demand=True),
    Family("startup", "make run from a fresh clone, and again"),
    Family("suite", "make test, as a whole and by folder; only if named", is_on_demand=True),
    Family("trips", "consecutive DynamoDB round trips of a logged payment"),
)


def chosen(only: str) -> list[Family]:
    """The families named in a comma-separated ONLY, in the order of the table.

    Empty means all except those on demand.
    Raises UnknownFamilyError.
    """
    names = [name for each in only.split(",") if (name := each.strip())]
    known = [each.name for each in FAMILIES]
    if unknown := [name for name in names if name not in known]:
        raise UnknownFamilyError(f"ONLY={','.join(unknown)}: choose from {', '.join(known)}")
    return [each for each in FAMILIES if each.name in names or not (names or each.is_on_demand)]
