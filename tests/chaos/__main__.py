"""`make chaos`: hundreds of payments on the deployed stack while everything goes wrong.

Exit code 0: ledger and mailbox agree. 1: something is lost, duplicated or unexplained.
2: wrong arguments.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from local.mail_settings import METHODS
from local.running_stack import RunningStack
from tests.chaos.client import Client, RefusedError
from tests.chaos.harness import ROOM, Harness
from tests.chaos.plan import make_plan
from tests.chaos.saboteur import Saboteur
from tests.chaos.verdict import Verdict

HEAL_SECONDS = 420.0


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    methods = METHODS if arguments.method == "both" else (arguments.method,)
    try:
        make_plan(arguments.seed, arguments.payments)
    except ValueError as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 2
    return max(_run(arguments.seed, arguments.payments, method) for method in methods)


def _run(seed: int, payments: int, method: str) -> int:
    print(f"chaos: SEED={seed} PAYMENTS={payments} METHOD={method}", flush=True)
    began = time.monotonic()
    with RunningStack.temporary(SCC_MAIL_METHOD=method, **ROOM) as stack:
        harness = Harness(stack, lambda text: print(text, flush=True))
        try:
            verdict, saboteur = harness.run(make_plan(seed, payments), HEAL_SECONDS)
        except RefusedError as error:
            print(f"chaos: a payment was refused: {error}", file=sys.stderr)
            return 1
        finally:
            harness.close()
    _print_table(method, verdict, saboteur, harness.client, time.monotonic() - began)
    for name, found in verdict.wrong.items():
        print(f"  {name}: {', '.join(found[:10])}{' …' if len(found) > 10 else ''}")
    if verdict.wrong:
        print(f"  to repeat: make chaos SEED={seed} PAYMENTS={payments} METHOD={method}")
    return 1 if verdict.wrong else 0


def _print_table(
    method: str, verdict: Verdict, saboteur: Saboteur, client: Client, seconds: float
) -> None:
    print(f"\n  {method}, after {seconds:.0f} s")
    dead = ", ".join(f"{count} {why}" for why, count in sorted(verdict.dead.items())) or "empty"
    lines: list[tuple[str, object]] = [
        ("entries logged", verdict.logged),
        ("ledger rows", verdict.rows),
        ("mails", verdict.mails),
        ("lost", len(verdict.lost)),
        ("duplicates", len(verdict.doubled)),
        ("mails that differ from the row", len(verdict.altered)),
        ("not marked sent", len(verdict.unmarked)),
        ("numbers missing", len(verdict.gaps)),
        ("requests repeated by clients", client.retries),
        ("dead-letter queue", dead),
    ]
    for name, value in lines:
        print(f"    {name:<32} {value}")
    for note in saboteur.notes:
        print(f"    {note}")
    print("  faults caused")
    for name, count in sorted(saboteur.done.items()):
        print(f"    {name:<32} {count}")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--payments", type=int, default=500)
    parser.add_argument("--method", choices=(*METHODS, "both"), default="both")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
