"""A certified stable state: Krawczyk's test of stationarity, LDL^T of the Hessian, modulo rotation.

State: clusters at angles θ_k (θ_0 = 0) that the force Σ_j W_kj f(θ_k − θ_j) must leave at rest. With masses
m_k the Hessian is −L, L the Laplacian of m_k W_kj f'(θ_k − θ_j); oscillators of one cluster stay together if
its row sum with the cluster itself is positive. Proof: docs/theory/states.md, Theorem 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray

from inphase.certify.balls import Enclosure, interval, point
from inphase.certify.budget import Budget, weight
from inphase.interaction import Interaction

Floats = NDArray[np.float64]
RADIUS = Fraction(1, 2**30)
# what the checker calls the states that refute, and parts that hear nobody outside
REFUTATIONS = EQUAL_CLUSTERS, TWISTED_STATE, STABLE_STATE, PARTS = (
    "equal-clusters", "twisted-state", "stable-state", "parts",
)  # fmt: skip


def certified(
    f: Enclosure,
    weights: Sequence[Sequence[Fraction]],
    masses: Sequence[Fraction],
    sizes: Sequence[int],
    angles: Sequence[float | Fraction],
    radius: Fraction = RADIUS,
    degrees: Sequence[Sequence[int]] | None = None,
) -> float | None:
    """The least pivot of the Hessian (LDL^T), if a state within `radius` of `angles` is certified, or None.

    With `degrees`, the clusters are the classes of an equitable partition of a graph.
    """
    n = len(masses)
    f.budget.at = "a state of several clusters"
    f.budget.spend(n**3)
    w = [[point(v) for v in row] for row in weights]
    off = interval(-radius, radius)
    at = [point(Fraction(t)) for t in angles]
    wide = [t + off if k else t for k, t in enumerate(at)]

    def slope(x: list[arb], k: int, j: int, order: int) -> Any:
        if weights[k][j] == 0:
            return arb(0)
        return w[k][j] * f.on(x[k] - x[j], 1)[order]

    force = arb_mat([[sum((slope(at, k, j, 0) for j in range(n) if j != k), arb(0))] for k in range(1, n)])
    bonds = [[slope(wide, k, j, 1) if j != k else arb(0) for j in range(n)] for k in range(n)]
    jacobian = arb_mat(
        [[sum(bonds[k], arb(0)) if k == j else -bonds[k][j] for j in range(1, n)] for k in range(1, n)]
    )
    middle = np.array([[float(jacobian[k, j].mid()) for j in range(n - 1)] for k in range(n - 1)])
    if not np.all(np.isfinite(middle)) or np.linalg.cond(middle) > 1e13:
        return None
    inverse = arb_mat([[arb(float(v)) for v in row] for row in np.linalg.inv(middle)])
    identity = arb_mat([[int(k == j) for j in range(n - 1)] for k in range(n - 1)])
    image = -(inverse * force) + (identity - inverse * jacobian) * arb_mat([[off] for _ in range(n - 1)])
    if not all(off.contains_interior(image[k, 0]) for k in range(n - 1)):
        return None
    if not any(t > 0 and t < 2 * arb.pi() for t in wide[1:]):
        return None
    own = f.at(0.0, 1)[1]
    if degrees is not None:
        if not classes_hold(sizes, degrees, bonds, own):
            return None
    elif any(sizes[k] > 1 and not sum(bonds[k], w[k][k] * own) > 0 for k in range(n)):
        return None
    m = [point(v) for v in masses]
    sym = [[m[k] * bonds[k][j] for j in range(n)] for k in range(n)]
    return least_pivot(
        [[sum(sym[k], arb(0)) if k == j else -sym[k][j] for j in range(1, n)] for k in range(1, n)]
    )


def classes_hold(
    sizes: Sequence[int], degrees: Sequence[Sequence[int]], bonds: list[list[arb]], own: arb
) -> bool:
    """Whether perturbations of zero sum in each class decay, for every graph with these degrees.

    Bonds are d_ab f'(θ_a − θ_b). A block acts on the perturbations with norm at most sqrt(d_ab d_ba), 0 if it
    is complete; inside a complete class as −1.
    """
    many = [k for k, m in enumerate(sizes) if m > 1]
    matrix = []
    for a in many:
        row = []
        for b in many:
            if a == b:
                inner = own if degrees[a][a] == sizes[a] - 1 else -own * degrees[a][a]
                row.append((sum(bonds[a], own * degrees[a][a]) + inner).lower())
            elif degrees[a][b] in (0, sizes[b]):
                row.append(arb(0))
            else:
                row.append(
                    -(
                        bonds[a][b].abs_upper() / degrees[a][b] * arb(degrees[a][b] * degrees[b][a]).sqrt()
                    ).upper()
                )
        matrix.append(row)
    return not many or least_pivot(matrix) is not None


def least_pivot(a: list[list[arb]]) -> float | None:
    """The least pivot of LDL^T, a lower bound of it, if all are positive; else None."""
    size, least = len(a), float("inf")
    for c in range(size):
        if not a[c][c] > 0:
            return None
        least = min(least, float(a[c][c].lower()))
        for k in range(c + 1, size):
            ratio = a[k][c] / a[c][c]
            for j in range(k, size):
                a[k][j] = a[k][j] - ratio * a[c][j]
                a[j][k] = a[k][j]
    return least


def settle(
    f: Interaction, weights: Floats, start: Floats, budget: Budget | None = None, steps: int = 4000
) -> Floats | None:
    """A stationary state with θ_0 = 0, in [0, 2π), by the flow and Newton; None if it does not settle."""
    budget, slope = budget or Budget(), f.derivative()
    dear = 30 + weight(f.expression) * (1 + weights.size // 200)  # the work of a force, as measured
    theta = np.array(start, dtype=float)
    h = 0.5 / max(
        float(np.max(np.sum(weights, axis=1))) * float(np.max(np.abs(slope(np.linspace(0, 6.3, 400))))),
        1e-300,
    )
    for step in range(steps):
        budget.spend(dear)
        force = -np.sum(weights * f(theta[:, None] - theta[None, :]), axis=1)
        theta += h * force
        if step % 50 == 0 and np.max(np.abs(force)) < 1e-6:
            break
    for _ in range(30):
        budget.spend(2 * dear + len(theta) ** 3 // 1000)
        difference = theta[:, None] - theta[None, :]
        force = np.sum(weights * f(difference), axis=1)[1:]
        bond = weights * slope(difference)
        np.fill_diagonal(bond, 0)
        jacobian = np.diag(bond.sum(axis=1)) - bond
        try:
            move = np.linalg.solve(jacobian[1:, 1:], force)
        except np.linalg.LinAlgError:
            return None
        if not np.all(np.isfinite(move)) or np.max(np.abs(move)) > 3:
            return None
        theta[1:] -= move
        if np.max(np.abs(move)) < 1e-14:
            break
    theta = np.mod(theta - theta[0], 2 * np.pi)
    return (
        theta
        if np.max(np.abs(np.sum(weights * f(theta[:, None] - theta[None, :]), axis=1))) < 1e-11
        else None
    )
