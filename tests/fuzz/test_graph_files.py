"""Damaged graph files: a result or one line, and no graph that differs from an independent reader's without a word."""

import csv
import io
import json
import random as randomness
import warnings

import networkx as nx
import numpy as np
import pytest
from kinds import OUTCOMES, outcome
from mutate import mutated, mutated_json
from scipy.io import mmread

from inphase import graphs

NODES, SEEDS = 6, 200


def reference():
    """A weighted graph whose names and numbers are not of a kind that damage turns into each other unseen."""
    random = np.random.default_rng(5)
    found = nx.gnp_random_graph(NODES, 0.5, seed=3)
    for u, v in found.edges:
        found[u][v]["weight"] = float(np.round(random.uniform(0.5, 4), 2))
    nx.set_node_attributes(found, {i: float(np.round(random.normal(), 2)) for i in range(NODES)}, "omega")
    return nx.relabel_nodes(found, dict(enumerate("pqrstu")))


def graphml(graph):
    return "\n".join(nx.generate_graphml(graph)).encode()


def gml(graph):
    return "\n".join(nx.generate_gml(graph)).encode()


def edges(graph):
    rows = [("source", "target", "weight"), *graph.edges(data="weight")]
    return "".join(f"{u},{v},{w}\n" for u, v, w in rows).encode()


def mtx(graph):
    index = {node: k + 1 for k, node in enumerate(graph)}
    rows = [f"{index[u]} {index[v]} {w}" for u, v, w in graph.edges(data="weight")]
    return (
        f"%%MatrixMarket matrix coordinate real general\n{NODES} {NODES} {len(rows)}\n".encode()
        + "\n".join(rows).encode()
    )


def node_link(graph):
    return json.dumps(nx.node_link_data(graph, edges="links")).encode()


def by_networkx(reader):
    def entries(content):
        found = reader(content)
        default = found.graph.get("edge_default", {}).get("weight", 1.0)
        listed = {}
        for u, v, data in found.edges(data=True):
            w = float(data.get("weight", default))
            for pair in {(u, v)} if found.is_directed() else {(u, v), (v, u)}:
                listed[pair[1], pair[0]] = listed.get((pair[1], pair[0]), 0.0) + w
        return {(str(i), str(j)): w for (i, j), w in listed.items() if w}

    return entries


def by_csv(content):
    listed, rows = {}, csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert rows.fieldnames and content.strip().count(b"\n"), "a line that may be a header or an edge"
    for row in rows:
        u, v, w = row["source"].strip(), row["target"].strip(), float(row["weight"])
        for i, j in {(u, v), (v, u)}:
            listed[i, j] = listed.get((i, j), 0.0) + w
    return {pair: w for pair, w in listed.items() if w}


def by_scipy(content):
    found = mmread(
        io.BytesIO(content + b"\n"), spmatrix=False
    )  # without it, SciPy crashes on some last lines
    found = found.tocoo() if hasattr(found, "tocoo") else np.asarray(found)
    dense = found.toarray() if hasattr(found, "toarray") else found
    return {(str(i), str(j)): dense[i, j] for i, j in np.argwhere(dense)}


FORMATS = {
    "graphml": (graphml, by_networkx(lambda content: nx.parse_graphml(content.decode())), mutated),
    "gml": (gml, by_networkx(lambda content: nx.parse_gml(content.decode("utf-8-sig"))), mutated),
    "csv": (edges, by_csv, mutated),
    "mtx": (mtx, by_scipy, mutated),
    "json": (
        node_link,
        by_networkx(lambda content: nx.node_link_graph(json.loads(content), edges="links")),
        mutated_json,
    ),
}


def plainly_read(path):
    """The entries of K by names, if the file is read and nothing is said beyond what columns are."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        graph = graphs.read(path)
    if told or graph.source.notes:
        return None
    found, labels = graph.matrix.tocoo(), graph.labels
    return {(str(labels[i]), str(labels[j])): w for i, j, w in zip(found.row, found.col, found.data)}


def compared(name, seeds, tmp_path):
    """How many damaged files were read in silence, and are what an independent reader says."""
    write, entries, damage = FORMATS[name]
    whole, same = write(reference()), 0
    for seed in seeds:
        content = damage(whole, randomness.Random(f"{name}/{seed}"))
        path = tmp_path / f"a.{name}"
        path.write_bytes(content)
        assert outcome("graph", path) in OUTCOMES
        try:
            mine = plainly_read(path)
        except (ValueError, TypeError, OSError):
            continue
        try:
            theirs = entries(content)
        except Exception:  # they refuse what is read here: one of the two is strict
            continue
        if mine is not None:
            assert mine.keys() == theirs.keys(), f"seed {seed}: {content!r}"
            assert all(mine[pair] == pytest.approx(theirs[pair], rel=1e-12) for pair in mine), (
                f"seed {seed}: {content!r}"
            )
            same += 1
    return same


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_graphs_are_what_others_read(name, tmp_path):
    assert compared(name, range(SEEDS // 5), tmp_path) > 1


@pytest.mark.long
@pytest.mark.parametrize("name", FORMATS)
def test_many_damaged_graphs_are_what_others_read(name, tmp_path):
    assert compared(name, range(SEEDS // 5, 5 * SEEDS), tmp_path) > SEEDS / 5
