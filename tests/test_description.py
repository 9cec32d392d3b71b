"""What a model says it is: its equation, its code, what keeps it from having an energy."""

import numpy as np
import pytest

import inphase as ip
from inphase.description import Kept, equation, model_code, script

SQUARE = np.round(np.random.default_rng(3).uniform(0, 1, (5, 5)), 3)
CYCLE = ip.graphs.ring(5)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (ip.PhaseModel(ip.kuramoto()), "dθ_i/dt = −(1/n) Σ_j f(θ_i − θ_j)"),
        (ip.PhaseModel(ip.kuramoto(), ip.AllToAll([1, 2])), "dθ_i/dt = −Σ_j c_j f(θ_i − θ_j)"),
        (ip.PhaseModel(ip.kuramoto(), ip.RankOne([1, 2], [1, 2])), "dθ_i/dt = −r_i Σ_j c_j f(θ_i − θ_j)"),
        (
            ip.PhaseModel(ip.attention(1.0), ip.Causal(), gain="softmax", frequencies=0.1),
            "dθ_i/dt = ω − (1/g_i) (1/i) Σ_{j<=i} f(θ_i − θ_j)",
        ),
        (ip.PhaseModel(ip.kuramoto(), ip.AllTriads()), "dθ_i/dt = −(1/n²) Σ_jk f(θ_i + θ_k − 2θ_j)"),
        (
            ip.PhaseModel(ip.kuramoto(), ip.Hypergraph([(0, 1, 2)], "j+k-2i"), delays=[0.1, 0.2, 0.3]),
            "dθ_i/dt = −Σ_{j<k} w_ijk f(2θ_i(t) − θ_j(t − τ_j) − θ_k(t − τ_k))",
        ),
        (
            ip.PhaseModel(ip.kuramoto(), 2 * ip.Lagged(SQUARE, 0.2) + ip.Dense(SQUARE), field=np.ones(5)),
            "dθ_i/dt = b_i sin θ_i − (2 Σ_j K(1)_ij f(θ_i − θ_j + α_ij) + Σ_j K(2)_ij f(θ_i − θ_j))",
        ),
        (
            ip.PhaseModel(ip.kuramoto(), ip.Sparse(CYCLE), inertia=2.0, damping=np.ones(5) / 2, noise=0.1),
            "m d²θ_i/dt² + d_i dθ_i/dt = −Σ_j K_ij f(θ_i − θ_j) + √(2D) ξ_i(t)",
        ),
        (
            ip.PhaseModel(ip.kuramoto(), ip.Dense(SQUARE), delays=np.full((5, 5), 0.1)),
            "dθ_i/dt = −Σ_j K_ij f(θ_i(t) − θ_j(t − τ_ij))",
        ),
    ],
)
def test_equations(model, text):
    assert equation(model).text == text


def test_a_negative_factor_stands_in_brackets():
    model = ip.PhaseModel(ip.kuramoto(), -2 * ip.Dense(SQUARE), gain=lambda phases: 2 + np.sin(phases))
    assert equation(model).text == "dθ_i/dt = −(1/g_i(θ)) (−2 Σ_j K_ij f(θ_i − θ_j))"


def test_the_gain_hears_what_the_pull_hears():
    model = ip.PhaseModel(ip.attention(1.0), gain="softmax", delays=0.1)
    text = model.g.equation(model.coupling, model.delays.ndim).text
    assert text.startswith("g_i = (1/n) Σ_j h(cos(θ_i(t) − θ_j(t − τ)))")


class Own(ip.Coupling):
    """A user's, by the abstract methods alone."""

    size, positive = 4, True

    def matrix(self, n):
        return np.roll(np.eye(4), 1, axis=1)

    def forces(self, functions, phases, out=None, sources=None):
        heard = np.roll(phases if sources is None else sources, -1, axis=-1)
        found = [f(phases - heard) for f in functions]
        for target, values in zip(out or (), found):
            target[...] = values
        return found if out is None else list(out)

    def to_dict(self):
        return {"kind": "Own"}


class Triples(Own):
    """A user's, that has no matrix and does not spell its terms."""

    def matrix(self, n):
        raise ValueError("triples")

    def mean_strength(self, n):
        return 1.0

    def jacobians(self, slopes, phases):
        return Own().jacobians(slopes, phases)


@pytest.mark.parametrize("coupling", [Own(), Triples()], ids=["pairs", "triples"])
def test_study_of_a_users_coupling(coupling, tmp_path):
    """It runs with constant steps and in the main job, whose code says what the reader must provide."""
    model = ip.PhaseModel(ip.kuramoto(), coupling)
    assert ip.simulate(model, np.arange(4.0), t_end=1.0, step=0.1).attrs["status"] == "finished"
    ip.study(model, n=4, out=tmp_path, t_end=5.0)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "# coupling is &lt;" in page and "ip.PhaseModel(ip.kuramoto(), coupling)" in page


@pytest.mark.parametrize(
    ("coupling", "gain"),
    [
        (ip.AllToAll() - ip.AllToAll(), None),
        (ip.RankOne([0, 0, 0], [1, 1, 1]), None),
        (ip.RankOne([2, 2, 2], [1, 1, 0]), "softmax"),
    ],
)
def test_study_where_weights_are_zero(coupling, gain):
    """No merger tree where `coarsen` needs weights, and no sentence about what attracts nothing."""
    result = ip.study(ip.PhaseModel(ip.attention(1.0), coupling, gain=gain), n=3, t_end=1.0)
    assert result.run.attrs["status"] == "finished" and result.tree is None
    told = " ".join(item["statement"] for item in result.summary["evidence"])
    attracts = bool(np.any(coupling.common_weights(3)))
    assert ("synchronized state:" in told) is ("L1 criterion" in told) is attracts


def test_arguments_that_are_no_plain_numbers_are_repeated():
    keep = Kept()
    assert keep.argument("t_end", np.float64(1.5)) == "1.5"
    assert keep.argument("history", (np.zeros(2), np.ones(2))) == "([0.0, 0.0], [1.0, 1.0],)"
    assert keep.argument("history", np.sin) == "history" and keep.remarks == [
        "history is the function, as it was given"
    ]


def test_a_formula_that_is_called_like_one_of_the_catalog_is_spelled():
    f = ip.Interaction("a*sin(x)", name="kuramoto", a=2.0)
    again = eval(model_code(ip.PhaseModel(f), Kept()), {"ip": ip})
    assert np.allclose(again.interaction([0.3, 1.0]), f([0.3, 1.0]))


def test_facts_of_a_large_decoder_need_no_matrix():
    assert ip.Causal().facts(10**7).pairs and (2 * ip.Causal() + ip.Causal()).facts(10**7).pairs


def test_the_gain_of_softmax_has_a_line_of_its_own():
    model = ip.PhaseModel(ip.attention(1.0), ip.AllToAll([1, 2]), gain="softmax")
    assert model.g.equation(model.coupling).text == "g_i = Σ_j c_j h(cos(θ_i − θ_j)), f(x) = sin x · h(cos x)"


def test_code_refers_to_what_is_kept_and_runs_again(tmp_path, monkeypatch):
    """Few numbers are spelled, many are in the file; sparse delays too."""
    omega = np.linspace(-1, 1, 20)
    delays = ip.graphs.ring(20).matrix * 0.25
    model = ip.PhaseModel(
        ip.kuramoto(), 0.5 * ip.Sparse(ip.graphs.ring(20)), frequencies=omega, delays=delays
    )
    keep = Kept()
    lines = script([f"model = {model_code(model, keep)}"], keep)
    assert 'parts["frequencies"]' in lines and "sparse.coo_array" in lines
    monkeypatch.chdir(tmp_path)
    np.savez("parts.npz", **keep.arrays)
    known = {}
    exec(lines, known)
    assert known["model"].to_dict() == model.to_dict()


@pytest.mark.parametrize(
    "coupling",
    [
        ip.AllTriads(),
        ip.AllTriads("j+k-2i"),
        ip.Hypergraph([(0, 1, 2), (2, 3, 4)]),
        ip.Sparse(CYCLE) + ip.AllTriads(),
    ],
    ids=repr,
)
def test_study_of_triads(coupling, tmp_path):
    """The main job needs no t_end and writes a report with the equation of triads."""
    result = ip.study(ip.PhaseModel(ip.kuramoto(), coupling), n=5, out=tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert result.run.attrs["status"] == "finished" and "Σ_jk" in page


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"interaction": ip.sakaguchi(0.3)}, "f is not odd"),
        ({"frequencies": [0.0, 0.1, 0.0, 0.0, 0.0]}, "the frequencies differ"),
        ({"field": 0.1}, "there is a field"),
        ({"delays": 0.1}, "there are delays"),
        ({"noise": 0.1}, "there is noise"),
        ({"inertia": 0.1}, "there is inertia"),
        ({"coupling": ip.AllTriads()}, "the terms are not pairs"),
        ({"coupling": ip.Lagged(SQUARE + SQUARE.T, 0.3)}, "there are phase lags"),
        ({"coupling": ip.Dense(SQUARE)}, "K is not symmetric, nor the same for all who listen"),
        ({"gain": "softmax"}, "with a gain, K_ij must be the same for all i"),
        ({"coupling": ip.RankOne(np.ones(5), [1, 1, -1, 1, 1])}, "a weight is negative"),
    ],
)
def test_energy_says_which_condition_fails(parts, reason):
    model = ip.PhaseModel(**({"interaction": ip.kuramoto(), "coupling": ip.Sparse(CYCLE)} | parts))
    with pytest.raises(ValueError, match=f"energy needs a gradient flow, but {reason}"):
        model.energy(np.zeros(5))


def test_the_jacobian_of_a_low_rank_coupling_has_rank_2mr():
    left = np.linspace(0.1, 1, 12).reshape(6, 2)
    model = ip.PhaseModel(ip.harmonics(sin=[1.0, 0.5]), ip.LowRank(left, left[::-1].copy()))
    low = model.jacobian_low_rank(np.arange(6.0))
    assert low.rank == 2 * 2 * 2
    assert np.allclose(low.dense(), model.jacobian(np.arange(6.0)), atol=1e-13)
    with pytest.raises(ValueError, match="mean fields or of low rank"):
        ip.PhaseModel(ip.kuramoto(), ip.Ring(1)).jacobian_low_rank(np.zeros(5))


def test_lags_with_delays_of_pairs():
    """Simulated, found and summed with other couplings; against the lags' own definition at rest."""
    coupling = ip.Lagged(SQUARE, 0.3)
    delays = np.full((5, 5), 0.2)
    both = ip.PhaseModel(ip.kuramoto(), 0.5 * coupling + ip.Dense(SQUARE), delays=delays, frequencies=0.4)
    alone = ip.PhaseModel(ip.kuramoto(), coupling, delays=delays, frequencies=0.4)
    for model in (alone, both):
        run = ip.simulate(model, np.arange(5.0), t_end=60.0, tolerance=1e-9)
        speed = (run.phase[-1] - run.phase[-2]) / float(run.time[-1] - run.time[-2])
        states = ip.equilibria.find(model, 5, starts=20)
        assert min(abs(state.frequency - float(speed.mean())) for state in states) < 1e-6
