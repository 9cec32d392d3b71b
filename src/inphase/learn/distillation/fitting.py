"""`distill`: what is fitted, on which nodes, and how many terms are taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from inphase.checks import check_name, integer
from inphase.coupling.learnt.network import PairNetwork, feature_array
from inphase.coupling.learnt.normalization import NORMALIZATIONS, SMALLEST, Normalization, Recipe
from inphase.learn.distillation.distilled import TARGETS, Distilled, path_table
from inphase.learn.distillation.paths import FOLDS, Functions, Sample, Symbols
from inphase.learn.distillation.terms import library
from inphase.learn.training import Trained

Floats = NDArray[np.float64]
KINDS = ("symbolic", "separable")
LEAST = 80  # nodes of a sample: a fold then has 5


def distill(
    trained: Trained,
    terms: int = 8,
    kind: str = "symbolic",
    *,
    target: str = "score",
    samples: int = 300,
    features: ArrayLike | None = None,
    degree: int | None = None,
    seed: int = 0,
) -> Distilled:
    """A readable coupling with few parameters from a trained network.

    Parameters
    ----------
    trained : Trained
        What `inphase.learn.train` returns.
    terms : int
        At most; the one-standard-error rule takes as many of them as are needed, `Distilled.with_terms` any
        number.
    kind : "symbolic" or "separable"
        A sum of terms of `library`, or of products of tabulated functions of the two nodes.
    target : "score" or "coupling"
        The scores, or K/mean K itself (of exponentials over their sum, as with "degree", only), where a
        formula of K reads better than one of log K.
    samples : int
        Nodes; half of them are held out for `r_squared`, the others make the fit and its folds.
    features : array_like, shape (samples, m), optional
        The nodes; drawn from the problem's training nodes if not given.
    degree : int, optional
        Of monomials; see `library`.
    seed : int
        Of nodes, folds and the bootstrap.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, features are not finite or not as many as the network takes, there are
        fewer than 80 nodes, or the network says the same of all pairs.

    Examples
    --------
    >>> from inphase.learn import problem, untrained
    >>> found = distill(untrained(problem("case-1", hidden=(4,))), terms=3, samples=80)
    >>> found.kind, found.count <= 3, found([0.5], [-0.5]).shape
    ('symbolic', True, ())
    """
    if not isinstance(trained, Trained):
        raise TypeError(f"trained must be a Trained, as inphase.learn.train returns; got {trained!r:.60}")
    if trained.network.has_lags:
        raise ValueError("trained must have no phase lags: only strengths are distilled")
    most = integer("terms", terms, least=1)
    check_name("kind", kind, KINDS)
    check_name("target", target, TARGETS)
    rule, network = trained.settings.rule, trained.network
    if target == "coupling" and not _relative(rule.recipe):
        known = ", ".join(repr(kind) for kind, recipe in NORMALIZATIONS.items() if _relative(recipe))
        raise ValueError(
            f"target must be 'score' with the normalization {rule.kind!r}; got 'coupling', which is for {known}"
        )
    rng = np.random.default_rng([integer("seed", seed, least=0), 7])
    x = rng.permutation(_nodes(trained, samples, features, seed))
    whole = target_of(network.scores(x), rule, target)
    if np.ptp(whole) <= 1e-10 * max(1.0, float(np.abs(whole).max())):
        raise ValueError(
            f"the network must tell pairs apart; it gives all pairs of {len(x)} nodes the same score"
        )
    held = len(x) // 2
    fit, out = slice(held, None), slice(0, held)
    symmetric = rule.symmetric and not rule.recipe.by_row
    sample = Sample(x[fit], whole[fit, fit], symmetric, target if _relative(rule.recipe) else None)
    finder: Any = (
        Symbols(sample, library(x[fit], symmetric, degree), rng) if kind == "symbolic" else Functions(sample)
    )
    models, mean, error = finder.path(most)
    rows = {"cross_validated": 1 - mean / sample.variance, "cross_validated_error": error / sample.variance}
    about = {
        "problem": None if trained.problem is None else trained.problem.name,
        "nodes": len(x) - held,
        "held_out": held,
        "folds": FOLDS,
        "seed": int(seed),
        "network": {"hidden": list(network.hidden), "activation": network.activation},
    }
    columns, count = _column_names(trained, x.shape[1]), _fewest_terms(mean, error)
    made = Distilled(tuple(models), count, target, columns, rule, path_table(rows), about)
    return replace(made, path=path_table(rows | _held_out(made, network, x[out], whole[out, out])))


def _nodes(trained: Trained, samples: int, features: ArrayLike | None, seed: int) -> Floats:
    """The sample: given, or drawn from the training nodes; without doubles."""
    if features is None:
        task = trained.problem
        if task is None:
            raise ValueError("features must be given: the training was on nodes that have no name")
        count = min(integer("samples", samples, least=LEAST), task.limits.get("train", samples))
        x = feature_array(task.draw("train", count, seed).features, trained.network.features)
    else:
        x = feature_array(features, trained.network.features)
    x = np.unique(x, axis=0)
    if len(x) < LEAST:
        raise ValueError(f"features must be of at least {LEAST} different nodes; got {len(x)}")
    return x


def _column_names(trained: Trained, count: int) -> tuple[str, ...]:
    """The problem's columns; x1, x2, ... where they do not fit."""
    columns = () if trained.problem is None else tuple(trained.problem.columns)
    return columns if len(columns) == count else tuple(f"x{a + 1}" for a in range(count))


def _fewest_terms(mean: Floats, error: Floats) -> int:
    """The fewest terms that err by no more than the best number does, up to its standard error."""
    least = int(np.argmin(mean))
    return int(np.flatnonzero(mean <= mean[least] + error[least])[0])


def target_of(scores: Floats, rule: Normalization, target: str) -> Floats:
    """What is fitted, (n, n): scores without what the normalization takes away; "coupling": K/mean K."""
    recipe, both = rule.recipe, rule.symmetric
    if _relative(recipe):
        s = np.logaddexp(scores, scores.T) - np.log(2) if both else scores.copy()
        off = ~np.eye(len(s), dtype=bool)
        highest = s.max()
        s -= highest + np.log(np.exp(s - highest).mean(where=off))
        return np.asarray(np.exp(s) if target == "coupling" else s)
    if not recipe.by_row:
        return np.asarray((scores + scores.T) / 2 if both else scores)
    if recipe.exponential:
        return np.asarray(scores - logsumexp(scores, axis=1, keepdims=True) + np.log(len(scores)))
    return np.asarray(scores / np.maximum(np.sqrt((scores**2).mean(axis=1, keepdims=True)), SMALLEST))


def _relative(recipe: Recipe) -> bool:
    """Whether K is a positive number over one mean of all, so that K/mean K and its logarithm can be fitted."""
    return recipe.exponential and recipe.by_all


def _held_out(made: Distilled, network: PairNetwork, x: Floats, whole: Floats) -> dict[str, Any]:
    """R² with its error, and the error of K, on nodes that took no part, for each number of terms."""
    n = len(x)
    off = ~np.eye(n, dtype=bool)
    total = np.where(off, (whole - whole.mean(where=off)) ** 2, 0)
    K = made.normalization.apply(network.scores(x))
    found: dict[str, list[float]] = {"r_squared": [], "r_squared_error": [], "coupling_error": []}
    for count, model in enumerate(made.models):
        wrong = np.where(off, (model.table(x, x) - whole) ** 2, 0)
        without = [m.sum() - m.sum(axis=0) - m.sum(axis=1) for m in (wrong, total)]
        values = 1 - without[0] / without[1]
        found["r_squared"].append(float(1 - wrong.sum() / total.sum()))
        found["r_squared_error"].append(float(np.sqrt((n - 1) * values.var())))
        found["coupling_error"].append(
            float(np.linalg.norm(made.with_terms(count).coupling(x).array - K) / np.linalg.norm(K))
        )
    return found
