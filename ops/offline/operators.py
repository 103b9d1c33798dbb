"""What operators' records say of mails: which one was issued again, and what a person settled.

Whoever can put a mail into the mailbox can write anything into its headers. So neither counts by
the mail that it is about, only by the operators' own record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from functions.audit_mailer.mails.envelope import utc
from ops.offline.ledger.days import Statements
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Finding, Link, found
from shared.audit.findings import FindingKind, MailFinding
from shared.ledger import business_day

UNRECORDED = "unrecorded-reissue"
_MOST_SHOWN = 60  # characters of what a header calls a run


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a person explained, so that it is no fault any more. at: epoch milliseconds."""

    finding: MailFinding
    who: str
    at: int
    reason: str

    def told(self) -> str:
        return f"settled by {self.who}, {utc(self.at)}: {self.reason} ({self.finding.ops_id})"


@dataclass(frozen=True, slots=True)
class Reissued:
    """An entry's mail that operators had sent once more. at: epoch milliseconds."""

    run: str
    payment_id: str
    at: int


@dataclass(frozen=True, slots=True)
class OpsMail:
    """The mail of an ops record. sha256: of its record. at: epoch milliseconds.

    said: what it settles, or has issued again; None for other records, and for a mail that does not
    show what its record says.
    """

    ops_id: str
    sha256: str
    where: str
    at: int = 0
    said: Settlement | Reissued | None = None


@dataclass(frozen=True, slots=True)
class Operators:
    """What operators' records say. wrong: about mails of records that a statement denies."""

    settlements: Sequence[Settlement] = ()
    reissues: Sequence[Reissued] = ()
    wrong: Sequence[Finding] = ()

    @property
    def lost(self) -> dict[str, Settlement]:
        """Whose loss is settled, by their ids. A mail that was issued again later may be lost."""
        issued = {each.payment_id: each.at for each in sorted(self.reissues, key=_moment)}
        return {
            each.finding.own_id: each
            for each in self.settlements
            if each.finding.kind == "missing" and issued.get(each.finding.own_id, 0) <= each.at
        }


def _moment(said: Settlement | Reissued) -> int:
    return said.at


def said_in(record: Mapping[str, Any]) -> Settlement | Reissued | None:
    """What one ops record says; None for a record that says nothing of a mail."""
    try:
        match record["action"], record["phase"]:
            case "reissue", "planned":
                return _reissued(record)
            case "ack", "done":
                return _settlement(record)
    except (LookupError, ValueError, TypeError, AttributeError):
        pass  # not as ours are
    return None


def _reissued(record: Mapping[str, Any]) -> Reissued | None:
    run, payment_id = str(record["run"]), str(record["filter"])
    is_own = record["ops_id"] == f"{run}_planned"
    return Reissued(run, payment_id, int(record["at"])) if is_own else None


def _settlement(record: Mapping[str, Any]) -> Settlement | None:
    """The id of the record is made from what it settles: it can settle nothing else."""
    named = frozenset(str(each).split()[0] for each in record["messages"]) - {"-"}
    for kind in get_args(FindingKind):
        finding = MailFinding(kind, str(record["filter"]), named)
        if finding.ops_id == record["ops_id"]:
            return Settlement(finding, str(record["who"]), int(record["at"]), str(record["reason"]))
    return None


def operators_of(said: Iterable[Settlement | Reissued | None]) -> Operators:
    every = [*said]
    return Operators(
        settlements=[each for each in every if isinstance(each, Settlement)],
        reissues=[each for each in every if isinstance(each, Reissued)],
    )


def operators_in(mails: Sequence[OpsMail], statements: Statements) -> Operators:
    """What operators' mails say. A record that the statement of its day does not name is none."""
    digests: dict[str, set[str]] = {}
    for each in mails:
        digests.setdefault(each.ops_id, set()).add(each.sha256)
    wrong: list[Finding] = []
    believed: list[Settlement | Reissued | None] = []
    for each in mails:
        problem = _problem(each, statements, len(digests[each.ops_id]))
        if problem:
            kind, told = problem
            wrong.append(Finding(INTEGRITY, "", 0, 0, kind, "", f"{each.where}: {told}"))
        else:
            believed.append(each.said)
    operators = operators_of(believed)
    return Operators(operators.settlements, operators.reissues, wrong)


def _problem(mail: OpsMail, statements: Statements, rivals: int) -> tuple[str, str] | None:
    """A kind of finding, and words. rivals: how many different records have its id."""
    name, stated = mail.ops_id[:100], statements.ops.get(mail.ops_id)
    if stated and mail.sha256 not in stated:
        return "altered", f"the ops record {name} differs from the statement that names it"
    day = _day_of(mail, statements)
    if not stated and day in statements.sha256:
        return "inserted", f"the statement of {day} does not name the ops record {name}"
    if not stated and rivals > 1:
        return "contradiction", f"another mail has another ops record {name}"
    return None


def _day_of(mail: OpsMail, statements: Statements) -> str:
    """Empty where it is not known."""
    try:
        return business_day(mail.at, statements.zone) if statements.zone else ""
    except (OverflowError, ValueError, OSError):
        return ""


def unrecorded(links: Sequence[Link], operators: Operators) -> Iterator[Finding]:
    """Mails that say that they were issued again, and that no record of operators knows.

    They do not stand in for the entry's own mail.
    """
    named = {(each.run, each.payment_id) for each in operators.reissues}
    invented = [
        each for each in links if each.reissue and (each.reissue, each.payment_id) not in named
    ]
    if not invented:
        return
    strange = {id(each) for each in invented}
    mailed = {(each.event_id, each.payment_id) for each in links if id(each) not in strange}
    for each in invented:
        run = each.reissue[:_MOST_SHOWN]
        detail = f"a reissue without a record: no operators' record {run}_planned tells of it"
        yield found(INTEGRITY, each, UNRECORDED, detail)
        if (each.event_id, each.payment_id) not in mailed:
            detail = "its own mail is not here, only a reissue without a record"
            yield found(COMPLETENESS, each, "missing", detail)
