"""`scc release`: what `make deploy`, `deploy-role`, `smoke`, `gmail-key` and `roster` call."""

from __future__ import annotations

import click

from ops.lazy_group import LazyGroup
from ops.session import shared_options

VERBS = {
    "deploy": "release.deployment.deploy",
    "delete": "release.deployment.deletion",
    "deploy-role": "release.deploy_role.command",
    "smoke": "release.smoke",
    "gmail-key": "release.gmail_key",
    "roster": "release.roster",
    "url": "release.stages",
}


@click.group(cls=LazyGroup, lazy=VERBS)
@shared_options
def release() -> None:
    """Deploy a stage, check it, and set up what it needs on the first day.

    \b
    Examples:
      scc release deploy --stage staging
      scc release smoke --stage staging
    """
