"""Gmail, under domain-wide delegation: send a mail, find one by its token.

A service account has no mailbox: its token names the Workspace user to act for. Sending and
searching each use a credential of their own, because asking for one scope that was not granted
fails the whole token.

All threads of a Lambda environment share one Gmail and its tokens. httplib2 is not thread-safe, so
every thread has its own connection.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import google_auth_httplib2
from google.auth.exceptions import RefreshError
from google.oauth2 import service_account
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from functions.audit_mailer.gmail.failures import (
    DeliveryError,
    Failure,
    classify,
    is_about_thread,
    is_clock_skew,
    is_not_found,
)
from functions.audit_mailer.gmail.transport import OnceHttp
from functions.audit_mailer.settings import DeliveryMethod

_SCOPES = "https://www.googleapis.com/auth/"
_Found = TypeVar("_Found")
MOST_FOUND = 500  # on one page, which is all that Gmail gives at once
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")  # Gmail's have 16 hex digits
IDLE_SECONDS = 30.0  # by the wall clock: a frozen Lambda's other clocks may stand still


def is_gmail_id(text: str) -> bool:
    """Whether a mail may have this id. Gmail answers a request that is too long in many ways."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Gmail's own ids of a mail that it accepted."""

    gmail_id: str
    thread_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMail:
    """A mail in the mailbox. at: when Gmail got it (epoch milliseconds). labels: such as INBOX."""

    receipt: Receipt
    at: int
    labels: frozenset[str]
    raw: bytes


@dataclass(slots=True)
class _Connection:
    """One thread's connections to Google's hosts. used_at: epoch seconds."""

    http: OnceHttp
    used_at: float


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why there is no token. at: seconds on the monotonic clock."""

    failure: Failure
    at: float


class Gmail:
    """read_key: returns the service account's JSON; called again after Google refused a token.

    user: the Workspace user to act for, whose mailbox is searched.
    """

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
        self._api: Any = None
        self._credentials: dict[str, Any] = {}
        self._connections: list[_Connection] = []
        self._own = threading.local()
        self._refusals: dict[str, _Refusal] = {}
        self._lock = threading.Lock()
        self._tokens = threading.Lock()

    def send_audit_email_via_gmail(self, mail: bytes, thread_id: str | None = None) -> Receipt:
        """Hand one mail to Gmail, once. Raises DeliveryError.

        thread_id: the conversation to join. If the mailbox does not have it, Gmail accepts nothing,
        and the mail is sent without it.
        """
        try:
            return self._send(mail, thread_id)
        except DeliveryError as error:
            if thread_id is None or not is_about_thread(error.failure):
                raise
            return self._send(mail, None)

    def search(self, query: str, pages: int = 1) -> list[Receipt]:
        """The mails that match, outside trash and spam, oldest first. Raises DeliveryError.

        Of many, the newest: so many pages, MOST_FOUND on each. Gmail's search index lags: that
        nothing is found soon after a delivery proves nothing.
        """
        found: list[Receipt] = []
        token: str | None = None
        for _ in range(pages):
            page, token = self._call("gmail.readonly", _listing(query, token), _found_page)
            found += page
            if not token:
                break
        return found[::-1]

    def read(self, gmail_id: str) -> FoundMail | None:
        """One mail, None if it was deleted meanwhile or never was there. Raises DeliveryError."""
        if not is_gmail_id(gmail_id):
            return None
        try:
            return self._call(
                "gmail.readonly",
                lambda messages: messages.get(userId="me", id=gmail_id, format="raw"),
                _found_mail,
            )
        except DeliveryError as error:
            if not is_not_found(error.failure):
                raise
            return None

    def close(self) -> None:
        """Close every thread's connections. The next call opens new ones."""
        with self._lock:
            for connection in self._connections:
                connection.http.close()
            self._connections.clear()
            self._credentials.clear()
            self._own = threading.local()

    def _send(self, mail: bytes, thread_id: str | None) -> Receipt:
        content: dict[str, Any] = {"raw": base64.urlsafe_b64encode(mail).decode()}
        if thread_id is not None:
            content["threadId"] = thread_id
        if self._method == "send":
            return self._call(
                "gmail.send", lambda messages: messages.send(userId="me", body=content), _receipt
            )
        content["labelIds"] = ["INBOX", "UNREAD"]
        return self._call(
            "gmail.insert",
            # By its own date, a late mail would lie below what people have read.
            lambda messages: messages.import_(
                userId="me", body=content, neverMarkSpam=True, internalDateSource="receivedTime"
            ),
            _receipt,
        )

    def _call(
        self, scope: str, build: Callable[[Any], Any], read: Callable[[Any], _Found]
    ) -> _Found:
        """One request, once. Only a 401, given before Gmail acts, is tried again."""
        http = self._connection()
        request = build(self._messages())
        for is_last in (False, True):
            self._authorize(scope, request.headers, http)
            try:
                return read(request.execute(http=http, num_retries=0))
            except HttpError as error:
                if is_last or error.status_code != 401:
                    raise DeliveryError(classify(error, "gmail", time.time())) from error
            except Exception as error:  # sockets, HTTP framing, an unreadable answer
                raise DeliveryError(classify(error, "gmail", time.time())) from error
            with self._tokens:
                self._credentials.pop(scope, None)
        raise AssertionError("the last round returns or raises")

    def _authorize(self, scope: str, headers: dict[str, str], http: OnceHttp) -> None:
        """Put a token into the headers. One thread asks for a new one while the others wait.

        A refusal counts for all who waited: ten threads must not wait for ten timeouts.
        """
        asked_at = time.monotonic()
        with self._tokens:
            refusal = self._refusals.get(scope)
            if refusal is not None and refusal.at >= asked_at:
                raise DeliveryError(refusal.failure)
            try:
                self._valid_credentials(scope, http).apply(headers)
            except Exception as error:  # whatever it was, nothing was sent to Gmail
                failure = classify(error, "token", time.time())
                self._refusals[scope] = _Refusal(failure, time.monotonic())
                raise DeliveryError(failure) from error

    def _valid_credentials(self, scope: str, http: OnceHttp) -> Any:
        credentials = self._credentials.get(scope)
        if credentials is None:
            credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                self._read_key(), scopes=[_SCOPES + scope], subject=self._user
            )
            self._credentials[scope] = credentials
        if not credentials.valid:
            self._refresh(credentials, http)
        return credentials

    def _refresh(self, credentials: Any, http: OnceHttp) -> None:
        try:
            credentials.refresh(google_auth_httplib2.Request(http))
        except RefreshError as error:
            self._credentials.clear()  # the next try reads the key again
            if not is_clock_skew(classify(error, "token", time.time())):
                raise
            credentials.refresh(google_auth_httplib2.Request(http))  # signed anew, with a new time

    def _connection(self) -> OnceHttp:
        now = time.time()
        connection: _Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = _Connection(OnceHttp(), now)
            with self._lock:
                self._connections.append(connection)
        elif abs(now - connection.used_at) > IDLE_SECONDS:
            connection.http.close()
        connection.used_at = now
        return connection.http

    def _messages(self) -> Any:
        """Builds requests only. Each call is executed on its own thread's connection."""
        with self._lock:
            if self._api is None:
                api = discovery.build(
                    "gmail",
                    "v1",
                    http=OnceHttp(),
                    client_options={"api_endpoint": self._endpoint} if self._endpoint else None,
                    cache_discovery=False,
                )
                self._api = api.users().messages()  # building it costs as much as a request
            return self._api


def _receipt(answer: Mapping[str, Any]) -> Receipt:
    return Receipt(str(answer["id"]), str(answer.get("threadId", answer["id"])))


def _listing(query: str, token: str | None) -> Callable[[Any], Any]:
    return lambda messages: messages.list(
        userId="me", q=query, maxResults=MOST_FOUND, pageToken=token
    )


def _found_page(answer: Mapping[str, Any]) -> tuple[list[Receipt], str | None]:
    return [_receipt(each) for each in answer.get("messages") or ()], answer.get("nextPageToken")


def _found_mail(answer: Mapping[str, Any]) -> FoundMail:
    return FoundMail(
        receipt=_receipt(answer),
        at=int(answer["internalDate"]),
        labels=frozenset(map(str, answer.get("labelIds") or ())),
        raw=base64.urlsafe_b64decode(str(answer["raw"]) + "=="),
    )
