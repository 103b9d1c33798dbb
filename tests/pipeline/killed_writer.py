"""The API's handler in a process that dies when DynamoDB has answered its transaction.

Run as `python -m tests.pipeline.killed_writer`, with the function's environment, a Function URL
event on stdin. SIGKILL leaves no time for an answer, a clean-up or a line in a log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from functions.api import handler, wiring
from tests.functions.lambda_context import Context


def die(**_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    wiring.dynamo().client.meta.events.register("after-call.dynamodb.TransactWriteItems", die)
    handler.lambda_handler(json.load(sys.stdin), Context())  # type: ignore[arg-type]
