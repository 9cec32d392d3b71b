"""Files that version 0.1.0 wrote before the house was rebuilt: they load, and the same inputs give the same numbers.

In one process with kernels compiled anew they agreed to the bit. Kernels that were compiled in another order, or on another
processor, round otherwise, which can move a step; many distinct delays amplify that, as their kinks are left to the control
of the error.
"""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import inphase as ip
from inphase.coupling.learnt import Learnt, load_network

BEFORE = Path(__file__).parent / "before"
N = 12
RNG = np.random.default_rng(7)
OMEGA = np.round(RNG.normal(0, 0.3, N), 6)
START = np.round(RNG.uniform(0, 2 * np.pi, N), 6)
SMALL_WORLD = ip.graphs.small_world(n=N, neighbors=2, rewiring=0.2, seed=1)
WEIGHTS = np.round(RNG.uniform(0, 0.2, (N, N)), 6)
DELAYS = np.round(RNG.uniform(0.1, 0.5, (N, N)), 6)
LAGGED = np.round(RNG.uniform(0, 0.2, (N, N)), 6)

RUNS = {
    "softmax": (4.0, {}, lambda: ip.PhaseModel(ip.attention(beta=4.0), gain="softmax")),
    "network": (
        4.0,
        {},
        lambda: ip.PhaseModel(ip.kuramoto(), 0.8 * ip.Sparse(SMALL_WORLD), frequencies=OMEGA, field=0.1),
    ),
    "delays": (
        4.0,
        {},
        lambda: ip.PhaseModel(ip.sakaguchi(0.3), ip.Dense(WEIGHTS), frequencies=OMEGA, delays=DELAYS),
    ),
    "inertia": (
        4.0,
        {},
        lambda: ip.PhaseModel(
            ip.kuramoto(), ip.Sparse(SMALL_WORLD), frequencies=OMEGA, inertia=0.7, damping=1.3
        ),
    ),
    "noise": (
        2.0,
        {"step": 0.02, "seed": 3},
        lambda: ip.PhaseModel(
            ip.kuramoto(), 0.5 * ip.AllToAll() + ip.AllTriads(), noise=0.1, common_noise=0.02
        ),
    ),
    "euler": (
        2.0,
        {"step": 0.02, "seed": 3, "method": "euler"},
        lambda: ip.PhaseModel(
            ip.kuramoto(), ip.Hypergraph([(0, 1, 2), (2, 3, 4), (5, 6, 7)], n=N), noise=0.05
        ),
    ),
    "lagged": (
        3.0,
        {},
        lambda: ip.PhaseModel(
            ip.harmonics(sin=[1.0, 0.3]),
            2 * ip.Lagged(LAGGED, 0.2) + ip.Dense(np.eye(N)[::-1].copy()),
            frequencies=OMEGA,
        ),
    ),
    "rank-one": (
        3.0,
        {},
        lambda: ip.PhaseModel(
            ip.kuramoto(),
            ip.RankOne(np.linspace(0.5, 1.5, N), np.linspace(1, 0.2, N) / N),
            frequencies=OMEGA,
        ),
    ),
    "causal": (3.0, {}, lambda: ip.PhaseModel(ip.attention(beta=1.0), ip.Causal(), gain="softmax")),
}


@pytest.mark.parametrize("name", RUNS)
def test_trajectories_are_as_before(name):
    t_end, how, model = RUNS[name]
    before = xr.load_dataset(BEFORE / f"run-{name}.nc", engine="h5netcdf")
    run = ip.simulate(model(), START, times=np.linspace(0, t_end, 9), **how)
    close = 1e-5 if name == "delays" else 1e-9
    assert np.max(np.abs(run.phase.values - before.phase.values)) < close
    assert abs(run.attrs["accepted_steps"] - before.attrs["accepted_steps"]) <= 1


def test_the_tree_is_as_before():
    before = xr.load_dataset(BEFORE / "tree.nc", engine="h5netcdf")
    phases = np.round(np.random.default_rng(1).uniform(0, 2 * np.pi, 48), 6)
    tree = ip.coarsen(ip.PhaseModel(ip.attention(beta=16.0), gain="softmax"), phases, t_end=1e10)
    assert np.array_equal(tree.clusters, before.clusters)
    assert np.allclose(tree.time, before.time, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", ["attention", "refuted", "graph"])
def test_certificates_from_before_are_accepted(name):
    assert ip.certify.check(BEFORE / f"proof-{name}.json")


def test_networks_from_before_give_the_same_couplings():
    stored = np.load(BEFORE / "learnt.npz")
    network, rule, _ = load_network(BEFORE / "coupling.npz")
    again = ip.learn.Trained.load(BEFORE / "trained.npz").coupling(stored["features"])
    for coupling in (Learnt(network, stored["features"], rule), again):
        assert np.allclose(coupling.matrix(6), stored["matrix"], rtol=1e-12, atol=1e-15)
