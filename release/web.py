"""`scc web publish`: upload the web client to its bucket and refresh CloudFront."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ops.errors import OpsError
from ops.session import Session, pass_session, shared_options
from ops.shipped import WEB
from ops.stack.platform import is_platforms
from release.web_publish import UnpublishableError, invalidate, publish

STAGES = {"prod": ("WebBucketName", ""), "staging": ("StagingWebBucketName", "_staging/")}
PATIENCE_SECONDS = 900  # an invalidation usually takes a minute or two
BETWEEN_LOOKS_SECONDS = 3.0


@click.group()
@shared_options
def web() -> None:
    """The web client.

    \b
    Examples:
      scc web publish --stage staging
    """


@web.command("publish")
@shared_options
@click.option("--stage", type=click.Choice(list(STAGES)), required=True, help="Which copy.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=WEB,
    help="What to publish.  [default: the web client of this scc]",
)
@click.option("--no-wait", is_flag=True, help="Do not wait for CloudFront.")
@pass_session
def publish_web(session: Session, *, stage: str, folder: Path, no_wait: bool) -> None:
    """Upload new and changed files, delete old ones, and wait until CloudFront serves them.

    In a bucket that the stack did not make, nothing is deleted. Staging is the copy at /_staging/.
    It has the same API, ledger and accounts as the app itself: payments logged there are real.

    \b
    Examples:
      scc web publish --stage staging
      scc web publish --stage prod --profile production
    """
    output, prefix = STAGES[stage]
    bucket = session.aws.output(output)
    is_ours = not is_platforms(session.aws.outputs, "WebBucketsOwner")
    distribution = session.aws.output("DistributionId")
    try:
        done = publish(session.aws.client("s3"), bucket, prefix, folder, is_mirror=is_ours)
    except UnpublishableError as error:
        raise OpsError(str(error)) from error
    # Always: an earlier run may have stopped between the upload and this.
    invalidation = invalidate(session.aws.client("cloudfront"), distribution, prefix)
    counts = {
        "stage": stage,
        "uploaded": len(done.uploaded),
        "unchanged": len(done.unchanged),
        "deleted": len(done.deleted),
        "invalidated": f"/{prefix}*",
        "waited_seconds": None if no_wait else _wait(session, distribution, invalidation),
    }
    if session.console.as_json:
        session.console.show(counts)
    else:
        session.console.facts(
            (name.replace("_", " "), "-" if value is None else value)
            for name, value in counts.items()
        )


def _wait(session: Session, distribution: str, invalidation: str) -> int:
    """Wait until CloudFront has dropped the old files; returns seconds. Raises OpsError."""
    client, started = session.aws.client("cloudfront"), time.monotonic()
    with session.console.meter("waiting for CloudFront, seconds") as meter:
        while True:
            found = client.get_invalidation(DistributionId=distribution, Id=invalidation)
            seconds = round(time.monotonic() - started)
            if found["Invalidation"]["Status"] == "Completed":
                return seconds
            if seconds > PATIENCE_SECONDS:
                raise OpsError(
                    f"CloudFront has not finished {invalidation} after {seconds} s. The files are "
                    "uploaded; until it finishes, browsers may get the old ones."
                )
            time.sleep(BETWEEN_LOOKS_SECONDS)
            meter.advance(round(BETWEEN_LOOKS_SECONDS))
