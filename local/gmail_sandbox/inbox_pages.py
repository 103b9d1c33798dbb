"""The web inbox: its list, and its files, whose content policy allows no inline code."""

import hashlib
import json
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from aiohttp import web

from local.gmail_sandbox.mailbox.messages import StoredMessage
from local.gmail_sandbox.mailbox.search import parse_search
from local.gmail_sandbox.wiring import FAULTS, STORE, iso

LIST_LIMIT = 200
_FOLDER = Path(__file__).parent / "inbox"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def inbox(request: web.Request) -> web.Response:
    """List mails, newest first, `?q=` as in Gmail; 304 if nothing changed."""
    store, faults = request.app[STORE], request.app[FAULTS].as_json()
    query = request.query.get("q", "")
    limit = request.query.get("limit", "")
    shown = min(int(limit), 5000) if limit.isdecimal() else LIST_LIMIT
    state = hashlib.sha256(json.dumps([store.revision, faults, query, shown]).encode())
    etag = f'"{state.hexdigest()[:24]}"'
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers={"ETag": etag})
    messages, total = store.newest(parse_search(query, prefixes=True), limit=shown)
    body = {
        "messages": [_summary(message) for message in messages],
        "total": total,
        "faults": faults,
    }
    return web.json_response(body, headers={"ETag": etag, "Cache-Control": "no-cache"})


def _summary(message: StoredMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "from": parseaddr(message.sender)[0] or message.sender,
        "subject": message.subject,
        "snippet": message.snippet,
        "mailbox": message.mailbox,
        "unread": "UNREAD" in message.labels,
        "received_at": iso(message.received_at),
    }


def _page(path: Path) -> web.RouteDef:
    text = path.read_text(encoding="utf-8")

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(
            text=text,
            content_type=_TYPES[path.suffix],
            headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"},
        )

    return web.get("/" if path.name == "index.html" else f"/inbox/{path.name}", serve)


def routes() -> list[web.RouteDef]:
    pages = [_page(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES]
    return [web.get("/sandbox/inbox", inbox), *pages]
