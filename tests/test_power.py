"""Power grids: case files, power flow and swing equation against published numbers and pandapower's."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import inphase as ip
from inphase.power import from_pandapower, read

CASE9 = Path(__file__).parent / "data" / "case9.m"
H, REACTANCE = {"1": 23.64, "2": 6.4, "3": 3.01}, [0.0608, 0.1198, 0.1813]


def test_case9_has_the_voltages_and_the_reduced_network_of_the_book():
    # Anderson and Fouad, Power System Control and Stability (1980), example 2.7, to the digits that it prints
    grid = read(CASE9)
    E = grid.internal_voltages(REACTANCE)
    assert np.allclose(np.abs(E), [1.0566, 1.0502, 1.0170], atol=1e-4)
    assert np.allclose(np.degrees(np.angle(E)), [2.2717, 19.7315, 13.1752], atol=0.02)
    model = grid.swing(H, REACTANCE, damping=0.1, frequency=60.0)
    Y = model.coupling.array / np.outer(np.abs(E), np.abs(E)) * np.exp(1j * (np.pi / 2 - model.coupling.lags))
    pairs = Y[np.triu_indices(3, 1)]
    assert np.allclose(pairs, [0.287 + 1.513j, 0.210 + 1.226j, 0.213 + 1.088j], atol=6e-4)
    assert np.allclose(model.inertia, 2 * np.array([23.64, 6.4, 3.01]) / (120 * np.pi))
    assert grid.machine_names == ("1", "2", "3")


def test_the_power_flow_is_the_state_at_rest_and_stable():
    grid = read(CASE9, frequency=60.0)
    model, angles = grid.swing(H, REACTANCE, damping=0.1), grid.rotor_angles(REACTANCE)
    assert np.max(np.abs(model.velocity(angles) * model.damping)) < 1e-9
    assert ip.equilibria.stability(model, angles).stable
    shorted = grid.swing(H, REACTANCE, damping=0.1, short=7)
    assert shorted.velocity(angles)[1] > 1000  # next to the fault: its machine runs away


@pytest.mark.long
def test_power_flows_and_admittances_are_those_of_pandapower():
    pp = pytest.importorskip("pandapower")
    for name in ("case9", "case14", "case39"):
        net = getattr(pp.networks, name)()
        pp.runpp(net, numba=False, tolerance_mva=1e-9)
        grid = from_pandapower(net)
        volts = net.res_bus.vm_pu.to_numpy() * np.exp(1j * np.radians(net.res_bus.va_degree.to_numpy()))
        assert np.max(np.abs(grid.admittance() - net._ppc["internal"]["Ybus"])) < 1e-9
        assert np.max(np.abs(grid.flow.voltages - volts[[int(bus) for bus in grid.buses]])) < 1e-9


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mpc.version = '2'", "mpc.version = '1'", "line 6: only version '2'"),
        ("mpc.baseMVA = 100;", "mpc.baseMVA = 100;\nx = 3;", "line 10: only assignments of data to mpc"),
        ("0.0576", "0.05i", r"line 33: mpc\.branch must hold numbers; got '0\.05i'"),
        ("\t8\t9\t0.0119", "\t8\t0.0119", r"line 40: a row of mpc\.branch must have 13 columns; got 12"),
        ("\t3\t9\t0\t", "\t3\t11\t0\t", "row 9 of branch: there is no bus 11"),
        ("\t2\t2\t0\t0", "\t1\t2\t0\t0", "row 2 of bus: numbers of buses must be whole, each once"),
        ("\t1\t3\t0\t0", "\t1\t2\t0\t0", "one bus must be the reference"),
        ("125\t50", "12500\t50", "does not converge"),
    ],
)
def test_what_is_no_data_is_refused_with_its_line(tmp_path, old, new, message):
    text = CASE9.read_text()
    assert old in text
    (tmp_path / "case.m").write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        _ = read(tmp_path / "case.m").flow


def test_questions_that_miss_something_say_what():
    grid = read(CASE9)
    with pytest.raises(ValueError, match="names no frequency"):
        grid.swing(H, REACTANCE)
    with pytest.raises(ValueError, match="one number for each machine, 1, 2, 3; differs: 3"):
        grid.swing({1: 1.0, 2: 2.0}, REACTANCE, frequency=60.0)
    with pytest.raises(ValueError, match="no branch in service between the buses 1 and 9"):
        grid.swing(H, REACTANCE, frequency=60.0, without=[(1, 9)])
    with pytest.raises(TypeError, match="net must be a net of pandapower"):
        from_pandapower(SimpleNamespace())
