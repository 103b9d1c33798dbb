"""Google's real client, pointed at a sandbox, and mails to send with it."""

import base64
import json
import urllib.error
import urllib.request
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import google_auth_httplib2
import httplib2
import pytest
from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from local.gmail_sandbox.process import GmailSandbox

AUDIT = "audit@shipcaptaincrew.example"
GMAIL = "https://www.googleapis.com/auth/gmail."
_opened: list[google_auth_httplib2.AuthorizedHttp] = []


class OnceHttp(httplib2.Http):
    """httplib2 repeats a POST if the connection closes without an answer; this does not."""

    def _conn_request(
        self, conn: Any, request_uri: str, method: str, body: Any, headers: Any
    ) -> tuple[httplib2.Response, bytes]:
        try:
            if conn.sock is None:
                conn.connect()
            conn.request(method, request_uri, body, headers)
            answer = conn.getresponse()
            content = answer.read()
        except BaseException:
            conn.close()
            raise
        return httplib2.Response(answer), content


def messages_of(
    sandbox: GmailSandbox,
    subject: str | None = AUDIT,
    scopes: tuple[str, ...] = ("send", "insert", "readonly"),
) -> Any:
    """The real client's `users().messages()` for a delegated user."""
    return users_of(sandbox, subject, scopes).messages()


def users_of(
    sandbox: GmailSandbox,
    subject: str | None = AUDIT,
    scopes: tuple[str, ...] = ("send", "insert", "readonly"),
) -> Any:
    credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        sandbox.service_account_info, scopes=[GMAIL + scope for scope in scopes], subject=subject
    )
    http = google_auth_httplib2.AuthorizedHttp(credentials, http=OnceHttp(timeout=10))
    _opened.append(http)
    service = build(
        "gmail",
        "v1",
        http=http,
        static_discovery=True,
        client_options={"api_endpoint": sandbox.url + "/"},
    )
    return service.users()


def close_clients() -> None:
    while _opened:
        _opened.pop().close()


def compose(
    subject: str = "Ahoy", *, to: str = AUDIT, html: str | None = None, **headers: str
) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"SCC Audit <{AUDIT}>"
    mail["To"] = to
    mail["Subject"] = subject
    mail["Message-ID"] = headers.pop("message_id", "<entry-1@audit.shipcaptaincrew.example>")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("The text as it was written.\n")
    if html is not None:
        mail.add_alternative(html, subtype="html")
    return mail


def body_of(mail: EmailMessage | bytes) -> dict[str, Any]:
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    return {"raw": base64.urlsafe_b64encode(raw).decode()}


def fetch(url: str, **request: Any) -> tuple[int, bytes]:
    """Return status and body, of refusals too."""
    try:
        opened = urllib.request.Request(url, **request)  # loopback
        with urllib.request.urlopen(opened, timeout=10) as answer:  # loopback
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def refusal_of(request: Any) -> dict[str, Any]:
    """Run a Gmail request that must fail; return the error object in its body."""
    with pytest.raises(HttpError) as caught:
        request.execute()
    error: dict[str, Any] = json.loads(caught.value.content)["error"]
    assert error["code"] == caught.value.status_code
    return error
