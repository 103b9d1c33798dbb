"""`sam build` and `sam deploy` of the real template.yaml, skipped while nothing has changed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from botocore.exceptions import ClientError

from local.engine.aws import LocalAws
from local.engine.packing import PACKED, pack
from local.processes import Child, clean_environment, run, start
from local.settings import REGION, REPOSITORY, ROOT_CREDENTIALS, Settings
from release.deployment.releases import release_of, with_release

CONFIGURATION = REPOSITORY / "samconfig.toml"
SAM = REPOSITORY / ".tools" / "sam" / "bin" / "sam"
STACK_NAME = "shipcaptaincrew-local"
BUILDS = REPOSITORY / ".aws-sam" / "local"
MARKER = "/local/deployed"
KEPT_BUILDS = 3
PLATFORM = "x86_64-manylinux2014"
DEPLOYED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
SOURCES = (
    "template.yaml",
    "samconfig.toml",
    "uv.lock",
    "functions",
    "shared",
    "release/build_bundle.py",
    "release/bundle_contents.py",
    "release/openapi",
)


class Build:
    """`sam build` of every function for the emulator's Python, in parallel with other steps.

    Builds are named by a digest of their sources, so stacks and test runs share them. Use it as a
    context: leaving it early stops the build.
    """

    def __init__(self, logs: Path, python_version: str) -> None:
        self._logs = logs
        self._python_version = python_version
        self._folder = BUILDS / _digest(_source_files(), python_version, PLATFORM)
        self._unfinished = self._folder.with_suffix(".unfinished")
        self._exit = ExitStack()
        self._child: Child | None = None

    def __enter__(self) -> Self:
        BUILDS.mkdir(parents=True, exist_ok=True)
        self._exit.enter_context(_one_at_a_time(BUILDS / "lock"))
        if self._folder.exists():
            os.utime(self._folder)
            return self
        shutil.rmtree(self._unfinished, ignore_errors=True)
        command = [str(SAM), "build", "--config-env", "local"]
        command += ["--build-dir", str(self._unfinished)]
        environment = _environment(self._python_version)
        self._child = start("sam build", command, environment, self._logs)
        self._exit.callback(self._child.stop, patience=2)
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @property
    def is_new(self) -> bool:
        return self._child is not None

    def finish(self) -> Path:
        """Wait for the build, pack it, and return the packed template's path."""
        if self._child is not None:
            self._child.finish()
            pack(self._unfinished)
            self._unfinished.rename(self._folder)
            _drop_old_builds()
        return self._folder / PACKED


def deploy(settings: Settings, aws: LocalAws, built: Path, parameters: Mapping[str, str]) -> bool:
    """Deploy, unless this build is already deployed with these parameters; return if it did."""
    wanted = json.dumps({"build": built.parent.name, "parameters": dict(parameters)})
    if _is_deployed(aws) and _deployed(aws) == wanted:
        return False
    release = release_of(built.parent.name, parameters)
    named = built.with_name(f"{release}.json")  # beside the zip files that it names
    named.write_text(json.dumps(with_release(json.loads(built.read_text("utf-8")), release)))
    command = [
        *(str(SAM), "deploy", "--config-file", str(CONFIGURATION), "--config-env", "local"),
        *("--template-file", str(named), "--stack-name", STACK_NAME),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
        *("--parameter-overrides", f"Release={release}"),
        *(f"{name}={value}" for name, value in parameters.items()),
    ]
    environment = _environment() | {"AWS_ENDPOINT_URL": settings.engine_url}
    try:
        run("sam deploy", command, environment, settings.logs)
    finally:
        named.unlink()
    aws.client("ssm").put_parameter(Name=MARKER, Value=wanted, Type="String", Overwrite=True)
    return True


def outputs(aws: LocalAws) -> dict[str, str]:
    """Return the stack's outputs by name."""
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def _environment(python_version: str = "") -> dict[str, str]:
    more = {
        "AWS_ACCESS_KEY_ID": ROOT_CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": ROOT_CREDENTIALS["aws_secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_POLL_DELAY": "0.5",  # the emulator is done within a second or two
        "SAM_CLI_TELEMETRY": "0",
        "SCC_BUILD_PLATFORM": PLATFORM,
        "SCC_BUILD_PYTHON": python_version,
        "UV": os.environ.get("UV") or str(REPOSITORY / ".tools" / "uv" / "bin" / "uv"),
    }
    return clean_environment(**more)


def _is_deployed(aws: LocalAws) -> bool:
    try:
        (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    except ClientError:  # there is no such stack
        return False
    return stack["StackStatus"] in DEPLOYED


def _deployed(aws: LocalAws) -> str:
    """Return what was deployed last. The emulator stores it, so both are lost together."""
    ssm = aws.client("ssm")
    try:
        value: str = ssm.get_parameter(Name=MARKER)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return ""
    return value


def _source_files() -> Iterator[Path]:
    for name in SOURCES:
        path = REPOSITORY / name
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and _counts(p))
        elif path.exists():
            yield path


def _counts(path: Path) -> bool:
    return "__pycache__" not in path.parts and not path.name.startswith(".")


def _digest(files: Iterable[Path], *more: str) -> str:
    digest = hashlib.sha256(repr(more).encode())
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(REPOSITORY)} {content}\n".encode())
    return digest.hexdigest()[:16]


def _drop_old_builds() -> None:
    builds = sorted((p for p in BUILDS.iterdir() if p.is_dir()), key=lambda p: -p.stat().st_mtime)
    for old in builds[KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
