"""The model's equation in constant steps, traced by JAX, with the exact gradient of the discrete steps.

    θ_i' = ω_i + b_i sin θ_i − Σ_j K_ij f(θ_i − φ_j),   φ_j = θ_j(t − τ_j)

f enters by its Fourier modes: with waves w(φ) = (cos kφ, sin kφ)_k the sums need one product P = K w per
evaluation, never n² sines. So the gradient with respect to K is Σ P̄ wᵀ over all evaluations, P̄ being the
adjoint of P: one matrix product of what the backward sweep finds, instead of an (n, n) outer product at every
step.

With phase lags the terms are K_ij f(θ_i − φ_j + α_ij). They enter by the matrices K cos kα and K sin kα,
which are made once for all steps (`joined`); each has its gradient as K has, and JAX goes on from these to K
and α.

Only the phases are kept from the forward sweep, O(T n); the backward sweep takes the steps again, `SEGMENT`
at a time.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from inphase.checks import check_name
from inphase.interaction import Interaction
from inphase.methods import RUNGE_KUTTA, WITH_DELAYS, weighted

SEGMENT = 64  # steps of which the backward sweep holds the intermediate results


class Scheme(NamedTuple):
    """What is fixed while a function is compiled."""

    step: float  # h, units of time
    method: str  # of RUNGE_KUTTA
    real: tuple[float, ...]  # F_0, F_1, ..., F_m
    imaginary: tuple[float, ...]
    longest: int  # steps, at least the longest delay


class Parts(NamedTuple):
    """ω and b, radians per unit of time, and τ in whole steps; all of shape (n,)."""

    frequencies: Any
    field: Any
    delay_steps: Any


class Turned(NamedTuple):
    """K_ij with phase lags α_ij, by harmonics k = 1..m."""

    plain: Any  # K, (n, n)
    cosines: Any  # K cos kα, (m, n, n)
    sines: Any  # K sin kα, (m, n, n)


@lru_cache(maxsize=64)
def scheme(interaction: Interaction, step: float, method: str = "euler", longest: int = 0) -> Scheme:
    """The scheme of an interaction; ValueError where the method is unknown or cannot serve delays."""
    check_name("method", method, tuple(RUNGE_KUTTA))
    if longest and method not in WITH_DELAYS:
        raise ValueError(f"with delays, method must be one of {', '.join(WITH_DELAYS)}; got {method!r}")
    modes = interaction.modes
    return Scheme(
        float(step), method, tuple(map(float, modes.real)), tuple(map(float, modes.imag)), int(longest)
    )


def joined(strengths: Any, lags: Any, scheme: Scheme) -> Any:
    """The coupling of the functions below: K itself, (n, n),
    where `lags` is None; else with α (n, n), radians, `Turned`.
    """
    if lags is None:
        return strengths
    turns = jnp.arange(1, len(scheme.real), dtype=strengths.dtype)[:, None, None] * lags
    return Turned(strengths, strengths * jnp.cos(turns), strengths * jnp.sin(turns))


def history(phases: Any, parts: Parts, scheme: Scheme) -> Any:
    """θ before and at time 0, (longest + 1, n), the newest
    last: θ(0) + ω t, as if the coupling began at time 0.
    """
    before = jnp.arange(-scheme.longest, 1, dtype=phases.dtype)[:, None]
    return phases + before * scheme.step * parts.frequencies


def waves(phases: Any, scheme: Scheme) -> Any:
    """(n, 2 m): cos kφ and sin kφ, k = 1..m; before them a column of ones where f has a mean."""
    k = jnp.arange(1, len(scheme.real), dtype=phases.dtype)
    turns = phases[:, None] * k
    columns = [jnp.cos(turns), jnp.sin(turns)]
    return jnp.concatenate([jnp.ones_like(phases)[:, None], *columns] if scheme.real[0] else columns, axis=1)


def force(phases: Any, product: Any, scheme: Scheme) -> Any:
    """Σ_j K_ij f(θ_i − φ_j), (n,), from P = K w(φ)."""
    k = jnp.arange(1, len(scheme.real), dtype=phases.dtype)
    real = jnp.array(scheme.real, phases.dtype)
    imaginary = jnp.array(scheme.imaginary[1:], phases.dtype)
    turns = phases[:, None] * k
    c, s = jnp.cos(turns), jnp.sin(turns)
    re, im = product[:, -2 * len(k) : -len(k)], product[:, -len(k) :]
    total = (real[1:] * (c * re + s * im) - imaginary * (s * re - c * im)).sum(axis=1)
    return total + real[0] * product[:, 0] if scheme.real[0] else total


def _product(coupling: Any, wave: Any) -> Any:
    """P = K w, (n, columns); with lags Σ_j K_ij e^{−ikα_ij} e^{ikφ_j}, as real and imaginary parts."""
    if not isinstance(coupling, Turned):
        return coupling @ wave
    mean, both = _by_harmonics(wave, len(coupling.cosines))  # (n, 0 or 1), (m, n, 2)
    along, across = coupling.cosines @ both, coupling.sines @ both
    columns = [(along[..., 0] + across[..., 1]).T, (along[..., 1] - across[..., 0]).T]
    return jnp.concatenate([coupling.plain @ mean, *columns], axis=1)


def _by_harmonics(columns: Any, m: int) -> tuple[Any, Any]:
    """(rows, columns) of waves or products as the mean's
    column, (rows, 0 or 1), and the harmonics', (m, rows, 2).
    """
    first = columns.shape[1] - 2 * m
    return columns[:, :first], columns[:, first:].reshape(-1, 2, m).transpose(2, 0, 1)


def _slope(coupling: Any, adjoints: Any, used: Any) -> Any:
    """The adjoint of K, or of `Turned`, from those of P and the waves, both (steps, stages, n, columns)."""
    n = adjoints.shape[2]
    if not isinstance(coupling, Turned):
        rows = adjoints.transpose(2, 0, 1, 3).reshape(n, -1)
        return rows @ used.transpose(2, 0, 1, 3).reshape(n, -1).T
    rows, waves = (part.transpose(2, 0, 1, 3) for part in (adjoints, used))
    m, columns = len(coupling.cosines), rows.shape[-1]
    (mean, bar), (ones, wave) = (_by_harmonics(part.reshape(-1, columns), m) for part in (rows, waves))
    bar, wave = bar.reshape(m, n, -1, 2), wave.reshape(m, n, -1, 2)
    turned = jnp.stack([wave[..., 1], -wave[..., 0]], axis=-1)  # what the sines multiply: (s, −c)
    flat = [part.reshape(m, n, -1) for part in (bar, wave, turned)]
    plain = mean.reshape(n, -1) @ ones.reshape(n, -1).T  # 0 without a mean, an empty product
    return Turned(plain, flat[0] @ flat[1].mT, flat[0] @ flat[2].mT)


def _one_step(coupling: Any, past: Any, parts: Parts, scheme: Scheme, extra: Any = None) -> tuple[Any, Any]:
    """(past one step later, waves of each stage); `extra`
    (stages, n, columns) is added to the products K w.
    """
    h = scheme.step
    used: list[Any] = []

    def velocity(before: Any) -> Any:
        theta = before[-1]
        heard = (
            before[scheme.longest - parts.delay_steps, jnp.arange(theta.shape[0])]
            if scheme.longest
            else theta
        )
        wave = waves(heard, scheme)
        product = _product(coupling, wave) if extra is None else _product(coupling, wave) + extra[len(used)]
        used.append(wave)
        return parts.frequencies + parts.field * jnp.sin(theta) - force(theta, product, scheme)

    def moved(weights: Any) -> Any:
        return jnp.concatenate([past[1:], (past[-1] + h * weighted(weights, slopes))[None]])

    method, slopes = RUNGE_KUTTA[scheme.method], [velocity(past)]
    for weights in method.a[1:]:
        slopes.append(velocity(moved(weights)))
    return moved(method.b), jnp.stack(used)


@partial(jax.jit, static_argnums=(3, 4))
def velocity(coupling: Any, past: Any, parts: Parts, scheme: Scheme, method: str = "euler") -> Any:
    """dθ/dt, (n,), at the last of the phases `past` (longest + 1, n)."""
    euler = scheme._replace(method=method, step=1.0)
    return _one_step(coupling, past, parts, euler)[0][-1] - past[-1]


def advance(coupling: Any, past: Any, parts: Parts, scheme: Scheme, count: int) -> Any:
    """`past` after `count` steps, nothing else kept: the burn-in."""
    return lax.fori_loop(0, count, lambda _, now: _one_step(coupling, now, parts, scheme)[0], past)


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def trajectory(coupling: Any, past: Any, parts: Parts, scheme: Scheme, count: int) -> Any:
    """The phases after each of `count` steps, (count, n), differentiable in K (and α), the past, ω and b.

    Parameters
    ----------
    coupling : array, shape (n, n), or Turned
        As `joined` makes it.
    past : array, shape (longest + 1, n)
        Radians; the newest last, as `history` makes it.
    parts : Parts
    scheme : Scheme
    count : int
    """

    def body(now: Any, _: Any) -> tuple[Any, Any]:
        then = _one_step(coupling, now, parts, scheme)[0]
        return then, then[-1]

    return lax.scan(body, past, None, length=count)[1]


def _forward(coupling: Any, past: Any, parts: Parts, scheme: Scheme, count: int) -> tuple[Any, Any]:
    phases = trajectory(coupling, past, parts, scheme, count)
    return phases, (coupling, past, parts, phases)


def _backward(scheme: Scheme, count: int, kept: Any, slopes: Any) -> tuple[Any, Any, Any]:
    """The adjoints of K, past and parts from those of the
    phases, (count, n), segment by segment from the last.
    """
    coupling, past, parts, phases = kept
    n, stages = phases.shape[1], RUNGE_KUTTA[scheme.method].stages
    length = next(s for s in range(min(SEGMENT, count), 0, -1) if count % s == 0)
    columns = 2 * (len(scheme.real) - 1) + bool(scheme.real[0])
    zeros = jnp.zeros((length, stages, n, columns), phases.dtype)
    states = jnp.concatenate([past, phases])

    def run(extra: Any, start: Any, frequencies: Any, field: Any) -> tuple[Any, Any]:
        own = Parts(frequencies, field, parts.delay_steps)

        def body(now: Any, more: Any) -> tuple[Any, Any]:
            then, used = _one_step(coupling, now, own, scheme, more)
            return then, (then[-1], used)

        end, (found, used) = lax.scan(body, start, extra)
        return (found, end), used

    def sweep(adjoints: Any, segment: Any) -> tuple[Any, None]:
        K_bar, past_bar, frequencies_bar, field_bar = adjoints
        start = lax.dynamic_slice_in_dim(states, segment * length, scheme.longest + 1)
        _, pullback, used = jax.vjp(run, zeros, start, parts.frequencies, parts.field, has_aux=True)
        here = lax.dynamic_slice_in_dim(slopes, segment * length, length)
        P_bar, past_bar, more_frequencies, more_field = pullback((here, past_bar))
        K_bar = jax.tree.map(jnp.add, K_bar, _slope(coupling, P_bar, used))
        return (K_bar, past_bar, frequencies_bar + more_frequencies, field_bar + more_field), None

    nothing = (
        jax.tree.map(jnp.zeros_like, coupling),
        jnp.zeros_like(past),
        jnp.zeros_like(parts.frequencies),
        jnp.zeros_like(parts.field),
    )
    segments = jnp.arange(count // length - 1, -1, -1)
    K_bar, past_bar, frequencies_bar, field_bar = lax.scan(sweep, nothing, segments)[0]
    return K_bar, past_bar, Parts(frequencies_bar, field_bar, None)


trajectory.defvjp(_forward, _backward)
