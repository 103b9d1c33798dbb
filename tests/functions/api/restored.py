"""The API frozen after its start and started twice from there, as Lambda's SnapStart does.

Run as a program: `-m tests.functions.api.restored ENDPOINT used|fresh`. ENDPOINT plays DynamoDB,
Secrets Manager and the place where Lambda puts a role's credentials. It prints, as JSON, what the
original and each copy had. A fork reseeds `random`, a snapshot does not: copies get the state back.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import types
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any

from functions.api.settings import ApiSettings

FROZEN_AT = 1_764_000_000  # epoch seconds, days before
hooks: dict[str, list[Callable[[], None]]] = {"before": [], "after": []}


def freeze(endpoint: str) -> tuple[Any, ...]:
    """Load the API with Lambda's hooks, use it once, and note the state of `random`."""
    runtime = types.ModuleType("snapshot_restore_py")
    runtime.register_before_snapshot = hooks["before"].append  # type: ignore[attr-defined]
    runtime.register_after_restore = hooks["after"].append  # type: ignore[attr-defined]
    sys.modules["snapshot_restore_py"] = runtime
    os.environ.update(
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ENDPOINT_URL=endpoint,
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{endpoint}/credentials",
        AWS_LAMBDA_FUNCTION_NAME="api",
    )
    required = [each.name.upper() for each in fields(ApiSettings) if each.default is MISSING]
    os.environ.update(dict.fromkeys(required, "name"))
    clock = time.time_ns
    time.time_ns = lambda: FROZEN_AT * 1_000_000_000
    import functions.api.handler  # noqa: F401, PLC0415 - loading it is the init phase

    for hook in reversed(hooks["before"]):
        hook()
    time.time_ns = clock
    return random.getstate()


def used() -> dict[str, Any]:
    """What one environment has that no other may have, or not for long."""
    from functions.api import wiring  # noqa: PLC0415 - loaded by now
    from functions.api.people.identity import User  # noqa: PLC0415
    from functions.api.routes.request import now  # noqa: PLC0415

    user = User(sub="sub", email="a@b.example", name="A", groups=("admins",))
    at = now()
    return {
        "token": wiring.sessions().open(user, at),
        "jitter": random.random(),  # noqa: S311
        "cursor_key": wiring.cursor_key().decode(),
        "now": at,
    }


def start_copy(state: tuple[Any, ...]) -> dict[str, Any]:
    """Run the hooks in a process of its own; returns what it had."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        random.setstate(state)
        for hook in hooks["after"]:
            hook()
        os.write(writing, json.dumps(used()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        had: dict[str, Any] = json.load(answer)
    os.wait()
    return had


def main(endpoint: str, *, used_before: bool) -> None:
    state = freeze(endpoint)
    original = used() if used_before else {}
    sys.stdout.write(json.dumps([original, start_copy(state), start_copy(state)]))


if __name__ == "__main__":
    main(sys.argv[1], used_before=sys.argv[2] == "used")
