"""The Gmail API's Message resource: minimal, metadata, full or raw."""

import base64
import email
from email.message import Message
from typing import Any

from local.gmail_sandbox.mailbox.messages import StoredMessage
from local.gmail_sandbox.mime import decoded_header, leaves

FORMATS = ("full", "metadata", "minimal", "raw")


def reference(message: StoredMessage) -> dict[str, Any]:
    """Return the answer of send, import and insert."""
    return {"id": message.id, "threadId": message.thread_id, "labelIds": message.labels}


def message_resource(
    message: StoredMessage, form: str, metadata_headers: list[str]
) -> dict[str, Any]:
    resource = reference(message) | {
        "snippet": message.snippet,
        "sizeEstimate": len(message.raw),
        "historyId": str(message.seq),
        "internalDate": str(message.internal_date),
    }
    if form == "raw":
        resource["raw"] = _b64(message.raw)
    elif form == "metadata":
        parsed = email.message_from_bytes(message.raw)
        wanted = {name.lower() for name in metadata_headers}
        resource["payload"] = {
            "mimeType": parsed.get_content_type(),
            "headers": [
                header
                for header in _headers(parsed)
                if not wanted or header["name"].lower() in wanted
            ],
        }
    elif form == "full":
        resource["payload"] = _part(email.message_from_bytes(message.raw), "")
    return resource


def attachment_resource(message: StoredMessage, attachment_id: str) -> dict[str, Any] | None:
    """Return the content of one part; `attachment_id` is its number among the leaves."""
    parts = list(leaves(email.message_from_bytes(message.raw)))
    if not attachment_id.isdecimal() or int(attachment_id) >= len(parts):
        return None
    content = _content(parts[int(attachment_id)])
    return {"size": len(content), "data": _b64(content)}


def _part(part: Message, part_id: str, leaf_ids: dict[int, int] | None = None) -> dict[str, Any]:
    if leaf_ids is None:
        leaf_ids = {id(leaf): number for number, leaf in enumerate(leaves(part))}
    filename = part.get_filename()
    resource: dict[str, Any] = {
        "partId": part_id,
        "mimeType": part.get_content_type(),
        "filename": decoded_header(filename) if filename else "",
        "headers": _headers(part),
        "body": {"size": 0},
    }
    if id(part) not in leaf_ids:
        children = part.get_payload()
        assert isinstance(children, list)
        prefix = f"{part_id}." if part_id else ""
        resource["parts"] = [
            _part(child, f"{prefix}{number}", leaf_ids)
            for number, child in enumerate(children)
            if isinstance(child, Message)
        ]
        return resource
    content = _content(part)
    resource["body"] = {"size": len(content)}
    if filename:
        resource["body"]["attachmentId"] = str(leaf_ids[id(part)])
    else:
        resource["body"]["data"] = _b64(content)
    return resource


def _headers(part: Message) -> list[dict[str, str]]:
    return [{"name": name, "value": decoded_header(str(value))} for name, value in part.raw_items()]


def _content(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):
        return b"".join(child.as_bytes() for child in payload if isinstance(child, Message))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode("ascii")
