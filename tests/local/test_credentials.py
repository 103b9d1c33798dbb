import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from local.credentials import SECRET_ID, service_account, store_secret
from local.engine.aws import LocalAws
from local.settings import Settings


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with mock_aws():
        yield LocalAws("https://secretsmanager.us-east-1.amazonaws.com")


def settings_in(folder: Path, mail_port: str = "8025") -> Settings:
    return Settings.from_environment({"SCC_STATE": str(folder), "SCC_MAIL_PORT": mail_port})


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = service_account(settings_in(tmp_path))
    assert service_account(settings_in(tmp_path)) == first
    assert first["private_key"].startswith("-----BEGIN")
    mode = (tmp_path / "service-account.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_on_another_port_the_key_stays_and_its_token_endpoint_moves(tmp_path: Path) -> None:
    first = service_account(settings_in(tmp_path))
    second = service_account(settings_in(tmp_path, mail_port="9025"))
    assert second["private_key"] == first["private_key"]
    assert second["token_uri"] == "http://127.0.0.1:9025/token"


def test_the_secret_holds_what_was_stored_last(aws: LocalAws, tmp_path: Path) -> None:
    for port in ("8025", "8025", "9025"):
        info = service_account(settings_in(tmp_path, mail_port=port))
        store_secret(aws, info)
        stored = aws.client("secretsmanager").get_secret_value(SecretId=SECRET_ID)
        assert json.loads(stored["SecretString"]) == info
