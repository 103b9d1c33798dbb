"""What operators' records say of mails: which one was issued again, and what a person settled.

Whoever can put a mail into the mailbox can write anything into it. So neither counts by the mail
that it is about, only by the operators' own record, and that one only by the final statement of its
day, which names it by its hash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from functions.audit_mailer.mails.envelope import utc
from ops.offline.ledger.days import Statements
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Finding, Link, found
from ops.offline.ledger.public_key import PublicKey
from shared.audit.delivery import moment_of
from shared.audit.findings import FindingKind, MailFinding
from shared.ledger import business_day

UNRECORDED = "unrecorded-reissue"
NOT_SEALED = "not sealed yet"  # no statement of its day is there so far
_CLOCK_MS = 300_000  # by which an operator's clock and ours may differ
_MOST_SHOWN = 60  # characters of what a header calls a run


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a person explained, so that it is no fault any more. at: epoch milliseconds."""

    finding: MailFinding
    who: str
    at: int
    reason: str

    @property
    def about(self) -> str:
        return self.finding.own_id

    def told(self) -> str:
        return f"settled by {self.who}, {utc(self.at)}: {self.reason} ({self.finding.ops_id})"


@dataclass(frozen=True, slots=True)
class Reissued:
    """An entry's mail that operators had sent once more. at: epoch milliseconds."""

    run: str
    payment_id: str
    at: int

    @property
    def about(self) -> str:
        return self.payment_id


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What an operators' mail says that no statement names, so it does not count. why: in words."""

    said: Settlement | Reissued
    why: str

    def told(self) -> str:
        if isinstance(self.said, Reissued):
            return f"the mail of {self.said.about} was issued again, {self.why}"
        who = self.said.told().removeprefix("settled ")
        return f"the {self.said.finding.kind} mail of {self.said.about}: settled, {self.why}, {who}"


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
    """What operators' records say. wrong: about mails of records that cannot be right.

    unsealed: what counts for nothing until a statement names it.
    """

    settlements: Sequence[Settlement] = ()
    reissues: Sequence[Reissued] = ()
    wrong: Sequence[Finding] = ()
    unsealed: Sequence[Unsealed] = ()

    def with_unsealed(self) -> Operators:
        """As if statements named all of it."""
        more = operators_of(each.said for each in self.unsealed)
        settlements = [*self.settlements, *more.settlements]
        return Operators(settlements, [*self.reissues, *more.reissues], self.wrong)

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
    return Reissued(run, payment_id, _at(record)) if is_own else None


def _settlement(record: Mapping[str, Any]) -> Settlement | None:
    """The id of the record is made from what it settles: it can settle nothing else."""
    named = frozenset(str(each).split()[0] for each in record["messages"]) - {"-"}
    for kind in get_args(FindingKind):
        finding = MailFinding(kind, str(record["filter"]), named)
        if finding.ops_id == record["ops_id"]:
            return Settlement(finding, str(record["who"]), _at(record), str(record["reason"]))
    return None


def _at(record: Mapping[str, Any]) -> int:
    """Raises ValueError for what no calendar has."""
    at = moment_of(record, "at")
    if at is None:
        raise ValueError("at is no moment")
    return at


def operators_of(said: Iterable[Settlement | Reissued | None]) -> Operators:
    every = [*said]
    return Operators(
        settlements=[each for each in every if isinstance(each, Settlement)],
        reissues=[each for each in every if isinstance(each, Reissued)],
    )


def operators_in(
    mails: Sequence[OpsMail],
    statements: Statements,
    logged: Mapping[str, int],
    key: PublicKey | None = None,
) -> Operators:
    """What operators' mails say, as far as final statements name their records.

    logged: when entries were logged, in epoch milliseconds, by their ids. key: that signs.
    """
    digests: dict[str, set[str]] = {}
    for each in mails:
        digests.setdefault(each.ops_id, set()).add(each.sha256)
    stated, wrong, unsealed = statements.ops(key), list[Finding](), list[Unsealed]()
    believed: list[Settlement | Reissued | None] = []
    for each in mails:
        named, day = stated.get(each.ops_id), _day_of(each, statements)
        problem = (
            _unlike_statements(each, day, named, statements)
            or _too_early(each, logged)
            or _rivals(each, named, digests[each.ops_id])
        )
        if problem:
            kind, told = problem
            wrong.append(Finding(INTEGRITY, "", 0, 0, kind, "", f"{each.where}: {told}"))
        elif named:
            believed.append(each.said)
        elif each.said:
            unsealed.append(Unsealed(each.said, _why_unsealed(day, statements)))
    operators = operators_of(believed)
    return Operators(operators.settlements, operators.reissues, wrong, unsealed)


def _unlike_statements(
    mail: OpsMail, day: str, named: Collection[str] | None, statements: Statements
) -> tuple[str, str] | None:
    """A kind of finding, and words. named: the hashes that statements give its record."""
    name = mail.ops_id[:100]
    if named and mail.sha256 not in named:
        return "altered", f"the ops record {name} differs from the statement that names it"
    if named or not day:
        return None
    if day in statements.sha256:
        return "inserted", f"the statement of {day} does not name the ops record {name}"
    if mail.said and statements.begin and day < min(statements.sha256):
        return "back-dated", f"the ops record {name} is from before the first statement"
    return None


def _too_early(mail: OpsMail, logged: Mapping[str, int]) -> tuple[str, str] | None:
    """Nobody settles, or issues again, what is not logged yet."""
    about = mail.said.about if mail.said else ""
    if mail.at + _CLOCK_MS >= logged.get(about, 0):
        return None
    return "back-dated", f"the ops record {mail.ops_id[:100]} is older than {about}"


def _rivals(
    mail: OpsMail, named: Collection[str] | None, digests: Collection[str]
) -> tuple[str, str] | None:
    """digests: of all records with its id."""
    if named or len(digests) == 1:
        return None
    return "contradiction", f"another mail has another ops record {mail.ops_id[:100]}"


def _why_unsealed(day: str, statements: Statements) -> str:
    if day and day < max(statements.sha256, default=""):
        return f"and the statement of {day} is not here"
    return NOT_SEALED


def _day_of(mail: OpsMail, statements: Statements) -> str:
    """Empty where it is not known."""
    try:
        return business_day(mail.at, statements.zone) if statements.zone else ""
    except (OverflowError, ValueError, OSError):
        return ""


def unrecorded(links: Sequence[Link], operators: Operators) -> Iterator[Finding]:
    """Mails that say that they were issued again, and that no sealed record of operators knows.

    They do not stand in for the entry's own mail.
    """
    named = {(each.run, each.payment_id) for each in operators.reissues}
    waiting = {
        (each.said.run, each.said.payment_id): each.why
        for each in operators.unsealed
        if isinstance(each.said, Reissued)
    }
    unnamed = [
        each for each in links if each.reissue and (each.reissue, each.payment_id) not in named
    ]
    if not unnamed:
        return
    strange = {id(each) for each in unnamed}
    mailed = {(each.event_id, each.payment_id) for each in links if id(each) not in strange}
    for each in unnamed:
        run, why = each.reissue[:_MOST_SHOWN], waiting.get((each.reissue, each.payment_id))
        if why is None:
            detail = f"a reissue without a record: no operators' record {run}_planned tells of it"
            yield found(INTEGRITY, each, UNRECORDED, detail)
        if (each.event_id, each.payment_id) not in mailed:
            told = f"a reissue: {why}" if why else "a reissue without a record"
            detail = f"its own mail is not here, only {told}"
            yield found(COMPLETENESS, each, "missing", detail)
