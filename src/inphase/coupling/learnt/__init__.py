"""Couplings that a network computes from features of the nodes, as training leaves them; none of it needs JAX."""
