"""What is refused at the door, in one sentence that names the value and the remedy."""

import copy
import pickle

import numpy as np
import pytest

import inphase as ip
from inphase.cli import main
from inphase.density import evolve_density
from inphase.equilibria import find, lyapunov_exponents, nearest
from inphase.expression import shortened
from inphase.simulation import clusters_at_most, synchronized

SIN = ip.kuramoto()
TWO = ip.PhaseModel(SIN)
START = [0.0, 1.0]


# ------------------------------------------------------------------------------------------------- tolerances

DOORS = {
    "simulate": lambda tolerance: ip.simulate(TWO, START, 1.0, tolerance=tolerance),
    "coarsen": lambda tolerance: ip.coarsen(TWO, START, 1.0, tolerance=tolerance),
    "study": lambda tolerance: ip.study(TWO, 2, t_end=1.0, tolerance=tolerance),
    "lyapunov_exponents": lambda tolerance: lyapunov_exponents(TWO, START, t_end=1.0, tolerance=tolerance),
    "find": lambda tolerance: find(TWO, 2, starts=1, tolerance=tolerance),
    "nearest": lambda tolerance: nearest(TWO, START, tolerance=tolerance),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("tolerance", [1e-25, 9e-16, 0.11, 1e3])
def test_tolerances_that_no_run_can_keep_are_refused(door, tolerance):
    with pytest.raises(ValueError, match=rf"tolerance must lie .*; got {tolerance!r}: take 1e-(12|3)"):
        DOORS[door](tolerance)


@pytest.mark.parametrize("tolerance", [1e-15, 0.1])
def test_the_ends_of_the_range_are_taken(tolerance):
    run = ip.simulate(TWO, START, t_end=1e-3, tolerance=tolerance)
    assert run.attrs["status"] == "finished"


def test_a_density_has_a_range_of_its_own():
    for tolerance in (1e-25, 0.05):
        with pytest.raises(ValueError, match=f"tolerance must be .*{tolerance!r}"):
            evolve_density(SIN, lambda x: 1 + 0 * x, t_end=1.0, tolerance=tolerance)


@pytest.mark.parametrize("word", ["1e-25", "1e3", "0", "nan"])
def test_the_command_line_refuses_tolerances_in_one_line(word, tmp_path, capsys):
    out = ["--t-end", "1", "--out", str(tmp_path / "out"), "--tolerance", word]
    assert main(["simulate", "kuramoto", "--n", "3", *out]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "out").exists()
    file = tmp_path / "run.toml"
    file.write_text(f'[interaction]\nname = "kuramoto"\n[run]\nn = 3\nt_end = 1.0\ntolerance = {word}\n')
    assert main(["simulate", str(file), "--out", str(tmp_path / "out")]) == 2
    assert "run.tolerance" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------- conditions of stop


@pytest.mark.parametrize("answer", [0.3, 1, None, "no", np.float64(0.0), np.array([True]), np.array(0)])
@pytest.mark.parametrize("how", [{}, {"step": 0.1}])
def test_a_condition_answers_yes_or_no(answer, how):
    def far(time, phases):
        return answer

    with pytest.raises(
        TypeError, match=r"stop must return True or False; far returned .* write a comparison"
    ):
        ip.simulate(TWO, START, t_end=1.0, stop=far, **how)


def test_a_condition_that_answers_something_else_later_is_refused_too():
    with pytest.raises(TypeError, match=r"returned 0\.5"):
        ip.simulate(TWO, START, t_end=1.0, stop=lambda time, phases: 0.5 if time > 0 else False)


@pytest.mark.parametrize("kind", [bool, np.bool_, np.array])
def test_bools_of_all_kinds_stop_a_run(kind):
    run = ip.simulate(TWO, START, t_end=9.0, stop=lambda time, phases: kind(bool(time > 1)))
    assert float(run.end_time) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("condition", [synchronized(), synchronized(0.1), clusters_at_most(3, 0.01)])
def test_conditions_are_pickled_copied_and_shown(condition):
    for again in (pickle.loads(pickle.dumps(condition)), copy.deepcopy(condition)):
        assert again == condition and again.__name__ == condition.__name__
        assert again(0.0, np.array([0.0, 0.05, 6.26])) == condition(0.0, np.array([0.0, 0.05, 6.26]))
    assert eval(repr(condition)) == condition


@pytest.mark.parametrize("tolerance", [-1e-3, np.nan, np.inf, 3.2, "1"])
def test_conditions_refuse_widths_that_mean_nothing(tolerance, as_a_user):
    for make in (synchronized, lambda tolerance: clusters_at_most(2, tolerance)):
        with pytest.raises((TypeError, ValueError), match="tolerance must be"):
            make(tolerance)
    with pytest.raises(ValueError, match="k must be"):
        clusters_at_most(0)


# -------------------------------------------------------------------------------------------------------- gains


@pytest.mark.parametrize("value", [-0.5, 0.0, np.nan, np.inf])
def test_a_gain_that_is_not_positive_at_the_start_is_refused(value):
    model = ip.PhaseModel(SIN, gain=lambda y: np.where(y > 0.5, value, 1.0))
    for how in ({}, {"step": 0.1}):
        with pytest.raises(ValueError, match=r"gain must be positive everywhere; .* for oscillator 1"):
            ip.simulate(model, [[0.0, 0.2], [0.0, 1.0]], t_end=1.0, **how)
    assert ip.simulate(model, [0.0, 0.2], t_end=1.0).attrs["status"] == "finished"


@pytest.mark.parametrize("n", [None, 4])
def test_certify_refuses_gains_that_are_seen_not_to_be_positive(n):
    for gain in (
        lambda y: np.cos(y - y[..., :1]),
        lambda y: 0 * y - 1,
        lambda y: np.where(y > 2, np.nan, 1.0),
    ):
        with pytest.raises(ValueError, match="gain must be positive everywhere"):
            ip.certify.synchronization(ip.PhaseModel(SIN, gain=gain), n=n)
    good = ip.PhaseModel(SIN, gain=lambda y: 2 + np.cos(y))
    assert ip.certify.synchronization(good, n=n).verdict == "proved"


def test_a_gain_returns_real_numbers_of_the_shape_of_the_phases():
    with pytest.raises(TypeError, match="real numbers"):
        ip.simulate(ip.PhaseModel(SIN, gain=lambda y: y + 2j), START, t_end=1.0)
    with pytest.raises(ValueError, match=r"shape, \(1, 2\); got shape \(3,\)"):
        ip.simulate(ip.PhaseModel(SIN, gain=lambda y: np.ones(3)), START, t_end=1.0)


# -------------------------------------------------------------------------------------------------------- poles


@pytest.mark.parametrize(
    ("formula", "parameters", "part", "where"),
    [
        ("tan(x)", {}, "tan(x) has a pole", np.pi / 2),
        ("sin(x) + 0.01*tan(2*x)", {}, "tan(2*x) has a pole", np.pi / 4),
        ("tan(2*sin(x))", {}, "tan(2*sin(x)) has a pole", np.arcsin(np.pi / 4)),
        ("1/sin(x)", {}, "1/sin(x) divides by 0", 0.0),
        ("1/(1 + cos(x))", {}, "1/(1 + cos(x)) divides by 0", np.pi),
        ("sin(x)/(1 - cos(x - 1))", {}, "divides by 0", 1.0),
        ("sin(x)/(cos(x) + a)", {"a": -0.3}, "sin(x)/(cos(x) + a) divides by 0", np.arccos(0.3)),
        ("sin(x)*cos(x)**-2", {}, "cos(x)**(-2) divides by 0", np.pi / 2),
        ("sin(x) + exp(1/sin(x))", {}, "1/sin(x) divides by 0", 0.0),
        ("log(1 + cos(x))", {}, "log(1 + cos(x)) takes the logarithm", np.pi),
        ("sin(x)*log(1/2 + cos(x))", {}, "log(1/2 + cos(x)) takes the logarithm", np.arccos(-0.5)),
        ("sqrt(1/2 + cos(x))", {}, "sqrt(1/2 + cos(x)) takes the root", np.arccos(-0.5)),
    ],
)
def test_poles_are_refused_with_their_place_and_the_part_that_has_them(formula, parameters, part, where):
    with pytest.raises(ValueError, match="not finite at x = ") as refused:
        ip.Interaction(formula, **parameters)
    message = str(refused.value)
    assert part in message
    x = float(message.split("not finite at x = ")[1].split(":")[0].split(" with")[0])
    assert abs(np.sin(x)) == pytest.approx(abs(np.sin(where)), abs=1e-5)


@pytest.mark.parametrize(
    ("formula", "same"),
    [
        ("sin(2*x)/cos(x)", lambda x: 2 * np.sin(x)),
        ("sin(x)**2/(1 + cos(x))", lambda x: 1 - np.cos(x)),
        ("cos(x)*tan(x)", np.sin),
        ("2*tan(x/2)/(1 + tan(x/2)**2)", np.sin),
        ("1/(1 + tan(x)**2)", lambda x: np.cos(x) ** 2),
        ("sin(x)/exp(300*(1 - cos(x)))", lambda x: np.sin(x) * np.exp(300 * (np.cos(x) - 1))),
        ("sin(x)/(1.0001 + cos(x))", lambda x: np.sin(x) / (1.0001 + np.cos(x))),
        ("tan(sin(x)*1.5)", lambda x: np.tan(1.5 * np.sin(x))),
        ("sin(x)*sqrt(sin(x)**2 + 1/100)", lambda x: np.sin(x) * np.sqrt(np.sin(x) ** 2 + 0.01)),
    ],
)
def test_divisors_that_vanish_without_a_pole_are_taken(formula, same):
    x = np.linspace(-3, 3, 11)
    assert ip.Interaction(formula)(x) == pytest.approx(same(x), abs=1e-9)


def test_other_numbers_for_parameters_are_looked_at_too():
    f = ip.Interaction("sin(x)/(a + cos(x))", a=2.0)
    with pytest.raises(ValueError, match="divides by 0 there"):
        f.with_parameters(a=0.5)
    assert f.derivative(3)(0.3) == pytest.approx(f.with_parameters(a=2.0).derivative(3)(0.3))


# ----------------------------------------------------------------------------------------------------- messages

LONG = "sin(x) + " * 3000 + "sin(x)"
FAULTS = [
    lambda: ip.Interaction(LONG.replace("sin", "sine")),
    lambda: ip.Interaction(LONG + " + b"),
    lambda: ip.Interaction("(" + "sin(x) + " * 90 + "x)"),
    lambda: ip.Interaction("tan(x) + " + "sin(x) + " * 90 + "sin(x)"),
    lambda: ip.Interaction("a*(" + "+ sin(x)" * 90 + ")/(a + cos(x))", a=0.5),
    lambda: ip.Interaction("sin(x) if x else cos(x)" + "+ x" * 99),
    lambda: ip.PhaseModel(LONG),
    lambda: ip.PhaseModel(ip.Interaction("cos(x) + " * 90 + "1"), gain="softmax"),
    lambda: ip.Interaction("sin(x) + " * 90 + "a", a=1.0).with_parameters(b=1.0),
    lambda: ip.Interaction("sin(x) + " * 90 + "1").potential(1.0),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_long_formulas_are_cut_in_messages(fault, as_a_user):
    with pytest.raises((ValueError, TypeError)) as refused:
        fault()
    assert len(str(refused.value)) < 350 and "…" in str(refused.value)


def test_short_formulas_are_shown_whole():
    assert shortened("sin(x)") == "sin(x)" and len(shortened("x" * 61)) == 60


# ------------------------------------------------------------------------------------------------ output folders


@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "kuramoto", "--n", "3", "--t-end", "1"],
        ["coarsen", "attention", "--beta", "2", "--n", "3", "--t-end", "1"],
        ["study", "kuramoto", "--n", "3"],
        ["equilibria", "kuramoto", "--n", "3"],
        ["diagram", "--formula", "sin(x) + a*sin(2*x)+b*cos(x)", "--a", "0", "1", "--b", "0", "1"],
        ["reproduce", "kuranet-table1"],
        ["train", "FILE"],
    ],
    ids=lambda words: words[0],
)
def test_an_empty_output_folder_is_refused(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "training.toml"
    file.write_text('[problem]\nname = "circles"\n')
    before = sorted(tmp_path.iterdir())
    assert main([word.replace("FILE", str(file)) for word in words] + ["--out", ""]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and ("needs a name" in told or "must name a file or a folder" in told)
    assert sorted(tmp_path.iterdir()) == before


def test_an_empty_output_folder_is_refused_in_python_and_in_files(tmp_path, capsys):
    with pytest.raises(ValueError, match="needs a name"):
        ip.study(TWO, 2, out="")
    file = tmp_path / "run.toml"
    file.write_text('[interaction]\nname = "kuramoto"\n[run]\nn = 3\nt_end = 1.0\nout = ""\n')
    assert main(["simulate", str(file)]) == 2 and "run.out: must name" in capsys.readouterr().err
