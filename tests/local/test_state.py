from pathlib import Path
from typing import Any

import pytest

from local import __main__ as stack
from local.settings import SettingsError, free_port
from local.state import claim, empty, refuse_other_layout, write_layout


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


def older(state: Path) -> Path:
    """A folder as the release before left it: data, and no word about what they look like."""
    (state / "engine").mkdir(parents=True)
    (state / "engine" / "dynamodb.json").write_text('{"schema_version": 1}')
    (state / "gmail").mkdir()
    (state / "service-account.json").write_text("{}")
    (state / "stack.json").write_text("{}")
    return state


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """What `python -m local` would start, with free ports and its state in a folder of its own."""
    runs: list[Any] = []
    for name in ("SCC_PORT", "SCC_MAIL_PORT", "SCC_AWS_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    monkeypatch.setenv("SCC_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("RESET", "")
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def run(settings: Any, _: Any) -> int:
        runs.append(settings)
        return 0

    monkeypatch.setattr(stack, "_run", run)
    return runs


@pytest.mark.parametrize("layout", [None, "", "1\n", "3\n", "\x00\udcff"])
def test_a_folder_of_another_release_is_refused_with_a_way_out_and_left_as_it_is(
    started: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], layout: str | None
) -> None:
    state = older(tmp_path / "state")
    if layout is not None:
        (state / "layout").write_bytes(layout.encode(errors="surrogateescape"))
    before = sorted(path.name for path in state.rglob("*"))
    assert stack.main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "RESET=1" in said.err
    assert len(said.err.splitlines()) == 1
    assert started == []
    assert sorted(path.name for path in state.rglob("*") if path.name != "lock") == before
    assert (state / "engine" / "dynamodb.json").read_text() == '{"schema_version": 1}'


def test_reset_starts_empty_where_another_release_left_data(
    started: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = older(tmp_path / "state")
    monkeypatch.setenv("RESET", "1")
    assert stack.main() == 0
    assert len(started) == 1
    assert sorted(path.name for path in state.iterdir()) == ["layout", "lock"]


def test_a_new_folder_is_taken_and_found_again(started: list[Any], tmp_path: Path) -> None:
    assert stack.main() == 0
    (tmp_path / "state" / "engine").mkdir()
    (tmp_path / "state" / "logs").mkdir()
    assert stack.main() == 0
    assert len(started) == 2


def test_logs_alone_are_no_data(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    refuse_other_layout(tmp_path)
    write_layout(tmp_path)
    (tmp_path / "engine").mkdir()
    refuse_other_layout(tmp_path)
