"""`http://localhost:$SCC_PORT`: passes every request on to the deployed CloudFront distribution.

The emulator finds a distribution by the Host header, which a browser cannot easily set; this proxy
sets it. It also compresses, because the emulator ignores `Compress: true`, which CloudFront obeys.
It adds nothing else: behaviors, headers and routing come from the template.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from http import HTTPStatus

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    web,
)
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from local.settings import LOOPBACKS

# RFC 9110 §7.6.1: these are for one connection only. This server answers Expect itself.
HOP_BY_HOP = {
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# What aiohttp would add if the viewer sent none.
ADDED_BY_CLIENT = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
TIMEOUT = ClientTimeout(total=None, sock_connect=5, sock_read=120)
CHUNK_BYTES = 64 * 1024
# A request for a file runs a CloudFront Function. The emulator keeps two Node.js processes for it,
# and starts and ends another for each request beyond them: dozens for a page of forty scripts.
FILES_AT_ONCE = 2
# The types we serve that CloudFront compresses (Developer Guide, "Serve compressed files").
COMPRESSED_TYPES = {"text/html", "text/css", "text/javascript", "image/svg+xml", "application/json"}
COMPRESSED_BYTES = range(1_000, 10_000_001)

SESSION = web.AppKey("session", ClientSession)
log = logging.getLogger("front_door")


def application(origin: str, domain: str) -> web.Application:
    """Return the proxy to the distribution `domain` that the emulator at `origin` serves."""
    files, api = Semaphore(FILES_AT_ONCE), nullcontext()

    async def handle(request: web.Request) -> web.StreamResponse:
        turn = api if request.path.startswith("/api/") else files
        return await _forward(request, origin, domain, turn)

    app = web.Application(client_max_size=0)
    app.cleanup_ctx.append(_session)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _session(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession(
        auto_decompress=False,
        cookie_jar=DummyCookieJar(),
        connector=TCPConnector(limit=0),
        timeout=TIMEOUT,
        skip_auto_headers=ADDED_BY_CLIENT,
    ) as session:
        app[SESSION] = session
        yield


async def _forward(
    request: web.Request, origin: str, domain: str, turn: AbstractAsyncContextManager[None]
) -> web.StreamResponse:
    headers = _end_to_end(request.headers)
    headers["Host"] = domain
    if "If-None-Match" in headers:  # the origin's own tags, before we weakened them below
        headers["If-None-Match"] = headers["If-None-Match"].replace('W/"', '"')
    try:
        async with turn:
            upstream = await request.app[SESSION].request(
                request.method,
                URL(origin + request.raw_path, encoded=True),
                headers=headers,
                data=request.content if request.body_exists else None,
                allow_redirects=False,
            )
    except (ClientError, TimeoutError, OSError) as error:
        log.warning("%s %s: no answer (%s)", request.method, request.path, type(error).__name__)
        return _bad_gateway(origin)
    async with upstream:
        response = web.StreamResponse(
            status=upstream.status, reason=upstream.reason, headers=_end_to_end(upstream.headers)
        )
        if _is_compressed_by_cloudfront(request, upstream):
            response.enable_compression(web.ContentCoding.gzip)
            response.headers.add("Vary", "Accept-Encoding")
            if response.headers.get("ETag", "").startswith('"'):
                response.headers["ETag"] = f"W/{response.headers['ETag']}"
        await response.prepare(request)
        # If the origin fails halfway, the viewer must see a broken body, not a complete one.
        async for chunk in upstream.content.iter_chunked(CHUNK_BYTES):
            await response.write(chunk)
        await response.write_eof()
        return response


def _is_compressed_by_cloudfront(request: web.Request, upstream: ClientResponse) -> bool:
    """Whether CloudFront would send gzip: it does not compress what it may not store."""
    return (
        request.method == "GET"
        and upstream.status == HTTPStatus.OK
        and "gzip" in request.headers.get("Accept-Encoding", "")
        and "Content-Encoding" not in upstream.headers
        and "no-store" not in upstream.headers.get("Cache-Control", "")
        and upstream.content_type in COMPRESSED_TYPES
        and upstream.content_length in COMPRESSED_BYTES
    )


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """Return the end-to-end headers, repeated ones (Set-Cookie) included."""
    named_by_connection = {
        name.strip().lower()
        for value in headers.getall("Connection", [])
        for name in value.split(",")
    }
    dropped = HOP_BY_HOP | named_by_connection
    return CIMultiDict((name, v) for name, v in headers.items() if name.lower() not in dropped)


def _bad_gateway(origin: str) -> web.Response:
    return web.json_response(
        {
            "type": "about:blank",
            "title": "Bad Gateway",
            "status": 502,
            "detail": f"The local AWS emulator at {origin} is not responding. It may still be "
            "starting: try again in a moment, or see the end of logs/AWS-emulator.log.",
        },
        status=502,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )


async def serve(port: int, origin: str, domain: str) -> None:
    """Serve on both loopback addresses until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(application(origin, domain), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        for host, _ in LOOPBACKS:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError:
                if host == "127.0.0.1":
                    raise
                log.info("no IPv6 loopback on this machine")
        await stopped.wait()
    finally:
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--origin", required=True, help="the emulator, http://127.0.0.1:4566")
    parser.add_argument("--domain", required=True, help="DistributionDomainName of the stack")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(options.port, options.origin, options.domain))


if __name__ == "__main__":
    main()
