"""Where a result comes from: the attributes that every result carries."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from inphase.version import version

if TYPE_CHECKING:
    from inphase.interaction import Interaction
    from inphase.model import PhaseModel

__all__ = ["attributes", "density_attributes", "model_text", "version"]

# numbers of a model that are written out; where there are more, long lists are named by their hash
LISTED = 2000


def model_text(model: PhaseModel) -> str:
    """The model as JSON; arrays that are too long to print are given by their length and SHA-256."""
    parts = model.to_dict()
    return json.dumps(parts if _count(parts) <= LISTED else _shortened(parts))


def _count(value: Any) -> int:
    """The numbers in nested lists and dictionaries."""
    if isinstance(value, dict):
        return sum(_count(item) for item in value.values())
    if isinstance(value, list):
        return (
            len(value)
            if value and isinstance(value[0], (int, float))
            else sum(_count(item) for item in value)
        )
    return 1


def _shortened(value: Any) -> Any:
    """Lists of more than 100 numbers as their length and the hash of their bytes, in float64."""
    import hashlib

    import numpy as np

    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list) and _count(value) > 100 and not isinstance(value[0], dict):
        return {
            "length": len(value),
            "sha256": hashlib.sha256(np.array(value, dtype=float).tobytes()).hexdigest(),
        }
    return [_shortened(item) for item in value] if isinstance(value, list) else value


def attributes(model: PhaseModel, **more: Any) -> dict[str, Any]:
    """Attributes of a Dataset; every value can be written to NetCDF."""
    return {"inphase_version": version(), "model": model_text(model)} | more


def density_attributes(interaction: Interaction, equation: str, began: float, **how: Any) -> dict[str, Any]:
    """Attributes of densities: what was solved, how, and how long it took since `began`, of `time.perf_counter`."""
    return {
        "equation": equation,
        "interaction": json.dumps(interaction.to_dict()),
        **how,
        "inphase_version": version(),
        "wall_time_seconds": round(time.perf_counter() - began, 4),
    }
