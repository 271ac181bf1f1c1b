"""The version of the installed distribution, so that it is written only in pyproject.toml."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

UNKNOWN = "unknown"


@cache
def understudy_version() -> str:
    """Such as `0.1.0`; `unknown` in a checkout that was never installed."""
    try:
        return version("understudy")
    except PackageNotFoundError:
        return UNKNOWN
