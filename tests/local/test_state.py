from pathlib import Path

import pytest

from local.settings import SettingsError
from local.state import claim, empty


def test_one_stack_at_a_time_uses_a_folder(tmp_path: Path) -> None:
    with (
        claim(tmp_path),
        pytest.raises(SettingsError, match="in use by a running stack"),
        claim(tmp_path),
    ):
        pass


def test_a_folder_is_free_again_when_its_stack_is_gone(tmp_path: Path) -> None:
    with claim(tmp_path / "new"):
        pass
    with claim(tmp_path / "new"):
        pass


def test_emptying_removes_what_stacks_left(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "dynamodb.json").write_text("{}")
    (tmp_path / "service-account.json").write_text("{}")
    with claim(tmp_path):
        empty(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_emptying_refuses_a_folder_with_anything_else_in_it(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SettingsError, match=r"thesis\.tex"):
        empty(tmp_path)
    assert (tmp_path / "engine").exists()
