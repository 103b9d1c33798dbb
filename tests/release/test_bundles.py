"""The bundles as Lambda gets them: small, the same every time, complete without this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.gmail_sandbox.process import GmailSandbox
from release.build_bundle import build
from release.bundles import Bundle, bundles, zip_of
from tests.suites import LONG

pytestmark = LONG  # each bundle is built four times

ROOT = Path(__file__).resolve().parents[2]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
FUNCTIONS = {
    "ApiFunction": "api",
    "RouterFunction": "stream_router",
    "MailerFunction": "audit_mailer",
    "StatementFunction": "daily_statement",
}
# What Lambda's Python already has.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
SEND = """
import json, sys
from functions.audit_mailer.gmail.mailbox import Gmail
key, endpoint = json.loads(sys.argv[1]), sys.argv[2]
who = "audit@shipcaptaincrew.example"
gmail = Gmail(lambda: key, who, "send", endpoint)
lines = [f"From: {who}", f"To: {who}", "Subject: hello", "", "from a bundle", ""]
print(gmail.send_audit_email_via_gmail("\\r\\n".join(lines).encode()).gmail_id)
gmail.search("AUD0000000000000000")
"""


@pytest.fixture(scope="module")
def for_aws(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """All of them for Lambda's platform, as `make build` makes them. By name."""
    folder = tmp_path_factory.mktemp("aws")
    for name, group in FUNCTIONS.items():
        build(ROOT, folder / name, group)
    return {each.name: each for each in bundles(folder)}


@pytest.fixture(scope="module")
def for_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them in a folder, for this machine's Python, so that they can run."""
    folder = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCC_BUILD_PYTHON", VERSION)
        patch.setenv("SCC_BUILD_PLATFORM", f"{os.uname().machine}-manylinux2014")
        for name, group in FUNCTIONS.items():
            build(ROOT, folder / name, group)
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runtime")
    (packages,) = (Path(sys.prefix) / "lib").glob("python3.*/site-packages")
    for name in RUNTIME:
        (folder / name).symlink_to(packages / name)
    return folder


def run_alone(code: str, *arguments: str, path: list[Path]) -> str:
    """Run code that sees the standard library and `path`, and nothing else of this machine."""
    start = f"import sys; sys.path[:0] = {[str(each) for each in path]!r}\n"
    command = [sys.executable, "-I", "-S", "-c", start + code, *arguments]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "alone"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_stays_within_its_limit_and_holds_nothing_that_lambda_has(
    for_aws: dict[str, Bundle], name: str
) -> None:
    bundle = for_aws[name]
    assert 0 < bundle.zipped <= bundle.limit
    assert bundle.superfluous == ()
    assert bundle.is_fine


def test_a_bundle_that_is_too_large_or_holds_boto3_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / "ApiFunction" / "boto3").mkdir(parents=True)
    (tmp_path / "RouterFunction").mkdir()
    (tmp_path / "RouterFunction" / "noise").write_bytes(os.urandom(4_000_001))
    api, router = bundles(tmp_path)
    assert (api.superfluous, api.is_fine) == (("boto3",), False)
    assert (router.superfluous, router.is_fine) == ((), False)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_input_makes_the_same_bundle(for_here: Path, tmp_path: Path, name: str) -> None:
    """For this Python, so that the compiled files are compared on every machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCC_BUILD_PYTHON", VERSION)
        patch.setenv("SCC_BUILD_PLATFORM", f"{os.uname().machine}-manylinux2014")
        build(ROOT, tmp_path / "again", FUNCTIONS[name])
    first, second = for_here / name, tmp_path / "again"
    assert list(first.rglob("*.pyc"))
    differing = [
        path.relative_to(first)
        for path in first.rglob("*")
        if path.is_file() and path.read_bytes() != (second / path.relative_to(first)).read_bytes()
    ]
    assert not differing
    assert zip_of(first) == zip_of(second)


def test_a_bundle_holds_no_tests_no_stubs_and_no_metadata_except_licenses(for_here: Path) -> None:
    files = [path for path in for_here.rglob("*") if path.is_file()]
    assert not [path for path in files if "tests" in path.parts or path.suffix == ".pyi"]
    metadata = [path.name.lower() for path in files if ".dist-info/" in path.as_posix()]
    assert metadata
    assert not [name for name in metadata if name in {"record", "metadata", "wheel", "installer"}]
    documents = for_here / "MailerFunction/googleapiclient/discovery_cache/documents"
    assert [path.name for path in documents.iterdir()] == ["gmail.v1.json"]


@pytest.mark.parametrize(
    ("name", "handler"),
    [
        ("ApiFunction", "functions.api.handler"),
        ("RouterFunction", "functions.stream_router.handler"),
        ("RouterFunction", "functions.stream_router.sweep_handler"),
        ("MailerFunction", "functions.audit_mailer.handler"),
        ("MailerFunction", "functions.audit_mailer.watch.handler"),
        ("StatementFunction", "functions.daily_statement.handler"),
    ],
)
def test_a_handler_loads_from_its_bundle_and_the_runtime_alone(
    for_here: Path, runtime: Path, name: str, handler: str
) -> None:
    code = f"from {handler} import lambda_handler; print(lambda_handler.__name__)"
    assert run_alone(code, path=[for_here / name, runtime]).strip()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_knows_the_business_zone_although_the_runtime_may_not(
    for_here: Path, name: str
) -> None:
    code = (
        "import zoneinfo; zoneinfo.reset_tzpath(()); "
        "from shared.ledger import business_day; from shared.settings import zone_named; "
        "print(business_day(1_764_036_000_000, zone_named('America/New_York')))"
    )
    assert run_alone(code, path=[for_here / name]).strip() == "2025-11-24"


def test_the_mailers_bundle_signs_in_sends_and_searches_with_what_it_holds(for_here: Path) -> None:
    with GmailSandbox.start() as sandbox:
        key = json.dumps(sandbox.service_account_info)
        sent = run_alone(SEND, key, f"{sandbox.url}/", path=[for_here / "MailerFunction"])
        (mail,) = sandbox.messages()
    assert mail["id"] == sent.strip()
    assert "from a bundle" in mail["text"]
