"""What a deployer can choose, what the defaults are, and what is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.template.transformed import Template, raw_template, template_for

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000000"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/scc-Payments/stream/2026-11-27T05:31:12.123"
WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/site/0a1b2c3d"
NEEDED = {"GmailServiceAccountEmail", "GmailAuditRecipient"}  # only the deployer can know these
PARAMETERS: dict[str, dict[str, Any]] = raw_template()["Parameters"]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_says_what_it_is_for_and_what_it_may_be(name: str) -> None:
    parameter = PARAMETERS[name]
    assert len(parameter["Description"]) > 20
    assert parameter.keys() & {"AllowedPattern", "AllowedValues", "MinValue"}
    assert ("Default" in parameter) is (name not in NEEDED)


@pytest.mark.parametrize("name", [each for each in PARAMETERS if each not in NEEDED])
def test_a_default_is_itself_allowed(name: str) -> None:
    parameter, default = PARAMETERS[name], PARAMETERS[name]["Default"]
    if "AllowedPattern" in parameter:
        assert re.search(parameter["AllowedPattern"], default)
    if "AllowedValues" in parameter:
        assert default in parameter["AllowedValues"]
    assert float(parameter.get("MinValue", 0)) <= float(default if "MinValue" in parameter else 0)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("AppName", "scc-east", "SCC"),
        ("AdminIamArns", "arn:aws:iam::123456789012:role/scripts", "arn:aws:iam::123456789012:*"),
        ("AdminIamArns", "arn:aws:iam::123456789012:user/a,arn:aws:iam::123456789012:role/b", "*"),
        (
            "AdminIamArns",
            "arn:aws:iam::123456789012:user/team/a,arn:aws:iam::123456789012:role/team/a",
            "arn:aws:iam::123456789012:role/team/*",
        ),
        ("AppOrigins", "https://pay.example.com", "pay.example.com"),
        ("AppOrigins", "https://a.example,https://b.example", "https://a.example/ https://b"),
        ("GmailServiceAccountEmail", "mailer@project.iam.gserviceaccount.com", "mailer"),
        ("GmailServiceAccountKey", "eyJ0eXAiOiJ4In0=", '{"type":"service_account"}'),
        ("GmailCredentialsSecretId", "scc/gmail", "arn:aws:secretsmanager:us-east-1:1:secret:x"),
        ("GmailAuditRecipient", "compliance@example.com", "compliance@example.com, b@c d"),
        ("GmailSender", "audit@example.com", "audit"),
        ("GmailWatchedMailbox", "ada@example.com", "nobody"),
        ("GmailWatchedMailbox", "none", "None"),
        ("GmailFormerRecipients", "a@example.com, b@example.com", "a@example.com b@example.com"),
        ("GmailApiEndpoint", "http://127.0.0.1:8025/", "http://127.0.0.1:8025"),
        ("LedgerStreamArn", STREAM, STREAM.partition("/stream")[0]),
        ("AlarmEmail", "ops@example.com", "ops"),
        ("Release", "4f0c9a1b22-d1116a55d3ac", "v1.2.3"),
        ("StatementSchedule", "rate(1 hour)", "hourly"),
        ("DomainName", "pay.example.com", "https://pay.example.com"),
        ("CertificateArn", CERTIFICATE, CERTIFICATE.replace("us-east-1", "eu-west-1")),
        ("AppUrl", "https://pay.example.com", "https://pay.example.com/"),
        ("AppUrl", "http://localhost:8000", "javascript:alert(1)"),
        ("WebAclArn", WEB_ACL, WEB_ACL.replace("global", "regional")),
        (
            "EventsTableName",
            "ShipCaptainCrew.Events_v2",
            "arn:aws:dynamodb:us-east-1:1:table/Events",
        ),
        ("WebBucketName", "shipcaptaincrew-dispatch-prod", "s3://shipcaptaincrew-dispatch-prod/"),
        ("StagingWebBucketName", "dispatch.example.com", "Dispatch"),
    ],
)
def test_a_typo_is_refused_before_anything_is_deployed(name: str, good: str, bad: str) -> None:
    pattern = PARAMETERS[name]["AllowedPattern"]
    assert re.search(pattern, good)
    assert not re.search(pattern, bad)


def test_a_public_function_url_is_for_the_emulator_only() -> None:
    rule = raw_template()["Rules"]["OnlyTheEmulatorHasAPublicUrl"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "ApiUrlAuthType"}, "NONE"]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "Stage"}, "local"]}
    assert PARAMETERS["ApiUrlAuthType"]["Default"] == "AWS_IAM"


def test_by_default_there_is_no_domain_web_acl_or_reserved_concurrency() -> None:
    config = distribution(template_for("prod"))
    assert not config.keys() & {"Aliases", "ViewerCertificate", "WebACLId"}
    assert "ReservedConcurrentExecutions" not in template_for("prod")["ApiFunction"]


def test_a_domain_brings_its_certificate_and_refuses_old_tls() -> None:
    """CloudFront's own certificate allows TLS 1.0, whatever the distribution says."""
    config = distribution(
        template_for("prod", DomainName="pay.example.com", CertificateArn=CERTIFICATE)
    )
    assert config["Aliases"] == ["pay.example.com"]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }


def test_a_web_acl_protects_the_site() -> None:
    assert distribution(template_for("prod", WebAclArn=WEB_ACL))["WebACLId"] == WEB_ACL


def test_the_apis_concurrency_can_be_reserved_but_never_the_mailers() -> None:
    """A throttled mailer uses up receives, and its messages end up in the dead-letter queue."""
    template = template_for("prod", ApiReservedConcurrency="20")
    reserved = {
        name: function["ReservedConcurrentExecutions"]
        for name, function in template.of_type("AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in function
    }
    assert reserved == {"ApiFunction": "20"}


@pytest.mark.parametrize("function", ["MailerFunction", "StatementFunction"])
def test_the_longest_gmail_key_fits_into_the_environment(function: str) -> None:
    template = template_for(
        "prod",
        AppName="shipcaptaincrew-staging",
        GmailCredentialsSecretId="",
        GmailServiceAccountKey="k" * PARAMETERS["GmailServiceAccountKey"]["MaxLength"],
        GmailServiceAccountEmail="audit-mailer@shipcaptaincrew.iam.gserviceaccount.com",
        GmailAuditRecipient="compliance@shipcaptaincrew.example",
        GmailSender="compliance@shipcaptaincrew.example",
    )
    variables = template[function]["Environment"]["Variables"]
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/shipcaptaincrew-staging-audit-dlq"
    filled = {
        name: (url if name.endswith("_URL") else "shipcaptaincrew-staging-AuditDeliveries")
        if isinstance(value, dict)
        else str(value)
        for name, value in variables.items()
    }
    assert len(json.dumps(filled)) < 4096, "AWS's limit for all variables together"


def test_a_secret_and_a_key_are_never_both_in_use() -> None:
    with_secret = template_for("prod")["MailerFunction"]["Environment"]["Variables"]
    assert with_secret["GMAIL_CREDENTIALS_SECRET_ID"] == "gmail"
    assert "GMAIL_SERVICE_ACCOUNT_KEY" not in with_secret
    with_key = template_for("prod", GmailCredentialsSecretId="", GmailServiceAccountKey="a2V5")
    assert not [
        each
        for role in ("MailerRole", "StatementRole")
        for each in with_key.statements(role)
        if "secretsmanager" in str(each["Action"])
    ]


@pytest.mark.parametrize(
    ("chosen", "address"),
    [
        ({}, {"Fn::Sub": "https://${Distribution.DomainName}"}),
        (
            {"DomainName": "pay.example.com", "CertificateArn": CERTIFICATE},
            {"Fn::Sub": "https://${DomainName}"},
        ),
        ({"AppUrl": "https://books.example.com"}, "https://books.example.com"),
    ],
)
def test_mails_link_to_the_app_wherever_it_is(chosen: dict[str, str], address: Any) -> None:
    variables = template_for("prod", **chosen)["MailerFunction"]["Environment"]["Variables"]
    assert variables["APP_URL"] == address


def distribution(template: Template) -> dict[str, Any]:
    config: dict[str, Any] = template["Distribution"]["DistributionConfig"]
    return config
