"""The gallery runs, its figures are drawn, and its numbers
are those of the theory or the claim that it shows.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

ROOT = Path(__file__).parent.parent
GALLERY, DATA = ROOT / "docs" / "gallery", ROOT.parent / "shared" / "data" / "graphs"
SCRIPTS = sorted(GALLERY.glob("*.py"))
pytestmark = pytest.mark.usefixtures("as_a_user")  # an example runs at a user's speed


def run(name, folder):
    """The numbers of an example, whose figures must not be blank."""
    spec = importlib.util.spec_from_file_location(f"gallery_{name}", GALLERY / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.main(folder)
    drawn = sorted(folder.glob("*.png"))
    assert f"{name}.png" in [file.name for file in drawn]
    for file in drawn:
        image = imread(file)[..., :3]
        # of white paper, which lines and points leave mostly free
        ink = np.mean(np.any(image < 0.8, axis=-1))
        assert min(image.shape[:2]) > 300 and 0.005 < ink < 0.6
    assert all(np.isfinite(value) for value in found.values())
    return found


def test_kuramoto_transition(tmp_path):
    found = run("kuramoto_transition", tmp_path)
    assert found["critical coupling"] == pytest.approx(np.sqrt(8 / np.pi), rel=1e-12)
    # three times incoherence's own size
    assert found["largest r for K <= 1.2"] < 3 / np.sqrt(1000 * (1 - 1.2 / 1.596))
    # n = 1000: the drifting ones' fluctuations, O(1/sqrt(n)) less the mean
    assert found["largest error for K >= 1.8"] < 0.01


def test_chimera(tmp_path):
    found = run("chimera", tmp_path)
    # 256 oscillators, a wandering edge
    assert found["frequency of the locked"] == pytest.approx(found["theory"], abs=0.01)
    assert found["share that drifts"] == pytest.approx(found["share in theory"], abs=0.04)
    assert 0.6 < found["share in theory"] < 0.8  # neither all nor none
    assert found["rms error of the frequencies"] < 0.03  # of a range of 0.55


def test_twisted_states(tmp_path):
    found = run("twisted_states", tmp_path)
    assert found["largest stable q"] == 19  # |q| < n/4 = 20
    # 95% each, for 9 states or so: less would be 4 misses
    assert found["share of intervals that hold the Gaussian"] > 0.6
    # Random phases wind with variance n/12 at first, and the flow only unwinds them. 1000 starts gave 0.180;
    # 250 have a sampling error of 0.18/sqrt(500) = 0.008.
    assert found["standard deviation of q / sqrt(n)"] < np.sqrt(1 / 12)
    assert found["standard deviation of q / sqrt(n)"] == pytest.approx(0.18, abs=0.03)
    assert 0.15 < found["share that synchronizes"] < 0.35


def test_explosive_synchronization(tmp_path):
    found = run("explosive_synchronization", tmp_path)
    assert found["largest step of r, matched"] > 0.5 > 0.3 > found["largest step of r, shuffled"]
    assert found["largest gap, matched"] > 0.5  # hysteresis
    assert found["largest gap, shuffled"] < 0.1  # none
    # the points are 0.2 apart
    assert found["first λ with order, rising"] > found["last λ with order, falling"] + 0.1


# pandapower's, about its own test case
@pytest.mark.filterwarnings("ignore:tap_dependency_table:DeprecationWarning")
def test_swing_equation(tmp_path):
    pytest.importorskip("pandapower", reason="pandapower, of the extra `test`, has the grid")
    found = run("swing_equation", tmp_path)
    assert found["largest residual at rest (per unit)"] < 1e-5
    # what the losses, left out, make: 0.7% of the power
    assert found["rms angle off the AC power flow (degrees)"] < 1.0
    assert -0.5 < found["slowest rate of return (1/s)"] < -0.1  # near −d/2m of the generators, 0.1/(2 · 0.16)
    assert found["turns slipped, cleared early"] < 0.01
    assert found["turns slipped, cleared late"] > 0.99
    assert found["turns slipped, cleared late"] == pytest.approx(
        round(found["turns slipped, cleared late"]), abs=0.01
    )
    for when in ("early", "late"):  # e^{−0.31 · 20} = 0.002 of some rad/s
        assert found[f"last deviation, cleared {when} (rad/s)"] < 0.05


def test_real_graphs(tmp_path, monkeypatch):
    if not (DATA / "us_power_grid.gml").is_file():
        pytest.skip("the data sets are not in ../shared/data/graphs")
    monkeypatch.setenv("INPHASE_DATA", str(DATA))
    found = run("real_graphs", tmp_path)
    assert found["worm, K = 0.3: r"] > 0.5
    assert (
        found["grid, K = 2: share of locked pairs"]
        > 0.7
        > 0.3
        > found["grid, K = 0.25: share of locked pairs"]
    )
    assert found["grid, K = 2: r"] < 0.15  # without global order
    # and yet
    assert found["grid, K = 2: share of locked pairs"] > found["worm, K = 0.3: share of locked pairs"]
    assert found["grid, K = 2: spread of the frequencies"] < 0.5  # of 1 without coupling


def test_frustration(tmp_path):
    found = run("frustration", tmp_path)
    assert found["lag at which synchrony dies"] == pytest.approx(np.arccos(0.2), rel=1e-12)
    assert found["largest error of r"] < 0.04  # n = 200, largest next to the transition
    assert found["largest error of the frequency"] < 0.02
    assert found["largest r beyond"] < 0.2  # 1/sqrt(n) = 0.07, amplified


def test_triadic_bistability(tmp_path):
    found = run("triadic_bistability", tmp_path)
    assert found["K₁ at which order ends"] == pytest.approx(0.0, abs=1e-12)  # 2 sqrt(2 · 0.1 · 0.8) − 0.8
    # below the unstable branch, 0.42 at K₁ = 0.1: incoherent
    assert found["largest forward r for K₁ <= 0.1"] < 0.4
    assert found["largest error of the ordered state"] < 0.02  # n = 200
    assert found["r after lowering K₁ below the fold"] < 0.25


def test_delays(tmp_path):
    found = run("delays", tmp_path)
    assert found["largest error of a frequency"] < 0.02  # what is left of the transient at t = 40
    assert found["frequencies reached at τ = 0.5"] == 1
    assert found["frequencies reached at τ = 3"] == 2  # both stable ones of delay_frequencies


def test_noise(tmp_path):
    found = run("noise", tmp_path)
    assert found["sin x: largest error of r, D <= 0.4"] < 0.03  # n = 1000, 41 times
    low, high = found["attention: D where disorder loses stability"], found["attention: D where order ends"]
    assert low < 0.0285 < high
    # near the fold r moves by 1 when D does by 5%
    assert found["attention: largest error of r from synchrony"] < 0.06
    assert found["attention: r between, begun in synchrony"] > 0.7
    assert found["attention: r between, begun in disorder"] < 0.4  # sqrt(D/(n (D − low))) = 0.1: disordered
    assert found["attention: r below, begun in disorder"] > 0.9  # there disorder does not last
    assert found["attention: r beyond, begun in synchrony"] < 0.2  # nor order here


def test_distilled_coupling(tmp_path):
    pytest.importorskip("jax", reason="learning needs the extra `learn`")
    found = run("distilled_coupling", tmp_path)
    # −0.0508/n² = −1.3e-6
    assert found["V, square: n = 200, even ω"] == pytest.approx(found["V, square: theory"], abs=2e-6)
    assert found["square: largest error of a phase"] < 2e-5  # 7.4e-6, O(1/n²)
    assert found["V, square"] == pytest.approx(
        found["V, square: theory"], abs=4 * found["V, square: standard error"]
    )
    assert found["the term is the square"] == 1
    assert found["V, network"] < 0.055 and found["V, one term"] < 0.055 < 0.5 < found["V, uniform"]


def test_the_index_shows_every_example_and_its_figure():
    text = (GALLERY / "README.md").read_text()
    assert len(SCRIPTS) == 11
    for script in SCRIPTS:
        assert f"python docs/gallery/{script.name}" in text and f"figures/{script.stem}.png" in text
        assert (GALLERY / "figures" / f"{script.stem}.png").is_file()
        assert f"def test_{script.stem}(" in Path(__file__).read_text()
