"""Faults that were found once and mended."""

import copy
import functools
import pickle

import numpy as np
import pytest

import inphase as ip
from inphase import expression as ex
from inphase.kernels import tape


def test_jets_of_any_order_are_the_derivatives():
    jet = ip.kuramoto().jet(0.5, 12)
    for k, ball in enumerate(jet):
        assert float(ball.mid()) == pytest.approx(np.sin(0.5 + k * np.pi / 2), abs=1e-12)


@pytest.mark.parametrize(
    "f",
    [lambda: 0 * ip.kuramoto(), lambda: ip.Interaction("k*sin(x)", k=0.0), lambda: ip.harmonics(sin=[0.0])],
)
def test_zero_is_an_interaction_too(f):
    f = f()
    assert not f.modes.any() and f.odd and f.potential(1.0) == 0
    assert ip.PhaseModel(f, frequencies=[1.0, 2.0]).velocity([0.0, 1.0]).tolist() == [1.0, 2.0]


def test_softmax_of_constant_profile_has_a_low_rank_jacobian():
    model = ip.PhaseModel(ip.kuramoto(), gain="softmax")
    assert model.jacobian_low_rank([0.0, 1.0]).dense() == pytest.approx(model.jacobian([0.0, 1.0]))
    assert ip.coarsen(model, np.linspace(0, 5, 300), 1e4).attrs["status"] == "synchronized"


def test_the_tree_does_not_depend_on_the_tolerance():
    model, phases = ip.PhaseModel(ip.attention(9.0)), np.random.default_rng(3).uniform(0, 2 * np.pi, 12)
    trees = [ip.coarsen(model, phases, 1e14, tolerance=tolerance) for tolerance in (1e-8, 1e-9, 1e-11)]
    for tree in trees[:2]:
        assert tree.time.values == pytest.approx(trees[2].time.values, rel=1e-4)
        assert {frozenset(m) for m in tree.merged.values} == {frozenset(m) for m in trees[2].merged.values}


def test_clusters_that_meet_across_the_cut_merge():
    model = ip.PhaseModel(ip.sakaguchi(-1.25), ip.AllToAll([0.01, 0.99]))
    assert ip.coarsen(model, [0.0, 1.0], 1e4).attrs["status"] == "synchronized"


@pytest.mark.parametrize("k", [24, 60])
def test_profile_of_high_harmonics_is_quick(k):
    import time

    begin = time.perf_counter()
    assert ip.Interaction(f"sin({k if k < 30 else 27}*x)").profile is not None
    assert time.perf_counter() - begin < 0.05


def test_recording_refuses_equality():
    with pytest.raises(TypeError, match="compare"):
        ip.Interaction(lambda x, m, a: m.sin(x) if a == 0 else m.sin(a * x) / a, a=1.0)


@pytest.mark.parametrize("source", ["exp(cos(x))**2*sin(x)", "sin(x)*exp(cos(x))**(-1)"])
def test_latex_of_powers_of_exp_can_be_drawn(source):
    from matplotlib.mathtext import MathTextParser

    MathTextParser("path").parse(f"${ex.latex(ex.parse(source, []))}$")


def test_latex_puts_negative_factors_in_parentheses():
    assert ex.latex(ex.parse("sin(x)*(-cos(x))", [])) != r"\sin x\,-\cos x"
    assert ex.latex(ex.parse("cos(x)**(-1)*sin(x)", [])) != r"\cos^{-1} x\,\sin x"


@pytest.mark.parametrize(
    ("text", "a"),
    [("sin(x)*(1/a)", 0), ("sin(x)*a**(-1)", 0), ("sin(x)*a**1000", 10), ("sin(x)*1e300*1e300", 1)],
)
def test_numbers_out_of_range_are_value_errors(text, a):
    with pytest.raises(ValueError):
        ip.Interaction(text, a=a)


def test_a_condition_needs_no_name():
    stop = functools.partial(lambda t, p, k: t > k, k=1.0)
    assert (
        ip.simulate(ip.PhaseModel(ip.kuramoto()), [0.0, 1.0], t_end=5.0, stop=stop).attrs["status"]
        == "stopped"
    )


def test_an_interrupted_run_keeps_what_the_running_replicas_reached():
    def stop(t, p):
        if abs(p[0] - p[1]) < 0.5:
            return t > 1.0
        if t > 8:
            raise KeyboardInterrupt
        return False

    run = ip.simulate(ip.PhaseModel(ip.kuramoto()), [[0, 0.1], [0, 3.1415]], 10.0, stop=stop)
    assert run.attrs["status"] == "interrupted" and float(run.time[-1]) > 7


@pytest.mark.parametrize(("rows", "columns"), [([0, 1], [1, 1]), ([1, 1], [0, 0])])
def test_softmax_never_gives_nan(rows, columns):
    try:
        model = ip.PhaseModel(ip.attention(1.0), ip.RankOne(rows, columns), gain="softmax")
    except ValueError:
        return
    assert np.isfinite(model.velocity([0.0, 1.0])).all()


def test_coarsening_refuses_weights_of_zero_under_softmax():
    model = ip.PhaseModel(ip.attention(300.0), ip.AllToAll([0.5, 0.5, 0.0]), gain="softmax")
    with pytest.raises(ValueError, match="positive weights"):
        ip.coarsen(model, [0.0, 0.1, 3.0], 1e4)


@pytest.mark.parametrize("part", ["weights", "frequencies"])
def test_the_model_keeps_its_own_numbers(part):
    a = np.array([0.5, 0.5])
    model = (
        ip.PhaseModel(ip.kuramoto(), ip.AllToAll(a))
        if part == "weights"
        else ip.PhaseModel(ip.kuramoto(), frequencies=a)
    )
    a[0] = np.nan
    assert np.isfinite(model.velocity([0.0, 1.0])).all()


def test_models_can_be_copied_and_pickled():
    model = ip.PhaseModel(ip.attention(2.0))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.velocity([0.0, 1.0]).tolist() == model.velocity([0.0, 1.0]).tolist()


def test_a_tape_of_two_interactions_keeps_their_parameters_apart():
    f, g = ip.attention(100.0), ip.attention(1.0)
    try:
        program = f.tape(g)
    except ValueError:
        return
    out = np.empty((2, 1))
    tape.run(program.code, program.constants, program.outputs, np.array([1.0]), out)
    assert out[:, 0] == pytest.approx([float(f(1.0)), float(g(1.0))])


def test_complex_phases_are_refused():
    with pytest.raises((TypeError, ValueError), match="phases"):
        ip.PhaseModel(ip.kuramoto()).velocity(np.array([1j, 2.0]))


def test_coarsen_does_not_depend_on_the_unit_of_time():
    assert ip.coarsen(ip.PhaseModel(1e14 * ip.kuramoto()), [0.0, 3.0], 1.0).attrs["status"] == "synchronized"
    assert ip.coarsen(ip.PhaseModel(ip.kuramoto()), [0.0, 3.0], 1e-13).attrs["status"] == "finished"


def test_positive_variation_of_an_even_interaction():
    assert ip.Interaction("cos(x)").positive_variation == pytest.approx(2.0)


def test_hundreds_of_harmonics_are_fine():
    assert ip.harmonics(sin=[1 / k**2 for k in range(1, 601)])(1.0) > 0


@pytest.mark.parametrize(
    "f",
    [
        lambda: ip.attention(2.0).derivative(6),
        lambda: ip.Interaction(lambda x, m: 1e-300 * m.sin(x)),
    ],
)
def test_dictionaries_read_back(f):
    f = f()
    assert ip.Interaction.from_dict(f.to_dict()).expression is f.expression


def test_other_bad_input():
    with pytest.raises(ValueError, match="frequencies"):
        ip.PhaseModel(ip.kuramoto(), frequencies=[])
    with pytest.raises(ValueError, match=r"replicas|phases"):
        ip.simulate(ip.PhaseModel(ip.kuramoto()), np.empty((0, 4)), 1.0)
    with pytest.raises(ValueError, match="max_steps"):
        ip.simulate(ip.PhaseModel(ip.kuramoto()), [0.0, 1.0], 1.0, max_steps=-1)
    with pytest.raises(ValueError, match="largest_gap"):
        ip.kuramoto().synchronization_ratio(0.0)


def test_a_gain_that_fails_in_mid_run_keeps_what_there_is():
    model = ip.PhaseModel(ip.kuramoto(), gain=lambda p: 0.2 - p[..., :1] + 0 * p)
    run = ip.simulate(model, [-0.5, 1.0], 10.0)
    assert run.sizes["time"] > 0


def test_coarsening_refuses_repulsion_at_short_distance():
    with pytest.raises(ValueError, match="attraction at short distance"):
        ip.coarsen(ip.PhaseModel(-ip.kuramoto()), [0.0, 1e-8, 3.0], 1e4)
