"""Numba kernels: arrays in, arrays out; they know no class of the library.

Who owns which:

=============================================  ===========================================================
`coupling/`                                    `fourier`, `graph`, `causal`, `triads`, `product`, `pair_layers`
`simulation/`                                  `steps`, `history`, `random`, `clusters`, `merging`, `march`
all (a formula at many places; sin and cos)    `tape`, `sincos`
all (what a coupling does, spelled as sums)    `terms`
all (how many threads)                         `threads`
=============================================  ===========================================================
"""
