"""`python -m local.gmail_sandbox`: run the sandbox, or create a service account for it."""

import argparse
import asyncio
import signal
import sqlite3
import sys
from pathlib import Path

from aiohttp import web

from local.gmail_sandbox.accounts import (
    ServiceAccountFileError,
    new_service_account,
    read_service_account,
    write_service_account,
)
from local.gmail_sandbox.app import build_app
from local.gmail_sandbox.quota import (
    REQUESTS_AT_ONCE,
    SENDS_PER_DAY,
    UNITS_PER_MINUTE,
    Limits,
)

_DEFAULT_PORT = 8025


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.gmail_sandbox",
        description="A local stand-in for Google: token endpoint, Gmail API, and a web inbox at /.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=_DEFAULT_PORT, help="0 picks a free one (%(default)s)"
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="folder for all mail")
    parser.add_argument(
        "--service-account", type=Path, metavar="FILE", help="key file whose JWTs are accepted"
    )
    parser.add_argument(
        "--units-per-minute",
        type=int,
        default=UNITS_PER_MINUTE,
        help="Gmail API quota of each user (%(default)s)",
    )
    parser.add_argument(
        "--sends-per-day",
        type=int,
        default=SENDS_PER_DAY,
        help="messages each user may send in 24 hours (%(default)s)",
    )
    parser.add_argument(
        "--requests-at-once",
        type=int,
        metavar="N",
        help=f"calls of one user at the same time, such as {REQUESTS_AT_ONCE} (any number)",
    )
    parser.add_argument(
        "--search-lag-ms",
        type=int,
        default=500,
        help="how long after arrival q= finds a message (%(default)s)",
    )
    parser.add_argument(
        "--new-service-account", type=Path, metavar="FILE", help="create a key file and exit"
    )
    parser.add_argument(
        "--token-uri",
        default=f"http://localhost:{_DEFAULT_PORT}/token",
        help="written into the new key file (%(default)s)",
    )
    arguments = parser.parse_args(argv)
    if arguments.new_service_account is None and not (
        arguments.state and arguments.service_account
    ):
        parser.error("--state and --service-account are required")
    return arguments


async def _serve(app: web.Application, host: str, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        print(f"gmail sandbox ready on http://{host}:{runner.addresses[0][1]}", flush=True)
        await stopped.wait()
    finally:
        await runner.cleanup()


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    try:
        if arguments.new_service_account is not None:
            info = new_service_account(arguments.token_uri)
            write_service_account(arguments.new_service_account, info)
            return 0
        limits = Limits(
            units_per_minute=arguments.units_per_minute,
            sends_per_day=arguments.sends_per_day,
            search_lag_ms=arguments.search_lag_ms,
            requests_at_once=arguments.requests_at_once,
        )
        account = read_service_account(arguments.service_account)
        app = build_app(arguments.state, account, limits)
        asyncio.run(_serve(app, arguments.host, arguments.port))
    except ServiceAccountFileError as error:
        return _fail(str(error))
    except sqlite3.Error as error:
        return _fail(f"cannot use the mail store in {arguments.state}: {error}")
    except (OSError, OverflowError) as error:
        return _fail(
            f"cannot listen on {arguments.host}:{arguments.port}: {error}; choose another --port"
        )
    return 0


def _fail(message: str) -> int:
    print(f"gmail sandbox: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
