"""Which version of a function serves, and which one to go back to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Version:
    """release: the name that the deployment gave it. published: as Lambda writes it."""

    number: int
    release: str
    published: str


@dataclass(frozen=True, slots=True)
class Serving:
    """version: what gets the calls. shares: other versions and their parts of all calls, 0 to 1."""

    version: int
    shares: Mapping[int, float] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{share:.0%} by {version}" for version, share in sorted(self.shares.items())]
        return ", ".join([str(self.version), *parts])


def previous(serving: Serving, published: Sequence[Version]) -> Version | None:
    """The newest version before the oldest that serves; None if there is none."""
    oldest = min([serving.version, *serving.shares])
    earlier = [each for each in published if each.number < oldest]
    return max(earlier, key=lambda each: each.number, default=None)


def fault_of(serving: Serving, deployed: int | None) -> str:
    """Why what serves is not what was deployed last; empty if it is.

    A share that another version gets is a deployment on its way.
    """
    if deployed is None or serving.version == deployed or deployed in serving.shares:
        return ""
    return f"version {serving} serves, and version {deployed} was deployed last"
