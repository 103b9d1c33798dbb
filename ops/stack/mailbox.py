"""The compliance mailbox, read with the mailer's credential and `gmail.readonly`."""

from __future__ import annotations

import base64
import os
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal

import google_auth_httplib2
from botocore.exceptions import ClientError
from google.auth.exceptions import GoogleAuthError, TransportError
from google.oauth2 import service_account
from googleapiclient import discovery
from googleapiclient.errors import HttpError
from httplib2 import Http, HttpLib2Error

from functions.audit_mailer.delivery.pacing import (
    PER_MINUTE,
    READ_UNITS,
    SEARCH_UNITS,
    UNITS,
    NoSlotError,
    Pacer,
    Rate,
)
from functions.audit_mailer.gmail.failures import (
    DeliveryError,
    classify,
    is_about_user,
    is_not_found,
)
from functions.audit_mailer.gmail.mailbox import is_gmail_id
from functions.audit_mailer.gmail.paced import Paced
from functions.audit_mailer.settings import GmailSettings
from ops.errors import OpsError
from ops.offline.box import Mailbox
from ops.offline.mails import read_mail
from ops.rules.hits import Hit, hits_in
from ops.session import Session
from ops.stack.functions import live_settings
from ops.terminal.safe_text import safe
from shared.settings import SettingsError, read_settings
from shared.text import search_token

READ_SCOPE = "https://www.googleapis.com/auth/gmail.readonly"
TIMEOUT_SECONDS = 30
MOST_KEPT = 5_000  # mails, read and kept small
Where = Literal["in the mailbox", "in the trash or in spam", "nowhere", "came back"]
ALONE_MS = 30  # for a unit of the quota, by who may not see what mailers use: a third of it


def gmail_settings(session: Session) -> GmailSettings:
    """The mailer's Gmail settings; this shell's GMAIL_* variables win. Raises OpsError."""
    configuration = live_settings(session, "MailerFunctionName")
    environ = dict(configuration.get("Environment", {}).get("Variables", {}))
    mine = {key: value for key, value in os.environ.items() if key.startswith("GMAIL_") and value}
    if "GMAIL_SERVICE_ACCOUNT_KEY" in mine:
        environ.pop("GMAIL_CREDENTIALS_SECRET_ID", None)
    try:
        settings = read_settings(GmailSettings, environ | mine)
        settings.check()
        settings.check_watched()
    except SettingsError as error:
        raise OpsError(f"The mailer's Gmail settings are incomplete: {error}.") from error
    return settings


def service_account_key(session: Session, settings: GmailSettings) -> Mapping[str, Any]:
    """The Gmail credential, from this shell or the stack's secret. Raises OpsError."""

    def read_secret(secret_id: str) -> str:
        client = session.aws.client("secretsmanager")
        try:
            return str(client.get_secret_value(SecretId=secret_id)["SecretString"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise OpsError(
                f"There is no secret {secret_id}: store the key with `make gmail-key`, or set "
                "GMAIL_SERVICE_ACCOUNT_KEY (base64 JSON)."
            ) from error

    try:
        return settings.service_account(read_secret)
    except SettingsError as error:
        raise OpsError(f"The Gmail credential cannot be used: {error}.") from error


class SharedQuota:
    """The quota as the mailers keep it, or a part of it for who has no right to do so."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._free_at = 0
        self._is_alone = False

    @classmethod
    def of(cls, session: Session, settings: GmailSettings) -> SharedQuota:
        method = settings.method
        per_minute = settings.gmail_sends_per_minute or PER_MINUTE[method]
        return cls(
            Pacer(
                session.aws.client("dynamodb"),
                session.aws.output("DeliveriesTableName"),
                user=settings.watched or settings.gmail_audit_recipient,
                rate=Rate(per_minute, UNITS[method]),
                probe_ms=0,  # only mailers probe
            )
        )

    def reserve_reading(self, now: int, units: int) -> None:
        """As Pacer does. Raises NoSlotError."""
        if not self._is_alone:
            try:
                self._pacer.reserve_reading(now, units)
            except ClientError as error:
                if error.response["Error"]["Code"] != "AccessDeniedException":
                    raise
                self._is_alone = True
        if self._is_alone:
            if now < self._free_at:
                raise NoSlotError(self._free_at - now)
            self._free_at = now + units * ALONE_MS


class NoSuchMailError(OpsError):
    """It was deleted, or never was there."""


class AuditMailbox:
    """Finds and reads mails. Raises OpsError when Google refuses or does not answer."""

    def __init__(
        self,
        key: Mapping[str, Any],
        user: str,
        endpoint: str = "",
        scope: str = READ_SCOPE,
        paced: Paced | None = None,
    ) -> None:
        self._paced = paced
        self._kept: dict[str, Mailbox] = {}
        try:
            credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                key, scopes=[scope], subject=user
            )
        except (ValueError, GoogleAuthError) as error:
            raise OpsError("The service account's private key is not valid.") from error
        self._user = user
        self._scope = scope.rpartition("/")[2]
        self._credentials = credentials
        self._http = google_auth_httplib2.AuthorizedHttp(
            credentials, http=Http(timeout=TIMEOUT_SECONDS)
        )
        weakref.finalize(self, self._http.close)
        api = discovery.build(
            "gmail",
            "v1",
            http=self._http,
            client_options={"api_endpoint": endpoint} if endpoint else None,
            cache_discovery=False,
        )
        self._messages: Any = api.users().messages()
        self._users: Any = api.users()

    @classmethod
    def of(cls, session: Session) -> AuditMailbox:
        settings = gmail_settings(session)
        if settings.watched is None:
            raise OpsError(
                "The stack's parameter GmailWatchedMailbox is none: nobody may read the mailbox. "
                "Deploy with the address of a Workspace user who gets the audit mails."
            )
        return cls(
            service_account_key(session, settings),
            settings.watched,
            settings.gmail_api_endpoint,
            paced=Paced(quota=SharedQuota.of(session, settings)),
        )

    def find(self, query: str, page_token: str = "") -> Iterator[tuple[list[str], str]]:
        """Pages of message ids, each with the token for the next page."""
        while True:
            request = self._messages.list(
                userId="me",
                q=f"{query} in:anywhere",
                includeSpamTrash=True,
                maxResults=100,
                pageToken=page_token or None,
            )
            answer = self._execute(request, SEARCH_UNITS)
            page_token = str(answer.get("nextPageToken") or "")
            yield [str(each["id"]) for each in answer.get("messages") or ()], page_token
            if not page_token:
                return

    def mail(self, gmail_id: str) -> Mailbox:
        """One mail, as the offline verifier reads it, wherever in Gmail it lies.

        The first ones are kept: a reconciliation meets each mail twice, and each time costs quota.
        """
        if gmail_id not in self._kept:
            content, labels = self._raw(gmail_id)
            box = read_mail(content, "the mail", labels)
            if len(self._kept) >= MOST_KEPT:
                return box
            self._kept[gmail_id] = box
        return self._kept[gmail_id]

    def content(self, gmail_id: str) -> bytes:
        """One mail, byte by byte."""
        return self._raw(gmail_id)[0]

    def hits_of(self, payment_id: str, sent_as: str = "") -> list[Hit]:
        """The entry's own mails, read: replies and forwards quote its token, but do not count.

        sent_as: the Gmail id that its delivery names, as a search lags behind the mailbox.
        """
        ids = self.ids_about(payment_id)
        read = [(each, self.mail(each)) for each in ids]
        if sent_as and sent_as not in ids:
            with suppress(NoSuchMailError):
                read.append((sent_as, self.mail(sent_as)))
        return list(hits_in(read))

    def ids_about(self, own_id: str) -> list[str]:
        """What a search finds about an entry, statement or ops record; forwards, too."""
        query = f'"{search_token(own_id)}"'
        return list(dict.fromkeys(each for found, _ in self.find(query) for each in found))

    def place_of(self, gmail_ids: Iterable[str]) -> Where:
        """Where these mails are. Forwards and replies are nowhere; the best place counts."""
        places = [is_well for each in gmail_ids for is_well in self._places(each)]
        if not places:
            return "nowhere"
        return "in the mailbox" if any(places) else "in the trash or in spam"

    def _places(self, gmail_id: str) -> list[bool]:
        try:
            return [*self.mail(gmail_id).seen.values()]
        except NoSuchMailError:
            return []

    def authorize(self) -> None:
        """Only ask Google for a token."""
        self._guarded(
            lambda: self._credentials.refresh(google_auth_httplib2.Request(self._http.http))
        )

    def _raw(self, gmail_id: str) -> tuple[bytes, list[str]]:
        none = NoSuchMailError(f"{self._user} has no mail {safe(gmail_id[:64])}.")
        if not is_gmail_id(gmail_id):
            raise none
        try:
            answer = self._execute(
                self._messages.get(userId="me", id=gmail_id, format="raw"), READ_UNITS
            )
        except OpsError as error:
            cause = error.__cause__
            if isinstance(cause, HttpError) and is_not_found(classify(cause, "gmail", time.time())):
                raise none from cause
            raise
        content = base64.urlsafe_b64decode(str(answer["raw"]))
        return content, [str(each) for each in answer.get("labelIds", ())]

    def _execute(self, request: Any, units: int) -> dict[str, Any]:
        def once() -> dict[str, Any]:
            try:
                answer: dict[str, Any] = request.execute(num_retries=0)
            except GoogleAuthError:
                raise  # about all calls, and in words of its own
            except Exception as error:  # sockets, HTTP framing, an unreadable answer
                raise DeliveryError(classify(error, "gmail", time.time())) from error
            return answer

        def paced() -> dict[str, Any]:
            try:
                return self._paced.call(units, once) if self._paced else once()
            except DeliveryError as error:
                raise error.__cause__ or error from None

        answer: dict[str, Any] = self._guarded(paced)
        return answer

    def _guarded(self, call: Any) -> Any:
        try:
            return call()
        except HttpError as error:
            told = f"{error.resp.status} {safe(str(error.reason)).rstrip('.')}"
            raise OpsError(f"Gmail does not let us read {self._user}: {told}.") from error
        except TransportError as error:
            told = safe(str(error))
            raise OpsError(f"Gmail cannot be reached: {told}. Check the network.") from error
        except GoogleAuthError as error:
            raise OpsError(_token_refusal(error, self._user, self._scope)) from error
        except (OSError, HttpLib2Error) as error:
            told = safe(f"{type(error).__name__}: {error}")
            raise OpsError(f"Gmail cannot be reached: {told}. Check the network.") from error


def _token_refusal(error: GoogleAuthError, user: str, scope: str) -> str:
    """What the token endpoint said, and what to do about it."""
    failure = classify(error, "token", time.time())
    told = safe(f"{failure.code}: {failure.message}").rstrip(".")
    if is_about_user(failure):
        remedy = f"Check that {user} is a user of the Workspace domain."
    elif failure.klass == "systemic":
        remedy = (
            "Check the service account's key and its domain-wide delegation, which must list "
            f"{scope}."
        )
    else:
        remedy = "Try again in a minute."
    return f"Google refuses a token for {user}: {told}. {remedy}"
