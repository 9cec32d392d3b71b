"""How long proofs take: `python benchmarks/bench_certify.py`, one core unless said; budgets in brackets.

The proof of attention for [−2/3 + 1e-6, ∞) (20 s), its independent check (60 s), thresholds for n = 3..100
(300 s), the lemmas, six crossings to 25 digits, and a 50 x 50 diagram on two processes (600 s).
"""

import json
import os
import time

from inphase import certify
from inphase.certify import checker
from inphase.interaction import attention


def timed(name, budget, work):
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    print(f"{name:46s} {seconds:8.2f} s   budget {budget:4d} s   load {os.getloadavg()[0]:.1f}", flush=True)
    return result


BRACKETS = {
    "l1": (-0.25, -0.1),
    "l1-pi": (-0.3, -0.2),
    "trigonometric": (-0.3, -0.2),
    "trigonometric-pi": (-0.36, -0.3),
    "two-neighbors": (-0.36, -0.3),
    "two-neighbors-trigonometric": (-0.45, -0.38),
}


def whole():
    return certify.synchronization("attention", beta=(-2 / 3 + 1e-6, "inf"))


def alone():
    return certify.synchronization(
        "attention", theorems=["l1-pi", "attention-l1-infinity"], beta=("-0.2615619", "inf")
    )


def crossings():
    return [certify.crossing(attention(-0.2), "beta", bracket, name) for name, bracket in BRACKETS.items()]


def diagram():
    return certify.diagram("sin(x) + a*sin(2*x) + b*sin(3*x)", size=50, workers=2, a=(-0.5, 1), b=(-0.5, 0.5))


def main():
    proof = timed("proof of [-2/3 + 1e-6, inf)", 20, whole)
    timed("its independent check", 60, lambda: checker.verify(json.loads(proof.to_json())))
    proof = timed("L1 alone, [-0.2615619, inf)", 20, alone)
    timed("its independent check", 60, lambda: checker.verify(json.loads(proof.to_json())))
    timed("six crossings to 25 digits", 60, crossings)
    timed("lemmas of [PRY]", 60, certify.lemmas)
    timed("thresholds n = 3..100", 300, lambda: certify.thresholds(range(3, 101)))
    timed("50 x 50 diagram, two processes", 600, diagram)


if __name__ == "__main__":
    main()
