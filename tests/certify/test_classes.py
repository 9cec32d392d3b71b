"""Graphs given by an equitable partition: millions of nodes
refuted from a page of data; the bound is not too brave.
"""

import numpy as np
import pytest

from inphase import certify
from inphase.certify import equitable


def necklace(classes, size, inside):
    degrees = [
        [inside if a == b else size if (a - b) % classes in (1, classes - 1) else 0 for b in range(classes)]
        for a in range(classes)
    ]
    return equitable([size] * classes, degrees)


@pytest.mark.parametrize("inside", [0, 999_999])
def test_a_necklace_of_five_million_nodes_is_refuted(inside, tmp_path):
    answer = certify.synchronization("sin(x)", graph=necklace(5, 1_000_000, inside))
    assert answer.verdict == "refuted" and certify.check(answer.save(tmp_path / "necklace.json"))
    assert (tmp_path / "necklace.json").stat().st_size < 5000


def test_a_necklace_of_four_is_not():
    assert certify.synchronization("sin(x)", graph=necklace(4, 10, 9)).verdict == "undecided"


def test_sparse_blocks_use_their_norm():
    # classes joined by few edges inside dense classes that need not be expanders: the bound must not claim
    # stability
    degrees = [[0, 1, 0, 0, 1], [1, 0, 1, 0, 0], [0, 1, 0, 1, 0], [0, 0, 1, 0, 1], [1, 0, 0, 1, 0]]
    loose = equitable([4] * 5, degrees)  # may be two disjoint rings of ten: not stable across them
    assert certify.synchronization("sin(x)", graph=loose).verdict == "undecided"


def test_the_bound_against_eigenvalues():
    size, classes = 4, 6
    angles = 2 * np.pi * np.arange(classes) / classes
    block = np.ones((size, size))
    ring = np.roll(np.eye(classes), 1, axis=1) + np.roll(np.eye(classes), -1, axis=1)
    adjacency = np.kron(ring, block)
    theta = np.repeat(angles, size)
    bonds = adjacency * np.cos(theta[:, None] - theta[None, :])
    spectrum = np.linalg.eigvalsh(np.diag(bonds.sum(1)) - bonds)
    assert spectrum[1] > 0
    answer = certify.synchronization("sin(x)", graph=necklace(classes, size, 0))
    assert answer.verdict == "refuted" and answer.verify()


def test_impossible_degrees_are_refused():
    for sizes, degrees in [
        ([2, 3], [[0, 1], [1, 0]]),
        ([3, 3], [[1, 1], [1, 1]]),
        ([2, 2], [[0, 3], [3, 0]]),
        ([2], [[1]]),
    ]:
        with pytest.raises(ValueError):
            equitable(sizes, degrees)
