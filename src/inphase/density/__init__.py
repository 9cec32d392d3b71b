"""Measures instead of particles: the continuity equation of the mean-field limit, in Fourier modes.

    ∂_t ρ + ∂_x(ρ v) = D ∂_xx ρ,    v = ω − (f * ρ)/g,    (f * ρ)(x) = ∫ f(x − y) ρ(y) dy

`evolve.py` integrates in time and adapts the resolution; `spectral.py` knows ρ and the equation at one
resolution; `stationary.py` finds the states at rest under noise, `bifurcations.py` follows them as the noise
changes.
"""

from inphase.density.bifurcations import Bifurcation, Bifurcations, Branch, bifurcations
from inphase.density.evolve import evolve_density
from inphase.density.stationary import stationary

__all__ = ["Bifurcation", "Bifurcations", "Branch", "bifurcations", "evolve_density", "stationary"]
