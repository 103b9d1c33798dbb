"""OnceHttp on real sockets: what is sent once, and what a dead connection costs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from functions.audit_mailer.gmail.transport import NotConnectedError, OnceHttp

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MOVED = b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Answers each connection's requests with `answer`, and closes it after `lives` of them."""

    def __init__(self, answer: bytes = OK, lives: int = 100) -> None:
        self.answer, self.lives = answer, lives
        self.requests: list[bytes] = []
        self.closed = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                for _ in range(self.lives):
                    request = _request(connection)
                    if not request:
                        break
                    self.requests.append(request)
                    connection.sendall(self.answer)
            self.closed.set()


def _request(connection: socket.socket) -> bytes:
    """One GET, or one POST of `mail`; empty at the end of the connection."""
    request = b""
    while not (request.endswith(b"\r\n\r\n" if request.startswith(b"GET") else b"mail")):
        piece = connection.recv(65_536)
        if not piece:
            return b""
        request += piece
    return request


@pytest.fixture
def http() -> Iterator[OnceHttp]:
    once = OnceHttp()
    yield once
    once.close()


def test_a_connection_that_died_while_idle_is_replaced_before_anything_is_sent(
    http: OnceHttp,
) -> None:
    server = Server(lives=1)
    try:
        for number in (1, 2):
            server.closed.clear()
            response, content = http.request(server.url, "POST", body=b"mail")
            assert (response.status, content) == (200, b"ok")
            assert server.closed.wait(5)
            assert len(server.requests) == number
    finally:
        http.close()
        server.stop()


def test_a_live_connection_is_kept(http: OnceHttp) -> None:
    server = Server()
    try:
        for _ in range(3):
            http.request(server.url, "POST", body=b"mail")
        assert not server.closed.is_set()
        assert len(server.requests) == 3
    finally:
        http.close()
        server.stop()


def test_a_redirect_is_an_answer_and_not_another_request(http: OnceHttp) -> None:
    server = Server(MOVED)
    try:
        assert http.request(server.url, "POST", body=b"mail")[0].status == 307
        assert http.request(server.url, "GET")[0].status == 307
        assert len(server.requests) == 2
    finally:
        http.close()
        server.stop()


def test_no_connection_and_a_broken_one_are_told_apart(http: OnceHttp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotConnectedError) as caught:
        http.request(f"http://127.0.0.1:{port}/", "POST", body=b"mail")
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_an_answer_is_awaited_for_the_given_time_and_the_request_is_sent_once() -> None:
    http = OnceHttp(read=0.1)
    server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    try:
        with pytest.raises(TimeoutError):
            http.request(server.url, "POST", body=b"mail")
        assert len(server.requests) == 1
    finally:
        http.close()
        server.stop()
