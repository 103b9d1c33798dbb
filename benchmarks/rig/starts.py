"""Cold starts of the bundles and their ten-line counterparts, in turns, in fresh processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.rig import world
from benchmarks.rig.bundles import bundle, probe
from benchmarks.rig.endpoint import Endpoint

BASELINES = Path(__file__).parents[1] / "baselines"
Kind = Literal["ours", "without .pyc", "eager", "baseline"]


@dataclass(frozen=True, slots=True)
class Function:
    """name: as in the table. ten_lines: the baseline's module."""

    name: str
    group: str
    module: str
    ten_lines: str


@dataclass(frozen=True, slots=True)
class Start:
    ms: float
    peak_mb: float


FUNCTIONS = (
    Function("api", "api", "functions.api.handler", "ten_line_api"),
    Function("router", "stream_router", "functions.stream_router.handler", "ten_line_router"),
    Function("mailer", "audit_mailer", "functions.audit_mailer.handler", "ten_line_mailer"),
)


@dataclass(frozen=True, slots=True)
class Starter:
    endpoint: Endpoint
    environment: dict[str, str]

    def start(self, function: Function, kind: Kind) -> Start:
        """One fresh process: import, and answer the first event. Raises if the answer is wrong."""
        if kind == "baseline":
            module, path = function.ten_lines, BASELINES
        else:
            module = function.module
            path = bundle(function.group, compiled=kind != "without .pyc")
        said = probe(
            "start",
            *(module, "eager" if kind == "eager" else ""),
            path=[path],
            environment=self.environment,
            stdin=json.dumps(self._first_event(function)),
        )
        done = json.loads(said.splitlines()[-1])
        if not (done["answer"].get("statusCode") == 200 or done["answer"] == _ALL_DONE):
            raise RuntimeError(f"{module} answered its first event with {done['answer']}")
        return Start(done["ms"], done["peak_mb"])

    def _first_event(self, function: Function) -> dict[str, Any]:
        match function.name:
            case "api":
                return world.post()
            case "router":
                return world.stream_batch(1)
            case _:
                return world.mail_batch(self.endpoint, 1)


_ALL_DONE: dict[str, list[Any]] = {"batchItemFailures": []}


@contextmanager
def starter() -> Iterator[Starter]:
    """Stand-ins for AWS and Google while the functions start."""
    with Endpoint() as endpoint:
        world.furnish(endpoint)
        yield Starter(endpoint, world.environment(endpoint))
