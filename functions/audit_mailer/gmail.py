"""Gmail, under domain-wide delegation: deliver a mail, find one by its token.

A service account has no mailbox: its token names the Workspace user to act for. Delivering and
searching use a credential each, since asking for one scope that was not granted fails the whole
token.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from socket import gaierror
from typing import Any

import google_auth_httplib2
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.oauth2 import service_account
from googleapiclient import discovery
from googleapiclient.errors import HttpError
from httplib2 import ServerNotFoundError

from functions.audit_mailer.failures import Answer, DeliveryError, Failure, classify_answer
from functions.audit_mailer.settings import DeliveryMethod
from functions.audit_mailer.transport import OnceHttp

_SCOPES = "https://www.googleapis.com/auth/"
_SCOPE_OF: Mapping[DeliveryMethod, str] = {"send": "gmail.send", "import": "gmail.insert"}
TIMEOUT_SECONDS = 10  # connect and read, each
IDLE_SECONDS = 30.0  # after a freeze, a kept-alive socket is dead more often than not


@dataclass(frozen=True, slots=True)
class Receipt:
    """Gmail's own ids of a mail that it accepted."""

    gmail_id: str
    thread_id: str


class Gmail:
    def __init__(
        self, key: Mapping[str, Any], user: str, method: DeliveryMethod, endpoint: str = ""
    ) -> None:
        self._key = key
        self._user = user
        self._method = method
        self._endpoint = endpoint
        self._used_at = time.monotonic()

    def deliver(self, mail: bytes) -> Receipt:
        """Hand one mail to Gmail, once. Raises DeliveryError."""
        messages = self._outbox.users().messages()
        content = {"raw": base64.urlsafe_b64encode(mail).decode()}
        if self._method == "send":
            return self._receipt(messages.send(userId="me", body=content))
        content["labelIds"] = ["INBOX", "UNREAD"]  # type: ignore[assignment]
        return self._receipt(
            messages.import_(
                userId="me", body=content, neverMarkSpam=True, internalDateSource="dateHeader"
            )
        )

    def find(self, token: str) -> Receipt | None:
        """The mail whose subject or text holds `token`, or None. Raises DeliveryError.

        Gmail's search is an index that lags behind: None soon after a delivery proves nothing.
        """
        answer = self._execute(
            self._archive.users()
            .messages()
            .list(userId="me", q=f'"{token}" in:anywhere', includeSpamTrash=True, maxResults=1)
        )
        found = answer.get("messages") or []
        return Receipt(found[0]["id"], found[0]["threadId"]) if found else None

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        for name in ("_outbox", "_archive"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @cached_property
    def _outbox(self) -> Any:
        return self._service(_SCOPE_OF[self._method])

    @cached_property
    def _archive(self) -> Any:
        return self._service("gmail.readonly")

    def _service(self, scope: str) -> Any:
        credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            self._key, scopes=[_SCOPES + scope], subject=self._user
        )
        http = google_auth_httplib2.AuthorizedHttp(
            credentials, http=OnceHttp(timeout=TIMEOUT_SECONDS)
        )
        options = {"api_endpoint": self._endpoint} if self._endpoint else None
        return discovery.build(
            "gmail", "v1", http=http, client_options=options, cache_discovery=False
        )

    def _receipt(self, request: Any) -> Receipt:
        answer = self._execute(request)
        return Receipt(answer["id"], answer.get("threadId", answer["id"]))

    def _execute(self, request: Any) -> dict[str, Any]:
        self._close_idle(request.http)
        try:
            answer: dict[str, Any] = request.execute(num_retries=0)
        except HttpError as error:
            raise DeliveryError(classify_answer(_answer(error), time.time())) from error
        except RefreshError as error:
            raise DeliveryError(_refused_token(error)) from error
        except (ConnectionRefusedError, ServerNotFoundError, gaierror, GoogleAuthError) as error:
            raise DeliveryError(_not_sent(error)) from error
        except Exception as error:  # sockets, TLS, HTTP framing: the request may have arrived
            raise DeliveryError(_unknown(error)) from error
        return answer

    def _close_idle(self, http: Any) -> None:
        now = time.monotonic()
        if now - self._used_at > IDLE_SECONDS:
            http.http.close()
        self._used_at = now


def _answer(error: HttpError) -> Answer:
    details: list[Any] = error.error_details if isinstance(error.error_details, list) else []
    first = details[0] if details and isinstance(details[0], dict) else {}
    retry_after = error.resp.get("retry-after", "")
    return Answer(
        status=int(error.resp.status),
        reason=str(first.get("reason", "")),
        message=str(error.reason),
        retry_after=float(retry_after) if retry_after.isdigit() else None,
    )


def _refused_token(error: RefreshError) -> Failure:
    """google-auth puts the token endpoint's JSON body second, when there was one."""
    body = error.args[1] if len(error.args) > 1 else ""
    try:
        content = json.loads(body) if isinstance(body, str) else dict(body)
    except (ValueError, TypeError):
        content = {}
    code = str(content.get("error") or "")
    answer = Answer(
        status=401 if code else 503,  # no OAuth error means that no OAuth server answered
        reason=code or "token_unavailable",
        message=str(content.get("error_description") or "the token endpoint gave no token"),
        from_token=True,
    )
    return classify_answer(answer, time.time())


def _not_sent(error: Exception) -> Failure:
    return Failure(klass="retry", code=type(error).__name__, message="Google could not be reached")


def _unknown(error: Exception) -> Failure:
    return Failure(
        klass="ambiguous",
        code=type(error).__name__,
        message="the connection broke before Gmail answered",
    )
