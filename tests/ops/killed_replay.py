"""`scc` in a process that dies at its nth call to AWS, before the call or after its answer.

Run as `python -m tests.ops.killed_replay N before|after dlq replay …`. SIGKILL leaves no time for a
`finally`. Messages are held for three seconds only, so that the next run need not wait.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from botocore.httpsession import URLLib3Session

from ops.cli import scc
from ops.stack import queues

HOLD_SECONDS = 3


def die_at(number: int, *, is_after: bool) -> None:
    send: Any = URLLib3Session.send
    calls = 0

    def counted(self: URLLib3Session, request: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and not is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = send(self, request)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    URLLib3Session.send = counted  # type: ignore[method-assign]


if __name__ == "__main__":
    queues.LONGEST_HOLD = HOLD_SECONDS
    die_at(int(sys.argv[1]), is_after=sys.argv[2] == "after")
    scc(sys.argv[3:], prog_name="scc")
