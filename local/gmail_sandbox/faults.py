"""Faults on demand: what `POST /sandbox/faults` takes, and when each fault strikes.

README.md in this folder lists every kind with its fields; this module checks them.
"""

from dataclasses import dataclass
from typing import Any, Literal

Operation = Literal["send", "token", "list", "get", "profile"]


class FaultFieldError(Exception):
    """A posted fault is not documented; `field` says where, like `[0].code`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class _Field:
    type: type
    required: bool = False
    least: int = 0
    most: int = 2**53


AT_ONCE = frozenset({"expire_tokens"})
"""Kinds that are done when they are posted, and so are never active."""
ENDING_TOKENS = frozenset({"expire_tokens", "revoke_delegation", "unknown_user"})
"""Kinds that end the tokens that were issued before."""
_TIMES = {"times": _Field(int, least=1)}
_ON = {"on": _Field(str)}
_TARGETS = ("send", "token", "list", "get", "all")
KINDS: dict[str, dict[str, _Field]] = {
    "status": {
        "code": _Field(int, required=True, least=400, most=599),
        "message": _Field(str),
        "reason": _Field(str),
        "retry_after": _Field(int),
        **_ON,
    },
    "drop": _ON,
    "accept_then_drop": _ON,
    "accept_then_status": {"code": _Field(int, required=True, least=400, most=599), **_ON},
    "hold": {"ms": _Field(int, required=True, most=600_000), **_ON},
    "latency": {"ms": _Field(int, required=True, most=600_000), **_ON},
    "rate_limit": {"seconds": _Field(int, required=True, most=86_400), **_ON},
    "down": {},
    "revoke_delegation": {},
    "expire_tokens": {},
    "clock_skew": {"seconds": _Field(int, least=-(2**31), most=2**31)},
    "suspended_user": {"user": _Field(str)},
    "gmail_disabled": {"user": _Field(str)},
    "daily_limit": {"messages": _Field(int)},
    "quota": {"units_per_minute": _Field(int, required=True)},
    "concurrency": {"requests": _Field(int, required=True)},
    "unknown_user": {"user": _Field(str, required=True)},
    "lost_thread": {"code": _Field(int, least=400, most=404)},
    "search_lag": {"ms": _Field(int, required=True)},
    "spam": {"user": _Field(str)},
    "trash": {"user": _Field(str)},
    "bounce": {"user": _Field(str), "ms": _Field(int, most=600_000)},
    "doubled_imports": {},
}


@dataclass(slots=True)
class Fault:
    kind: str
    fields: dict[str, Any]
    times: int | None = None
    """How often it strikes yet; None until deleted."""

    def as_json(self) -> dict[str, Any]:
        remaining = {} if self.times is None else {"times": self.times}
        return {"kind": self.kind, **self.fields, **remaining}

    def number(self, name: str, default: int = 0) -> int:
        return int(self.fields.get(name, default))

    def text(self, name: str) -> str | None:
        value = self.fields.get(name)
        return None if value is None else str(value)

    def strikes(self, operation: Operation | None, user: str | None) -> bool:
        named_user = self.text("user")
        if named_user is not None and (user or "").lower() != named_user.lower():
            return False
        if "on" not in KINDS[self.kind]:
            return True
        target = self.text("on") or ("all" if self.kind == "latency" else "send")
        return target in ("all", operation)


def parse_faults(document: Any) -> list[Fault]:
    """Read a list of faults (or one). Raises FaultFieldError at the first undocumented thing."""
    items = document if isinstance(document, list) else [document]
    return [_parse_fault(f"[{index}]", item) for index, item in enumerate(items)]


def _parse_fault(where: str, item: Any) -> Fault:
    if not isinstance(item, dict):
        raise FaultFieldError(where, "must be an object such as {'kind': 'status', 'code': 429}")
    kind = item.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise FaultFieldError(
            f"{where}.kind", f"unknown kind {kind!r}; one of {', '.join(sorted(KINDS))}"
        )
    known = KINDS[kind] | ({} if kind in AT_ONCE else _TIMES)
    for name, value in item.items():
        if name != "kind":
            _check_field(f"{where}.{name}", known.get(name), value, kind)
    for name, field in known.items():
        if field.required and name not in item:
            raise FaultFieldError(f"{where}.{name}", f"is required for {kind}")
    if "on" in item and item["on"] not in _TARGETS:
        raise FaultFieldError(f"{where}.on", f"must be one of {', '.join(_TARGETS)}")
    if "@" not in item.get("user", "@"):  # it would strike nobody, and say nothing
        raise FaultFieldError(f"{where}.user", "must be an e-mail address")
    fields = {name: value for name, value in item.items() if name not in ("kind", "times")}
    return Fault(kind, fields, item.get("times"))


def _check_field(where: str, field: _Field | None, value: Any, kind: str) -> None:
    if field is None:
        raise FaultFieldError(where, f"is not a field of {kind}")
    if isinstance(value, bool) or not isinstance(value, field.type):
        wanted = "a whole number" if field.type is int else "a text"
        raise FaultFieldError(where, f"must be {wanted}")
    if isinstance(value, int) and not field.least <= value <= field.most:
        raise FaultFieldError(where, f"must be between {field.least} and {field.most}")


class Faults:
    """The active faults of one sandbox, oldest first. Kept in memory: a restart clears them."""

    def __init__(self) -> None:
        self._active: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        self._active.extend(faults)

    def clear(self, kind: str | None = None) -> None:
        """Remove the faults of one kind, or all."""
        self._active = [each for each in self._active if kind is not None and each.kind != kind]

    def as_json(self) -> list[dict[str, Any]]:
        return [fault.as_json() for fault in self._active]

    def peek(
        self, kind: str, operation: Operation | None = None, *, user: str | None = None
    ) -> Fault | None:
        """Return the first fault of this kind that would strike, without using it up."""
        for fault in self._active:
            if fault.kind == kind and fault.strikes(operation, user):
                return fault
        return None

    def take(
        self, kind: str, operation: Operation | None = None, *, user: str | None = None
    ) -> Fault | None:
        """Return the first fault of this kind that strikes now, and count it."""
        fault = self.peek(kind, operation, user=user)
        if fault is not None:
            self.use(fault)
        return fault

    def use(self, fault: Fault) -> None:
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self._active.remove(fault)
