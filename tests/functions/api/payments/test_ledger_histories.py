"""Histories nobody thought of: the real store on moto, compared with a model of a few lines.

Each step is a request; while it is between its look and its write, another one may be let in and
win. Before any step the server's clock may jump, past the office's midnight or back.
SCC_HISTORIES=500 looks at that many histories, new ones each time; the default is the same 6 ones
on every run.
"""

from __future__ import annotations

import csv
import io
import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count, pairwise
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from functions.api import wiring
from functions.api.http.problems import (
    KeyReusedError,
    NotVoidableError,
    PossibleDuplicateError,
)
from functions.api.payments.appending import Snapshot, Submission
from functions.api.payments.expired import ExpiredRow
from functions.api.payments.export import handle_payment_export
from functions.api.payments.log import PaymentRequest, handle_payment_log
from functions.api.payments.void import VoidRequest, handle_payment_void
from functions.api.people.identity import User
from functions.api.tables.ledger import LedgerStore
from functions.daily_statement.rules.account import Statement
from ops.rules.tally import Tally
from shared.ledger import GENESIS_HASH, LedgerEntry, PaymentId, entry_hash, faults_of
from shared.methods import METHODS
from shared.statements.expiry import NOTHING_EXPIRES, Certificate
from tests.builders import NOW, ZONE
from tests.functions.api.conftest import Client, add_event
from tests.seven_years import certified

USER = User(sub="4a9f", email="admin@shipcaptaincrew.example", name="admin", groups=("admins",))
HISTORIES = os.environ.get("SCC_HISTORIES", "")
PATRONS = ("jane.doe@example.com", "lee@example.com")

payments = st.fixed_dictionaries(
    {
        "patron_email": st.sampled_from(PATRONS),
        "amount": st.sampled_from(["1.00", "25.50", "$1,000"]),
        "method": st.sampled_from(list(METHODS)),
        "reference": st.sampled_from(["7001", "7002"]),
        "timestamp": st.integers(NOW, NOW + 2),
    }
)
replacements = st.none() | payments
reasons = st.sampled_from(["wrong_amount", "entered_twice"])
MIDNIGHT = int(datetime(2025, 11, 25, tzinfo=ZONE).timestamp() * 1000)  # five hours after UTC's
HOUR = 60 * 60 * 1000
moments = st.one_of(
    st.sampled_from([MIDNIGHT - 2, MIDNIGHT - 5 * HOUR, MIDNIGHT + 24 * HOUR, NOW]),
    st.integers(NOW, NOW + 3 * 24 * HOUR),
)
keys = st.integers(0, 9)
requests = st.one_of(
    st.tuples(st.just("log"), keys, payments),
    st.tuples(st.just("void"), keys, st.integers(0, 30), reasons, replacements),
)
Request = tuple[Any, ...]
FIRST = {"patron_email": PATRONS[0], "amount": "1.00", "method": "cash", "timestamp": NOW}


@dataclass
class Model:
    """What the ledger must hold: who used which key for what, and every entry in order."""

    by_key: dict[int, tuple[Any, list[LedgerEntry]]] = field(default_factory=dict)
    entries: list[LedgerEntry] = field(default_factory=list)

    def note(self, key: int, asked: Any, written: list[LedgerEntry], *, replayed: bool) -> None:
        if replayed:
            assert self.by_key[key] == (asked, written)
            return
        assert key not in self.by_key, "a key writes once"
        self.by_key[key] = (asked, written)
        self.entries += written

    @property
    def voided(self) -> set[str]:
        return {each.voids for each in self.entries if each.voids}

    @property
    def live(self) -> list[LedgerEntry]:
        return [
            each
            for each in self.entries
            if each.kind == "payment" and each.payment_id not in self.voided
        ]


class Overtaken(LedgerStore):
    """The store of a writer that another one may overtake just before it writes."""

    overtake: Callable[[], None] | None = None

    def append(self, entries: Sequence[LedgerEntry], fingerprint: str, snapshot: Snapshot) -> None:
        overtake, self.overtake = self.overtake, None
        if overtake:
            overtake()
        super().append(entries, fingerprint, snapshot)


class Histories(RuleBasedStateMachine):
    numbers = count()

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.event_id = f"event-{next(self.numbers)}"
        add_event(client, self.event_id, "2026-11-28")
        self.model = Model()
        self.now = NOW

    @rule(request=requests)
    def alone(self, request: Request) -> None:
        self.send(self.aimed(request))

    @rule(request=requests, other=requests)
    def overtaken(self, request: Request, other: Request) -> None:
        self.send(self.aimed(request), overtake=lambda: self.send(self.aimed(other)))

    @rule(request=requests)
    def twice_at_once(self, request: Request) -> None:
        aimed = self.aimed(request)
        self.send(aimed, overtake=lambda: self.send(aimed))

    @precondition(lambda self: self.model.by_key)
    @rule(data=st.data())
    def retried(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.by_key)))
        asked, written = self.model.by_key[key]
        before = len(self.model.entries)
        self.send(asked)
        assert self.model.by_key[key] == (asked, written)
        assert len(self.model.entries) == before

    @rule(moment=moments)
    def the_clock_jumps(self, moment: int) -> None:
        self.now = moment

    def send(self, request: Request, overtake: Callable[[], None] | None = None) -> None:
        """Send a request as a person does: acknowledge duplicates and send it again."""
        ledger = Overtaken(wiring.dynamo(), wiring.settings())
        ledger.overtake = overtake
        known: list[str] = []
        while True:
            self.now += 1
            try:
                written, replayed = getattr(self, f"_{request[0]}")(ledger, known, *request[1:])
            except PossibleDuplicateError as error:
                found = {each["payment_id"] for each in error.extension["payments"]}
                assert not found <= set(known), "what was acknowledged is not asked again"
                assert found <= {each.payment_id for each in self.model.live}
                known = [*known, *found][-20:]
            except KeyReusedError:
                assert self.model.by_key[request[1]][0] != request
                return
            except NotVoidableError:
                voids = {each.payment_id for each in self.model.entries if each.voids}
                assert request[2] in voids | self.model.voided
                return
            else:
                self.model.note(request[1], request, written, replayed=replayed)
                return

    def _log(
        self, ledger: LedgerStore, known: list[str], key: int, fields: dict[str, Any]
    ) -> tuple[list[LedgerEntry], bool]:
        request = PaymentRequest(event_id=self.event_id, acknowledge_duplicates=known, **fields)
        logged = handle_payment_log(self.submission(key, ledger), request)
        return [logged.entry], logged.replayed

    def _void(
        self,
        ledger: LedgerStore,
        known: list[str],
        key: int,
        payment_id: PaymentId,
        reason: str,
        replacement: dict[str, Any] | None,
    ) -> tuple[list[LedgerEntry], bool]:
        corrected = replacement and replacement | {"acknowledge_duplicates": known}
        request = VoidRequest.model_validate({"reason": reason, "replacement": corrected})
        voided = handle_payment_void(self.submission(key, ledger), payment_id, request)
        return [each for each in (voided.void, voided.replacement) if each], voided.replayed

    def aimed(self, request: Request) -> Request:
        """A void of an existing entry if there is one; otherwise a payment."""
        if request[0] != "void":
            return request
        kind, key, number, *how = request
        if not self.model.entries:
            return ("log", key, FIRST)
        entry = self.model.entries[number % len(self.model.entries)]
        return (kind, key, entry.payment_id, *how)

    def submission(self, key: int, ledger: LedgerStore) -> Submission:
        return Submission(
            user=USER,
            key=uuid.uuid5(uuid.NAMESPACE_URL, f"{self.event_id}:{key}"),
            now=self.now,
            zone=ZONE,
            max_amount_cents=10_000_000,
            ledger=ledger,
            pause=lambda _: None,
        )

    @invariant()
    def the_ledger_is_what_the_model_says(self) -> None:
        pages = wiring.payments().pages_by("event_id", self.event_id)
        rows = sorted((row for page in pages for row in page), key=lambda row: row["seq"])
        assert rows == [each.to_row() for each in self.model.entries]
        last = GENESIS_HASH
        for number, row in enumerate(rows, start=1):
            assert (row["seq"], row["prev_hash"], row["hash"]) == (number, last, entry_hash(row))
            assert faults_of(row) == []
            last = row["hash"]
        head = wiring.ledger().heads([self.event_id]).get(self.event_id)
        assert (head["seq"], head["hash"]) == (len(rows), last) if head else not rows

    @invariant()
    def time_never_runs_backwards_and_days_are_the_offices(self) -> None:
        last = 0
        for each in self.model.entries:
            assert each.logged_at >= last
            assert each.logged_day == datetime.fromtimestamp(each.logged_at / 1000, ZONE).strftime(
                "%Y-%m-%d"
            )
            assert each.expiration_timestamp == each.logged_at // 1000 + 2_555 * 86_400
            last = each.logged_at

    @invariant()
    def a_replacement_names_what_it_corrects(self) -> None:
        entries = self.model.entries
        for void, each in pairwise(entries):
            if each.corrects:
                assert (void.kind, void.voids) == ("void", each.corrects)
        assert all(each.kind == "payment" for each in entries if each.corrects)

    def teardown(self) -> None:
        """In the end, the sums of screen, file, statements and reconcile agree to the cent."""
        head = wiring.ledger().heads([self.event_id]).get(self.event_id, {})
        shown = head.get("total_cents", 0)
        pages = wiring.payments().pages_by("event_id", self.event_id)
        of_event = self.exported("event_id", pages)
        by_day: Counter[str] = Counter()
        stated: Counter[str] = Counter()
        for day in {each.logged_day for each in self.model.entries}:
            of_day = wiring.payments().pages_by("logged_day", day)
            ours = [[row for row in rows if row["event_id"] == self.event_id] for rows in of_day]
            by_day[day] = self.exported("logged_day", ours)
            statement = Statement(day, ZONE.key, NOW, is_final=True)
            for rows in ours:
                statement.add(rows, {})
            stated[day] = statement.sums.net_cents
        counted = self.counted(self.model.entries, NOTHING_EXPIRES)
        assert of_event == sum(by_day.values()) == counted == shown
        expected: Counter[str] = Counter()
        for each in self.model.entries:
            expected[each.logged_day] += each.net_cents
        assert +by_day == +expected == +stated
        self.expire(shown)

    def expire(self, shown: int) -> None:
        """Half of the entries are certified, and every second one of these is gone: no cent is."""
        entries = self.model.entries
        certificate = certified(entries[: len(entries) // 2])
        there = [each for each in entries if each.seq > certificate.through_seq or each.seq % 2]
        row = ExpiredRow(self.event_id, len(entries), lambda _: certificate)
        rows = [each.to_row() for each in there]
        assert self.exported("event_id", [rows], row) == self.counted(there, certificate) == shown

    @staticmethod
    def counted(there: Sequence[LedgerEntry], certificate: Certificate) -> int:
        """By `scc reconcile`, in cents."""
        tally = Tally()
        for each in there:
            tally.add(each.to_row(), certificate)
        tally.expire(certificate)
        return tally.net_cents + tally.expired_cents

    def exported(
        self,
        by: str,
        pages: Iterable[list[dict[str, Any]]],
        expired: ExpiredRow | None = None,
    ) -> int:
        """The sum of a file's net amounts, in cents."""
        export = handle_payment_export(pages, by, wiring.ledger(), wiring.payments(), expired)
        assert export.problems == []
        rows = csv.DictReader(io.StringIO(export.text.removeprefix("\ufeff"), newline=""))
        return sum(int(Decimal(row["net_amount"]) * 100) for row in rows)

    @invariant()
    def totals_are_the_models(self) -> None:
        head = wiring.ledger().heads([self.event_id]).get(self.event_id, {})
        cents: Counter[str] = Counter()
        for each in self.model.live:
            cents["total_cents"] += each.amount_cents
            cents[f"{each.method}_cents"] += each.amount_cents
        kept = {name: value for name, value in head.items() if name.endswith("_cents") and value}
        assert kept == dict(cents)
        assert head.get("payments_count", 0) == len(self.model.live)
        voids = wiring.ledger().voids_of(PaymentId(each.payment_id) for each in self.model.entries)
        assert voids.keys() == self.model.voided


def test_every_history_keeps_chain_keys_and_totals_consistent(api: Client) -> None:
    class Machine(Histories):
        def __init__(self) -> None:
            super().__init__(api)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=int(HISTORIES or 4),
            stateful_step_count=12,
            derandomize=not HISTORIES,
            database=None,
            deadline=None,  # moto's speed is not what is tested
            phases=(Phase.generate,),  # shrinking a history on moto takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
