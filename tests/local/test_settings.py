import socket
from pathlib import Path

import pytest

from local.settings import REPOSITORY, Settings, SettingsError, free_port


def settings_with(**environment: str) -> Settings:
    ports = {name: str(free_port()) for name in ("SCC_PORT", "SCC_MAIL_PORT", "SCC_AWS_PORT")}
    return Settings.from_environment(ports | environment)


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = Settings.from_environment({"SCC_PORT": "", "RESET": ""})
    assert (settings.port, settings.mail_port, settings.aws_port) == (8000, 8025, 4566)
    assert settings.url == "http://localhost:8000"
    assert settings.state == REPOSITORY / ".local"
    assert settings.demo_password == "anchors-aweigh"
    assert not settings.reset


def test_state_may_be_anywhere(tmp_path: Path) -> None:
    assert settings_with(SCC_STATE=str(tmp_path)).stack_file == tmp_path / "stack.json"


@pytest.mark.parametrize(
    "text", ["http", "0", "65536", "-1", "8000.0", "80 00", "9" * 5_000, "٨٠٠٠"]
)
def test_an_invalid_port_is_named_with_its_variable(text: str) -> None:
    with pytest.raises(SettingsError, match=r"SCC_MAIL_PORT must be a port number") as refused:
        settings_with(SCC_MAIL_PORT=text)
    assert len(str(refused.value)) < 200


def test_one_port_for_two_servers_is_refused() -> None:
    port = str(free_port())
    with pytest.raises(SettingsError, match=f"SCC_AWS_PORT and SCC_PORT are both {port}"):
        settings_with(SCC_PORT=port, SCC_AWS_PORT=port).refuse_taken_ports()


@pytest.mark.parametrize("host", ["127.0.0.1", ""], ids=["loopback", "every address"])
def test_a_taken_port_is_named_with_the_variable_that_moves_it(host: str) -> None:
    with socket.socket() as other:
        other.bind((host, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} is in use.*SCC_MAIL_PORT="):
            settings_with(SCC_MAIL_PORT=str(port)).refuse_taken_ports()


def test_free_ports_are_accepted() -> None:
    settings_with().refuse_taken_ports()


def test_reset_is_off_at_zero_and_on_at_one() -> None:
    assert not settings_with(RESET="0").reset
    assert settings_with(RESET="1").reset


def test_the_mail_settings_go_to_a_child_as_they_came() -> None:
    given = {
        "SCC_MAIL_METHOD": "import",
        "SCC_MAIL_UNITS_PER_MINUTE": "60000",
        "SCC_MAIL_SENDS_PER_DAY": "9000",
        "SCC_MAIL_RETRY_CAP_SECONDS": "3",
        "SCC_MAIL_SETTLE_SECONDS": "2",
    }
    mail = settings_with(**given).mail
    assert mail.as_environment() == given
    assert mail.as_parameters()["GmailDeliveryMethod"] == "import"
    assert mail.as_parameters()["GmailSendsPerMinute"] == "2000"  # 30 units each, with a search


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SCC_MAIL_METHOD", "insert"),
        ("SCC_MAIL_UNITS_PER_MINUTE", "0"),
        ("SCC_MAIL_SENDS_PER_DAY", "-1"),
        ("SCC_MAIL_RETRY_CAP_SECONDS", "soon"),
        ("SCC_MAIL_SETTLE_SECONDS", "1.5"),
        ("SCC_MAIL_UNITS_PER_MINUTE", "9" * 5_000),
    ],
)
def test_an_unusable_mail_setting_is_named(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable} must be"):
        settings_with(**{variable: text})
