"""Random numbers by counter: published answers, an
independent evaluation, and what chance should look like.
"""

import mpmath
import numpy as np
import pytest
from scipy import special, stats

from inphase.kernels import random
from inphase.kernels.threads import THREADS_FROM

MASK = 2**64 - 1
ROTATIONS = [(14, 16), (52, 57), (23, 40), (5, 37), (25, 33), (46, 12), (58, 22), (32, 32)]


def draw(n, *, seed=7, replicas=(0,), step=0, stream=random.NODES):
    return random.normals(seed, np.array(replicas), step, np.empty((len(replicas), n)), stream)


def plain_threefry(counter, key):
    """Threefry4x64-20 in Python's integers, round by round as the paper has it."""
    keys = [*key, 0x1BD11BDAA9FC1A22 ^ key[0] ^ key[1] ^ key[2] ^ key[3]]
    x = [(a + k) & MASK for a, k in zip(counter, key)]
    for r in range(20):
        for (i, j), left in zip([(0, 1), (2, 3)] if r % 2 == 0 else [(0, 3), (2, 1)], ROTATIONS[r % 8]):
            x[i] = (x[i] + x[j]) & MASK
            x[j] = ((x[j] << left | x[j] >> (64 - left)) & MASK) ^ x[i]
        if r % 4 == 3:
            x = [(a + keys[(r // 4 + 1 + i) % 5]) & MASK for i, a in enumerate(x)]
            x[3] = (x[3] + r // 4 + 1) & MASK
    return x


def plain_normal(node, seed, replica, step, stream):
    """One number as the module describes it, by mpmath."""
    block, within = divmod(node, 256)
    word, i = divmod(within, 64)
    words = plain_threefry([64 * block + i, replica, step, stream], [seed, 0, 0, 0])
    u, v = (mpmath.mpf((w >> 11) + 1) / 2**53 for w in words[word - word % 2 :][:2])
    return mpmath.sqrt(-2 * mpmath.log(u)) * (mpmath.sin if word % 2 else mpmath.cos)(2 * mpmath.pi * v)


# ------------------------------------------------------------------------------------------ published answers

PI = "243f6a8885a308d3 13198a2e03707344 a4093822299f31d0 082efa98ec4e6c89 452821e638d01377 be5466cf34e90c6c"


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (["0" * 16] * 8, "09218ebde6c85537 55941f5266d86105 4bd25e16282434dc ee29ec846bd2e40b"),
        (["f" * 16] * 8, "29c24097942bba1b 0371bbfb0f6f4e11 3c231ffa33f83a1c cd29113fde32d168"),
        (
            [*PI.split(), "be5466cf34e90c6c", "c0ac29b7c97c50dd"],
            "a7e8fde591651bd9 baafd0c30138319b 84a5c1a729e685b9 901d406ccebc1ba4",
        ),
    ],
)
def test_known_answers_of_random123(given, answer):
    """threefry4x64, 20 rounds, from the file kat_vectors of Random123: counter, key, words."""
    numbers = [int(word, 16) for word in given]
    expected = [int(word, 16) for word in answer.split()]
    assert [int(w) for w in random.threefry(*map(np.uint64, numbers))] == expected
    assert plain_threefry(numbers[:4], numbers[4:]) == expected


@pytest.mark.parametrize(
    ("seed", "replica", "step", "stream"), [(0, 0, 0, 0), (2**64 - 1, 3, 2**40 + 5, 1), (12345, 2**33, 9, 7)]
)
def test_numbers_are_what_the_module_says(seed, replica, step, stream):
    found = draw(1000, seed=seed, replicas=(replica,), step=step, stream=stream)[0]
    for node in (0, 1, 63, 64, 127, 128, 191, 192, 255, 256, 700, 999):
        exact = plain_normal(node, seed, replica, step, stream)
        assert abs(found[node] - exact) < 3e-15


def test_logarithm_to_one_ulp():
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [rng.random(2000), 1 - rng.random(500) * 1e-8, 1 + rng.random(500), 2.0 ** -rng.uniform(0, 1000, 500)]
    )
    x = np.concatenate([x, [2.0**-53, 1 - 2.0**-53, 1.0, 0.5, np.sqrt(0.5), np.nextafter(np.sqrt(0.5), 0)]])
    found = np.empty_like(x)
    random.log_block(x, found, np.empty(len(x), dtype=np.int64), len(x))
    assert found[x == 1] == 0
    with mpmath.workprec(120):
        errors = [
            abs((mpmath.log(mpmath.mpf(a)) - mpmath.mpf(b)) / float(np.spacing(abs(b))))
            for a, b in zip(x, found)
            if a != 1
        ]
    assert max(errors) < 1


# ---------------------------------------------------------------------------- a function of the counter alone


def test_threads_grouping_and_size_change_no_bit(threads):
    rows, n, step = np.arange(40), 6000, 11
    threads(1)
    one = random.normals(3, rows, step, np.empty((40, n)))
    threads(2)
    assert random.COST * one.size > THREADS_FROM
    np.testing.assert_array_equal(random.normals(3, rows, step, np.empty((40, n))), one)
    order = np.random.default_rng(0).permutation(40)
    np.testing.assert_array_equal(random.normals(3, order, step, np.empty((40, n))), one[order])
    for size in (1, 2, 63, 64, 65, 130, 200, 255, 256, 257, 1000):
        np.testing.assert_array_equal(
            random.normals(3, rows[5:8], step, np.empty((3, size))), one[5:8, :size]
        )


@pytest.mark.parametrize("change", [{"seed": 8}, {"replicas": (1,)}, {"step": 1}, {"stream": random.COMMON}])
def test_every_part_of_the_counter_counts(change):
    assert (
        not np.any(draw(1000) == draw(1000, **change))
        and abs(np.corrcoef(draw(1000), draw(1000, **change))[0, 1]) < 0.13
    )


# ----------------------------------------------------------------------------------------------------- chance


@pytest.fixture(scope="module")
def sample():
    """Two million: 20 steps, 4 replicas, 25,000 nodes."""
    return np.array([draw(25_000, replicas=range(4), step=step) for step in range(20)])


def test_moments(sample):
    """Within four standard deviations of E z^p, whose variance is (2p − 1)!! − (E z^p)² per number."""
    for p in range(1, 9):
        mean = 0.0 if p % 2 else float(special.factorial2(p - 1))
        error = np.sqrt((float(special.factorial2(2 * p - 1)) - mean**2) / sample.size)
        assert abs(np.mean(sample**p) - mean) < 4 * error


def test_distribution(sample):
    assert stats.kstest(sample.ravel(), "norm").pvalue > 1e-3
    counts = np.histogram(special.ndtr(sample), bins=1000, range=(0, 1))[0]
    assert 1e-3 < stats.chisquare(counts).pvalue < 1 - 1e-3


def test_tails(sample):
    for far in (3.0, 4.0, 4.5):
        expected = sample.size * special.ndtr(-far)
        for beyond in (np.sum(sample > far), np.sum(sample < -far)):
            assert abs(beyond - expected) < 4 * np.sqrt(expected)
    assert np.max(abs(sample)) < np.sqrt(2 * 53 * np.log(2))


def test_pairs_from_one_radius_are_independent(sample):
    """Words 0 and 1 of a counter share a radius and an
    angle: neither they nor their squares are correlated.
    """
    blocks = sample[..., : 25_000 // 256 * 256].reshape(20, 4, -1, 4, 64)
    words = np.moveaxis(blocks, 3, 0).reshape(4, -1)
    limit = 4 / np.sqrt(words.shape[1])
    for values in (words, words**2, abs(words)):
        assert np.max(abs(np.corrcoef(values) - np.eye(4))) < limit


@pytest.mark.parametrize("lag", [1, 2, 3, 63, 64, 65, 128, 192, 256, 257])
def test_nodes_are_uncorrelated(sample, lag):
    one, other = sample[..., lag:].ravel(), sample[..., :-lag].ravel()
    assert abs(np.mean(one * other)) < 4 / np.sqrt(one.size)
    assert abs(np.mean((one**2 - 1) * (other**2 - 1))) < 4 * 2 / np.sqrt(one.size)


@pytest.mark.parametrize("axis", [0, 1])
def test_steps_and_replicas_are_uncorrelated(sample, axis):
    rows = np.moveaxis(sample, axis, 0).reshape(sample.shape[axis], -1)
    apart = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    assert np.max(abs(apart)) < 4.5 / np.sqrt(rows.shape[1])
    assert abs(np.sum(apart)) < 4 * np.sqrt(len(apart) / rows.shape[1])


@pytest.mark.parametrize(
    "change", [{"seed": 8}, {"stream": 1}, {"seed": 7 + 2**32}, {"step": 2**32}, {"replicas": (2**32,)}]
)
def test_seeds_and_streams_are_uncorrelated(change):
    one, other = draw(200_000), draw(200_000, **change)
    assert abs(np.mean(one * other)) < 4 / np.sqrt(one.size)


def test_sums_over_nodes_are_normal_across_steps():
    """Means over 100 nodes for 5,000 successive steps: what an order parameter sees of the noise."""
    means = np.array([np.mean(draw(100, step=step)) for step in range(5000)]) * 10
    assert stats.kstest(means, "norm").pvalue > 1e-3
    assert abs(np.mean(means[1:] * means[:-1])) < 4 / np.sqrt(5000)
