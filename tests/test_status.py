"""How runs end: one enumeration, whose members are the strings that results have always carried."""

import inspect
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import inphase as ip
from inphase.cli import main
from inphase.status import Status

SOURCE = Path(inspect.getfile(ip)).parent


def test_a_status_is_its_text_wherever_it_goes():
    for status in Status:
        assert status == status.value and f"{status}" == str(status) == status.value
        assert repr(status) == repr(status.value) and json.loads(json.dumps({"a": status})) == {
            "a": status.value
        }
        assert pickle.loads(pickle.dumps(status)) is status is Status(status.value)
        assert status.text == f"{status.value}: {status.advice}" and len(status.advice) > 10
    with pytest.raises(ValueError, match="'done' is not a valid Status"):
        Status("done")


def test_what_a_command_ends_with():
    assert {status for status in Status if status.exit_code == 130} == {Status.INTERRUPTED}
    cut_off = {"max_steps", "step underflow", "not finite", "unresolved", "failed", "max_points"}
    assert {status.value for status in Status if status.exit_code == 3} == cut_off
    assert all(status.complete == (status.exit_code == 0) for status in Status)


def test_the_text_says_what_to_do_next():
    """What is advised leads to the end."""
    model = ip.PhaseModel(ip.kuramoto(), frequencies=[0.0, 0.5])
    run = ip.simulate(model, [0.0, 3.0], t_end=10.0, max_steps=10)
    assert Status(run.attrs["status"]).text == "max_steps: raise max_steps or the tolerance"
    for more in ({"max_steps": 1000}, {"max_steps": 10, "tolerance": 1e-1}):
        assert ip.simulate(model, [0.0, 3.0], t_end=10.0, **more).attrs["status"] == Status.FINISHED
    steep = ip.PhaseModel(ip.kuramoto(), frequencies=1e300)
    blown = ip.simulate(steep, [0.0, 1.0], t_end=1e9, step=1e8, method="rk4")
    assert "smaller step" in Status(blown.attrs["status"]).advice
    assert (
        ip.simulate(steep, [0.0, 1.0], t_end=1.0, step=1.0, method="rk4").attrs["status"] == Status.FINISHED
    )


def test_the_results_hold_plain_strings():
    """So that files do not know of the enumeration."""
    model = ip.PhaseModel(ip.kuramoto())
    results = [
        ip.simulate(model, [0.0, 1.0], t_end=1.0),
        ip.coarsen(model, [0.0, 1.0], t_end=1.0),
        ip.density.evolve_density(ip.kuramoto(), lambda x: 1 + 0.1 * np.cos(x), t_end=0.1),
    ]
    assert [type(result.attrs["status"]) for result in results] == [str] * 3


def test_no_room_below_the_public_functions_asks_for_an_interrupted_status():
    """Inside, Ctrl-C is an exception: nobody compares with the word, or catches the exception but to answer."""
    rooms = [
        path
        for room in ("simulation", "density", "equilibria", "learn")
        for path in (SOURCE / room).rglob("*.py")
    ]
    assert len(rooms) > 20
    for path in rooms:
        assert not re.search(r"""[=!]= *["']interrupted["']""", path.read_text()), path


@pytest.mark.parametrize("verb", ["simulate", "study", "coarsen"])
def test_the_steps_of_a_command_are_bounded(verb, tmp_path, capsys):
    line = f"{verb} attention --beta 2 --n 5 --t-end 100 --no-progress --out {tmp_path / 'out'}"
    assert main([*line.split(), "--max-steps", "3"]) == 3
    assert "max_steps: raise max_steps or the tolerance" in capsys.readouterr().err
    model = tmp_path / "model.toml"
    model.write_text('[interaction]\nname = "kuramoto"\n[run]\nn = 3\nt_end = 100.0\nmax_steps = 3\n')
    if verb != "coarsen":  # whose steps are others
        assert main([verb, str(model), "--no-progress", "--out", str(tmp_path / "again")]) == 3
