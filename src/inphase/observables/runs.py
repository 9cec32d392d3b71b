"""What one reads off a run: order parameters by group and place, frequencies, who is locked to whom, how that changes.

Each takes a Dataset of `simulate`, or its `phase`, and gives an `xarray.DataArray` over the dimensions that are left,
such as `time` and `replica`. Runs that are opened in chunks stay lazy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from inphase.checks import finite_number, integer

if TYPE_CHECKING:
    import xarray as xr

OTHER = "heard"  # the second dimension of a matrix of pairs


def group_order_parameter(run: xr.Dataset | xr.DataArray, groups: ArrayLike) -> xr.DataArray:
    """|R| of each group, Kuramoto's r.

    Parameters
    ----------
    run : xarray.Dataset or DataArray
    groups : array_like, shape (n,)
        The group of each oscillator: numbers or names.

    Returns
    -------
    xarray.DataArray
        Over `time`, ... and `group`, whose coordinate are the groups in ascending order.

    Raises
    ------
    ValueError
        If the run has no phases, or `groups` does not fit it.

    Examples
    --------
    >>> import inphase as ip
    >>> run = ip.simulate(ip.PhaseModel(ip.kuramoto()), [0.0, 0.0, 1.0, 4.0], times=[0.0, 20.0])
    >>> group_order_parameter(run, ["a", "a", "b", "b"]).round(3).values
    array([[1.   , 0.071],
           [1.   , 1.   ]])
    """
    import xarray as xr

    phase = _phase(run)
    names, which = np.unique(_groups(groups, phase.sizes["oscillator"]), return_inverse=True)
    member = np.equal.outer(np.arange(len(names)), which) / np.bincount(which)[:, None]
    weights = xr.DataArray(member, dims=("group", "oscillator"), coords={"group": names})
    found: xr.DataArray = abs(_summed(phase, weights)).rename("order_parameter")
    return found


def local_order_parameter(
    run: xr.Dataset | xr.DataArray, coupling: Any = None, radius: int | None = None
) -> xr.DataArray:
    """How far those around an oscillator agree, |Σ_j w_ij exp(iθ_j)| / Σ_j w_ij: 1 in coherent regions.

    Parameters
    ----------
    run : xarray.Dataset or DataArray
    coupling : inphase.graphs.Graph, Coupling, scipy.sparse matrix or array_like, optional
        w_ij = |K_ij|, of those whom i listens to; NaN where it listens to nobody.
    radius : int, optional
        Instead: equal weights for the 2 · radius + 1 oscillators of a ring around i, itself among them.

    Raises
    ------
    ValueError
        Unless one of the two is given, or where it does not fit the run.

    References
    ----------
    J. G. Restrepo, E. Ott, B. R. Hunt, Phys. Rev. E 71 (2005) 036151 (networks); M. Wolfrum, O. E. Omel'chenko,
    S. Yanchuk, Y. L. Maistrenko, Chaos 21 (2011) 013112 (rings).

    Examples
    --------
    >>> import inphase as ip
    >>> run = ip.simulate(ip.PhaseModel(ip.kuramoto(), ip.Ring(1)), ip.initial.phases("twisted", 6, winding=1), t_end=1.0)
    >>> local_order_parameter(run, radius=1)[-1].round(3).values  # (1 + 2 cos 60°)/3
    array([0.667, 0.667, 0.667, 0.667, 0.667, 0.667])
    """
    import xarray as xr

    phase = _phase(run)
    n = phase.sizes["oscillator"]
    if (coupling is None) == (radius is None):
        raise ValueError("give either a coupling or the radius of a ring")
    if radius is not None:
        reach = integer("radius", radius, least=1)
        if 2 * reach + 1 > n:
            raise ValueError(f"radius must be below n/2 for {n} oscillators; got {radius}")
        near = np.arange(-reach, reach + 1)
        rows, columns = np.repeat(np.arange(n), len(near)), (np.arange(n)[:, None] + near).ravel() % n
        matrix = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, n))
    else:
        matrix = _weights(coupling, n)
    total = matrix.sum(axis=1)

    def around(waves: Any) -> Any:
        flat = waves.reshape(-1, n)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (np.abs(matrix @ flat.T).T / total).reshape(waves.shape)

    found: xr.DataArray = xr.apply_ufunc(
        around, np.exp(1j * phase), input_core_dims=[["oscillator"]], output_core_dims=[["oscillator"]],
        dask="parallelized", output_dtypes=[float],
    ).transpose(*phase.dims).rename("local_order_parameter")  # fmt: skip
    return found


def instantaneous_frequency(run: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """dθ/dt at the frames, radians per unit of time: the run's `velocity`, or else differences of its phases.

    These are of second order in the time between frames, and phases must not be wrapped (a run's are not).

    Raises
    ------
    ValueError
        If there are fewer than two frames.

    Examples
    --------
    >>> import inphase as ip
    >>> run = ip.simulate(ip.PhaseModel(ip.kuramoto(), frequencies=[1.0]), [0.0], t_end=1.0)
    >>> instantaneous_frequency(run)[3].round(6).item()
    1.0
    """
    if "velocity" in getattr(run, "data_vars", ()):
        known: xr.DataArray = run["velocity"].rename("frequency")
        return known
    phase = _phase(run, frames=2)
    found: xr.DataArray = phase.differentiate("time", edge_order=min(2, phase.sizes["time"] - 1)).rename(
        "frequency"
    )
    return found


def effective_frequency(
    run: xr.Dataset | xr.DataArray, begin: float | None = None, end: float | None = None
) -> xr.DataArray:
    """Mean dθ/dt between two frames, (θ(end) − θ(begin))/(end − begin): who is locked to whom has the same.

    Parameters
    ----------
    run : xarray.Dataset or DataArray
    begin, end : float, optional
        Times, of which the nearest frames within are taken; the first and the last if not given.

    Raises
    ------
    ValueError
        If there are not two frames from `begin` to `end`.

    Examples
    --------
    >>> import inphase as ip
    >>> pair = ip.PhaseModel(ip.kuramoto(), frequencies=[-1.0, 1.2])
    >>> run = ip.simulate(pair, [0.0, 0.0], t_end=400.0)
    >>> effective_frequency(run, begin=20.0).round(2).values  # 0.1 ± sqrt(1.1² − 0.5²)
    array([-0.88,  1.08])
    """
    phase = _phase(run, frames=2)
    low = None if begin is None else finite_number("begin", begin)
    high = None if end is None else finite_number("end", end)
    part = phase.sel(time=slice(low, high))
    if part.sizes["time"] < 2:
        raise ValueError(f"there must be two frames from begin to end; got {part.sizes['time']}")
    last, first = part.isel(time=-1), part.isel(time=0)
    found: xr.DataArray = (last.drop_vars("time") - first.drop_vars("time")) / float(last.time - first.time)
    return found.rename("frequency")


def phase_locking_value(run: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """|mean over time of exp(i(θ_i − θ_j))|, (..., oscillator, heard): 1 for pairs with a constant difference.

    References
    ----------
    J.-P. Lachaux, E. Rodriguez, J. Martinerie, F. J. Varela, Human Brain Mapping 8 (1999) 194.

    Examples
    --------
    >>> import inphase as ip
    >>> model = ip.PhaseModel(2 * ip.kuramoto(), frequencies=[0.0, 0.1, 40.0])
    >>> phase_locking_value(ip.simulate(model, [0.0, 0.1, 0.2], t_end=50.0)).round(1).values
    array([[1., 1., 0.],
           [1., 1., 0.],
           [0., 0., 1.]])
    """
    import xarray as xr

    waves = np.exp(1j * _phase(run))
    pairs = xr.dot(waves, waves.conj().rename(oscillator=OTHER), dim="time") / waves.sizes["time"]
    found: xr.DataArray = abs(pairs).rename("phase_locking_value")
    return found


def functional_connectivity(run: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """Pearson's correlation over time of sin θ_i and sin θ_j, (..., oscillator, heard); NaN where one is constant.

    References
    ----------
    J. Cabral, E. Hugues, O. Sporns, G. Deco, NeuroImage 57 (2011) 130.

    Examples
    --------
    >>> import inphase as ip
    >>> still = ip.PhaseModel(0 * ip.kuramoto(), frequencies=[1.0, 1.0, 1.0])
    >>> run = ip.simulate(still, [0.0, np.pi, np.pi / 2], t_end=100.0)
    >>> functional_connectivity(run).round(1).values[0] + 0.0
    array([ 1., -1.,  0.])
    """
    import xarray as xr

    signal = np.sin(_phase(run, frames=2))
    signal = signal - signal.mean("time", skipna=False)
    size = np.sqrt((signal**2).sum("time", skipna=False))
    small = size < 1e-12 * signal.sizes["time"]
    unit = signal / size.where(~small)
    found: xr.DataArray = xr.dot(unit, unit.rename(oscillator=OTHER), dim="time").rename("correlation")
    return found


def metastability(run: xr.Dataset | xr.DataArray, groups: ArrayLike | None = None) -> xr.DataArray:
    """Standard deviation over time of |R|, of all oscillators or of each group.

    M. Shanahan's index is the mean over the groups of its square.

    References
    ----------
    M. Shanahan, *Metastable chimera states in community-structured oscillator networks*, Chaos 20 (2010) 013108.

    Examples
    --------
    >>> import inphase as ip
    >>> pair = ip.simulate(ip.PhaseModel(0 * ip.kuramoto(), frequencies=[0.0, 2.0]), [0.0, 0.0], t_end=100.0)
    >>> round(float(metastability(pair)), 2)  # of |cos t|
    0.31
    """
    found: xr.DataArray = _modulus(run, groups).std("time", skipna=False).rename("metastability")
    return found


def chimera_index(run: xr.Dataset | xr.DataArray, groups: ArrayLike) -> xr.DataArray:
    """Mean over time of the variance of |R| over the groups: large where some are coherent while others are not.

    At most n_g/(4 (n_g − 1)) for n_g groups, of which half would be at 1 and half at 0.

    References
    ----------
    M. Shanahan, Chaos 20 (2010) 013108: the variance over groups has n_g − 1 in its denominator.

    Examples
    --------
    >>> import inphase as ip
    >>> still = ip.PhaseModel(0 * ip.kuramoto())
    >>> run = ip.simulate(still, [0.0, 0.0, 0.0, np.pi], t_end=1.0)
    >>> round(float(chimera_index(run, [0, 0, 1, 1])), 12)
    0.5
    """
    by_group = group_order_parameter(run, groups)
    if by_group.sizes["group"] < 2:
        raise ValueError("a chimera index needs two groups or more")
    found: xr.DataArray = (
        by_group.var("group", ddof=1, skipna=False).mean("time", skipna=False).rename("chimera_index")
    )
    return found


def _phase(run: Any, frames: int = 1) -> Any:
    """The phases, with their dimensions; ValueError where there are none."""
    found = run["phase"] if "phase" in getattr(run, "data_vars", ()) else run
    if not {"time", "oscillator"} <= set(getattr(found, "dims", ())):
        raise ValueError("run must be a Dataset of simulate with phase(time, ..., oscillator), or that phase")
    if found.sizes["time"] < frames:
        raise ValueError(f"run must have at least {frames} frames; got {found.sizes['time']}")
    return found


def _summed(phase: Any, weights: Any) -> Any:
    """Σ_j w_j exp(iθ_j)."""
    import xarray as xr

    return xr.dot(np.exp(1j * phase), weights, dim="oscillator")


def _modulus(run: Any, groups: ArrayLike | None) -> Any:
    """|R| in time, of all or by group."""
    if groups is not None:
        return group_order_parameter(run, groups)
    phase = _phase(run, frames=2)
    return abs(np.exp(1j * phase).mean("oscillator", skipna=False))


def _groups(groups: ArrayLike, n: int) -> Any:
    found = np.asarray(groups)
    if found.shape != (n,):
        raise ValueError(f"groups must name the group of each of {n} oscillators; got shape {found.shape}")
    return found


def _weights(coupling: Any, n: int) -> Any:
    """|K|, (n, n), as a csr_array."""
    if hasattr(coupling, "forces"):  # a Coupling
        coupling = coupling.matrix(n)
    found = getattr(coupling, "matrix", coupling)
    matrix = sparse.csr_array(found if sparse.issparse(found) else np.asarray(found, dtype=float))
    if matrix.shape != (n, n):
        raise ValueError(f"coupling must be of {n} oscillators; got shape {matrix.shape}")
    return abs(matrix)
