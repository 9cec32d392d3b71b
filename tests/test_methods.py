"""Runge-Kutta methods as data: their order conditions, their orders in runs, and what they refuse."""

import numpy as np
import pytest
from scipy.integrate import RK45

import inphase as ip
from inphase.methods import DORMAND_PRINCE, RUNGE_KUTTA
from inphase.simulation import fixed

ALL = RUNGE_KUTTA | {"dormand-prince": DORMAND_PRINCE}


def conditions(a, b, c):
    """(order, Φ(t), 1/γ(t)) of the rooted trees t of up to four nodes; of five, two of the nine."""
    return [
        (1, b.sum(), 1),
        (2, b @ c, 1 / 2),
        (3, b @ c**2, 1 / 3),
        (3, b @ a @ c, 1 / 6),
        (4, b @ c**3, 1 / 4),
        (4, (b * c) @ a @ c, 1 / 8),
        (4, b @ a @ c**2, 1 / 12),
        (4, b @ a @ a @ c, 1 / 24),
        (5, b @ c**4, 1 / 5),
        (5, b @ a @ a @ a @ c, 1 / 120),
    ]


@pytest.mark.parametrize("name", ALL)
def test_order_conditions_hold_up_to_the_order_and_not_beyond(name):
    method = ALL[name]
    assert np.array_equal(method.a, np.tril(method.a, -1)) and method.stages == len(method.a)
    found = conditions(method.a, method.b, method.a.sum(axis=1))
    for order, value, wanted in found:
        if order <= method.order:
            assert value == pytest.approx(wanted, abs=1e-15)
    if method.order < 5:
        assert any(abs(value - wanted) > 1e-3 for p, value, wanted in found if p == method.order + 1)


def test_what_the_kernel_of_many_steps_relies_on():
    """`kernels.march` adds the last weight of a row last, whatever it is."""
    for method in RUNGE_KUTTA.values():
        assert np.all(np.diagonal(method.a, -1)) and method.b[-1]


def test_the_pair_is_that_of_scipy_to_the_bit():
    assert np.array_equal(DORMAND_PRINCE.a[:6, :5], RK45.A) and np.array_equal(
        DORMAND_PRINCE.a[6, :6], RK45.B
    )
    assert np.array_equal(DORMAND_PRINCE.b[:6], RK45.B) and np.array_equal(DORMAND_PRINCE.error, RK45.E)
    assert np.array_equal(DORMAND_PRINCE.interpolant, RK45.P)
    with pytest.raises(ValueError, match="read-only"):
        DORMAND_PRINCE.b[0] = 1.0


SYSTEMS = {
    "march": ip.PhaseModel(ip.kuramoto(), ip.Sparse([[0, 1], [1, 0]])),
    "NumPy": ip.PhaseModel(ip.kuramoto(), gain=lambda phases: np.ones_like(phases)),
}


@pytest.mark.parametrize("route", SYSTEMS)
@pytest.mark.parametrize("method", RUNGE_KUTTA)
def test_the_order_of_convergence_is_that_of_the_method(route, method):
    """tan(d/2) = tan(d_0/2) e^{−2Kt} for two oscillators that pull each other with strength K."""
    system, K = SYSTEMS[route], 1.0 if route == "march" else 0.5
    assert (fixed.plan(system, 2) is not None) == (route == "march")
    errors = []
    for h in (0.1, 0.05, 0.025):
        end = ip.simulate(system, [0.0, 3.0], times=[2.0], step=h, method=method).phase.values[0]
        errors.append(abs(end[1] - end[0] - 2 * np.arctan(np.tan(1.5) * np.exp(-4 * K))))
    measured = np.log2(np.array(errors[:-1]) / errors[1:])
    assert measured[-1] == pytest.approx(RUNGE_KUTTA[method].order, abs=0.15)


def test_inertia_moves_by_the_same_method():
    """One oscillator that slides to rest: θ' = v, m v' = −v."""
    model = ip.PhaseModel(ip.kuramoto(), 0.0 * ip.AllToAll(), inertia=2.0)
    errors = []
    for h in (0.2, 0.1):
        run = ip.simulate(model, [0.0], times=[4.0], step=h, method="rk4", velocities=1.0)
        errors.append(abs(float(run.phase[0, 0]) - 2 * (1 - np.exp(-2.0))))
    assert errors[0] < 1e-5 and np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("method", ["midpoint", "rk4"])
def test_what_a_method_cannot_do_is_refused_with_the_reason(method):
    noisy = ip.PhaseModel(ip.kuramoto(), noise=0.1)
    with pytest.raises(
        ValueError, match=f"with noise, method must be one of euler, heun; got '{method}'.*white noise"
    ):
        ip.simulate(noisy, [0.0, 1.0], t_end=1.0, step=0.1, method=method)
    late = ip.PhaseModel(ip.kuramoto(), delays=0.1)
    with pytest.raises(
        ValueError, match=f"with delays, method must be one of .*; got '{method}'.*between steps"
    ):
        ip.simulate(late, [0.0, 1.0], t_end=1.0, step=0.1, method=method)
    with pytest.raises(ValueError, match="needs a constant step, for instance step="):
        ip.simulate(ip.PhaseModel(ip.kuramoto()), [0.0, 1.0], t_end=1.0, method=method)
    run = ip.simulate(ip.PhaseModel(ip.kuramoto()), [0.0, 1.0], t_end=1.0, step=0.1, method=method)
    assert run.attrs["method"] == RUNGE_KUTTA[method].title and run.attrs["step"] == 0.1
