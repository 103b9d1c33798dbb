from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from release.build_bundle import BundleError, copy_code, find_python, precompile
from release.bundle_contents import prune

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
NO_UV = "false"  # a program that always fails: no other Python is asked for


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_bundle_has_the_paths_of_the_repository_and_only_its_own_function(
    tmp_path: Path,
) -> None:
    for name in ("functions/api/handler.py", "functions/audit_mailer/handler.py"):
        write(tmp_path / "repository" / name)
    write(tmp_path / "repository" / "shared" / "ledger.py")
    write(tmp_path / "repository" / "shared" / "notes.txt")
    bundle = tmp_path / "bundle"
    copy_code(tmp_path / "repository", bundle, "api")
    found = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert found == {"functions/api/handler.py", "shared/ledger.py"}


def test_a_function_without_code_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="functions/api holds no Python files"):
        copy_code(tmp_path, tmp_path / "bundle", "api")


def test_only_gmails_discovery_document_is_kept(tmp_path: Path) -> None:
    documents = tmp_path / "googleapiclient" / "discovery_cache" / "documents"
    gmail = write(documents / "gmail.v1.json")
    write(documents / "drive.v3.json")
    prune(tmp_path, "audit_mailer")
    assert list(documents.iterdir()) == [gmail]


def test_scripts_stubs_and_tests_of_packages_are_dropped(tmp_path: Path) -> None:
    kept = write(tmp_path / "package" / "module.py")
    for name in ("bin/tool", "package/tests/test_module.py", "package/module.pyi", ".lock"):
        write(tmp_path / name)
    prune(tmp_path, "audit_mailer")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


def test_only_licenses_are_kept_from_package_metadata(tmp_path: Path) -> None:
    kept = write(tmp_path / "package-1.dist-info" / "licenses" / "LICENSE.txt")
    for name in ("package-1.dist-info/RECORD", "other-2.dist-info/METADATA"):
        write(tmp_path / name)
    prune(tmp_path, "api")
    assert list(tmp_path.rglob("*")) == [kept.parent.parent, kept.parent, kept]


def test_compiled_files_are_used_whatever_time_the_zip_gives_them(tmp_path: Path) -> None:
    source = write(tmp_path / "module.py", "ANSWER = 42\n")
    precompile(NO_UV, tmp_path, VERSION)
    flags = Path(importlib.util.cache_from_source(str(source))).read_bytes()[4:8]
    assert int.from_bytes(flags, "little") == 0b01, "hash-based, not checked against the source"
    source.write_text("ANSWER = 0\n")
    command = [sys.executable, "-c", "import module; print(module.ANSWER)"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "42"


def test_without_the_runtimes_python_nothing_is_compiled_and_a_note_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "module.py")
    precompile(NO_UV, tmp_path, "3.99")
    assert find_python(NO_UV, "3.99") is None
    assert not list(tmp_path.rglob("*.pyc"))
    assert "no Python 3.99 here" in capsys.readouterr().err
