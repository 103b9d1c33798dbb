"""A cold start: import a handler and give it its first event. argv: its module, and "eager" or "".

Runs in a fresh process that has imported only what Lambda's bootstrap imports. Writes milliseconds
and the process's peak memory to stderr, because the log goes to stdout.
"""

import importlib
import json
import logging  # noqa: F401 - Lambda's bootstrap has it
import os
import pkgutil
import sys
import time
import traceback  # noqa: F401 - this too
from pathlib import Path
from typing import Any


class Context:
    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def import_all(package: str) -> None:
    """Import and build right away what is otherwise loaded on first use."""
    found = importlib.import_module(package)
    for each in pkgutil.iter_modules(found.__path__, f"{package}."):
        module = importlib.import_module(each.name)
        for name, made in vars(module).items():
            if hasattr(made, "cache_clear") and name in EAGERLY_BUILT:
                made()


# Factories that the first event does not need.
EAGERLY_BUILT = {"directory", "payments", "events", "roster", "s3", "_sqs"}


def peak_megabytes() -> float:
    """VmHWM: across exec, getrusage would give the parent's peak if that was higher."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [each for each in lines if each.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main() -> None:
    event: Any = json.load(sys.stdin)
    started = time.perf_counter()
    if sys.argv[2] == "eager":
        import_all(sys.argv[1].rpartition(".")[0])
    handler = importlib.import_module(sys.argv[1]).lambda_handler
    answer = handler(event, Context())
    took = (time.perf_counter() - started) * 1000
    done = {"ms": took, "peak_mb": peak_megabytes(), "answer": answer}
    sys.stderr.write(f"\n{json.dumps(done)}\n")
    sys.stderr.flush()
    os._exit(0)  # threads of the function may still be running


main()
