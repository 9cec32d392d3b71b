"""Numba kernels: arrays in, arrays out; they know no class of the library."""
