"""The first design anyone would build: the request writes the payment and sends its mail itself.

Validation, ledger and mail are our own code, so that only the design differs: the admin waits for
Gmail, and if Gmail does not accept the mail, the request fails. It is the baseline of the latency
rows and runs nowhere else.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import boto3

from functions.api import handler as api
from functions.audit_mailer import wiring
from functions.audit_mailer.gmail.failures import DeliveryError
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.payment_mail import compose
from shared.ledger import LedgerEntry


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer 200 only if the payment is written and Gmail has accepted its mail."""
    answer: dict[str, Any] = api.lambda_handler(event, context)
    if answer["statusCode"] != 200:
        return answer
    row = LedgerEntry.from_row(json.loads(answer["body"])["payment"]).to_row()
    mail = compose(row, wiring.gmail_settings().addresses)
    try:
        _gmail().send_audit_email_via_gmail(mail.content)
    except DeliveryError as error:
        detail = f"The payment is logged, but its audit mail was not sent: {error}"
        return {"statusCode": 502, "body": json.dumps({"detail": detail})}
    return answer


@cache
def _gmail() -> Gmail:
    settings = wiring.gmail_settings()
    secrets = boto3.client("secretsmanager")
    key = settings.service_account(
        lambda name: str(secrets.get_secret_value(SecretId=name)["SecretString"])
    )
    return Gmail(lambda: key, settings.sender, "send", settings.gmail_api_endpoint)
