"""One first-order form, whoever asks: what is integrated is what is linearized."""

import numpy as np
import pytest
from scipy import sparse

import inphase as ip
from inphase.simulation.motion import Motion
from inphase.state_space import StateSpace

N = 6
RNG = np.random.default_rng(2)
MODEL = ip.PhaseModel(
    ip.sakaguchi(0.3), ip.Dense(RNG.normal(size=(N, N))), frequencies=RNG.normal(size=N),
    inertia=[1.0, 0.0, 0.5, 2.0, 0.0, 0.3], damping=[0.2, 1.5, 0.4, 1.0, 0.7, 2.0], field=0.3,
)  # fmt: skip
STATE = RNG.normal(size=N + 4)


@pytest.mark.parametrize("inertia", [0.0, 0.7, [1.0, 0.0, 0.5, 2.0, 0.0, 0.3]])
def test_the_equation_term_by_term(inertia):
    model = MODEL.replace(inertia=inertia)
    space, masses = StateSpace(model, N), np.broadcast_to(inertia, N)
    y = space.state(STATE[:N], np.arange(N) / 7)
    assert len(y) == space.size == N + np.count_nonzero(masses)
    u, speeds = model.velocity(y[:N]), dict(zip(space.heavy, y[N:]))
    first = [speeds[i] if masses[i] else u[i] for i in range(N)]
    second = [(u[i] - v) * model.damping[i] / masses[i] for i, v in speeds.items()]
    assert np.allclose(space.velocity(y), [*first, *second], rtol=1e-14, atol=0)
    moved = Motion(model, N)(y[None], np.empty((1, space.size)))
    assert np.array_equal(moved[0], space.velocity(y))
    assert np.array_equal(space.all_velocities(y, known=True), first)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_the_matrix_is_the_derivative(form):
    space = StateSpace(MODEL, N)
    matrix = space.linearization(form(MODEL.jacobian(STATE[:N])))
    assert sparse.issparse(matrix) == (form is not np.asarray)
    dense, h = np.asarray(matrix.todense() if sparse.issparse(matrix) else matrix), 1e-6
    columns = [
        (space.velocity(STATE + h * e) - space.velocity(STATE - h * e)) / (2 * h) for e in np.eye(N + 4)
    ]
    assert np.allclose(dense, np.transpose(columns), rtol=0, atol=1e-8)
    assert np.allclose(space.tangent(STATE, np.eye(N + 4)), dense, rtol=0, atol=1e-14)
    assert space.divergence(STATE) == pytest.approx(np.trace(dense), abs=1e-13)


def test_velocities_that_only_the_past_knows_are_nan():
    found = StateSpace(MODEL, N).all_velocities(STATE[None], known=False)
    assert np.array_equal(np.isnan(found[0]), np.asarray(MODEL.inertia) == 0)
