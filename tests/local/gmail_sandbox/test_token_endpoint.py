import json
import time
import urllib.parse
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth import crypt, jwt
from google.auth.exceptions import RefreshError

from local.gmail_sandbox.process import GmailSandbox
from tests.local.gmail_sandbox.client import (
    AUDIT,
    GMAIL,
    body_of,
    compose,
    fetch,
    messages_of,
    refusal_of,
)

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def ask(sandbox: GmailSandbox, assertion: str, grant_type: str = JWT_BEARER) -> tuple[int, Any]:
    form = urllib.parse.urlencode({"grant_type": grant_type, "assertion": assertion}).encode()
    status, body = fetch(sandbox.url + "/token", data=form)
    return status, json.loads(body)


def sign(sandbox: GmailSandbox, key: str | None = None, **changed: Any) -> str:
    info, now = sandbox.service_account_info, int(time.time())
    claims = {
        "iss": info["client_email"],
        "aud": "https://oauth2.googleapis.com/token",
        "iat": now,
        "exp": now + 3600,
        "scope": GMAIL + "send",
        "sub": AUDIT,
    } | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    signer = crypt.RSASigner.from_string(key or info["private_key"])  # type: ignore[no-untyped-call]
    return bytes(jwt.encode(signer, claims)).decode()  # type: ignore[no-untyped-call]


def test_a_well_signed_assertion_gets_a_bearer_token(gmail: GmailSandbox) -> None:
    status, body = ask(gmail, sign(gmail))
    assert status == 200
    assert body["token_type"] == "Bearer"
    assert 3500 < body["expires_in"] <= 3600
    assert body["access_token"].startswith("ya29.")


def test_a_signature_of_another_key_is_refused(gmail: GmailSandbox) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    assert ask(gmail, sign(gmail, key=stranger.decode())) == (
        400,
        {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
    )


def test_claims_changed_after_signing_are_refused(gmail: GmailSandbox) -> None:
    header, _, signature = sign(gmail).split(".")
    _, other_claims, _ = sign(gmail, sub="else@shipcaptaincrew.example").split(".")
    status, body = ask(gmail, f"{header}.{other_claims}.{signature}")
    assert (status, body["error_description"]) == (400, "Invalid JWT Signature.")


NOW = int(time.time())


@pytest.mark.parametrize(
    ("claims", "status", "error", "words"),
    [
        ({"iss": "else@x.iam.gserviceaccount.com"}, 400, "invalid_grant", "verifier found"),
        ({"aud": "http://localhost/token"}, 400, "invalid_grant", "audience check"),
        ({"iat": NOW - 7200, "exp": NOW - 3600}, 400, "invalid_grant", "short-lived token"),
        ({"iat": NOW + 3600, "exp": NOW + 7200}, 400, "invalid_grant", "short-lived token"),
        ({"iat": NOW, "exp": NOW + 66 * 60}, 400, "invalid_grant", "short-lived token"),
        ({"iat": None}, 400, "invalid_grant", "short-lived token"),
        ({"exp": "soon"}, 400, "invalid_grant", "short-lived token"),
        ({"scope": None}, 400, "invalid_scope", "Invalid OAuth scope"),
        ({"scope": GMAIL + "everything"}, 400, "invalid_scope", "Invalid OAuth scope"),
        ({"scope": GMAIL + "modify"}, 401, "unauthorized_client", "Client is unauthorized"),
        ({"scope": f"{GMAIL}send {GMAIL}modify"}, 401, "access_denied", "not authorized"),
        ({"sub": "captain@elsewhere.example"}, 401, "unauthorized_client", "Client is unauth"),
        ({"sub": "captain"}, 400, "invalid_grant", "Invalid email or User ID"),
        ({"sub": "captäin@shipcaptaincrew.example"}, 400, "invalid_grant", "Invalid email"),
    ],
)
def test_a_claim_that_google_refuses_is_refused_in_its_words(
    gmail: GmailSandbox, claims: dict[str, Any], status: int, error: str, words: str
) -> None:
    answered, body = ask(gmail, sign(gmail, **claims))
    assert (answered, body["error"]) == (status, error)
    assert words in body["error_description"]


@pytest.mark.parametrize("assertion", ["", "abc", "a.b.c", "ä.ö.ü", "W10.W10.W10", "e30.e30.e30"])
def test_garbage_instead_of_an_assertion_is_a_400(gmail: GmailSandbox, assertion: str) -> None:
    assert ask(gmail, assertion)[0] == 400


def test_other_grant_types_are_unsupported(gmail: GmailSandbox) -> None:
    status, body = ask(gmail, sign(gmail), grant_type="refresh_token")
    assert (status, body["error"]) == (400, "unsupported_grant_type")


def test_an_unknown_token_is_answered_as_gmail_does(gmail: GmailSandbox) -> None:
    url = gmail.url + "/gmail/v1/users/me/messages/send"
    for headers in ({}, {"Authorization": "Bearer ya29.invented"}, {"Authorization": "Basic eA=="}):
        status, body = fetch(url, data=b"{}", headers=headers)
        error = json.loads(body)["error"]
        assert (status, error["status"]) == (401, "UNAUTHENTICATED")
        assert error["errors"][0]["reason"] == "authError"


def test_a_service_account_without_a_user_has_no_mailbox(gmail: GmailSandbox) -> None:
    status, body = ask(gmail, sign(gmail, sub=None))
    assert status == 200
    status, answer = fetch(
        gmail.url + "/gmail/v1/users/me/messages/send",
        data=json.dumps(body_of(compose())).encode(),
        headers={"Authorization": "Bearer " + body["access_token"]},
    )
    error = json.loads(answer)["error"]
    assert (status, error["message"]) == (400, "Precondition check failed.")
    assert error["errors"][0]["reason"] == "failedPrecondition"


def test_a_method_needs_its_scope(gmail: GmailSandbox) -> None:
    sender, reader = messages_of(gmail, scopes=("send",)), messages_of(gmail, scopes=("readonly",))
    inserter = messages_of(gmail, scopes=("insert",))
    for refused in (
        reader.send(userId="me", body=body_of(compose())),
        reader.import_(userId="me", body=body_of(compose())),
        sender.insert(userId="me", body=body_of(compose())),
        sender.list(userId="me"),
        inserter.get(userId="me", id="1"),
    ):
        error = refusal_of(refused)
        assert (error["code"], error["errors"][0]["reason"]) == (403, "insufficientPermissions")
    assert gmail.messages() == []


def test_the_user_in_the_address_must_be_the_delegated_one(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    assert messages.send(userId=AUDIT.upper(), body=body_of(compose())).execute()["id"]
    other = messages.send(userId="else@shipcaptaincrew.example", body=body_of(compose()))
    error = refusal_of(other)
    assert (error["code"], error["message"]) == (403, f"Delegation denied for {AUDIT}")


def test_revoking_the_delegation_stops_tokens_that_were_issued(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    messages.send(userId="me", body=body_of(compose())).execute()
    gmail.post_fault({"kind": "revoke_delegation"})
    with pytest.raises(RefreshError, match="unauthorized_client") as caught:
        messages.send(userId="me", body=body_of(compose())).execute()
    assert not caught.value.retryable
    gmail.clear_faults()
    messages.send(userId="me", body=body_of(compose())).execute()
    assert len(gmail.messages()) == 2


def test_a_user_whom_the_domain_does_not_have_gets_no_token(gmail: GmailSandbox) -> None:
    gone = "gone@shipcaptaincrew.example"
    messages, others = messages_of(gmail, gone), messages_of(gmail)
    messages.list(userId="me").execute()
    others.list(userId="me").execute()
    gmail.post_fault({"kind": "unknown_user", "user": gone})
    status, body = ask(gmail, sign(gmail, sub=gone.upper()))
    assert (status, body["error"]) == (400, "invalid_grant")
    assert body["error_description"] == "Invalid email or User ID"
    with pytest.raises(RefreshError, match="Invalid email or User ID"):
        messages.list(userId="me").execute()
    others.list(userId="me").execute()


def test_a_skewed_clock_makes_a_good_assertion_stale(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "clock_skew", "times": 1})
    with pytest.raises(RefreshError, match="short-lived token"):
        messages_of(gmail).send(userId="me", body=body_of(compose())).execute()
    messages_of(gmail).send(userId="me", body=body_of(compose())).execute()
