"""Where a result comes from: the attributes that every result carries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inphase.model import PhaseModel

LONGEST = 20_000  # characters of a model's numbers that are written out; longer ones are named by their hash


def version() -> str:
    """The installed version."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("inphase")
    except PackageNotFoundError:
        return "unknown"


def model_text(model: PhaseModel) -> str:
    """The model as JSON; arrays that are too long to print are given by their length and SHA-256."""
    import hashlib

    parts = model.to_dict()
    if len(json.dumps(parts)) > LONGEST:
        for part in (parts, parts["coupling"]):
            for key, value in part.items():
                if isinstance(value, list) and len(value) > 100:
                    digest = hashlib.sha256(json.dumps(value).encode()).hexdigest()
                    part[key] = {"length": len(value), "sha256": digest}
    return json.dumps(parts)


def attributes(model: PhaseModel, **more: Any) -> dict[str, Any]:
    """Attributes of a Dataset; every value can be written to NetCDF."""
    return {"inphase_version": version(), "model": model_text(model)} | more
