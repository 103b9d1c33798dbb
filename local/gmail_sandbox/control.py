"""`/sandbox/*`: how tests, the inbox page and people look at mail and cause faults."""

import asyncio
import base64
import hashlib
import itertools
import json
import re
from typing import Any
from urllib.parse import quote

from aiohttp import web

from local.gmail_sandbox.faults import AT_ONCE, ENDING_TOKENS, KINDS, FaultFieldError, parse_faults
from local.gmail_sandbox.mailbox.messages import StoredMessage
from local.gmail_sandbox.mailbox.places import PLACES, place_named
from local.gmail_sandbox.mbox import mbox_entry
from local.gmail_sandbox.mime import Mail, read_mail
from local.gmail_sandbox.wiring import FAULTS, LIMITS, STORE, iso

LONGEST_LIST = 10_000
_HEAD = re.compile(r"<head\b[^>]*>|<html\b[^>]*>|<!doctype[^>]*>", re.IGNORECASE)
# Never trust a mail's HTML: no script, no requests, no access to the inbox page.
_STRANGER_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


async def list_faults(request: web.Request) -> web.Response:
    return web.json_response(request.app[FAULTS].as_json())


async def add_faults(request: web.Request) -> web.Response:
    """Add the posted faults to the active ones and list them all."""
    faults = request.app[FAULTS]
    try:
        posted = parse_faults(json.loads(await request.read()))
    except FaultFieldError as error:
        return _refusal(error.field, error.message)
    except ValueError:
        return _refusal("", "the body must be JSON: a list of faults")
    faults.add([fault for fault in posted if fault.kind not in AT_ONCE])
    if any(fault.kind in ENDING_TOKENS for fault in posted):
        request.app[STORE].revoke_tokens()
    return web.json_response(faults.as_json())


def _refusal(field: str, message: str) -> web.Response:
    errors = [{"field": field, "message": message}]
    body = {"error": f"{field} {message}".strip(), "errors": errors}
    return web.json_response(body, status=400)


async def clear_faults(request: web.Request) -> web.Response:
    """Remove all faults, or with `?kind=` those of one kind."""
    kind = request.query.get("kind")
    if kind is not None and kind not in KINDS:
        return _refusal("kind", f"must be one of {', '.join(sorted(KINDS))}")
    request.app[FAULTS].clear(kind)
    return web.Response(status=204)


async def list_messages(request: web.Request) -> web.Response:
    """List every mail in an inbox, complete, oldest first.

    `?place=` lists spam or trash instead, `?mailbox=` shows one mailbox, `?containing=` mails
    whose raw bytes hold a text, `?after=` what came after a message's id, `?limit=` only the first
    few. If you poll a full mailbox, ask only for new mail or for one payment's mail.
    """
    store, after, limit = request.app[STORE], request.query.get("after"), request.query.get("limit")
    if limit is not None and not (limit.isdecimal() and 1 <= int(limit[:6]) <= LONGEST_LIST):
        return _refusal("limit", f"must be a whole number from 1 to {LONGEST_LIST}")
    place = place_named(request.query.get("place", "inbox"))
    if place is None:
        return _refusal("place", f"must be one of {', '.join(PLACES)}")
    last_seen = store.message(after) if after is not None else None
    if after is not None and last_seen is None:
        return _refusal("after", "must be the id of a message")
    after_seq = last_seen.seq if last_seen else 0
    found = store.lying_in(place, mailbox=_mailbox(request), after_seq=after_seq)
    text = request.query.get("containing", "").encode()
    origin = str(request.url.origin())
    described = []
    for message in itertools.islice(
        (each for each in found if text in each.raw), int(limit) if limit else None
    ):
        described.append(_described(message, origin))
        await asyncio.sleep(0)  # a full mailbox must not block the Gmail API
    return web.json_response(described)


async def get_message(request: web.Request) -> web.Response:
    return web.json_response(_described(_message(request), str(request.url.origin())))


async def delete_messages(request: web.Request) -> web.Response:
    """Empty all mailboxes and reset quota and daily sending count."""
    request.app[STORE].clear()
    request.app[LIMITS].forget()
    return web.Response(status=204)


async def move_message(request: web.Request) -> web.Response:
    """Move one mail as its reader would: {"to": "inbox"}, "spam" or "trash"."""
    message = _message(request)
    try:
        wanted = json.loads(await request.read())
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        return _refusal("", 'the body must be a JSON object such as {"to": "spam"}')
    if unknown := next((name for name in wanted if name != "to"), None):
        return _refusal(unknown, "is not a field of a move")
    place = place_named(wanted.get("to"))
    if place is None:
        return _refusal("to", f"must be one of {', '.join(PLACES)}")
    request.app[STORE].move(message, place)
    return web.Response(status=204)


async def delete_message(request: web.Request) -> web.Response:
    """Delete one mail forever."""
    request.app[STORE].delete(_message(request))
    return web.Response(status=204)


async def mark_read(request: web.Request) -> web.Response:
    request.app[STORE].mark_read(_message(request).id)
    return web.Response(status=204)


async def get_raw(request: web.Request) -> web.Response:
    return web.Response(body=_message(request).raw, content_type="message/rfc822")


async def get_html(request: web.Request) -> web.Response:
    """Return the HTML part for the inbox's frame; its links open in a new tab."""
    html = read_mail(_message(request).raw).html
    head = _HEAD.search(html)
    at = head.end() if head else 0
    html = f'{html[:at]}<base target="_blank">{html[at:]}'
    return web.Response(
        text=html, content_type="text/html", headers={"Content-Security-Policy": _STRANGER_CSP}
    )


async def get_attachment(request: web.Request) -> web.Response:
    attachments = read_mail(_message(request).raw).attachments
    number = int(request.match_info["number"])
    if number >= len(attachments):
        raise web.HTTPNotFound(text="no such attachment")
    attachment = attachments[number]
    return web.Response(
        body=attachment.content,
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(attachment.filename, '')}",
            "Content-Security-Policy": _STRANGER_CSP,
        },
    )


async def export_mbox(request: web.Request) -> web.StreamResponse:
    """Return all inbox mails, oldest first, as one mboxrd file. `?mailbox=` shows one mailbox."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/mbox",
            "Content-Disposition": 'attachment; filename="gmail-sandbox.mbox"',
        }
    )
    await response.prepare(request)
    for message in request.app[STORE].lying_in("inbox", mailbox=_mailbox(request)):
        await response.write(mbox_entry(message))
    await response.write_eof()
    return response


def _mailbox(request: web.Request) -> str | None:
    mailbox = request.query.get("mailbox")
    return mailbox.lower() if mailbox else None


def _message(request: web.Request) -> StoredMessage:
    message = request.app[STORE].message(request.match_info["id"])
    if message is None:
        raise web.HTTPNotFound(text="no such message")
    return message


def _described(message: StoredMessage, origin: str) -> dict[str, Any]:
    mail = read_mail(message.raw)
    headers: dict[str, str] = {}
    for name, value in mail.header_fields:
        headers.setdefault(name, value)
    return {
        "id": message.id,
        "thread_id": message.thread_id,
        "mailbox": message.mailbox,
        "labels": message.labels,
        "place": message.place,
        "subject": mail.header("Subject"),
        "to": mail.header("To"),
        "from": mail.header("From"),
        "headers": headers,
        "text": mail.text,
        "html": mail.html,
        "attachments": _attachments(mail),
        "raw_url": f"{origin}/sandbox/messages/{message.id}/raw",
        "received_at": iso(message.received_at),
    }


def _attachments(mail: Mail) -> list[dict[str, Any]]:
    return [
        {
            "filename": attachment.filename,
            "content_type": attachment.content_type,
            "size": len(attachment.content),
            "sha256": hashlib.sha256(attachment.content).hexdigest(),
            "content_base64": base64.b64encode(attachment.content).decode("ascii"),
            "json": attachment.json(),
        }
        for attachment in mail.attachments
    ]


def routes() -> list[web.RouteDef]:
    one = "/sandbox/messages/{id}"
    return [
        web.get("/sandbox/faults", list_faults),
        web.post("/sandbox/faults", add_faults),
        web.delete("/sandbox/faults", clear_faults),
        web.get("/sandbox/messages", list_messages),
        web.delete("/sandbox/messages", delete_messages),
        web.get("/sandbox/export.mbox", export_mbox),
        web.get(one, get_message),
        web.delete(one, delete_message),
        web.post(one + "/move", move_message),
        web.get(one + "/raw", get_raw),
        web.get(one + "/html", get_html),
        web.get(one + r"/attachments/{number:\d{1,4}}", get_attachment),
        web.post(one + "/read", mark_read),
    ]
