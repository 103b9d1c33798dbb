"""The settings of a local stack, read from the environment once."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from local.mail_settings import MailSettings, MailSettingsError

REPOSITORY = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
ROOT_CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
LOOPBACKS = (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6))


class SettingsError(Exception):
    """A setting is invalid; the message names the variable and says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One stack's ports, state folder, demo password and mail settings."""

    port: int
    mail_port: int
    aws_port: int
    state: Path
    demo_password: str
    reset: bool
    mail: MailSettings

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Raises SettingsError."""
        try:
            mail = MailSettings.from_environment(environment)
        except MailSettingsError as error:
            raise SettingsError(str(error)) from error
        return cls(
            port=_port(environment, "SCC_PORT", 8000),
            mail_port=_port(environment, "SCC_MAIL_PORT", 8025),
            aws_port=_port(environment, "SCC_AWS_PORT", 4566),
            state=(REPOSITORY / (environment.get("SCC_STATE") or ".local")).resolve(),
            demo_password=environment.get("SCC_DEMO_PASSWORD") or "anchors-aweigh",
            reset=environment.get("RESET", "") not in ("", "0"),
            mail=mail,
        )

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def mail_url(self) -> str:
        return f"http://localhost:{self.mail_port}"

    @property
    def aws_url(self) -> str:
        return f"http://localhost:{self.aws_port}"

    @property
    def engine_url(self) -> str:
        """The emulator's address for our own calls: by IP, since it only listens on IPv4."""
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def stack_file(self) -> Path:
        return self.state / "stack.json"

    def refuse_taken_ports(self) -> None:
        """Raise SettingsError if a port is used twice or already in use."""
        named = {
            "SCC_PORT": self.port,
            "SCC_MAIL_PORT": self.mail_port,
            "SCC_AWS_PORT": self.aws_port,
        }
        seen: dict[int, str] = {}
        for variable, port in named.items():
            if port in seen:
                raise SettingsError(f"{variable} and {seen[port]} are both {port}: choose another.")
            seen[port] = variable
            if _is_taken(port):
                raise SettingsError(
                    f"Port {port} is in use by another program. Stop that program, or choose "
                    f"another port, for example `make run {variable}={port + 1000}`."
                )


def free_port() -> int:
    """Return a port that nothing is listening on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _port(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable) or str(default)
    is_short_number = text.isascii() and text.isdecimal() and len(text) <= 5
    if not is_short_number or not 1 <= int(text) <= 65535:
        raise SettingsError(f"{variable} must be a port number from 1 to 65535, not {text!r:.40}.")
    return int(text)


def _is_taken(port: int) -> bool:
    """Bind briefly, as the servers will: connecting would miss a socket not listening yet."""
    with ExitStack() as probes:
        for host, family in LOOPBACKS:
            try:
                probe = probes.enter_context(socket.socket(family))
            except OSError:
                continue  # a machine without IPv6
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((host, port))
            except PermissionError as error:
                raise SettingsError(
                    f"You are not allowed to use port {port}: choose one above 1023."
                ) from error
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    continue  # the machine has IPv6 but no IPv6 loopback address
                return True
    return False
