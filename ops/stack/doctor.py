"""The checks of `scc doctor`, one function each; none of them changes anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from ops.errors import OpsError, translate
from ops.rules.check_result import CheckResult
from ops.session import Session
from ops.stack.alarms import alarm_names, alarms_named, first_run_due, judged
from ops.stack.checks.wiring import mailer_mapping, queues, router_mapping, schedules, versions
from ops.stack.deeds import findings_of
from ops.stack.mailbox import AuditMailbox, gmail_settings, service_account_key
from ops.stack.platform import check_events_table, check_web_buckets
from shared.statements.bucket import Evidence, EvidenceDamagedError

MOST_SKEW_SECONDS = 60  # AWS refuses signatures after 5 minutes, Google's token endpoint earlier
SCOPES = "https://www.googleapis.com/auth/"
HEALTHY_STACK = frozenset({
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE",
})  # fmt: skip


def run_checks(session: Session) -> Iterator[CheckResult]:
    """Run every check, one at a time."""
    for name, look in _CHECKS.items():
        try:
            yield from look(session)
        except OpsError as error:
            yield CheckResult(name, "could not be checked", error.message)
        except Exception as error:
            told = translate(error)
            if told is None:
                raise
            yield CheckResult(name, "could not be checked", told.message)


def _credentials(session: Session) -> Iterator[CheckResult]:
    yield CheckResult("AWS credentials", session.aws.caller)


def _clock(session: Session) -> Iterator[CheckResult]:
    before = time.time()
    answer = session.aws.client("sts").get_caller_identity()
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    skew = parsedate_to_datetime(date).timestamp() - before if date else 0.0
    yield CheckResult(
        "clock",
        f"{abs(skew):.0f} s off AWS's clock",
        "" if abs(skew) <= MOST_SKEW_SECONDS else "Set this machine's clock (NTP).",
    )


def _stack(session: Session) -> Iterator[CheckResult]:
    name = session.aws.target.stack
    answer = session.aws.client("cloudformation").describe_stacks(StackName=name)
    status = answer["Stacks"][0]["StackStatus"]
    remedy = (
        ""
        if status in HEALTHY_STACK
        else "Read the stack's events, fix the cause and deploy again."
    )
    yield CheckResult("stack", f"{name} {status}", remedy)


def _app(session: Session) -> Iterator[CheckResult]:
    """The whole way in: CloudFront and the API's function URL."""
    domain, target = session.aws.output("DistributionDomainName"), session.aws.target
    origin = target.endpoint_url.rstrip("/") if target.is_local else f"https://{domain}"
    for name, path in (("web app", "/"), ("API", "/api/health")):
        request = Request(origin + path, headers={"Host": domain})  # noqa: S310 - http(s) only
        try:
            with urlopen(request, timeout=15) as answer:  # noqa: S310
                yield CheckResult(name, f"{answer.status} for {path}")
        except (URLError, OSError) as error:
            remedy = (
                "Run `scc web publish --stage prod`" if path == "/" else "Read the API's log group"
            )
            yield CheckResult(name, f"{path}: {error}", f"{remedy}, and check the distribution.")


def _statements(session: Session) -> Iterator[CheckResult]:
    """The last sealed one, and whether the next one can follow it."""
    evidence = Evidence(session.aws.client("s3"), session.aws.output("EvidenceBucketName"))
    zone = session.aws.output("BusinessTimezone")
    try:
        last = evidence.latest()
    except EvidenceDamagedError as error:
        remedy = "docs/runbook.md#statements-missing says what to do."
        yield CheckResult("statements", str(error), remedy)
        return
    if last is None:
        yield CheckResult("statements", f"none is sealed yet; days are those of {zone}")
        return
    sealed = str(last.record["timezone"])
    remedy = f"Deploy again with BusinessTimezone={sealed}: another zone is another stack."
    yield CheckResult(
        "statements",
        f"sealed until {last.day}, by days of {sealed}",
        "" if sealed == zone else remedy,
    )


def _gmail(session: Session) -> Iterator[CheckResult]:
    settings = gmail_settings(session)
    key = service_account_key(session, settings)
    yield CheckResult("Gmail credential", str(key.get("client_email", "")))
    scope = f"gmail.{'send' if settings.gmail_delivery_method == 'send' else 'insert'}"
    endpoint = settings.gmail_api_endpoint
    mine = {settings.mailbox: "scope to search"}
    if settings.watched is not None:
        mine |= {settings.watched: "audit mailbox"}
    yield from _granted("scope to deliver", key, settings.mailbox, endpoint, scope)
    for user, name in mine.items():
        mailbox = AuditMailbox(key, user, endpoint)
        try:
            found = sum(len(ids) for ids, _ in _first_page(mailbox))
        except OpsError as error:
            yield CheckResult(name, f"gmail.readonly of {user}", error.message)
        else:
            yield CheckResult(
                name, f"{user}: {found} mails found" if found else f"{user}: no mail yet"
            )


def _granted(name: str, key: Any, user: str, endpoint: str, scope: str) -> Iterator[CheckResult]:
    try:
        AuditMailbox(key, user, endpoint, SCOPES + scope).authorize()
    except OpsError as error:
        yield CheckResult(name, f"{scope} for {user}", error.message)
    else:
        yield CheckResult(name, f"{scope} for {user}")


def _first_page(mailbox: AuditMailbox) -> Iterator[tuple[list[str], str]]:
    pages = mailbox.find('subject:"SCC Audit"')
    page = next(pages, None)
    return iter([page] if page else [])


def _findings(session: Session) -> Iterator[CheckResult]:
    found = len(findings_of(session))
    yield CheckResult(
        "findings in the mailbox",
        f"{found} open" if found else "none open",
        "`scc findings ls` lists them, and where docs/runbook.md says what to do." if found else "",
    )


def _alarms(session: Session) -> Iterator[CheckResult]:
    names = list(alarm_names(session).values())
    found = alarms_named(session, names)
    now = datetime.now(UTC)
    for each in found:
        yield judged(each, session.aws.target.region, first_run_due(session, each, now))
    gone = sorted(set(names) - {each["AlarmName"] for each in found})
    for missing in gone:
        yield CheckResult(f"alarm {missing}", "missing", "Deploy the template again.")
    yield from _listeners(session)


def _listeners(session: Session) -> Iterator[CheckResult]:
    client, topic = session.aws.client("sns"), session.aws.output("AlarmTopicArn")
    listed = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    confirmed = [each for each in listed if each["SubscriptionArn"].startswith("arn:")]
    told = f"{len(confirmed)} confirmed of {len(listed)}"
    if confirmed or session.aws.target.is_local:
        yield CheckResult("alarm receivers", told)
    else:
        yield CheckResult(
            "alarm receivers", told, "Deploy with AlarmEmail=… and confirm the mail from Amazon."
        )


def _users(session: Session) -> Iterator[CheckResult]:
    pool = session.aws.output("UserPoolId")
    client = session.aws.client("cognito-idp")
    answer = client.list_users_in_group(UserPoolId=pool, GroupName="admins", Limit=60)
    enabled = sum(bool(each["Enabled"]) for each in answer["Users"])
    remedy = "" if enabled else "Nobody can log payments: scc users add EMAIL --group admins."
    yield CheckResult("admins", f"{enabled} can sign in", remedy)


_CHECKS: dict[str, Callable[[Session], Iterator[CheckResult]]] = {
    "AWS credentials": _credentials,
    "clock": _clock,
    "stack": _stack,
    "app": _app,
    "events table": check_events_table,
    "web buckets": check_web_buckets,
    "stream to router": router_mapping,
    "queue to mailer": mailer_mapping,
    "queues": queues,
    "schedules": schedules,
    "versions": versions,
    "statements": _statements,
    "Gmail": _gmail,
    "findings in the mailbox": _findings,
    "alarms": _alarms,
    "admins": _users,
}
