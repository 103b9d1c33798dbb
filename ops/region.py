"""Which AWS region a command works in: one order for `scc`, `make` and releases."""

from __future__ import annotations

from collections.abc import Mapping

from ops.samconfig import regions_of


def region_of(stack: str, given: str | None, environ: Mapping[str, str], otherwise: str) -> str:
    """The option, then samconfig.toml if it names the stack, then AWS_REGION, AWS_DEFAULT_REGION.

    A stack that samconfig.toml names is in the region that it is deployed to, whatever the shell
    was set up for; only if it is deployed to several, the shell chooses. given: the option.
    otherwise: the region if nothing names one; a profile's never counts.
    """
    regions = regions_of(stack)
    return (
        given
        or (regions.pop() if len(regions) == 1 else "")
        # boto3 reads AWS_DEFAULT_REGION alone; AWS_REGION is what Lambda and the newer SDKs know.
        or environ.get("AWS_REGION")
        or environ.get("AWS_DEFAULT_REGION")
        or otherwise
    )
