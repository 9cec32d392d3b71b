"""Before anything of the library is imported: run-time
types on its public face, and a Matplotlib without windows.
"""

import os

os.environ["MPLBACKEND"] = "Agg"

import importlib
import sys

import jaxtyping
import pytest

# Numba's kernels stay unwrapped: they are compiled from their source.
FACE = [
    f"inphase.{room}"
    for room in (
        "model",
        "interaction",
        "coupling",
        "simulation",
        "theory",
        "density",
    )
]
assert not any(name in sys.modules for name in FACE), (
    "the library was imported before its types could be checked"
)
jaxtyping.install_import_hook(FACE, "typechecker.checked")

# names that the library imports only for type checkers
for _name in ("recording", "trajectory", "coarsening"):
    _module = importlib.import_module(f"inphase.simulation.{_name}")
    if not hasattr(_module, "xr"):
        _module.xr = importlib.import_module("xarray")


@pytest.fixture
def threads():
    """Set Numba's number of threads; the old number comes back after the test."""
    import numba

    before = numba.get_num_threads()
    yield lambda count: numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    numba.set_num_threads(before)


@pytest.fixture
def as_a_user():
    """Without the run-time types, so that what answers to a wrong type is the library itself."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)
