"""docs/design.md, "Where to add what", is true: each of these is added in a temporary module by following it."""

import sys
import textwrap
from importlib import import_module

import numpy as np
import pytest

import inphase as ip
from inphase import distributions
from inphase.certify import checker, theorems
from inphase.config import checked_config
from inphase.coupling import catalog
from inphase.graphs import reading


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A function that makes a module of some lines."""

    def make(name, text):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, name, raising=False)
        return import_module(name)

    return make


def test_a_coupling(module, monkeypatch):
    """One file with a subclass of `Network`, and one line of the catalog."""
    made = module(
        "two_ahead",
        """
        import numpy as np
        from scipy import sparse

        from inphase.coupling.sparse import Network


        class TwoAhead(Network):
            size, positive = None, True

            def edges(self, n):
                i = np.arange(n)
                return sparse.coo_array((np.ones(n), (i, (i + 2) % n)), shape=(n, n)).tocsr()

            def code(self, keep):
                return "TwoAhead()"

            def to_dict(self):
                return {"kind": "TwoAhead"}
        """,
    )
    monkeypatch.setitem(catalog.KINDS, "two-ahead", made.TwoAhead)
    data = {"interaction": {"name": "kuramoto"}, "coupling": {"kind": "two-ahead"}, "run": {"n": 6}}
    model = checked_config(data, "test").build()
    phases = np.arange(6.0) ** 2
    assert np.allclose(model.velocity(phases), -np.sin(phases - np.roll(phases, -2)))
    verbs = [verb for verb in ip.testing.CHECKS if verb != "study"]  # whose code names what inphase exports
    assert set(ip.testing.check_coupling(made.TwoAhead(), 6, verbs)) == set(verbs) - {"low rank", "coarsen"}


def test_a_theorem(module, monkeypatch, tmp_path):
    """One file of a `Theorem`; the checker must know its name, or what it proves is not accepted."""
    module(
        "nothing",
        """
        from inphase.certify.theorem import Attempt, Theorem

        def nothing(box):
            return Attempt(None, reason="it says nothing")


        NOTHING = Theorem("nothing", "Nothing follows.", ("none",), "none", nothing, cost=99)
        """,
    )
    monkeypatch.setattr(theorems, "__path__", [*theorems.__path__, str(tmp_path)])
    monkeypatch.setitem(sys.modules, f"{theorems.__name__}.nothing", sys.modules["nothing"])
    found = theorems.collected()
    assert set(found) == set(theorems.THEOREMS) | {"nothing"} and "nothing" not in checker.PROVE
    monkeypatch.setitem(theorems.THEOREMS, "nothing", found["nothing"])
    proof = ip.certify.synchronization("kuramoto", theorems=["nothing"], refutation=False)
    assert proof.verdict == "undecided"


def test_a_distribution(module, monkeypatch):
    """One function and one line."""
    made = module(
        "triangular",
        """
        import numpy as np

        from inphase.distributions import Distribution, uniform


        def halved(width: float = 1.0) -> Distribution:
            return uniform(0.0, width / 2)
        """,
    )
    monkeypatch.setitem(distributions.DISTRIBUTIONS, "halved", made.halved)
    table = {"distribution": "halved", "width": 4.0, "sampling": "quantiles"}
    data = {"interaction": {"name": "kuramoto"}, "model": {"frequencies": table}, "run": {"n": 50}}
    frequencies = checked_config(data, "test").build().frequencies
    assert np.allclose(np.sort(frequencies), distributions.uniform(0.0, 2.0).quantiles(50))


def test_a_format_of_graphs(module, monkeypatch, tmp_path):
    """One function and one suffix."""
    made = module(
        "arrows",
        """
        from inphase.graphs.building import Found


        def read_arrows(path, wanted):
            edges = [tuple(int(node) for node in line.split("->")) for line in path.read_text().split()]
            sources, targets = zip(*edges)
            n = wanted.n or 1 + max(*sources, *targets)
            return Found(sources, targets, [1.0] * len(edges), n, "arrows", "weights 1", directed=True)
        """,
    )
    monkeypatch.setitem(reading.FORMATS, "arrows", reading.Format((".arrows",), made.read_arrows))
    (tmp_path / "three.arrows").write_text("0->1\n1->2\n")
    assert ip.graphs.read(tmp_path / "three.arrows").matrix.toarray().tolist() == [
        [0, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
    ]
