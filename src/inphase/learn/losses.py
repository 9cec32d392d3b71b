"""What training makes small: functions of the phases of a window of time.

A loss is `loss(phases, nodes) -> scalar`, with phases (T, n) in radians and `nodes` a `Nodes` of JAX arrays; any function
of that form serves, written with `jax.numpy`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from inphase.errors import check_name

Loss = Callable[[Any, Any], Any]


def _length(x: Any, y: Any) -> Any:
    """sqrt(x² + y²), with the derivative 0 at the origin."""
    square = x * x + y * y
    zero = square == 0  # NaN stays NaN
    return jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, square)))


def circular_variance(phases: Any, nodes: Any = None) -> Any:
    """V = 1 − |Σ_j e^{iθ_j}|/n, averaged over time; phases (T, n), radians. 0 in sync, 1 where the mean vanishes.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(circular_variance(np.array([[0.0, np.pi / 2]]))), 4)
    0.2929
    """
    return jnp.mean(1 - _length(jnp.cos(phases).mean(-1), jnp.sin(phases).mean(-1)))


def cluster_loss(classes: int) -> Loss:
    """Each class in sync, and their mean phases spread evenly over the circle: a loss in [0, 1].

    (mean_l V_l + S)/(1 + S_max), S = Σ_{g=1}^{⌊k/2⌋} |Σ_l e^{ig⟨θ⟩_l}|²/(2 g² k), averaged over time: V_l and ⟨θ⟩_l are the
    circular variance and the mean phase of class l, and S_max = (k/2) Σ_g 1/g² is S where all mean phases agree. For two
    classes this is (mean_l V_l + S)/2. Classes without a node in the graph are left out, of k too.

    Parameters
    ----------
    classes : int
        k; labels are 0..k−1, and others belong to no class.

    References
    ----------
    Ricci et al., *KuraNet* (2021), with the normalization of its public settings; the second term is that of Sepulchre, Paley,
    Leonard, *Stabilization of planar collective motion: all-to-all communication* (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> two = SimpleNamespace(labels=np.array([0, 0, 1, 1]))
    >>> round(float(cluster_loss(2)(np.array([[0.0, 0.0, np.pi, np.pi]]), two)), 6)
    0.0
    >>> round(float(cluster_loss(2)(np.zeros((1, 4)), two)), 6)
    0.5
    """

    def loss(phases: Any, nodes: Any) -> Any:
        phases = jnp.asarray(phases)
        member = (jnp.asarray(nodes.labels)[:, None] == jnp.arange(classes)).astype(phases.dtype)  # (n, k)
        counts = member.sum(0)
        present = (counts > 0).astype(phases.dtype)
        k = jnp.maximum(present.sum(), 1)
        x, y = (wave(phases) @ member / jnp.maximum(counts, 1) for wave in (jnp.cos, jnp.sin))  # (T, k)
        order = _length(x, y)
        within = ((1 - order) * present).sum(-1) / k
        mean = jnp.arctan2(y, jnp.where(order > 0, x, 1.0))
        g = jnp.arange(1, classes // 2 + 1)
        share = jnp.where(2 * g <= k, 1 / g.astype(phases.dtype) ** 2, 0.0)
        turns = g[:, None] * mean[:, None, :]
        moments = (jnp.cos(turns) * present).sum(-1) ** 2 + (jnp.sin(turns) * present).sum(-1) ** 2  # (T, g)
        apart = (share * moments).sum(-1) / (2 * k)
        return jnp.mean(within + apart) / (1 + k / 2 * share.sum())

    return loss


def named(loss: str | Loss, classes: int) -> Loss:
    """A loss by name, "circular-variance" or "cluster", or the user's function itself."""
    if callable(loss):
        return loss
    check_name("loss", loss, ("circular-variance", "cluster"))
    if loss == "circular-variance":
        return circular_variance
    if classes < 2:
        raise ValueError(f"the loss 'cluster' needs labels of at least 2 classes; got {classes}")
    return cluster_loss(classes)
