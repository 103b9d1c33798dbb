from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

from tests.template.transformed import Template, strings, template_for

ROOT = Path(__file__).parents[2]
NODE = str(compute_driver_executable()[0])  # Playwright brings its own Node.js
ALL_METHODS = {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def distribution(template: Template) -> dict[str, Any]:
    config: dict[str, Any] = template["Distribution"]["DistributionConfig"]
    return config


def behaviors(template: Template) -> dict[str, dict[str, Any]]:
    config = distribution(template)
    named = {each["PathPattern"]: each for each in config["CacheBehaviors"]}
    return {"default": config["DefaultCacheBehavior"]} | named


def test_cloudfront_holds_both_permissions_that_a_signed_function_url_needs(
    prod: Template,
) -> None:
    permissions = prod.of_type("AWS::Lambda::Permission").values()
    by_action = {each["Action"]: each for each in permissions}
    assert by_action.keys() == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert by_action["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == "AWS_IAM"
    assert by_action["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True
    for each in permissions:
        assert each["Principal"] == "cloudfront.amazonaws.com"
        assert "distribution/${Distribution}" in each["SourceArn"]["Fn::Sub"]
        assert each["FunctionName"] == prod["ApiFunctionUrl"]["TargetFunctionArn"]


def test_the_function_url_is_signed_for_in_aws(prod: Template) -> None:
    assert prod["ApiFunctionUrl"]["AuthType"] == "AWS_IAM"
    for each in prod.of_type("AWS::CloudFront::OriginAccessControl").values():
        config = each["OriginAccessControlConfig"]
        assert (config["SigningBehavior"], config["SigningProtocol"]) == ("always", "sigv4")
    assert all(each["OriginAccessControlId"] for each in distribution(prod)["Origins"])


def test_errors_are_neither_replaced_by_a_page_nor_remembered(prod: Template) -> None:
    """CloudFront caches a GET's 5xx for ten seconds, and its key has neither query nor cookie.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
    """
    answers = distribution(prod)["CustomErrorResponses"]
    assert {each["ErrorCode"] for each in answers} == {500, 502, 503, 504}
    for each in answers:
        assert each["ErrorCachingMinTTL"] == 0
        assert each.keys() == {"ErrorCode", "ErrorCachingMinTTL"}


@pytest.mark.parametrize("path", ["/api/*", "/g/*/waiver"])
def test_the_api_is_neither_cached_nor_sent_a_foreign_host(prod: Template, path: str) -> None:
    behavior = behaviors(prod)[path]
    assert behavior["TargetOriginId"] == "api"
    assert set(behavior["AllowedMethods"]) == ALL_METHODS
    assert behavior["CachePolicyId"] == CACHING_DISABLED
    assert behavior["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST
    assert "FunctionAssociations" not in behavior


def test_viewers_speak_tls_and_a_write_is_never_redirected(prod: Template) -> None:
    policies = {path: each["ViewerProtocolPolicy"] for path, each in behaviors(prod).items()}
    assert policies.pop("/api/*") == "https-only"
    assert set(policies.values()) == {"redirect-to-https"}
    local = behaviors(template_for("local")).values()
    assert {each["ViewerProtocolPolicy"] for each in local} == {"allow-all"}


def test_every_answer_carries_the_security_headers(prod: Template) -> None:
    for behavior in behaviors(prod).values():
        policy = prod[behavior["ResponseHeadersPolicyId"]["Ref"]]["ResponseHeadersPolicyConfig"]
        headers = policy["SecurityHeadersConfig"]
        csp = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]
        assert "default-src 'self'" in csp
        assert "frame-ancestors 'none'" in csp
        assert "unsafe" not in csp
        assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31536000
        assert headers["ContentTypeOptions"] == {"Override": True}
    custom = {
        name: {each["Header"]: each["Value"] for each in policy["CustomHeadersConfig"]["Items"]}
        for name, each in prod.of_type("AWS::CloudFront::ResponseHeadersPolicy").items()
        for policy in [each["ResponseHeadersPolicyConfig"]]
    }
    assert custom["ApiHeaders"]["Cache-Control"] == "no-store"
    assert custom["StagingHeaders"]["X-Robots-Tag"] == "noindex"


def test_buckets_are_closed_to_everyone_but_our_distribution(prod: Template) -> None:
    for bucket in prod.of_type("AWS::S3::Bucket").values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    for policy in prod.of_type("AWS::S3::BucketPolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
                assert statement["Action"] == "s3:GetObject"
                assert "distribution/${Distribution}" in "".join(strings(statement["Condition"]))


def test_nothing_depends_on_the_authorization_header_which_cloudfront_overwrites() -> None:
    code = [*(ROOT / "functions" / "api").glob("*.py"), *(ROOT / "web" / "scripts").glob("*.js")]
    assert code
    for file in code:
        assert not re.search(r"[\"']authorization[\"']", file.read_text(), re.IGNORECASE), file


def test_the_staging_page_has_a_bucket_of_its_own_and_no_more_rights_than_the_page(
    prod: Template,
) -> None:
    """It shares origin, cookies and API with the real page, so it may do the same in a browser."""
    assert behaviors(prod)["/_staging/*"]["TargetOriginId"] == "staging"
    (read, _) = prod["StagingWebBucketPolicy"]["PolicyDocument"]["Statement"]
    assert read["Resource"] == {"Fn::Sub": "${StagingWebBucket.Arn}/_staging/*"}
    page, staging = (
        prod[name]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
        for name in ("WebHeaders", "StagingHeaders")
    )
    assert staging == page


@pytest.mark.parametrize(
    ("asked", "fetched"),
    [
        ("/", "/index.html"),
        ("/g/sunset-charter", "/index.html"),
        ("/g/sunset-charter/", "/index.html"),
        ("/index.html", "/index.html"),
        ("/scripts/app.js", "/scripts/app.js"),
        ("/g/", "/g/"),
        ("/g/sunset-charter/waiver", "/g/sunset-charter/waiver"),
        ("/api/events", "/api/events"),
        ("/_staging/", "/_staging/index.html"),
        ("/_staging/g/sunset-charter", "/_staging/index.html"),
        ("/_staging/scripts/app.js", "/_staging/scripts/app.js"),
        ("/_stagingg/", "/_stagingg/"),
    ],
)
def test_pages_are_served_by_index_html_and_everything_else_by_itself(
    prod: Template, asked: str, fetched: str
) -> None:
    assert routed(prod, asked) == {"uri": fetched}


def test_staging_without_its_slash_redirects_to_where_links_work(prod: Template) -> None:
    answer = routed(prod, "/_staging")
    assert answer["statusCode"] == 302
    assert answer["headers"]["location"]["value"] == "/_staging/"


def test_routing_holds_for_every_behavior_that_reads_a_web_bucket(prod: Template) -> None:
    for behavior in behaviors(prod).values():
        if behavior["TargetOriginId"] != "api":
            (association,) = behavior["FunctionAssociations"]
            assert association["EventType"] == "viewer-request"
            assert association["FunctionARN"] == {"Fn::GetAtt": ["WebRouting", "FunctionARN"]}


def routed(template: Template, path: str) -> dict[str, Any]:
    event = json.dumps({"request": {"uri": path}})
    code = template["WebRouting"]["FunctionCode"]
    program = f"{code}\nconsole.log(JSON.stringify(handler({event})))"
    done = subprocess.run([NODE, "-e", program], check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
