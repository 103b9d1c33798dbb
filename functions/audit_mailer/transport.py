"""An HTTP transport that sends every request once."""

from __future__ import annotations

from typing import Any

import httplib2


class OnceHttp(httplib2.Http):
    """httplib2 without its hidden second try.

    httplib2 0.32.1 repeats a request when the server closes the connection without an answer, POST
    included and whatever RETRIES says: Gmail may have accepted the first one, and the inbox would
    hold two mails. Here the error reaches the caller, who looks before sending again.
    """

    def _conn_request(
        self, conn: Any, request_uri: str, method: str, body: Any, headers: Any
    ) -> tuple[Any, bytes]:
        try:
            if conn.sock is None:
                conn.connect()
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
