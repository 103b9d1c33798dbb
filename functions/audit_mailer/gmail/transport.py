"""An HTTP transport that sends every request once, over a connection that stands."""

from __future__ import annotations

import select
from typing import Any

import httplib2

CONNECT_SECONDS = 4.0
READ_SECONDS = 9.0  # for each piece of an answer; Gmail takes about one second to send


class NotConnectedError(Exception):
    """No connection came about, so nothing was sent. The cause says why."""


class OnceHttp(httplib2.Http):
    """httplib2 without its hidden second try, and with a connection timeout of its own.

    httplib2 0.32.1 repeats a request when the server closes the connection without an answer, POST
    included and whatever RETRIES says: Gmail may have accepted the first one, and the inbox would
    hold two mails. Here the error reaches the caller, who looks before sending again.

    That second try used to hide connections that died while idle (a Lambda is frozen between two
    invocations). So a kept connection is looked at first: one that the server has closed, or has
    said anything on unasked, is replaced before a byte is sent.
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
    """A connection at rest has nothing to read; an end of file is readable too."""
    try:
        return bool(select.select([sock], [], [], 0)[0])
    except (OSError, ValueError):  # closed on our side, or no descriptor any more
        return True
