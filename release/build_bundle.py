"""Build the bundle of one Lambda function: its code, `shared`, and its locked dependencies.

Any Python ≥ 3.11 can run this, whatever the function's version: uv takes ready-made wheels for the
platform from uv.lock. Environment variables:

SCC_BUILD_PYTHON    the runtime's version, default 3.13
SCC_BUILD_PLATFORM  uv's name for its platform, default aarch64-manylinux2014
UV                  the uv to use, default the one on PATH, then .tools/uv/bin/uv
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from release.bundle_contents import UNUSED_PACKAGES, prune, settle

LAMBDA_ROOT = "/var/task"  # where tracebacks should say our files are
# Lambda brings boto3; a bundled copy would be 15 MB and slower to load.
PROVIDED_BY_LAMBDA = {"boto3", "botocore", "s3transfer"}


class BundleError(Exception):
    """The bundle cannot be built; the message says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("group", help="folder in functions/, and dependency group in uv.lock")
    parser.add_argument("--root", type=Path, required=True, help="the repository")
    parser.add_argument("--into", type=Path, required=True, help="the bundle's folder")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        build(arguments.root.resolve(), arguments.into.resolve(), arguments.group)
    except BundleError as error:
        say(str(error))
        return 1
    size = sum(path.stat().st_size for path in arguments.into.rglob("*") if path.is_file())
    took = time.monotonic() - started
    say(f"{arguments.group}: {size / 1e6:.1f} MB in {took:.1f} s")
    return 0


def build(root: Path, bundle: Path, group: str) -> None:
    """Fill `bundle` for the function whose folder and dependency group is `group`."""
    python = os.environ.get("SCC_BUILD_PYTHON") or "3.13"
    platform = os.environ.get("SCC_BUILD_PLATFORM") or "aarch64-manylinux2014"
    uv = find_uv(root)
    install(uv, root, bundle, group, python, platform)
    prune(bundle, group)
    copy_code(root, bundle, group)
    if group == "api":
        write_openapi(uv, root, bundle)
    precompile(uv, bundle, python)
    settle(bundle)


def find_uv(root: Path) -> str:
    own = root / ".tools" / "uv" / "bin" / "uv"
    uv = os.environ.get("UV") or shutil.which("uv") or (str(own) if own.exists() else "")
    if not uv or not shutil.which(uv):
        raise BundleError("uv was not found: run `make install`, or set UV to its path")
    return uv


def install(uv: str, root: Path, bundle: Path, group: str, python: str, platform: str) -> None:
    """Install the group exactly as in uv.lock. Wheels only: nothing is compiled here."""
    exported = run(
        *(uv, "export", "--project", str(root), "--frozen", "--quiet", "--no-hashes"),
        *("--only-group", group, "--no-header", "--no-annotate"),
    )
    lines = {line.split("==")[0]: line for line in exported.splitlines() if "==" in line}
    if bundled := lines.keys() & PROVIDED_BY_LAMBDA:
        raise BundleError(f"{min(bundled)} comes with Lambda: keep it out of the group {group}")
    unused = UNUSED_PACKAGES.get(group, frozenset())
    if gone := unused - lines.keys():
        raise BundleError(f"{min(gone)} is no longer a dependency: remove it from UNUSED_PACKAGES")
    locked = "\n".join(line for name, line in lines.items() if name not in unused)
    run(
        *(uv, "pip", "install", "--quiet", "--no-deps", "--no-config", "--requirements", "-"),
        # Copies: with links, `settle` would change the files in uv's cache.
        *("--target", str(bundle), "--only-binary", ":all:", "--link-mode", "copy"),
        *("--python-version", python, "--python-platform", platform),
        stdin=locked,
    )


def copy_code(root: Path, bundle: Path, group: str) -> None:
    """The same paths as in the repository, so that imports read the same everywhere."""
    for folder in (Path("functions") / group, Path("shared")):
        for source in sorted((root / folder).rglob("*.py")):
            target = bundle / source.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    if not (bundle / "functions" / group).is_dir():
        raise BundleError(f"functions/{group} holds no Python files")


def write_openapi(uv: str, root: Path, bundle: Path) -> None:
    """Write the API's own description at build time, so serving it costs the function nothing.

    It comes from the models in the code just copied and the locked pydantic, in an environment for
    this machine: the bundle's own wheels are for the function's.
    """
    document = run(
        *(uv, "run", "--directory", str(root), "--isolated", "--frozen", "--quiet"),
        *("--only-group", "api", "python", "-m", "release.openapi"),
    )
    (bundle / "functions" / "api" / "openapi.json").write_text(document, "utf-8")


def precompile(uv: str, bundle: Path, python: str) -> None:
    """Compile ahead: Lambda's file system is read-only, so it would compile on every cold start.

    unchecked-hash, because timestamps do not survive the zip. Skipped unless the exact minor
    version is here: the files carry its magic number.
    """
    interpreter = find_python(uv, python)
    if interpreter is None:
        say(
            f"no Python {python} here to precompile with; cold starts will be slower "
            f"(`uv python install {python}` brings one)"
        )
        return
    run(
        # One process in one order: interned strings show up in the compiled bytes.
        *(interpreter, "-m", "compileall", "-q", "--invalidation-mode"),
        *("unchecked-hash", "-s", str(bundle), "-p", LAMBDA_ROOT, str(bundle)),
    )


def find_python(uv: str, version: str) -> str | None:
    """An interpreter of exactly this minor version, without downloading one."""
    for candidate in _candidates(uv, version):
        try:
            found = run(candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
        except (BundleError, OSError):
            continue  # a version manager's shim without that version behind it
        if found.strip() == version:
            return candidate
    return None


def _candidates(uv: str, version: str) -> Iterator[str]:
    yield sys.executable
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    # pyenv's shims on PATH work only for its chosen version, and make uv give up.
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))
    try:
        yield run(uv, "python", "find", "--no-python-downloads", "--no-project", version).strip()
    except BundleError:
        return


def run(*command: str, stdin: str = "") -> str:
    """Run a command and return its output; a BundleError ends with its complaint."""
    # The caller's virtual environment must not pick uv's Python, nor its PYTHONPATH ours.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"}
    }
    result = subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, env=environment
    )
    if result.returncode:
        raise BundleError(f"{' '.join(command[:3])} failed:\n{result.stderr.strip()}")
    return result.stdout


def say(text: str) -> None:
    sys.stderr.write(f"build_bundle: {text}\n")  # `sam build` shows it when something failed


if __name__ == "__main__":
    sys.exit(main())
