"""Some hundreds of the inputs of `make fuzz`, the same ones each time, and those that once failed."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kinds import KINDS, OUTCOMES, Fault, Kind, command, outcome, warm

FOUND = sorted(Path(__file__).with_name("found").glob("*/*"))
INPUTS = {"command": 60, "graph": 60, "model.toml": 30, "training.toml": 10, "certificate": 20}
LONG = ("training.toml", "trained", "distilled")  # which import JAX, for seconds


@pytest.fixture(scope="module", autouse=True)
def warmed(tmp_path_factory):
    warm(tmp_path_factory.mktemp("warm"), thorough=False)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_inputs_end_in_a_result_or_in_one_line(kind, tmp_path):
    @settings(
        max_examples=INPUTS.get(kind, 25),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(random=st.randoms(use_true_random=True))
    def attack(random):
        name, content = KINDS[kind].draw(random)
        (tmp_path / name).write_bytes(content)
        assert outcome(kind, tmp_path / name) in OUTCOMES

    attack()


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_failed(path, tmp_path):
    """Inputs by which `make fuzz` found a fault; the folder is the kind."""
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    assert outcome(path.parent.name, copy) in OUTCOMES
