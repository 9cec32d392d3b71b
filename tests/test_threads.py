"""Kernels called from several Python threads at once, on the layer of Numba whose threads serve one caller."""

import os
import subprocess
import sys
import textwrap
import threading

import threadpoolctl

from inphase.kernels.threads import few_threads

# Beyond THREADS_FROM, so that every call wants Numba's threads; and small calls between, which do not.
SCRIPT = textwrap.dedent(
    """
    import threading
    import numba, numpy as np, inphase as ip
    from concurrent.futures import ThreadPoolExecutor

    rng = np.random.default_rng(0)
    ring = ip.PhaseModel(ip.kuramoto(), ip.Lattice([100, 100]))
    models = [ip.PhaseModel(ip.attention(4.0)), ip.PhaseModel(ip.attention(4.0), ip.Causal()), ring]
    phases = [rng.uniform(-3, 3, n) for n in (150_000, 50_000, 10_000)]

    def velocity(k):
        return models[k % 3].velocity(np.tile(phases[k % 3], (1 + 29 * (k % 3 == 2), 1)))

    def simulate(k):
        return ip.simulate(models[k % 3], phases[k % 3], times=[0.1]).phase.values

    def coarsen(k):
        return ip.coarsen(models[0], phases[0][: 20_000 + k], t_end=1e9, max_steps=2).final_position.values

    work = [(f, k) for k in range(3) for f in (velocity, velocity, simulate, coarsen)]
    serial = [f(k) for f, k in work]
    assert numba.threading_layer() == "workqueue" and numba.get_num_threads() > 1
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda job: job[0](job[1]), work))
    assert all(np.array_equal(*pair) for pair in zip(serial, found, strict=True))
    print("the same bits")
    """
)


def test_threads_of_python_share_the_threads_of_numba():
    own = {"NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | own, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.strip()) == (0, "the same bits"), done.stderr[-2000:]


def test_blas_has_its_threads_again_in_whatever_order_blocks_end():
    def threads():
        return {one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}

    usual, seen = threads(), []
    first_in, second_in, first_out = threading.Event(), threading.Event(), threading.Event()

    def first():
        with few_threads(3), few_threads(4):
            seen.append(threads())
            first_in.set()
            second_in.wait()
        first_out.set()

    def second():
        first_in.wait()
        with few_threads(5):
            second_in.set()
            first_out.wait()

    both = [threading.Thread(target=one) for one in (first, second)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    with few_threads(1000):
        seen.append(threads())
    assert seen == [{1}, usual]
