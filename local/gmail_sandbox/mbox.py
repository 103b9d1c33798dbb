"""mboxrd: the mailbox format in which every line survives (RFC 4155 and its "rd" quoting)."""

import re
import time

from local.gmail_sandbox.mailbox.messages import StoredMessage

_FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)


def mbox_entry(message: StoredMessage) -> bytes:
    """Return one entry with LF line ends; a line `From …` or `>From …` gets another `>`."""
    moment = time.asctime(time.gmtime(message.internal_date / 1000))
    lines = message.raw.replace(b"\r\n", b"\n")
    body = _FROM_LINE.sub(rb">\1", lines).rstrip(b"\n")
    return b"From MAILER-DAEMON " + moment.encode("ascii") + b"\n" + body + b"\n\n"
