"""The bundles that AWS would get, built for this machine, and run as Lambda runs them."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from local.processes import clean_environment
from local.settings import REPOSITORY
from release.build_bundle import build, find_python, find_uv, run

FOLDER = REPOSITORY / ".tools" / "bench"
WANTED = "3.13"  # the runtime in template.yaml
GROUPS = ("api", "stream_router", "audit_mailer")


@dataclass(frozen=True, slots=True)
class Runtime:
    """python: the interpreter. boto3: a folder with boto3, which Lambda has beside the bundle."""

    python: str
    version: str
    boto3: Path


@cache
def runtime() -> Runtime:
    """Python 3.13 if found (pyenv's, uv's or the system's), otherwise this Python."""
    own = "{}.{}".format(*sys.version_info)
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{WANTED}.*/bin/python{WANTED}"))
    found = str(pyenv[-1]) if pyenv else find_python(find_uv(REPOSITORY), WANTED)
    python, named = (found, WANTED) if found else (sys.executable, own)
    folder = FOLDER / f"runtime-{named}-{version('boto3')}"
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        run(
            *(find_uv(REPOSITORY), "pip", "install", "--quiet", "--no-config"),
            *("--target", str(unfinished), "--python-version", named),
            *(f"boto3=={version('boto3')}", f"botocore=={version('botocore')}"),
        )
        run(python, "-m", "compileall", "-q", "-j", "0", str(unfinished))
        unfinished.rename(folder)
    return Runtime(python, named, folder)


@cache
def bundle(group: str, *, compiled: bool = True) -> Path:
    """Build a bundle with release/build_bundle.py. compiled: with .pyc, as we ship it."""
    folder = FOLDER / "bundles" / group
    if not compiled:
        bare = folder.with_name(f"{group}-without-pyc")
        shutil.rmtree(bare, ignore_errors=True)
        shutil.copytree(bundle(group), bare, ignore=shutil.ignore_patterns("__pycache__"))
        return bare
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["SCC_BUILD_PYTHON"] = runtime().version
    os.environ["SCC_BUILD_PLATFORM"] = f"{platform.machine()}-manylinux2014"
    os.environ["PATH"] = f"{Path(runtime().python).parent}:{os.environ['PATH']}"
    build(REPOSITORY, folder, group)
    return folder


def probe(
    name: str, *arguments: str, path: list[Path], environment: dict[str, str], stdin: str = ""
) -> str:
    """Run benchmarks/probes/<name>.py as Lambda would run a function; return its stderr.

    path: the bundle, or the baseline's folder. Only boto3 comes after it on the path.
    """
    here = Path(__file__).parents[1]
    folders = os.pathsep.join(str(each) for each in [*path, runtime().boto3])
    done = subprocess.run(
        [runtime().python, "-P", "-s", str(here / "probes" / f"{name}.py"), *arguments],
        input=stdin,
        stdout=subprocess.DEVNULL,  # the function's log
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=clean_environment(
            PYTHONPATH=folders, PYTHONDONTWRITEBYTECODE="1", HOME="/nonexistent", **environment
        ),
    )
    if done.returncode:
        raise RuntimeError(f"the probe {name} failed:\n{done.stderr[-2000:]}")
    return done.stderr
