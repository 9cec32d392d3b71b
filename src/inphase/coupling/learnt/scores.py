"""All pairs' scores by a network on pairs, in blocks that stay in cache, by as many threads as Numba has.

The first layer of a pair is one sum. Each further layer is one product of matrices for all pairs of a block,
which is nearly all of the work (2 h² operations per pair), and one pass for bias and activation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from inphase.kernels import pair_layers
from inphase.kernels.threads import few_threads

Array = NDArray[Any]
Activation = Callable[[Array, Array], object]  # in place, with an array of the same shape to spare
Layers = Sequence[tuple[Array, Array]]  # (W, d) of h -> act(h W + d)

PAIRS = 512  # of a block: with 128 units in single precision an array of it has 0.25 MB
JOB = 64  # blocks of one job of a thread, some ten milliseconds
THREADS_FROM = 4 * PAIRS * JOB  # pairs


def pair_scores(
    own: Array, other: Array, deeper: Layers, out: Array, activation: Activation | float
) -> Array:
    """Scores of all pairs, (n_x, n_y), in the precision of `own`.

    Parameters
    ----------
    own, other : ndarray, shapes (n_x, h_1) and (n_y, h_1)
        What each node gives to the first layer: h_1 = act(own_i + other_j).
    deeper : sequence of (ndarray, ndarray)
        (W, d) of the further layers, h_{l+1} = act(h_l W + d).
    out : ndarray, shape (h_L,) or (h_L, c)
        The last layer.
    activation : float or callable
        A float is the leaky ReLU with that slope below 0. A callable takes an array, in place,
        and one to spare.

    Returns
    -------
    ndarray, shape (n_x, n_y) or (n_x, n_y, c)
        Memory is that of the result and a few megabytes. It does not depend on the number of threads.

    Examples
    --------
    >>> import numpy as np
    >>> pair_scores(np.array([[1.0], [-2.0]]), np.array([[0.5]]), [], np.ones(1), 0.1)
    array([[ 1.5 ],
           [-0.15]])
    """
    own, other, out = (np.ascontiguousarray(part) for part in (own, other, out))
    layers = [(np.ascontiguousarray(W), np.ascontiguousarray(d)) for W, d in deeper]
    found = np.empty((len(own), len(other), *out.shape[1:]), own.dtype)
    columns = min(len(other), PAIRS)
    rows = PAIRS // columns
    blocks_in_row = -(-len(other) // columns)
    height, width = rows * max(1, JOB // blocks_in_row), columns * JOB
    jobs = [
        (slice(low, low + height), slice(left, left + width))
        for low in range(0, len(own), height)
        for left in range(0, len(other), width)
    ]

    def fill(job: tuple[slice, slice]) -> None:
        _fill(own[job[0]], other[job[1]], layers, out, activation, found[job], rows, columns)

    workers = numba.get_num_threads()
    if len(own) * len(other) < THREADS_FROM or workers == 1:
        for job in jobs:
            fill(job)
    else:
        # BLAS's own threads would wait for one another
        with few_threads(0), ThreadPoolExecutor(workers) as pool:
            list(pool.map(fill, jobs))
    return found


def _fill(
    own: Array,
    other: Array,
    layers: Layers,
    out: Array,
    activation: Activation | float,
    found: Array,
    rows: int,
    columns: int,
) -> None:
    """Scores into `found`, by blocks of `rows` times `columns` pairs."""
    widths = [own.shape[1], *(W.shape[1] for W, _ in layers)]
    arrays = [np.empty((rows * columns, width), own.dtype) for width in widths]
    spare = np.empty(0 if isinstance(activation, float) else rows * columns * max(widths), own.dtype)
    for low in range(0, len(own), rows):
        for left in range(0, len(other), columns):
            here, there = own[low : low + rows], other[left : left + columns]
            pairs = len(here) * len(there)
            h = arrays[0][:pairs]
            if isinstance(activation, float):
                pair_layers.first_layer(here, there, h.dtype.type(activation), h)
            else:
                np.add(here[:, None], there, out=h.reshape(len(here), len(there), -1))
                activation(h, spare[: h.size].reshape(h.shape))
            for (W, d), array in zip(layers, arrays[1:]):
                h = np.matmul(h, W, out=array[:pairs])
                if isinstance(activation, float):
                    pair_layers.next_layer(h, d, h.dtype.type(activation))
                else:
                    h += d
                    activation(h, spare[: h.size].reshape(h.shape))
            found[low : low + rows, left : left + columns] = (h @ out).reshape(
                len(here), len(there), *out.shape[1:]
            )
