"""A model in a file is the model: the same velocities, to the bit; what cannot be written is refused by name."""

import numpy as np
import pytest
import xarray as xr
from scipy import sparse

import inphase as ip

N = 12
RNG = np.random.default_rng(4)
K = RNG.normal(size=(N, N))
SPARSE = sparse.random_array((N, N), density=0.3, rng=5)


def velocity(model, phases):
    return model.velocity(phases, **({} if model.drive is None else {"time": 0.7}))


MODELS = {
    "plain": ip.PhaseModel(0.7 * ip.kuramoto(), frequencies=RNG.normal(size=N)),
    "softmax": ip.PhaseModel(ip.attention(4.0), ip.AllToAll(RNG.uniform(1, 2, N)), gain="softmax"),
    "formula": ip.PhaseModel(ip.Interaction("sin(x) + a*sin(2*x)", a=0.3), ip.Dense(K), field=0.2, noise=0.1),
    "sum": ip.PhaseModel(
        ip.kuramoto(), 0.3 * ip.Ring(2) - 2 * ip.Sparse(SPARSE), inertia=RNG.uniform(1, 2, N)
    ),
    "lagged": ip.PhaseModel(ip.kuramoto(), ip.Lagged(K, RNG.normal(size=(N, N)))),
    "rank one": ip.PhaseModel(
        ip.harmonics(sin=[1, -0.5]), ip.RankOne(K[0], K[1]), damping=RNG.uniform(1, 2, N)
    ),
    "triads": ip.PhaseModel(ip.sakaguchi(0.4), ip.AllTriads(), common_noise=0.3),
    "drive": ip.PhaseModel(
        ip.kuramoto(),
        drive=ip.Drive(
            frequencies=ip.Samples([0, 1, 9], RNG.normal(size=(3, N)), "cubic"),
            coupling="1 + a*sin(t)",
            force=0.2,
            phase="W*t",
            a=0.3,
            W=RNG.uniform(1, 2, N),
        ),
    ),
    "adaptive": ip.PhaseModel(
        ip.kuramoto(), ip.Adaptive(SPARSE, ip.Interaction("cos(x)"), rate=0.1, initial=0.4)
    ),
    "causal": ip.PhaseModel(ip.attention(2.0), ip.Causal(), gain="softmax"),
    "lattice": ip.PhaseModel(ip.kuramoto(), ip.Lattice((3, 4), periodic=False)),
    "delays": ip.PhaseModel(ip.kuramoto(), ip.Sparse(SPARSE), delays=abs(SPARSE)),
    "hypergraph": ip.PhaseModel(ip.kuramoto(), ip.Hypergraph([(0, 1, 2), (3, 5, 11)], n=N)),
    "low rank": ip.PhaseModel(ip.kuramoto(), ip.LowRank(K[:, :3], K[:, 3:6])),
}


@pytest.mark.parametrize("name", MODELS)
def test_saved_and_loaded(name, tmp_path):
    model, phases = MODELS[name], np.linspace(0, 5, N)
    again = ip.load(ip.save(model, tmp_path / "model.nc"))
    assert np.array_equal(velocity(model, phases), velocity(again, phases))
    assert again.to_dict() == model.to_dict()


def test_the_file_of_a_run_alone_runs_on(tmp_path):
    model, phases = MODELS["formula"], np.linspace(0, 5, N)
    ip.simulate(model, phases, t_end=1.0, step=0.1, seed=2).to_netcdf(tmp_path / "run.nc")
    first = xr.load_dataset(tmp_path / "run.nc")
    second = ip.simulate(ip.load(tmp_path / "run.nc"), first, t_end=2.0)
    whole = ip.simulate(model, phases, t_end=2.0, step=0.1, seed=2)
    assert np.array_equal(second.phase[-1], whole.phase[-1])


def test_what_cannot_be_written_is_named(tmp_path):
    model = ip.PhaseModel(ip.kuramoto(), gain=lambda phases: 1 + phases**2)
    with pytest.raises(ValueError, match="gain is the function"):
        ip.save(model, tmp_path / "model.nc")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="gain is the function"):
        ip.load(ip.simulate(model, [0.0, 1.0], t_end=1.0))


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os').getcwd()",
        "ip.simulate(1)",
        "ip.PhaseModel.__init__(1)",
        "ip.kuramoto()",
        "(",
        "ip.PhaseModel(2)",
    ],
)
def test_nothing_of_a_file_is_executed(code):
    with pytest.raises(ValueError, match="model_code"):
        ip.load(xr.Dataset(attrs={"model_code": code}))


def test_damaged_files_are_refused_in_one_sentence(tmp_path):
    path = ip.save(MODELS["plain"], tmp_path / "model.nc")
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"no file of this kind", b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"model\.nc") as caught:
            ip.load(path)
        assert len(str(caught.value).splitlines()) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["model.nc"]
    with pytest.raises(OSError, match="nowhere"):
        ip.load(tmp_path / "nowhere.nc")
