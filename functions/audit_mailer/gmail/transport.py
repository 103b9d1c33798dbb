"""An HTTP transport that sends every request once, over a connection that is known to be open."""

from __future__ import annotations

import select
from typing import Any

import httplib2

CONNECT_SECONDS = 4.0
READ_SECONDS = 9.0  # for each piece of an answer; Gmail takes about one second to send


class NotConnectedError(Exception):
    """There was no connection, so nothing was sent. The cause says why."""


class OnceHttp(httplib2.Http):
    """httplib2 without its hidden second try, and with a connection timeout of its own.

    httplib2 0.32.1 repeats a request when the server closes the connection without an answer, even
    a POST and whatever RETRIES says. Gmail may have accepted the first one, and the inbox would get
    two mails. Here the caller gets the error and searches before sending again.

    That second try also hid connections that died while idle, because a Lambda is frozen between
    invocations. So a kept connection is checked first: if the server has closed it, or has sent
    anything unasked, it is replaced before a byte is sent.
    """

    def __init__(self, connect: float = CONNECT_SECONDS, read: float = READ_SECONDS) -> None:
        super().__init__(timeout=connect)
        self._read_seconds = read
        self.follow_redirects = False  # would be another request

    def _conn_request(
        self, conn: Any, request_uri: str, method: str, body: Any, headers: Any
    ) -> tuple[Any, bytes]:
        if conn.sock is not None and _is_readable(conn.sock):
            conn.close()
        if conn.sock is None:
            self._connect(conn)
        try:
            conn.request(method, request_uri, body, headers)
            answer = conn.getresponse()
            content = b"" if method == "HEAD" else answer.read()
        except BaseException:
            conn.close()
            raise
        response = httplib2.Response(answer)
        if method != "HEAD":
            decompress = httplib2._decompressContent  # type: ignore[attr-defined]  # noqa: SLF001
            content = decompress(response, content, self.limit_kwargs)
        return response, content

    def _connect(self, conn: Any) -> None:
        """Name look-up, TCP and TLS."""
        try:
            conn.connect()
        except (OSError, httplib2.HttpLib2Error) as error:
            conn.close()
            raise NotConnectedError(f"no connection to {conn.host}") from error
        conn.sock.settimeout(self._read_seconds)


def _is_readable(sock: Any) -> bool:
    """An idle connection has nothing to read. End of file counts as readable."""
    try:
        return bool(select.select([sock], [], [], 0)[0])
    except (OSError, ValueError):  # closed on our side, or no descriptor any more
        return True
