"""One zoo of interactions, couplings and gains on which
everything is tried, and the plain references it is held to.
"""

from functools import cache

import mpmath
import numpy as np

import inphase as ip
from inphase import expression as ex
from inphase.coupling import Causal, Dense, Lattice, Ring, Sparse

INTERACTIONS = {
    "kuramoto": ip.kuramoto,
    "repulsive": lambda: -ip.kuramoto(),
    "attention(-0.5)": lambda: ip.attention(-0.5),
    "attention(0)": lambda: ip.attention(0.0),
    "attention(2)": lambda: ip.attention(2.0),
    "attention(25)": lambda: ip.attention(25.0),
    "attention(100)": lambda: ip.attention(100.0),
    "sakaguchi": lambda: ip.sakaguchi(0.4),
    "odd harmonics": lambda: ip.harmonics(sin=[1.0, -0.5, 0.25]),
    "harmonics": lambda: ip.harmonics(sin=[1.0, 0.5], cos=[0.2, 0.0, -0.1]),
    "expression": lambda: ip.Interaction("sin(x) + a*sin(2*x)", a=0.3),
    "with a mean": lambda: ip.Interaction("0.3 + sin(x - b)", b=0.5),
    "even": lambda: ip.Interaction("cos(x)*exp(cos(x))"),
    "rational": lambda: ip.Interaction("sin(x)/(5/4 - cos(x))"),
    "logarithm": lambda: ip.Interaction("sin(x)*log(3 + cos(x))"),
    "square root": lambda: ip.Interaction("sin(x)*sqrt(3/2 + cos(x))"),
    "hyperbolic": lambda: ip.Interaction("sinh(sin(x))*cosh(cos(x)) + tanh(cos(x))*sin(x)"),
    "arctangent": lambda: ip.Interaction("atan(2*sin(x)) + tan(sin(x)/2)"),
    "powers": lambda: ip.Interaction("sin(x)**3*cos(x)**2 + sin(x)*(2 + cos(x))**(-2) - pi*sin(x)"),
}

COUPLINGS = {
    "equal": lambda n: ip.AllToAll(),
    "weights": lambda n: ip.AllToAll(np.random.default_rng(n).dirichlet(np.ones(n))),
    "unnormalized": lambda n: ip.AllToAll(np.ones(n)),
    "some zero": lambda n: ip.AllToAll(np.arange(n) % 3 + (n == 1)),
    "rank one": lambda n: ip.RankOne(0.5 + np.cos(np.arange(n)) ** 2, 1 / (1.0 + np.arange(n))),
    "signed": lambda n: ip.RankOne(np.sin(1.0 + np.arange(n)), np.cos(2.0 * np.arange(n)) / n),
}


def random_matrix(n, density=0.4, seed=0):
    """Entries of both signs, on the diagonal too; the last node (of several) is isolated."""
    rng = np.random.default_rng(seed + n)
    matrix = rng.normal(size=(n, n)) * (rng.uniform(size=(n, n)) < density)
    if n > 1:
        matrix[-1], matrix[:, -1] = 0.0, 0.0
    return matrix


NETWORKS = {  # for n = 9, 18, ...
    "dense": lambda n: Dense(random_matrix(n, density=1.0)),
    "dense, positive": lambda n: Dense(np.abs(random_matrix(n, density=1.0)) + np.eye(n)),
    "sparse": lambda n: Sparse(random_matrix(n)),
    "sparse, positive": lambda n: Sparse(np.abs(random_matrix(n)) + np.roll(np.eye(n), 1, axis=1)),
    "ring": lambda n: Ring(2),
    "lopsided ring": lambda n: Ring(3, [1.0, 0.0, 0.3, 0.5, -0.2, 0.1]),
    "nonlocal ring": lambda n: Ring.from_kernel(
        lambda x: (1 + 0.9 * np.cos(x) + 0.1 * np.sin(x)) / (2 * np.pi), n
    ),
    "lattice": lambda n: Lattice((3, n // 3), periodic=(True, False), weights=(1.0, 0.5)),
    "causal": lambda n: Causal(),
    "causal, weights": lambda n: Causal(0.1 + np.arange(n) % 3),
    "causal, signed": lambda n: Causal(np.cos(np.arange(n)), normalized=False),
}

GAINS = {"no gain": None, "softmax": "softmax", "callable": lambda phases: 2 + np.sin(phases)}


@cache
def interaction(name):
    return INTERACTIONS[name]()


def takes_softmax(f):
    try:
        f.gain_profile("softmax")
    except ValueError:
        return False
    return True


def combinations():
    """(interaction, coupling, gain) by name: all that make sense."""
    for f in INTERACTIONS:
        for coupling in COUPLINGS:
            for gain in GAINS:
                if gain != "softmax" or (takes_softmax(interaction(f)) and coupling != "signed"):
                    yield f, coupling, gain


def networks():
    """(interaction, coupling, gain) by name: networks with a few interactions of each sort."""
    for f in ("kuramoto", "sakaguchi", "harmonics", "with a mean", "attention(2)", "attention(25)"):
        for coupling in NETWORKS:
            for gain in GAINS:
                if gain != "softmax" or (takes_softmax(interaction(f)) and NETWORKS[coupling](9).positive):
                    yield f, coupling, gain


def model(f, coupling, gain, n, **parts):
    return ip.PhaseModel(interaction(f), (COUPLINGS | NETWORKS)[coupling](n), gain=GAINS[gain], **parts)


def velocity(model, phases):
    """The equation as it stands, by a double sum: (n,)."""
    phases = np.asarray(phases, dtype=float)
    n = len(phases)
    difference = phases[:, None] - phases[None, :]
    K = model.coupling.matrix(n)
    force = (K * model.interaction(difference)).sum(axis=1)
    if model.gain == "softmax":
        force /= (K * model.interaction.profile(difference)).sum(axis=1)
    elif model.gain is not None:
        force /= model.gain(phases)
    return model.frequencies + model.field * np.sin(phases) - force


def scale(model, n):
    """A bound on the velocity, for tolerances."""
    size = np.max(np.abs(model.coupling.matrix(n)).sum(axis=1)) * model.interaction.maximum
    if model.gain == "softmax":
        return (
            1 + model.interaction.maximum * model.interaction.contrast
            if model.interaction.contrast < 1e3
            else 1e3
        )
    return size + np.max(np.abs(model.frequencies)) + np.max(np.abs(model.field))


class Floats:
    """The namespace of `expression.evaluate` for NumPy."""

    pi, atan = np.pi, np.arctan
    constant = float

    def __getattr__(self, name):
        return getattr(np, name)

    @staticmethod
    def power(base, exponent):
        return np.asarray(base, dtype=float) ** exponent


class Mpmath:
    """The namespace of `expression.evaluate` for mpmath,
    which shares nothing with the library's arithmetics.
    """

    def __getattr__(self, name):
        return getattr(mpmath, name)

    @property
    def pi(self):
        return +mpmath.pi

    @staticmethod
    def constant(number):
        return mpmath.mpf(number.numerator) / number.denominator

    @staticmethod
    def power(base, exponent):
        return base**exponent


def exact(f, x):
    """f(x) by mpmath, at its current precision."""
    parameters = {key: mpmath.mpf(value) for key, value in f.parameters.items()}
    return ex.evaluate(f.expression, mpmath.mpf(x), Mpmath(), parameters)
