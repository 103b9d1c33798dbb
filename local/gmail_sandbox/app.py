"""The sandbox as one aiohttp application: faults strike here, before and after the handlers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from aiohttp import web

from local.gmail_sandbox import control, gmail_api, inbox_pages, oauth
from local.gmail_sandbox.accounts import ServiceAccount
from local.gmail_sandbox.errors import GmailError, TokenError, injected
from local.gmail_sandbox.faults import Fault, Faults, Operation
from local.gmail_sandbox.gmail_api import MAX_RAW_BYTES, operation_of, token_of
from local.gmail_sandbox.mailbox.store import Store
from local.gmail_sandbox.quota import Limits, rate_limit_exceeded
from local.gmail_sandbox.wiring import FAULTS, LIMITS, SERVICE_ACCOUNT, STORE, now_ms

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# base64 turns three bytes into four; the rest leaves room for the JSON around it.
MAX_BODY_BYTES = MAX_RAW_BYTES * 4 // 3 + 64 * 1024


def build_app(state: Path, service_account: ServiceAccount, limits: Limits) -> web.Application:
    app = web.Application(
        middlewares=[sandbox_headers, due_mail, google_side], client_max_size=MAX_BODY_BYTES
    )
    store = Store(state / "gmail.sqlite3")
    app[STORE] = store
    app[FAULTS] = Faults()
    app[LIMITS] = limits
    app[SERVICE_ACCOUNT] = service_account
    app.add_routes([*oauth.routes(), *gmail_api.routes(), *control.routes(), *inbox_pages.routes()])

    async def close_store(_app: web.Application) -> None:
        store.close()

    app.on_cleanup.append(close_store)
    return app


@web.middleware
async def sandbox_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


@web.middleware
async def due_mail(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Deliver what is due before anyone looks: no timer is lost when the sandbox is killed."""
    request.app[STORE].deliver_due(now_ms())
    return await handler(request)


@web.middleware
async def google_side(request: web.Request, handler: Handler) -> web.StreamResponse:
    operation = operation_of(request)
    if operation is None:
        return await handler(request)
    if request.app[FAULTS].take("down"):
        return _hang_up(request)
    try:
        with _one_more(request):
            return await _called(request, operation, handler)
    except GmailError as error:
        return error.response()


@contextmanager
def _one_more(request: web.Request) -> Iterator[None]:
    """Count a call of the user whom its token names; asking for tokens is not limited."""
    faults, limits = request.app[FAULTS], request.app[LIMITS]
    token = token_of(request)
    if token is None or token.subject is None:
        yield
        return
    fault = faults.peek("concurrency")
    allowed = fault.number("requests") if fault else limits.requests_at_once
    with ExitStack() as calls:
        try:
            calls.enter_context(limits.one_more(token.subject, allowed=allowed))
        except GmailError:
            if fault:
                faults.use(fault)
            raise
        yield


async def _called(
    request: web.Request, operation: Operation, handler: Handler
) -> web.StreamResponse:
    faults = request.app[FAULTS]
    if latency := faults.take("latency", operation):
        await asyncio.sleep(latency.number("ms") / 1000)
    if faults.take("drop", operation):
        return _hang_up(request)
    if status := faults.take("status", operation):
        return _injected(status, operation).response()
    if limit := faults.take("rate_limit", operation):
        return rate_limit_exceeded(now_ms() + limit.number("seconds") * 1000).response()
    response = await _answer(request, handler)
    return await _after_success(request, operation, response) if response.status < 300 else response


async def _after_success(
    request: web.Request, operation: Operation, response: web.StreamResponse
) -> web.StreamResponse:
    """Keep the call's effect, but change what happens to its answer."""
    faults = request.app[FAULTS]
    if hold := faults.take("hold", operation):
        await asyncio.sleep(hold.number("ms") / 1000)
    if faults.take("accept_then_drop", operation):
        return _hang_up(request)
    if status := faults.take("accept_then_status", operation):
        return _injected(status, operation).response()
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (GmailError, TokenError) as error:
        return error.response()
    except web.HTTPRequestEntityTooLarge:
        return GmailError(413, "Request Entity Too Large", "uploadTooLarge").response()


def _injected(fault: Fault, operation: Operation) -> GmailError | TokenError:
    code, message, reason = fault.number("code"), fault.text("message"), fault.text("reason")
    retry_after = fault.number("retry_after") if "retry_after" in fault.fields else None
    if operation != "token":
        return injected(code, message=message, reason=reason, retry_after=retry_after)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    usual = "internal_failure" if code >= 500 or code == 429 else "invalid_grant"
    return TokenError(code, reason or usual, message or "Backend Error", headers)


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection; aiohttp then cannot send the returned answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
