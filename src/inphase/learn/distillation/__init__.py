"""`distill`: a readable coupling with few parameters, fitted to what a trained network says of pairs.

Two kinds. "symbolic": a sum of few terms from a library of functions of the pair (powers, |x_i|, sign, tanh,
their products, differences, Gaussians), by forward selection with replacement (Miller, *Subset Selection in
Regression*, 2nd ed., 2002, 3.3). "separable": Σ_r σ_r u_r(x_i) v_r(x_j), singular functions of the scores on
a sample, kept as tables. Both give a path, from one term to as many as are allowed; the number that is taken
is the smallest whose error on held-out nodes is within one standard error of the least (Breiman et al.,
*Classification and Regression Trees*, 1984, 3.4.3).

What is fitted is what the normalization leaves of the network:

===================  ==========  ============================================================================================
K is made of         target      fitted, (i, j) a pair of different nodes
===================  ==========  ============================================================================================
exp, over all        "score"     s = log(K_ij/mean K), made symmetric as K is: what adds a constant changes nothing
exp, over all        "coupling"  k = K_ij/mean K itself; where a fit is negative, K is 0
exp, over a row      "score"     s = the score less log mean exp of its row: what adds a constant to a row changes nothing
scores, over a row   "score"     s = the score over the root mean square of its row: a positive factor of a row changes nothing
scores, else         "score"     s = the score, made symmetric as K is
===================  ==========  ============================================================================================

Nodes, not pairs, are what is drawn: they are what is held out, and what the bootstrap draws again. Nothing of
the network is left in the result, and its files are JSON.
"""

from __future__ import annotations

from inphase.learn.distillation.distilled import Distilled
from inphase.learn.distillation.fitting import distill
from inphase.learn.distillation.terms import Term, library

__all__ = ["Distilled", "Term", "distill", "library"]
