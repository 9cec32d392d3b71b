"""Which version of inphase this is."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """The installed version."""
    try:
        return installed("inphase")
    except PackageNotFoundError:
        return "unknown"
