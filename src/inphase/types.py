"""Arrays with the names of their dimensions; the tests check them at run time (jaxtyping and beartype)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

Phases = Float[NDArray[np.float64], "*batch n"]  # one value per oscillator, radians or radians per time
PerState = Float[NDArray[np.float64], "*batch"]  # one value per state (replica, time, ...)
Matrices = Float[NDArray[np.float64], "*batch n n"]
Vector = Float[NDArray[np.float64], " n"]
Square = Float[NDArray[np.float64], "n n"]
