"""The front door, in front of a small server that reports what it was sent."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar, web
from aiohttp.test_utils import TestServer
from yarl import URL

from local.front_door import application
from local.settings import free_port

DOMAIN = "d111111abcdef8.cloudfront.net"
Visit = Callable[[ClientSession, URL], Awaitable[None]]


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    answer = web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": [[name.lower(), value] for name, value in request.headers.items()],
            "body": body.decode("latin-1"),
        }
    )
    answer.headers.add("Set-Cookie", "__Host-session=abc; Secure; HttpOnly; Path=/")
    answer.headers.add("Set-Cookie", "seen=1; Path=/")
    answer.headers["X-Amz-Cf-Id"] = "id"
    answer.headers["Keep-Alive"] = "timeout=5"
    return answer


async def redirect(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/elsewhere"})


async def not_modified(_: web.Request) -> web.Response:
    return web.Response(status=304, headers={"ETag": '"1"'})


async def packed(_: web.Request) -> web.Response:
    return web.Response(body=b"\x1f\x8b-not-touched", headers={"Content-Encoding": "gzip"})


SCRIPT = b"export const answer = 42;\n" * 100


async def script(request: web.Request) -> web.Response:
    """A file from the bucket; not sent again if the viewer has its tag."""
    if request.headers.get("If-None-Match") == '"1"':
        return web.Response(status=304, headers={"ETag": '"1"'})
    return web.Response(
        body=SCRIPT[: int(request.query.get("bytes", len(SCRIPT)))],
        content_type=request.query.get("type", "text/javascript"),
        headers={"ETag": '"1"', "Cache-Control": request.query.get("cache", "no-cache")},
    )


async def endless(request: web.Request) -> web.StreamResponse:
    """Send one chunk, and the next only after the viewer has seen the first."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"first")
    await request.app[SEEN].wait()
    await response.write(b"second")
    return response


SEEN = web.AppKey("seen", asyncio.Event)


@asynccontextmanager
async def door_to_echo() -> AsyncIterator[tuple[ClientSession, URL, web.Application]]:
    far = web.Application(client_max_size=0)
    far[SEEN] = asyncio.Event()
    far.router.add_get("/redirect", redirect)
    far.router.add_get("/not-modified", not_modified)
    far.router.add_get("/packed", packed)
    far.router.add_get("/endless", endless)
    far.router.add_get("/script", script)
    far.router.add_route("*", "/{path:.*}", echo)
    async with TestServer(far) as origin:
        near = application(f"http://127.0.0.1:{origin.port}", DOMAIN)
        async with (
            TestServer(near) as door,
            ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as viewer,
        ):
            yield viewer, door.make_url("/"), far


def ask(method: str, path: str, **options: Any) -> tuple[int, Any, bytes]:
    async def visit() -> tuple[int, Any, bytes]:
        async with door_to_echo() as (viewer, door, _):
            url = URL(str(door).rstrip("/") + path, encoded=True)
            answer = await viewer.request(method, url, allow_redirects=False, **options)
            return answer.status, answer.headers, await answer.read()

    return asyncio.run(visit())


def sent(method: str, path: str, **options: Any) -> dict[str, Any]:
    _, _, body = ask(method, path, **options)
    answer: dict[str, Any] = json.loads(body)
    return answer


def test_the_distribution_is_named_in_the_host_header_and_the_path_is_untouched() -> None:
    path = "/api/payments?cursor=a%2Fb%20c&patron_email=o%27brien%2Bdock%40example.com"
    seen = sent("GET", path)
    assert ["host", DOMAIN] in seen["headers"]
    assert seen["path"] == path


def test_every_method_and_its_body_arrive() -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        seen = sent(method, "/api/payments", data=b'{"amount":"1.00"}')
        assert (seen["method"], seen["body"]) == (method, '{"amount":"1.00"}')


def test_a_body_of_a_megabyte_arrives_with_its_length() -> None:
    seen = sent("POST", "/api/payments", data=b"x" * 1_000_000)
    assert len(seen["body"]) == 1_000_000
    assert ["content-length", "1000000"] in seen["headers"]


def test_a_get_carries_no_body_and_no_header_that_the_viewer_did_not_send() -> None:
    seen = sent("GET", "/", skip_auto_headers=["User-Agent", "Accept", "Accept-Encoding"])
    assert sorted(name for name, _ in seen["headers"]) == ["host"]


def test_cookies_and_custom_headers_of_the_viewer_arrive() -> None:
    headers = {"Cookie": "__Host-session=abc", "Idempotency-Key": "k", "Origin": "http://x"}
    seen = sent("POST", "/api/payments", headers=headers, data=b"{}")
    for name, value in headers.items():
        assert [name.lower(), value] in seen["headers"]


def test_headers_of_one_hop_do_not_travel() -> None:
    headers = {"Connection": "keep-alive, X-Secret", "X-Secret": "1", "TE": "trailers"}
    seen = dict(sent("GET", "/", headers=headers)["headers"])
    assert not {"x-secret", "te", "connection"} & seen.keys()


def test_each_of_several_cookies_comes_back() -> None:
    _, headers, _ = ask("GET", "/")
    assert headers.getall("Set-Cookie") == [
        "__Host-session=abc; Secure; HttpOnly; Path=/",
        "seen=1; Path=/",
    ]
    assert headers["X-Amz-Cf-Id"] == "id"
    assert "Keep-Alive" not in headers


def test_redirects_are_the_viewers_to_follow() -> None:
    status, headers, _ = ask("GET", "/redirect")
    assert (status, headers["Location"]) == (302, "/elsewhere")


def test_a_304_stays_a_304() -> None:
    status, headers, body = ask("GET", "/not-modified", headers={"If-None-Match": '"1"'})
    assert (status, headers["ETag"], body) == (304, '"1"', b"")


def test_a_head_has_headers_and_no_body() -> None:
    status, headers, body = ask("HEAD", "/")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


def test_compressed_bodies_pass_as_they_are() -> None:
    _, headers, body = ask("GET", "/packed")
    assert (headers["Content-Encoding"], body) == ("gzip", b"\x1f\x8b-not-touched")


def test_a_body_is_passed_on_while_it_is_still_being_sent() -> None:
    async def visit() -> bytes:
        async with door_to_echo() as (viewer, door, far), asyncio.timeout(10):
            answer = await viewer.get(door / "endless")
            first = await answer.content.readany()
            far[SEEN].set()
            return first + b"|" + await answer.read()

    assert asyncio.run(visit()) == b"first|second"


def test_without_the_emulator_the_viewer_gets_a_problem_that_says_so() -> None:
    async def visit() -> tuple[int, str, dict[str, Any]]:
        near = application(f"http://127.0.0.1:{free_port()}", DOMAIN)
        async with TestServer(near) as door, ClientSession() as viewer:
            answer = await viewer.post(door.make_url("/api/payments"), data=b"{}")
            return answer.status, answer.content_type, await answer.json(content_type=None)

    status, content_type, problem = asyncio.run(visit())
    assert (status, content_type) == (502, "application/problem+json")
    assert problem["title"] == "Bad Gateway"
    assert "is not responding" in problem["detail"]


GZIP = {"Accept-Encoding": "gzip, deflate"}


def test_files_are_compressed_for_those_who_ask_for_it() -> None:
    _, headers, body = ask("GET", "/script", headers=GZIP)
    assert gzip.decompress(body) == SCRIPT
    assert len(body) < len(SCRIPT) / 10
    assert (headers["ETag"], headers["Vary"]) == ('W/"1"', "Accept-Encoding")
    status, _, body = ask("GET", "/script", headers={**GZIP, "If-None-Match": 'W/"1"'})
    assert (status, body) == (304, b"")
    _, headers, body = ask("GET", "/script", headers={"Accept-Encoding": "identity"})
    assert (body, headers["ETag"]) == (SCRIPT, '"1"')


@pytest.mark.parametrize("query", ["cache=no-store", "type=image/png", "bytes=999"])
def test_what_cloudfront_would_not_compress_stays_as_it_is(query: str) -> None:
    _, headers, body = ask("GET", f"/script?{query}", headers=GZIP)
    assert SCRIPT.startswith(body)
    assert "Content-Encoding" not in headers
