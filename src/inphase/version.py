"""Which version of inphase this is."""

from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


@cache
def version() -> str:
    """The installed version."""
    try:
        return installed("inphase")
    except PackageNotFoundError:
        return "unknown"
