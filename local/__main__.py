"""`make run`: start the emulator and the Gmail sandbox, deploy template.yaml, open the front door.

`Stack.start` has the steps in order. Each prints its name and how long it took.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from local import processes
from local.credentials import SECRET_ID, service_account, store_secret
from local.demo.data import load_events, load_users
from local.demo.people import DOMAIN
from local.engine import deployment, left_out
from local.engine import ministack as engine
from local.engine.aws import LocalAws
from local.processes import Child, ChildFailedError
from local.screen import Progress, ready_screen
from local.settings import REPOSITORY, Settings, SettingsError
from local.state import claim, empty, refuse_other_layout, write_layout
from release.web_publish import invalidate, publish

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AUDIT_RECIPIENT = f"audit@{DOMAIN}"


class StopRequestedError(Exception):
    """SIGINT or SIGTERM arrived."""


class Stack:
    """The processes of one run and what they serve."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.aws = LocalAws(settings.engine_url)
        self.children: list[Child] = []
        self.outputs: dict[str, str] = {}

    def start(self, progress: Progress) -> None:
        settings, aws = self.settings, self.aws
        with deployment.Build(settings.logs, engine.python_version()) as building:
            with progress.step("AWS emulator"):
                emulator = self._add(engine.start_engine(settings))
                account = service_account(settings)
                engine.wait_for_engine(settings, emulator)
            with progress.step("Gmail sandbox"):
                sandbox = self._add(self._start_sandbox())
                processes.wait_until_answering(sandbox, f"{settings.mail_url}/", 30)
                store_secret(aws, account)
            with progress.step("sam build") as step:
                built = building.finish()
                if not building.is_new:
                    step.note("unchanged")
        with progress.step("sam deploy") as step:
            if not deployment.deploy(settings, aws, built, self._parameters(account)):
                step.note("unchanged")
            self.outputs = deployment.outputs(aws)
            left_out.complete(aws, deployment.STACK_NAME, built)
        with progress.step("web client"):
            self._publish()
        with progress.step("demo data") as step:
            events = load_events(
                aws, self.outputs["EventsTableName"], dt.datetime.now(dt.UTC).date()
            )
            load_users(aws, self.outputs["UserPoolId"], settings.demo_password)
            step.note(f"{events} events added" if events else "kept")
        with progress.step("front door"):
            door = self._add(self._open_front_door())
            processes.wait_until_answering(door, f"http://127.0.0.1:{settings.port}/api/health", 60)
        with progress.step("sweep for unmailed entries"):
            # Nothing else picks up yet what was in the stream when the emulator stopped.
            self._invoke("SweepFunctionName", {"grace_seconds": 0})
        with progress.step("statements of the last days"):
            self._invoke("StatementFunctionName", {})

    def watch(self) -> None:
        """Never return; raise when a process ends or a signal asks us to stop."""
        while True:
            for child in self.children:
                child.refuse_death()
            time.sleep(0.5)

    def stop(self, progress: Progress) -> None:
        """Stop the last one started first. The emulator saves its state."""
        self.settings.stack_file.unlink(missing_ok=True)
        for child in reversed(self.children):
            with progress.step(f"stop the {child.name}"):
                child.stop()

    def write_stack_file(self) -> None:
        """Write `stack.json`: the stack is ready, and where. Tests and `scc` read it."""
        settings = self.settings
        content = {
            "ready": True,
            "pid": os.getpid(),
            "urls": {"app": settings.url, "mail": settings.mail_url, "aws": settings.aws_url},
            "ports": {
                "app": settings.port,
                "mail": settings.mail_port,
                "aws": settings.aws_port,
            },
            "stack_name": deployment.STACK_NAME,
            "outputs": self.outputs,
            "pids": {child.name: child.pid for child in self.children},
            "gmail_secret_id": SECRET_ID,
            "audit_recipient": AUDIT_RECIPIENT,
        }
        unfinished = settings.stack_file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content, indent=2))
        unfinished.replace(settings.stack_file)

    def _add(self, child: Child) -> Child:
        self.children.append(child)
        return child

    def _start_sandbox(self) -> Child:
        settings = self.settings
        command = [
            *(sys.executable, "-m", "local.gmail_sandbox", "--port", str(settings.mail_port)),
            *("--state", str(settings.state / "gmail")),
            *("--service-account", str(settings.state / "service-account.json")),
            *("--units-per-minute", str(settings.mail.units_per_minute)),
            *("--sends-per-day", str(settings.mail.sends_per_day)),
        ]
        environment = processes.clean_environment(PYTHONUNBUFFERED="1")
        return processes.start("Gmail sandbox", command, environment, settings.logs)

    def _open_front_door(self) -> Child:
        settings = self.settings
        command = [
            *(sys.executable, "-m", "local.front_door", "--port", str(settings.port)),
            *("--origin", settings.engine_url),
            *("--domain", self.outputs["DistributionDomainName"]),
        ]
        environment = processes.clean_environment(PYTHONUNBUFFERED="1")
        return processes.start("front door", command, environment, settings.logs)

    def _parameters(self, account: dict[str, str]) -> dict[str, str]:
        return {
            "Stage": "local",
            "Architecture": "x86_64",
            "ApiUrlAuthType": "NONE",  # the emulator's CloudFront does not sign for OAC
            "GmailServiceAccountEmail": account["client_email"],
            "GmailCredentialsSecretId": SECRET_ID,
            "GmailAuditRecipient": AUDIT_RECIPIENT,
            "AppOrigins": ",".join(
                f"http://{host}:{self.settings.port}" for host in ("localhost", "127.0.0.1")
            ),
            "AppUrl": f"http://localhost:{self.settings.port}",
            "GmailApiEndpoint": f"http://127.0.0.1:{self.settings.mail_port}/",
        } | self.settings.mail.as_parameters()

    def _publish(self) -> None:
        s3, cloudfront = self.aws.client("s3"), self.aws.client("cloudfront")
        for output, prefix in (("WebBucketName", ""), ("StagingWebBucketName", "_staging/")):
            changes = publish(s3, self.outputs[output], prefix, REPOSITORY / "web")
            if changes.uploaded or changes.deleted:
                invalidate(cloudfront, self.outputs["DistributionId"], prefix)

    def _invoke(self, output: str, event: dict[str, Any]) -> None:
        """Run a scheduled function now."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.outputs[output], Qualifier="live", Payload=json.dumps(event)
        )
        if "FunctionError" in answer:
            reason = answer["Payload"].read().decode(errors="replace")
            raise ChildFailedError(f"The function {self.outputs[output]} failed: {reason}")


def main() -> int:
    """Run a stack until a signal. Exit codes: 0 stopped, 1 something failed, 2 wrong settings."""
    for number in STOP_SIGNALS:
        signal.signal(number, _request_stop)
    progress = Progress()
    try:
        settings = Settings.from_environment(os.environ)
        with claim(settings.state):
            if not settings.reset:
                refuse_other_layout(settings.state)
            settings.refuse_taken_ports()
            if settings.reset:
                empty(settings.state)
            write_layout(settings.state)
            return _run(settings, progress)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2


def _run(settings: Settings, progress: Progress) -> int:
    settings.stack_file.unlink(missing_ok=True)  # left by a run that was killed
    stack = Stack(settings)
    try:
        stack.start(progress)
        stack.write_stack_file()
        print(ready_screen(settings, progress.seconds()), flush=True)
        stack.watch()
    except StopRequestedError:
        print("\nStopping. Your data is kept.", flush=True)
        return 0
    except ChildFailedError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    finally:
        with _deaf_to_signals():
            stack.stop(progress)
    return 0


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise StopRequestedError


@contextlib.contextmanager
def _deaf_to_signals() -> Iterator[None]:
    """Ignore an impatient second Ctrl-C, so that the emulator can save its state."""
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS}
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
