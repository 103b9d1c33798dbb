"""One chaos run: carry out a plan on a deployed stack, give it time to recover, then judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Any

from local.processes import wait_until
from local.running_stack import RunningStack
from tests.chaos.client import Client
from tests.chaos.evidence import Inbox, deliveries, gather, ledger_rows
from tests.chaos.plan import SHORT, Plan, Round
from tests.chaos.saboteur import Saboteur
from tests.chaos.verdict import Verdict, judge
from tests.dock import Dock

SWEEP_EVERY_SECONDS = 5.0


ROOM = {"SCC_MAIL_UNITS_PER_MINUTE": "1000000", "SCC_MAIL_SENDS_PER_DAY": "1000000"}
"""Only faults should hit the sandbox's quotas; they must not set the pace of a run."""


Requests = list[Future[dict[str, Any]]]


class Harness:
    """A stack under test, with everything that was ever logged on it.

    Every verdict covers the whole ledger, so nothing else may use the stack.
    """

    def __init__(self, stack: RunningStack, say: Callable[[str], None] = lambda _: None) -> None:
        self.stack = stack
        self.dock = Dock(stack).sign_in()
        self.client = Client(self.dock)
        self.client.entries |= {each["payment_id"]: each for each in ledger_rows(stack)}
        self.inbox = Inbox(stack.mail_url)
        self._say = say
        self.timing = ""

    def hide_received_for(self, seconds: int) -> None:
        """Set how long the queue hides what a killed mailer received; 6 minutes as deployed."""
        self.stack.aws.client("sqs").set_queue_attributes(
            QueueUrl=self.stack.outputs["AuditQueueUrl"],
            Attributes={"VisibilityTimeout": str(seconds)},
        )

    def deliver_by(self, method: str) -> None:
        """Change how the deployed mailer delivers, as the parameter GmailDeliveryMethod does."""
        function = self.stack.outputs["MailerFunctionName"]
        client = self.stack.aws.client("lambda")
        variables = client.get_function_configuration(FunctionName=function)["Environment"]
        if variables["Variables"]["GMAIL_DELIVERY_METHOD"] != method:
            variables["Variables"]["GMAIL_DELIVERY_METHOD"] = method
            client.update_function_configuration(FunctionName=function, Environment=variables)
            version = client.publish_version(FunctionName=function)["Version"]
            client.update_alias(FunctionName=function, Name="live", FunctionVersion=version)

    def send(self, body: str) -> None:
        """Put a message on the audit queue."""
        url = self.stack.outputs["AuditQueueUrl"]
        self.stack.aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)

    def run(self, plan: Plan, heal_seconds: float) -> tuple[Verdict, Saboteur]:
        """Carry out the plan. heal_seconds: how long to wait for mails once all faults are over."""
        hasten = len(plan.payments) < SHORT
        saboteur = Saboteur(self.stack, self.dock, self.inbox, hasten=hasten)
        self.hide_received_for(20 if hasten else 60)
        asked: list[Requests] = []
        began = time.monotonic()
        for number, each in enumerate(plan.rounds, 1):
            names = ", ".join(trouble.name for trouble in each.troubles)
            at = time.monotonic() - began
            self._say(f"{at:6.0f} s  round {number:>3}/{len(plan.rounds)}  {names}")
            asked += self._carry_out(each, saboteur)
        saboteur.end_all()
        for request in chain(*asked):
            request.result()
        at = time.monotonic() - began
        self._say(f"{at:6.0f} s  trouble is over; {len(self.client.logged)} entries, healing")
        self.heal(saboteur, heal_seconds)
        healed = time.monotonic() - began
        self._say(f"{healed:6.0f} s  settled")
        self.timing = f"{at:.0f} s of trouble, {healed - at:.0f} s to heal"
        return self.verdict(), saboteur

    def heal(self, saboteur: Saboteur, seconds: float) -> bool:
        """Wait for mails and, in a long run, for quiet; sweep as the schedule does.

        False: not everything within `seconds`; the verdict will say what is missing.
        """
        next_sweep = time.monotonic()

        def sweep_when_due() -> None:
            nonlocal next_sweep
            if time.monotonic() >= next_sweep:
                saboteur.sweep()
                next_sweep = time.monotonic() + SWEEP_EVERY_SECONDS

        is_over = self.is_settled if saboteur.hasten else self.is_at_rest
        return wait_until(is_over, seconds, sweep_when_due)

    def is_settled(self) -> bool:
        """Whether every entry is in the inbox and marked sent."""
        mailed = {each["headers"]["X-SCC-Payment-Id"] for each in self.inbox.read()}
        if not mailed >= self.client.entries.keys():
            return False
        marked = {
            key for key, each in deliveries(self.stack).items() if each.get("state") == "sent"
        }
        return marked >= self.client.entries.keys()

    def is_at_rest(self) -> bool:
        """Whether, in addition, no message is left that could send another mail.

        A message that met a killed mailer's lease stays away until the lease would end, 90 s.
        """
        return self.is_settled() and self.dock.is_queue_empty()

    def verdict(self) -> Verdict:
        return judge(list(self.client.entries), gather(self.stack, self.inbox))

    def close(self) -> None:
        self.client.close()

    def _carry_out(self, each: Round, saboteur: Saboteur) -> list[Requests]:
        """Log payments one after another while the round's faults happen.

        This thread causes the faults: a stack ends with the thread that started it.
        """
        for trouble in each.troubles:
            saboteur.begin(trouble)
        with ThreadPoolExecutor(1) as dock:
            asked = dock.submit(self._submit_paced, each)
            for trouble in each.troubles:
                saboteur.act(trouble, self.client.logged)
        for trouble in each.troubles:
            saboteur.end(trouble)
        return asked.result()

    def _submit_paced(self, each: Round) -> list[Requests]:
        asked = []
        for payment in each.payments:
            asked.append(self.client.submit(payment))
            time.sleep(each.seconds / len(each.payments))
        return asked
