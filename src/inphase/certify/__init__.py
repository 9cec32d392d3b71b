"""Proofs in balls that almost every start synchronizes, refutations, and certificates that anyone can check.

`synchronization` gives a `Certificate` with the verdict "proved", "refuted" or "undecided"; `check` runs the
independent checker (`checker.py`, one file without any import of inphase) on a saved one. The theorems are
objects (`THEOREMS`) whose hypotheses are checked, not assumed; their proofs are in docs/theory/. `diagram`
maps a two-parameter family, `thresholds` encloses where three clusters become stable, `crossing` where a
criterion stops, `lemmas` verifies those of the literature.
"""

from inphase.certify.certificate import Certificate, check
from inphase.certify.crossings import crossing
from inphase.certify.diagram import Diagram, diagram
from inphase.certify.lemmas import Lemma, lemmas
from inphase.certify.networks import equitable, read_edge_list, ring
from inphase.certify.synchronization import synchronization
from inphase.certify.theorems import THEOREMS
from inphase.certify.thresholds import Threshold, thresholds

__all__ = [
    "THEOREMS",
    "Certificate",
    "Diagram",
    "Lemma",
    "Threshold",
    "check",
    "crossing",
    "diagram",
    "equitable",
    "lemmas",
    "read_edge_list",
    "ring",
    "synchronization",
    "thresholds",
]
