"""Initial conditions: their laws, their seeds, their files, and what they refuse."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ive

from inphase import initial as start

TAU = 2 * np.pi
RANDOM = {
    "uniform": {},
    "von_mises": {"concentration": 2.0},
    "twisted": {"noise": 0.1},
    "clusters": {"masses": [1, 2], "spread": 0.1},
    "synchronized": {"spread": 0.1},
}
SURE = {
    "twisted": {"winding": 2},
    "splay": {},
    "quantiles": {},
    "clusters": {"masses": [1, 2]},
    "synchronized": {},
}


# --- names and seeds ---


@pytest.mark.parametrize("name", RANDOM)
def test_a_replica_depends_on_the_seed_and_its_number_alone(name):
    draw = {count: start.phases(name, 9, seed=5, replicas=count, **RANDOM[name]) for count in (1, 3, 8)}
    assert draw[8].shape == (8, 9) and draw[8].dtype == np.float64
    np.testing.assert_array_equal(draw[3], draw[8][:3])
    np.testing.assert_array_equal(draw[1], draw[8][:1])
    np.testing.assert_array_equal(start.phases(name, 9, seed=5, **RANDOM[name]), draw[8][0])
    assert len(np.unique(draw[8], axis=0)) == 8
    assert not np.array_equal(start.phases(name, 9, seed=6, **RANDOM[name]), draw[8][0])


@pytest.mark.parametrize("name", SURE)
def test_sure_kinds_are_the_same_in_every_replica(name):
    many = start.phases(name, 6, seed=5, replicas=3, **SURE[name])
    assert many.shape == (3, 6) and many.dtype == np.float64
    np.testing.assert_array_equal(many, np.tile(start.phases(name, 6, seed=0, **SURE[name]), (3, 1)))


def test_replicas_are_seeded_as_numpy_spawns_them():
    children = np.random.SeedSequence(5).spawn(4)
    expected = [start.uniform(9, np.random.default_rng(child)) for child in children]
    np.testing.assert_array_equal(start.phases("uniform", 9, seed=5, replicas=4), expected)


def test_all_kinds_are_tested_here():
    assert set(RANDOM) | set(SURE) | {"file"} == set(start.KINDS)


# --- laws ---


def test_uniform_passes_a_goodness_of_fit_test():
    theta = start.phases("uniform", 20_000, seed=1)
    assert theta.min() >= 0 and theta.max() < TAU
    assert stats.kstest(theta, stats.uniform(0, TAU).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("mean", "kappa"), [(0.0, 0.5), (2.0, 4.0), (-1.0, 50.0)])
def test_von_mises_has_its_moments(mean, kappa):
    n = 40_000
    theta = start.phases("von_mises", n, seed=2, mean=mean, concentration=kappa)
    for k in (1, 2):
        expected = ive(k, kappa) / ive(0, kappa) * np.exp(1j * k * mean)
        assert abs(np.mean(np.exp(1j * k * theta)) - expected) < 5 / np.sqrt(n)
    assert stats.kstest(theta[:2000], stats.vonmises(kappa, loc=mean).cdf).pvalue > 1e-3


def test_von_mises_without_concentration_is_uniform():
    theta = start.phases("von_mises", 20_000, seed=3, concentration=0)
    assert stats.kstest(np.mod(theta, TAU), stats.uniform(0, TAU).cdf).pvalue > 1e-3


@pytest.mark.parametrize("q", [-3, 0, 1, 4])
def test_twisted_steps_are_equal(q):
    theta = start.twisted(11, winding=q)
    assert theta[0] == 0
    np.testing.assert_allclose(np.diff(theta), TAU * q / 11, atol=1e-14)
    assert 11 * np.diff(theta).mean() == pytest.approx(TAU * q)  # unwrapped


def test_twisted_noise_is_normal_with_its_standard_deviation():
    n = 20_000
    shift = start.phases("twisted", n, seed=4, winding=3, noise=0.2) - start.twisted(n, winding=3)
    assert stats.kstest(shift, stats.norm(0, 0.2).cdf).pvalue > 1e-3


def test_splay_and_quantiles_are_polygons():
    for n in (1, 2, 7):
        for theta in (start.splay(n), start.quantiles(n)):
            assert theta.shape == (n,)
            for k in range(1, n):
                assert abs(np.exp(1j * k * theta).sum()) < 1e-13
        assert start.splay(n)[0] == 0
        np.testing.assert_allclose(start.quantiles(n) - start.splay(n), np.pi / n)


def test_clusters_sizes_and_places():
    np.testing.assert_array_equal(
        start.clusters(4, masses=[1, 3], positions=[0.5, 9.0]), [0.5, 9.0, 9.0, 9.0]
    )
    np.testing.assert_allclose(start.clusters(3, masses=[1, 1, 1]), [0, TAU / 3, 2 * TAU / 3])
    np.testing.assert_array_equal(start.clusters(4, positions=[1.0, 2.0]), [1.0, 1.0, 2.0, 2.0])
    sizes = np.bincount(start.clusters(10, masses=[0.33, 0.38, 0.29], positions=[0, 1, 2]).astype(int))
    np.testing.assert_array_equal(sizes, [3, 4, 3])  # largest remainder
    np.testing.assert_array_equal(start.clusters(2, masses=[0, 2], positions=[1.0, 2.0]), [2.0, 2.0])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_clusters_keep_whole_sizes(sizes):
    theta = start.clusters(sum(sizes), masses=sizes, positions=np.arange(len(sizes)))
    np.testing.assert_array_equal(np.bincount(theta.astype(int)), sizes)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.floats(0.05, 1), min_size=1, max_size=8), st.integers(200, 500))
def test_clusters_round_masses_by_less_than_one(masses, n):
    theta = start.clusters(n, masses=masses, positions=np.arange(len(masses)))
    sizes = np.bincount(theta.astype(int), minlength=len(masses))
    assert sizes.sum() == n == len(theta)
    assert np.abs(sizes - n * np.array(masses) / sum(masses)).max() < 1


def test_spread_is_the_length_of_the_arc():
    theta = start.phases("synchronized", 5000, seed=6, spread=0.4, mean=1.0)
    assert stats.kstest(theta, stats.uniform(0.8, 0.4).cdf).pvalue > 1e-3
    assert np.ptp(theta) <= 0.4
    theta = start.phases("clusters", 5000, seed=7, positions=[1.0, 4.0], spread=0.4)
    for half, center in zip(np.split(theta, 2), (1.0, 4.0)):
        assert stats.kstest(half, stats.uniform(center - 0.2, 0.4).cdf).pvalue > 1e-3


# --- files ---

PHASES = np.array([0.25, -7.5, 3.0])


def write(path, phases):
    if path.suffix == ".csv":
        path.write_text("phase\n" + "\n".join(map(repr, phases.tolist())) + "\n")
    elif path.suffix == ".npy":
        np.save(path, phases)
    else:
        import xarray as xr

        xr.Dataset({"phase": ("oscillator", phases)}).to_netcdf(path, engine="h5netcdf")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".nc"])
def test_files_come_back(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", PHASES)
    np.testing.assert_array_equal(start.from_file(path), PHASES)
    np.testing.assert_array_equal(start.from_file(str(path), n=3), PHASES)
    np.testing.assert_array_equal(start.phases("file", None, path=path), PHASES)
    np.testing.assert_array_equal(start.phases("file", 3, replicas=2, path=path), [PHASES, PHASES])
    with pytest.raises(ValueError, match=r"must hold n = 4 phases; got 3"):
        start.phases("file", 4, path=path)


def test_a_file_is_read_once_for_all_replicas(tmp_path, monkeypatch):
    read, path = [], write(tmp_path / "a.npy", PHASES)
    monkeypatch.setattr(start, "read_column", lambda file, *_, **__: read.append(file) or PHASES)
    assert start.phases("file", 3, replicas=50, path=path).shape == (50, 3)
    assert read == [path]


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".nc"])
def test_files_with_bad_entries_are_refused(tmp_path, suffix):
    for i, bad in enumerate((np.nan, np.inf)):
        path = write(tmp_path / f"{i}{suffix}", np.array([0.0, bad]))
        where = (
            rf", line 3: phase must be a finite number; got '{bad}'" if suffix == ".csv" else ".* at index 1"
        )
        with pytest.raises(ValueError, match=rf"{i}{suffix}{where}"):
            start.from_file(path)
    with pytest.raises(ValueError, match="holds no values"):
        start.from_file(write(tmp_path / f"empty{suffix}", np.array([])))


@pytest.mark.parametrize(
    "text", ["1\n2\n", "theta (rad)\n1\n2\n", "\ufeff1\r\n2\r\n", " 1 \n\n2", '"phase"\n1.0\n2e0\n']
)
def test_csv_layouts(tmp_path, text):
    path = tmp_path / "a.CSV"
    path.write_text(text, encoding="utf-8", newline="")
    np.testing.assert_array_equal(start.from_file(path), [1.0, 2.0])


@pytest.mark.parametrize(
    ("text", "line"), [("1\n2,3\n", 2), ("1,2\n3\n", 2), ("phase\n1\nx\n", 3), ("a\nb\n1\n", 2)]
)
def test_csv_errors_give_the_line(tmp_path, text, line):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"a.csv, line {line}: .*; got"):
        start.from_file(path)
    path.write_text("1,2\n3,4\n")
    with pytest.raises(ValueError, match=r"column must be chosen: .*a\.csv' has the columns 0 to 1"):
        start.from_file(path)
    np.testing.assert_array_equal(start.from_file(path, column=1), [2.0, 4.0])


def test_netcdf_gives_the_last_time(tmp_path):
    import xarray as xr

    path = tmp_path / "run.nc"
    rows = np.arange(6.0).reshape(2, 3)
    time = ("time", [0.0, 1.0], {"units": "seconds"})
    xr.Dataset({"phase": (("time", "oscillator"), rows)}, coords={"time": time}).to_netcdf(
        path, engine="h5netcdf"
    )
    np.testing.assert_array_equal(start.from_file(path), rows[1])
    xr.Dataset({"phase": (("oscillator", "time"), rows)}).to_netcdf(path, engine="h5netcdf")
    np.testing.assert_array_equal(start.from_file(path), rows[:, -1])
    xr.Dataset({"phase": (("time", "replica", "oscillator"), rows[None])}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(ValueError, match=r"shape \(2, 3\)"):
        start.from_file(path)
    xr.Dataset({"phase": (("time", "oscillator"), rows[:0])}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(ValueError, match="at least one time"):
        start.from_file(path)
    xr.Dataset({"speed": ("oscillator", rows[0])}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(ValueError, match="must have the array 'phase'; it has speed"):
        start.from_file(path)


def test_wrong_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        start.from_file(tmp_path / "none.csv")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(FileNotFoundError):
        start.from_file(tmp_path / "folder.npy")
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(ValueError, match=r"a\.json' holds no values"):
        start.from_file(tmp_path / "a.json")
    for content in (b"", b"\xff\xfe not what it says"):
        for suffix in (".npy", ".nc", ".csv"):
            path = tmp_path / f"junk{suffix}"
            path.write_bytes(content)
            with pytest.raises(ValueError, match="junk"):
                start.from_file(path)
    np.save(tmp_path / "square.npy", np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        start.from_file(tmp_path / "square.npy")
    np.save(tmp_path / "complex.npy", np.zeros(2) * 1j)
    with pytest.raises(TypeError, match="complex128"):
        start.from_file(tmp_path / "complex.npy")


def test_import_does_not_load_xarray():
    code = (
        "import importlib.util, sys; spec = importlib.util.spec_from_file_location('m', sys.argv[1]); "
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module); "
        "sys.exit(any(heavy in sys.modules for heavy in ('xarray', 'scipy', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code, start.__file__], check=False).returncode == 0


# --- the door ---


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: start.phases("unifrom", 3),
            ValueError,
            "name must be one of uniform, von_mises, .*file; got 'unifrom'",
        ),
        (
            lambda: start.phases("von_mises", 3, kappa=1),
            TypeError,
            "'von_mises' has no option 'kappa'; it takes mean, concentration",
        ),
        (
            lambda: start.phases("splay", 3, winding=1),
            TypeError,
            "'splay' has no option 'winding'; it takes none",
        ),
        (lambda: start.phases("uniform", 3, rng=None), TypeError, "no option 'rng'"),
        (lambda: start.phases("file", 3), TypeError, "needs the option 'path'"),
        (lambda: start.phases("uniform", 0), ValueError, "n must be an integer >= 1; got 0"),
        (lambda: start.phases("uniform", None), TypeError, "n must be an integer; got None"),
        (lambda: start.phases("uniform", 3.0), TypeError, "n must be an integer; got 3.0"),
        (lambda: start.phases("uniform", 3, seed=-1), ValueError, "seed must be an integer >= 0; got -1"),
        (lambda: start.phases("splay", 3, seed=None), TypeError, "seed must be an integer; got None"),
        (
            lambda: start.phases("uniform", 3, replicas=0),
            ValueError,
            "replicas must be an integer >= 1; got 0",
        ),
        (
            lambda: start.phases("von_mises", 3, concentration=-1),
            ValueError,
            "concentration must be >= 0; got -1",
        ),
        (
            lambda: start.phases("von_mises", 3, mean=np.nan),
            ValueError,
            "mean must be a finite number; got nan",
        ),
        (lambda: start.phases("twisted", 3, winding=0.5), TypeError, "winding must be an integer; got 0.5"),
        (lambda: start.phases("twisted", 3, noise=-0.1), ValueError, "noise must be >= 0; got -0.1"),
        (lambda: start.phases("synchronized", 3, spread="1"), TypeError, "spread must be a number; got '1'"),
        (
            lambda: start.phases("synchronized", 3, spread=np.inf),
            ValueError,
            "spread must be a finite number; got inf",
        ),
        (lambda: start.phases("clusters", 3), TypeError, "needs masses or positions"),
        (lambda: start.phases("clusters", 3, masses=[1, 2], positions=[0.0]), ValueError, "same shape"),
        (lambda: start.phases("clusters", 3, masses=[1, -2]), ValueError, "non-negative"),
        (lambda: start.phases("clusters", 3, masses=[0, 0]), ValueError, "not all zero"),
        (lambda: start.phases("clusters", 3, masses=[1, 1, 1, 1]), ValueError, "too small"),
        (
            lambda: start.phases("clusters", 3, positions=[0.0, np.nan]),
            ValueError,
            "positions must be finite; got nan at index 1",
        ),
        (lambda: start.uniform(3, None), TypeError, "rng must be a numpy.random.Generator; got None"),
        (lambda: start.uniform(3, 7), TypeError, "rng must be a numpy.random.Generator; got 7"),
        (lambda: start.twisted(3, noise=0.1), TypeError, "rng must be a numpy.random.Generator; got None"),
    ],
)
def test_messages_name_the_argument(call, error, words):
    with pytest.raises(error, match=words):
        call()
