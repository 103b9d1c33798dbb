"""Gmail, under domain-wide delegation: deliver a mail, find one by its token.

A service account has no mailbox: its token names the Workspace user to act for. Delivering and
searching use a credential each, since asking for one scope that was not granted fails the whole
token.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from shared.settings import SettingsError

_SCOPES = "https://www.googleapis.com/auth/"
TIMEOUT_SECONDS = 8  # connect and read, each
IDLE_SECONDS = 30.0  # after a freeze, a kept-alive socket is dead more often than not


@dataclass(frozen=True, slots=True)
class Receipt:
    """Gmail's own ids of a mail that it accepted."""

    gmail_id: str
    thread_id: str


@dataclass(slots=True)
class _Session:
    """One scope's client with its connection. used_at: seconds on the monotonic clock."""

    api: Any
    http: Any
    used_at: float


class Gmail:
    """read_key: gives the service account's JSON; asked again after Google refused a token."""

    def __init__(
        self,
        read_key: Callable[[], Mapping[str, Any]],
        user: str,
        method: DeliveryMethod,
        endpoint: str = "",
    ) -> None:
        self._read_key = read_key
        self._user = user
        self._method = method
        self._endpoint = endpoint
        self._sessions: dict[str, _Session] = {}

    def deliver(self, mail: bytes) -> Receipt:
        """Hand one mail to Gmail, once. Raises DeliveryError."""
        content: dict[str, Any] = {"raw": base64.urlsafe_b64encode(mail).decode()}
        if self._method == "send":
            answer = self._call(
                "gmail.send", lambda messages: messages.send(userId="me", body=content)
            )
        else:
            content["labelIds"] = ["INBOX", "UNREAD"]
            answer = self._call(
                "gmail.insert",
                lambda messages: messages.import_(
                    userId="me", body=content, neverMarkSpam=True, internalDateSource="dateHeader"
                ),
            )
        return Receipt(answer["id"], answer.get("threadId", answer["id"]))

    def find(self, token: str) -> Receipt | None:
        """The mail whose subject or text holds `token`, or None. Raises DeliveryError.

        Gmail's search is an index that lags behind: None soon after a delivery proves nothing.
        """
        query = f'"{token}" in:anywhere'
        answer = self._call(
            "gmail.readonly",
            lambda messages: messages.list(
                userId="me", q=query, includeSpamTrash=True, maxResults=1
            ),
        )
        found = answer.get("messages") or []
        return Receipt(found[0]["id"], found[0]["threadId"]) if found else None

    def close(self) -> None:
        """Forget connections and credentials; the next call starts anew."""
        for session in self._sessions.values():
            session.api.close()
        self._sessions.clear()

    def _call(self, scope: str, request: Callable[[Any], Any]) -> dict[str, Any]:
        try:
            messages = self._session(scope).api.users().messages()
        except Exception as error:  # nothing was asked of Google yet
            raise DeliveryError(_unusable(str(error))) from error
        try:
            answer: dict[str, Any] = request(messages).execute(num_retries=0)
        except HttpError as error:
            raise DeliveryError(classify_answer(_answer(error), time.time())) from error
        except RefreshError as error:
            self.close()  # a mended key is read at the next try
            raise DeliveryError(_refused_token(error)) from error
        except (ConnectionRefusedError, ServerNotFoundError, gaierror, GoogleAuthError) as error:
            raise DeliveryError(_not_sent(error)) from error
        except Exception as error:  # sockets, TLS, HTTP framing: the request may have arrived
            raise DeliveryError(_unknown(error)) from error
        return answer

    def _session(self, scope: str) -> _Session:
        now = time.monotonic()
        session = self._sessions.get(scope)
        if session is None:
            session = self._sessions[scope] = self._open(scope, now)
        elif now - session.used_at > IDLE_SECONDS:
            session.http.close()
        session.used_at = now
        return session

    def _open(self, scope: str, now: float) -> _Session:
        key = self._read_key()
        try:
            credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                key, scopes=[_SCOPES + scope], subject=self._user
            )
        except (ValueError, GoogleAuthError):
            raise SettingsError("the service account's private key cannot be used") from None
        http = OnceHttp(timeout=TIMEOUT_SECONDS)
        api = discovery.build(
            "gmail",
            "v1",
            http=google_auth_httplib2.AuthorizedHttp(credentials, http=http),
            client_options={"api_endpoint": self._endpoint} if self._endpoint else None,
            cache_discovery=False,
        )
        return _Session(api, http, now)


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


def _unusable(message: str) -> Failure:
    return Failure(klass="systemic", code="configuration", message=message)


def _not_sent(error: Exception) -> Failure:
    return Failure(klass="retry", code=type(error).__name__, message="Google could not be reached")


def _unknown(error: Exception) -> Failure:
    return Failure(
        klass="ambiguous",
        code=type(error).__name__,
        message="the connection broke before Gmail answered",
    )
