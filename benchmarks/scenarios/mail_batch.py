"""A batch through the mailer; its Gmail adapter; the same bare requests one by one."""

import base64
import http.client
import json
import os
from typing import Any
from urllib.parse import urlsplit

import google_auth_httplib2
import httplib2
from google.oauth2 import service_account

from functions.audit_mailer import handler, wiring

SIDES = ("batch", "adapter", "one_after_another")
PATHS = {
    "send": "/gmail/v1/users/me/messages/send?alt=json",
    "import": "/gmail/v1/users/me/messages/import"
    "?internalDateSource=dateHeader&neverMarkSpam=true&alt=json",
}
SCOPES = {"send": "gmail.send", "import": "gmail.insert"}
method = os.environ["GMAIL_DELIVERY_METHOD"]


class Context:
    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def batch(event: dict[str, Any]) -> None:
    answer = handler.lambda_handler(event["batch"], Context())
    if answer["batchItemFailures"]:
        raise RuntimeError(answer)


def adapter(event: dict[str, Any]) -> None:
    """Only the request to Gmail, as googleapiclient and our transport make it."""
    for mail in event["mails"]:
        wiring.courier().mailbox.send_audit_email_via_gmail(base64.urlsafe_b64decode(mail))


def one_after_another(event: dict[str, Any]) -> None:
    """One open connection, a token fetched before, the mails' bytes ready."""
    for body in event["bodies"]:
        connection.request("POST", PATHS[method], body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(content)


def _token() -> str:
    credentials: Any = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        json.loads(base64.b64decode(os.environ["GMAIL_SERVICE_ACCOUNT_KEY"])),
        scopes=[f"https://www.googleapis.com/auth/{SCOPES[method]}"],
        subject=wiring.gmail_settings().mailbox,
    )
    credentials.refresh(google_auth_httplib2.Request(httplib2.Http()))
    return str(credentials.token)


headers = {"Authorization": f"Bearer {_token()}", "Content-Type": "application/json"}
connection = http.client.HTTPConnection(urlsplit(os.environ["GMAIL_API_ENDPOINT"]).netloc)
