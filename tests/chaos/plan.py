"""What will go wrong, and when: all decisions of a chaos run, made from its seed before it starts.

The seed fixes payments, faults and their order. The rest is up to the machine: which payment a
fault hits, how two writes interleave.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.demo.data import EVENTS
from shared.methods import METHODS

Fault = Mapping[str, Any]
SHORT = 100  # payments; smaller runs are part of the test suite and must end soon
CENTS = range(100, 9_000_000)


@dataclass(frozen=True, slots=True)
class Payment:
    """One request to log a payment. asked_twice: an impatient client sent it again.

    correction: a new amount and key, to void and replace the payment once it is logged.
    """

    key: str
    body: Mapping[str, str]
    asked_twice: bool
    correction: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """faults: posted to the sandbox. lasting: they end with the round, not by themselves.

    picks: points in [0, 1) that choose one of the payments logged so far.
    """

    name: str
    faults: tuple[Fault, ...] = ()
    lasting: bool = False
    picks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """Some payments, and what goes wrong meanwhile. seconds: how long lasting faults last."""

    payments: tuple[Payment, ...]
    troubles: tuple[Trouble, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    rounds: tuple[Round, ...]

    @property
    def payments(self) -> list[Payment]:
        return [payment for each in self.rounds for payment in each.payments]


Rng = random.Random


def _status(name: str, codes: tuple[int, ...], times: int) -> Callable[[Rng], Trouble]:
    def make(rng: Rng) -> Trouble:
        fault = {"kind": "status", "code": rng.choice(codes), "times": rng.randint(1, times)}
        return Trouble(name, (fault,))

    return make


def _times(name: str, most: int, **fault: Any) -> Callable[[Rng], Trouble]:
    return lambda rng: Trouble(name, ({**fault, "times": rng.randint(1, most)},))


def _lasting(name: str, **fault: Any) -> Callable[[Rng], Trouble]:
    return lambda _rng: Trouble(name, (fault,), lasting=True)


def _token(name: str, **fault: Any) -> Callable[[Rng], Trouble]:
    """Tokens last an hour, so only a mailer that needs a new one meets these faults."""
    return lambda rng: Trouble(
        name, ({**fault, "times": rng.randint(1, 2)}, {"kind": "expire_tokens"})
    )


def _rate_limit(rng: Rng) -> Trouble:
    fault = {"kind": "rate_limit", "seconds": rng.randint(1, 3), "times": rng.randint(1, 3)}
    return Trouble("403 retry after", (fault,))


def _slow(rng: Rng) -> Trouble:
    fault = {"kind": "latency", "ms": rng.randint(50, 600), "on": "send", "times": 5}
    return Trouble("slow answers", (fault,))


def _done_to(name: str, most: int) -> Callable[[Rng], Trouble]:
    return lambda rng: Trouble(name, picks=tuple(rng.random() for _ in range(rng.randint(1, most))))


COMMON: tuple[Callable[[Rng], Trouble], ...] = (
    _status("429", (429,), 5),
    _rate_limit,
    _status("5xx, not stored", (500, 502, 503), 3),
    _times("5xx, yet stored", 2, kind="accept_then_status", code=503),
    _times("stored, no answer", 2, kind="accept_then_drop"),
    _times("dropped", 3, kind="drop"),
    _slow,
    _token("token endpoint 503", kind="status", code=503, on="token"),
    _token("token endpoint drops", kind="drop", on="token"),
    _token("clock skew", kind="clock_skew"),
    _times("search fails", 2, kind="status", code=500, on="list"),
    _lasting("search lags", kind="search_lag", ms=1_500),
    _lasting("Gmail down", kind="down"),
    _lasting("delegation revoked", kind="revoke_delegation"),
    _lasting("user suspended", kind="suspended_user"),
    _lasting("Gmail disabled", kind="gmail_disabled"),
    _lasting("daily limit", kind="daily_limit", messages=0),
    _lasting("quota spent", kind="quota", units_per_minute=0),
    _done_to("stream again", 5),
    _done_to("queue again", 5),
    _done_to("two sweeps", 1),
    _done_to("poison", 3),
)
"""What every deck holds; the rest is dealt once in a while by `_rare`."""
TIMEOUT = Trouble(
    "answers after the timeout", ({"kind": "latency", "ms": 9_500, "on": "send", "times": 1},)
)
KILL = Trouble("mailer killed", ({"kind": "hold", "ms": 30_000, "times": 1},), lasting=True)
RESTART = Trouble("emulator restarted")
RESTORED = Trouble("AuditDeliveries restored")
DELETED = Trouble("mail deleted")


def make_plan(seed: int, payments: int, *, restarts: bool = True) -> Plan:
    """restarts False: leave the emulator running. Raises ValueError for too few payments."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose, no secret
    short = payments < SHORT
    hands = _deal(rng, max(len(COMMON) // 2, payments // 8))
    for place, trouble in _rare(rng, len(hands), short=short, restarts=restarts):
        hands.insert(place, (trouble,))
    if payments < len(hands):
        raise ValueError(f"a run needs at least {len(hands)} payments to meet every trouble")
    logged = _payments(rng, payments)
    rounds = tuple(
        Round(
            tuple(logged[n * payments // len(hands) : (n + 1) * payments // len(hands)]),
            troubles,
            rng.uniform(0.3, 1.0) if short else rng.uniform(0.5, 4.0),
        )
        for n, troubles in enumerate(hands)
    )
    return Plan(seed, rounds)


def _deal(rng: Rng, count: int) -> list[tuple[Trouble, ...]]:
    """Two faults per round, from decks that hold each fault once: none is left out."""
    hands: list[tuple[Trouble, ...]] = []
    deck: list[Callable[[Rng], Trouble]] = []
    for _ in range(count):
        if len(deck) < 2:
            deck += rng.sample(COMMON, len(COMMON))
        hands.append((deck.pop(0)(rng), deck.pop(0)(rng)))
    return hands


def _rare(rng: Rng, count: int, *, short: bool, restarts: bool) -> list[tuple[int, Trouble]]:
    """Separate rounds, since each takes a while. A short run kills early, to recover in time."""
    if short:
        kill = rng.randrange(1, count // 2)
        late = [RESTORED, DELETED, *([RESTART] if restarts else [])]
        places = sorted(rng.randrange(kill + 1, count) for _ in late)
        return [(kill, KILL), *zip(places, rng.sample(late, len(late)), strict=True)]
    rare = [KILL] * (4 + count // 10) + [RESTART] * (2 if restarts else 0) + [TIMEOUT] * 2
    rare += [RESTORED, DELETED] * 2
    return list(zip(rng.sample(range(1, count), len(rare)), rare, strict=True))


def make_payments(seed: int, count: int) -> list[Payment]:
    return _payments(random.Random(seed), count)  # noqa: S311 - as above


def _payments(rng: Rng, count: int) -> list[Payment]:
    """Amounts differ, so that no payment looks like a duplicate of another."""
    events = [event for event in EVENTS if len(event.roster) > 1]
    amounts = [f"{cents // 100}.{cents % 100:02d}" for cents in rng.sample(CENTS, 2 * count)]
    payments = []
    for amount, corrected in zip(amounts[:count], amounts[count:], strict=True):
        event = rng.choice(events)
        email, _ = rng.choice(event.roster)
        method = rng.choice(list(METHODS))
        body = {
            "event_id": event.event_id,
            "patron_email": email,
            "amount": amount,
            "method": method,
        }
        if METHODS[method].reference_is_required:
            body["reference"] = amount
        payments.append(
            Payment(
                key=_key(rng),
                body=body,
                asked_twice=rng.random() < 0.1,
                correction=(corrected, _key(rng)) if rng.random() < 0.04 else None,
            )
        )
    return payments


def _key(rng: Rng) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
