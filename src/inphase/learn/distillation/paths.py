"""The fits, from no term to as many as are allowed, with errors on folds of nodes held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase.learn.distillation.models import Separable, Symbolic
from inphase.learn.distillation.terms import Term

Floats = NDArray[np.float64]
FOLDS = 8
DRAWS = 200  # of the bootstrap
EXACT = 1e-12  # of the variance: smaller errors are rounding
SAME = 1e-9  # 1 − |correlation| of two terms that are taken for one


class Sample:
    """Nodes and what is fitted on their pairs, in folds."""

    def __init__(self, x: Floats, values: Floats, symmetric: bool, relative: str | None) -> None:
        self.x, self.values, self.symmetric, self.relative = x, values, symmetric, relative
        self.off = ~np.eye(len(x), dtype=bool)
        self.variance = float(values.var(where=self.off))
        self.folds = np.array_split(np.arange(len(x)), FOLDS)

    def scaled(self, fit: Floats, weights: Floats) -> Floats:
        """Coefficients, constant first, for a mean K as of the pairs with these weights, (n, n)."""
        if self.relative is None:
            return fit
        K = np.exp(self.values) if self.relative == "score" else self.values
        mean = float((weights * K)[self.off].sum() / weights[self.off].sum())
        return fit / mean if self.relative == "coupling" else np.append(fit[0] - np.log(mean), fit[1:])

    def judged(self, errors: Any) -> tuple[Floats, Floats]:
        """Mean squared errors (folds, terms) -> their means, not below rounding, and standard errors."""
        table = np.maximum(np.array(errors), EXACT * self.variance)
        return table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(FOLDS)


class Symbols:
    """The path of symbolic models, by moments over pairs of folds: no table of pairs by terms is held."""

    def __init__(self, sample: Sample, terms: Sequence[Term], rng: np.random.Generator) -> None:
        self.sample, x, n = sample, sample.x, len(sample.x)
        drawn = rng.integers(0, n, (DRAWS, n))
        # that a node is drawn
        self.times = np.array([np.bincount(row, minlength=n) for row in drawn], dtype=float)
        pairs = rng.integers(0, n, (2, 2000))
        trial = np.stack([term.values(x[pairs[0]], x[pairs[1]]) for term in terms])
        self.means, spread = trial.mean(axis=1), trial.std(axis=1)
        self.spreads, self.terms = np.where(spread > 0, spread, 1.0), list(terms)
        self.moments = np.array([[self._block(a, b) for b in sample.folds] for a in sample.folds])
        kept = self._different()
        self.terms = [terms[k] for k in kept]
        self.means, self.spreads = self.means[kept], self.spreads[kept]
        rows = [0, *(k + 1 for k in kept), len(terms) + 1]
        self.moments = self.moments[..., rows, :][..., rows]

    def _columns(self, terms: Sequence[int], rows: Any, columns: Any) -> Floats:
        """1, the standardized terms, and what is fitted, (terms + 2, pairs), without the own pair."""
        x, y = self.sample.x[rows][:, None], self.sample.x[columns][None]
        use = self.sample.off[np.ix_(rows, columns)]
        shape = use.shape
        table = [np.ones(shape)]
        table += [
            (np.broadcast_to(self.terms[k].values(x, y), shape) - self.means[k]) / self.spreads[k]
            for k in terms
        ]
        return np.array([part[use] for part in (*table, self.sample.values[np.ix_(rows, columns)])])

    def _block(self, rows: Any, columns: Any) -> Floats:
        table = self._columns(range(len(self.terms)), rows, columns)
        return np.asarray(table @ table.T)

    def _different(self) -> list[int]:
        """The terms that are not constant on the sample, nor a multiple of an earlier one plus a constant."""
        C = _centered(self.moments.sum(axis=(0, 1)))[:-1, :-1]
        size = np.sqrt(np.maximum(np.diag(C), 0))
        alive = size > 1e-6 * size.max()
        correlation = np.abs(C) / np.where(alive, size, 1.0) / np.where(alive, size, 1.0)[:, None]
        kept: list[int] = []
        for k in np.flatnonzero(alive):
            if not kept or correlation[k, kept].max() < 1 - SAME:
                kept.append(int(k))
        return kept

    def path(self, most: int) -> tuple[list[Symbolic], Floats, Floats]:
        """(models with 0, 1, ... terms, their errors on folds held out, standard errors of these)."""
        everything = self.moments.sum(axis=(0, 1))
        sets, errors = _selections(everything, most), []
        for fold in range(FOLDS):
            others = [k for k in range(FOLDS) if k != fold]
            training, test = self.moments[np.ix_(others, others)].sum(axis=(0, 1)), self.moments[fold, fold]
            own = _selections(training, len(sets) - 1)
            own += [own[-1]] * (len(sets) - len(own))
            errors.append([_error(test, chosen, _coefficients(training, chosen)) for chosen in own])
        return [self._model(chosen, everything) for chosen in sets], *self.sample.judged(errors)

    def _model(self, chosen: list[int], moments: Floats) -> Symbolic:
        """The fit on all nodes, with errors by drawing nodes again."""
        n, q = len(self.sample.x), len(chosen) + 2
        everyone = np.arange(n)
        table = self._columns(chosen, everyone, everyone)
        upper = np.triu_indices(q)
        products = table[upper[0]] * table[upper[1]]
        fits, drawn = [], np.empty((q, q))
        for some in np.array_split(self.times, DRAWS // 20):
            weights = some[:, :, None] * some[:, None]  # of pairs
            for weight, sums in zip(weights, weights[:, self.sample.off] @ products.T):
                drawn[upper] = drawn.T[upper] = sums
                fit = self._raw(_coefficients(drawn, list(range(len(chosen)))), chosen)
                fits.append(self.sample.scaled(fit, weight))
        error, best = np.std(fits, axis=0, ddof=1), self._raw(_coefficients(moments, chosen), chosen)
        listed = tuple(map(float, best[1:])), float(error[0]), tuple(map(float, error[1:]))
        return Symbolic(tuple(self.terms[k] for k in chosen), float(best[0]), *listed)

    def _raw(self, scaled: Floats, chosen: list[int]) -> Floats:
        """Coefficients, the constant first, of terms in their own units."""
        raw = scaled.copy()
        raw[1:] /= self.spreads[chosen]
        raw[0] -= float(raw[1:] @ self.means[chosen])
        return raw


def _centered(moments: Floats) -> Floats:
    """Covariances, times the number of pairs, from moments with 1 in the first place."""
    return np.asarray(moments[1:, 1:] - np.outer(moments[1:, 0], moments[0, 1:]) / moments[0, 0])


def _coefficients(moments: Floats, chosen: list[int]) -> Floats:
    """Least squares, the constant first."""
    rows = [0, *(k + 1 for k in chosen)]
    return np.asarray(np.linalg.lstsq(moments[np.ix_(rows, rows)], moments[rows, -1], rcond=1e-13)[0])


def _error(moments: Floats, chosen: list[int], coefficients: Floats) -> float:
    """The mean squared error of a fit on the pairs of other moments."""
    rows = [0, *(k + 1 for k in chosen), -1]
    v = np.append(coefficients, -1.0)
    return float(v @ moments[np.ix_(rows, rows)] @ v / moments[0, 0])


def _gains(C: Floats, chosen: list[int]) -> Floats:
    """The sum of squares that each term would explain beside those chosen; −1 where it is nothing new."""
    y, own = C[:-1, -1], np.diag(C)[:-1]
    if chosen:
        solved = np.linalg.lstsq(C[np.ix_(chosen, chosen)], C[chosen], rcond=1e-13)[0]
        y = y - C[:-1, chosen] @ solved[:, -1]
        left = own - np.einsum("ks,sk->k", C[:-1, chosen], solved[:, :-1])
    else:
        left = own
    new = left > SAME * own
    found = np.where(new, y**2 / np.where(new, left, 1.0), -1.0)
    found[chosen] = -1.0
    return np.asarray(found)


def _selections(moments: Floats, most: int) -> list[list[int]]:
    """The terms chosen, none, one, two, ...: the best is added, others replaced as long as it helps."""
    C = _centered(moments)
    sets: list[list[int]] = [[]]
    while len(sets) <= most and len(sets[-1]) < len(C) - 1:
        chosen = list(sets[-1])
        gains = _gains(C, chosen)
        if gains.max() <= EXACT * C[-1, -1]:
            break
        chosen.append(_first(gains))
        for _ in range(10):
            before = list(chosen)
            for place in range(len(chosen)):
                rest = chosen[:place] + chosen[place + 1 :]
                gains = _gains(C, rest)
                best = _first(gains)
                if gains[best] > gains[chosen[place]] + EXACT * C[-1, -1]:
                    chosen[place] = best
            if chosen == before:
                break
        sets.append(chosen)
    return sets


def _first(gains: Floats) -> int:
    """The simplest of those that are as good as the best."""
    return int(np.flatnonzero(gains >= gains.max() * (1 - 1e-9))[0])


class Functions:
    """The path of separable models, by the singular functions of the sample's matrix."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample

    def path(self, most: int) -> tuple[list[Separable], Floats, Floats]:
        """(models with 0, 1, ... terms, their errors on folds held out, standard errors of these)."""
        x, n = self.sample.x, len(self.sample.x)
        most = min(most, n - max(map(len, self.sample.folds)) - 1)
        parts, errors, fits = [], [], []
        for fold in self.sample.folds:
            parts.append(self._model(np.setdiff1d(np.arange(n), fold), most))
            off, whole = self.sample.off[np.ix_(fold, fold)], self.sample.values[np.ix_(fold, fold)]
            tables = [parts[-1].cut(k).table(x[fold], x[fold]) for k in range(most + 1)]
            others = (~np.isin(np.arange(n), fold)).astype(float)
            fit = np.array([parts[-1].constant, *np.abs(parts[-1].coefficients)])  # signs may change places
            fits.append(self.sample.scaled(fit, np.outer(others, others)))
            errors.append([float(((table - whole)[off] ** 2).mean()) for table in tables])
        error = np.sqrt(FOLDS - 1) * np.std(fits, axis=0)
        full = replace(
            self._model(np.arange(n), most),
            constant_error=float(error[0]),
            errors=tuple(map(float, error[1:])),
        )
        return [full.cut(k) for k in range(most + 1)], *self.sample.judged(errors)

    def _model(self, rows: Any, most: int) -> Separable:
        """Singular functions of some nodes' matrix; of a symmetric one, eigenfunctions, σ with sign."""
        order = rows[np.lexsort(self.sample.x[rows].T[::-1])]
        n, whole = len(order), self.sample.values[np.ix_(order, order)]
        constant = float(whole.mean())
        if self.sample.symmetric:
            values, U = np.linalg.eigh(whole - constant)
            by = np.argsort(-np.abs(values), kind="stable")[:most]
            sigma, U = values[by], U[:, by]
            U = U * np.where(U[np.abs(U).argmax(axis=0), np.arange(len(by))] < 0, -1, 1)
            V = U
        else:
            U, sigma, Vt = np.linalg.svd(whole - constant)
            U, sigma, V = U[:, :most], sigma[:most], Vt[:most].T
            signs = np.where(U[np.abs(U).argmax(axis=0), np.arange(len(sigma))] < 0, -1, 1)
            U, V = U * signs, V * signs
        share = tuple(map(float, sigma**2 / ((whole - constant) ** 2).sum()))
        nothing = (0.0,) * len(sigma)
        scaled = tuple(map(float, sigma / n))
        return Separable(
            self.sample.x[order], U * np.sqrt(n), V * np.sqrt(n), constant, scaled, 0.0, nothing, share
        )
