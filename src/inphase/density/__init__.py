"""Measures instead of particles: the continuity equation of the mean-field limit, in Fourier modes.

    ∂_t ρ + ∂_x(ρ v) = D ∂_xx ρ,    v = ω − (f * ρ)/g,    (f * ρ)(x) = ∫ f(x − y) ρ(y) dy

`evolve.py` integrates in time and adapts the resolution; `spectral.py` knows ρ and the equation at one resolution.
"""

from inphase.density.evolve import evolve_density

__all__ = ["evolve_density"]
