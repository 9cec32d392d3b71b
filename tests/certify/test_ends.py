"""Every question has an end: "undecided", with where it stood; what would keep the checker busy is rejected."""

import ast
import json
import math
import re
import threading
import time
from itertools import islice
from pathlib import Path

import pytest

import inphase as ip
from inphase import certify
from inphase.certify import checker
from inphase.certify.budget import SHARE, WORK, Budget, Spent
from inphase.certify.networks import equitable, ring
from inphase.certify.refute import _thirds
from inphase.cli import main

SLOW = 15.0  # seconds of this process, several times what each of these takes


@pytest.fixture(autouse=True)
def soon():
    """Each test here takes seconds, where the fault that it is about took minutes, or never ended."""
    before = time.process_time()
    yield
    assert time.process_time() - before < SLOW


# ----------------------------------------------------------------------------------------------- certificates


@pytest.mark.parametrize(
    ("formula", "ranges", "words"),
    [
        (
            "tanh(30*sin(x))",
            {"theorems": ["l1"]},
            r"l1: one box takes too much work \(where f' < 0 up to π\)",
        ),
        ("tanh(30*sin(x))", {"budget": 50}, r": the work of a budget of 50 boxes is done: give a larger one"),
        ("tanh(a*sin(x))", {"a": (1, 40), "budget": 50}, r"at a in \[1, 40\]"),  # once a ValueError of flint
        (
            "attention",
            {"beta": ("-inf", "-0.6667"), "n": 2},
            r"at beta in \[-inf, .* no theorem reaches that far",
        ),
        (
            "sin(x) + a*sin(2*x) + b*sin(3*x) + c*sin(4*x)",
            {"a": (-0.1, 0.2), "b": (-0.05, 0.05), "c": (-0.03, 0.03), "budget": 300},
            r"at a in .* a budget of 300 boxes is done: give a larger one, or smaller ranges \(no box proved",
        ),
    ],
)
def test_a_hopeless_question_is_undecided_and_says_where_it_stood(formula, ranges, words):
    answer = certify.synchronization(formula, refutation=False, **ranges)
    assert answer.verdict == "undecided"
    assert re.search(words, answer.statement), answer.statement


def test_what_was_proved_before_the_end_is_told():
    answer = certify.synchronization("attention", theorems=["l1"], beta=(0, "0.999"), budget=120)
    assert answer.verdict == "undecided" and "a budget of 120 boxes is done" in answer.statement
    assert re.search(r"\([1-9]\d* boxes proved, [1-9]\d* open\)", answer.statement), answer.statement


@pytest.mark.parametrize("question", [{"n": 10**6 + 1}, {"graph": ring(150, 40)}])
def test_the_search_for_a_stable_state_has_an_end(question):
    formula = "sin(x)" if "graph" in question else "sin(x)*exp(-0.8*(cos(x) - 1))"
    answer = certify.synchronization(formula, budget=100, **question)
    assert answer.verdict == "refuted"


def test_nearly_equal_parts_come_in_the_order_of_all_splits():
    for n in range(2, 31):
        splits = [(p, q, n - p - q) for p in range(1, n) for q in range(p, n) if q <= n - p - q]
        splits.sort(key=lambda s: s[2] - s[0])
        assert list(islice(_thirds(n), 400)) == splits[:400]


def test_a_time_limit_ends_every_search():
    family, box = "sin(x) + a*sin(2*x) + b*sin(3*x) + c*sin(4*x)", {"a": (-0.1, 0.2), "b": (-0.05, 0.05)}
    before = time.perf_counter()
    answer = certify.synchronization(family, seconds=0.3, c=(-0.03, 0.03), **box)
    assert answer.verdict == "undecided" and "the time limit of 0.3 s is over" in answer.statement
    assert time.perf_counter() - before < 5
    assert certify.synchronization("sin(x)", seconds=0).verdict == "undecided"
    assert certify.synchronization("sin(x)", seconds=math.inf).verdict == "proved"
    found = certify.diagram("sin(x) + a*sin(2*x) + b*sin(3*x)", size=3, seconds=0, a=(0, 0.1), b=(0, 0.1))
    assert found.count("undecided") == 9
    with pytest.raises(RuntimeError, match=r"time limit of 0 s is over.*n = 5, no stable state"):
        certify.thresholds(5, seconds=0)
    with pytest.raises(RuntimeError, match="time limit of 0 s"):
        certify.crossing(ip.attention(-0.2), "beta", (-0.3, -0.2), "l1-pi", seconds=0)


def test_a_budget_of_work_ends_every_search():
    with pytest.raises(RuntimeError, match=r"a budget of 2 boxes is done.*n = 1000001, no stable state"):
        certify.thresholds(10**6 + 1, budget=2)
    with pytest.raises(RuntimeError, match="a budget of 1 boxes is done"):
        certify.crossing(ip.attention(-0.2), "beta", (-0.3, -0.2), "l1-pi", budget=1)
    hard = certify.diagram("tanh(a*sin(x)) + b*sin(2*x)", size=2, depth=0, a=(20, 30), b=(-0.3, 0.3))
    assert hard.count("undecided") == 4


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"budget": 0}, ValueError),
        ({"budget": 2.5}, TypeError),
        ({"seconds": -1}, ValueError),
        ({"seconds": math.nan}, ValueError),
        ({"seconds": "1"}, TypeError),
    ],
)
def test_limits_are_checked_at_the_door(limits, error):
    with pytest.raises(error, match=next(iter(limits))):
        certify.synchronization("sin(x)", **limits)


@pytest.mark.parametrize("end", ["1e999999999", "1" * 2000, 10**400, -(10**301)])
def test_ends_of_ranges_that_no_float_holds_are_refused(end):
    with pytest.raises(ValueError, match="range of beta"):
        certify.synchronization("attention", beta=end)


def test_a_part_of_a_budget_is_paid_by_the_whole():
    whole = Budget(SHARE + 100)
    part = whole.part()
    part.spend(SHARE * WORK)
    with pytest.raises(Spent) as one:
        part.spend(1)
    assert one.value.of_a_box and whole.left == 100 * WORK
    with pytest.raises(Spent) as every:
        whole.part().spend(100 * WORK + 1)
    assert not every.value.of_a_box


def test_no_series_is_evaluated_without_being_paid():
    folder = Path(certify.__file__).parent
    free = [
        file.name
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "jet" and "interaction" in ast.unparse(node.value)
    ]
    assert free == ["balls.py"]


def test_the_command_line_takes_limits(capsys):
    assert main(["certify", "--formula", "tanh(30*sin(x))", "--budget", "20", "--json"]) == 0
    assert "a budget of 20 boxes is done" in json.loads(capsys.readouterr().out)["statement"]
    assert main(["certify", "--formula", "tanh(30*sin(x))", "--seconds", "0.2"]) == 0
    assert "the time limit of 0.2 s is over" in capsys.readouterr().out
    assert main(["certify", "kuramoto", "--seconds", "-1"]) == 2
    assert "seconds must be >= 0" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------- checker

WHOLE = {
    "coupling": {"kind": "all-to-all", "weights": "any positive"},
    "gain": "none",
    "frequencies": 0,
    "field": 0,
}
L1 = {"theorem": "l1", "largest_gap": "pi", "box": {}}
TWO = {"theorem": "two-neighbors", "kernel": "parabola", "s": [21, 10], "box": {}}
STATE = {"theorem": "stable-state", "box": {}, "angles": [[0, 1], [1, 1]], "radius": [1, 1024]}


def certificate(formula, *leaves, coupling=None, verdict="proved", parameters=None):
    """The text of a certificate whose sentence says what it claims."""
    model = WHOLE | {"formula": formula, "parameters": parameters or {}}
    claim = {
        "verdict": verdict,
        "statement": "",
        "model": model | ({"coupling": coupling} if coupling else {}),
    }
    claim["statement"] = checker.statement(claim)
    return json.dumps({"schema": 1, "claim": claim, "leaves": leaves or [L1], "information": {}})


def stretch(lo, hi, count):
    """The leaf of a box [lo, hi]/count of a, count a power of two."""
    power = -count.bit_length()
    return L1 | {"box": {"a": {"mid": [lo + hi, power], "rad": [hi - lo, power]}}}


GRAPH = {"kind": "graph", "n": 10**7, "edges": [[0, 1]]}
CIRCULANT = {"kind": "circulant", "n": 10**7, "offsets": [1, 2, 3]}
EQUAL = {"kind": "all-to-all", "weights": "equal", "n": 10**7}
UNIT = {"a": [[0, 1], [1, 1]]}
FORGED = {
    "steps that only shrink": (certificate("tanh(30*sin(x))", TWO), "a box takes more work"),
    "powers of powers": (certificate("sin(x)*((2 + cos(x))**1000)**1000"), "a number is too large"),
    "a huge power": (certificate("sin(x)**100000"), "powers must be integers"),
    "powers of a parameter": (
        certificate(
            "sin(x)*a**999*a**999", L1 | {"box": {"a": {"mid": [1000, 0], "rad": [0, 0]}}},
            parameters={"a": [[1000, 1], [1000, 1]]},
        ),
        "work|too large",
    ),
    "digits of a fraction": (certificate("sin(x)", TWO | {"s": ["1e99999999"]}), "given by two integers"),
    "a double": (certificate("sin(x)", TWO | {"s": [1e300, 1]}), "given by two integers"),
    "long integers": (certificate("sin(x)", TWO | {"s": [2 * 10**4000 + 1, 10**4000]}), "an integer is too long"),
    "a graph of many nodes": (certificate("sin(x)", DEGREE := {"theorem": "degree", "box": {}}, coupling=GRAPH), "connected"),
    "a ring of many nodes": (certificate("sin(x)", DEGREE, coupling=CIRCULANT), "degrees are too small"),
    "a state of few of many": (certificate("sin(x)", STATE, coupling=CIRCULANT, verdict="refuted"), "one angle for each"),
    "many states": (
        certificate("sin(x)", STATE | {"angles": [[0, 1]] * 3000}, coupling=EQUAL, verdict="refuted"),
        "from 2 to 500 angles",
    ),
    "boxes with gaps": (
        certificate("sin(x)", *(stretch(2 * k, 2 * k + 1, 1024) for k in range(512)), parameters=UNIT),
        "do not tile",
    ),
    "boxes in boxes": (
        certificate("sin(x)", *(stretch(0, k + 1, 1024) for k in range(1024)), parameters=UNIT),
        "do not tile",
    ),
    "deep lists": ('{"schema": 1, "claim": ' + "[" * 10**5 + "]" * 10**5 + "}", "nested too deeply"),
    "deep signs": (certificate("-" * 9000 + "sin(x)"), "cannot be read"),
    "deep brackets": (certificate("(" * 3000 + "sin(x)" + ")" * 3000), "cannot be read"),
    "a number beyond doubles": (certificate("sin(x)").replace('"field": 0', '"field": 1e999999'), "without a field"),
    "too many digits": (certificate("sin(x)").replace('"field": 0', '"field": ' + "1" * 5000), "digits"),
    "a key twice": (certificate("sin(x)").replace('"field": 0', '"field": 0, "field": 0'), "repeated"),
    "no sizes": (certificate("sin(x)", STATE, coupling=EQUAL, verdict="refuted"), "lacks 'sizes'"),
    "no claim": ('{"schema": 1, "leaves": []}', "lacks 'claim'"),
    "a number for a list": (certificate("sin(x)", STATE | {"angles": 3}, coupling=CIRCULANT, verdict="refuted"), "malformed"),
    "no JSON": ("{", "not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_what_would_keep_the_checker_busy_is_rejected_in_one_sentence(name):
    text, words = FORGED[name]
    accepted, reason = checker.explain_text(text)
    assert not accepted and re.search(words, reason) and "\n" not in reason, reason


@pytest.mark.parametrize(
    "formula",
    [
        "sin(" + "-" * 40 + "x)",
        "+".join(["sin(x)"] * 40),
        "sin(x)*(2 + cos(x)/1000)**1000",
        "9" * 4000 + "*sin(x)",
    ],
)
def test_harmless_formulas_that_took_for_ever_are_verified(formula):
    assert checker.explain_text(certificate(formula))[0]


def test_a_check_ends_at_its_time_limit():
    assert checker.explain_text(certificate("sin(x)"), seconds=30)[0]
    accepted, reason = checker.explain_text(certificate("sin(x)"), seconds=0)
    assert not accepted and "seconds that it was given" in reason


HONEST = {
    "elementary functions": lambda: ("sin(x)*log(3 + cos(x)) + atan(sin(x))*tanh(cos(x) + 2)", {}),
    "square root": lambda: ("sin(x)*sqrt(2 + cos(x))", {}),
    "high power": lambda: ("sin(x)*(1 + cos(x)/1000)**999", {}),
    "harmonics": lambda: (" + ".join(f"1/{9**k}*sin({k + 1}*x)" for k in range(9)), {}),
    "two parameters": lambda: ("sin(x) + a*sin(2*x) + b*sin(3*x)", {"a": 0.125, "b": (-0.0625, -0.03125)}),
    "count": lambda: ("sin(x) + a*sin(2*x)", {"theorems": ["cluster-count"], "a": (0, 0.03125)}),
    "neighbors": lambda: ("sin(x) + 1/4*sin(2*x)", {"theorems": ["two-neighbors"]}),
    "near a crossing": lambda: ("attention", {"theorems": ["l1-pi"], "beta": "-0.26156190"}),
    "to infinity": lambda: ("attention", {"beta": (2, "inf")}),
    "three": lambda: ("attention", {"beta": "-0.68", "n": 5}),
    "clusters": lambda: ("attention", {"beta": -1.5, "n": 5}),
    "degrees": lambda: ("sin(x)", {"graph": ring(801, 400)}),
    "twisted": lambda: ("sin(x)", {"graph": ring(1000, 335)}),
    "twisted, of many": lambda: ("sin(x)", {"graph": {"kind": "circulant", "n": 19999, "offsets": [1, 2, 3, 5000]}}),
    "circulant": lambda: ("sin(2*x)", {"graph": ring(3)}),
    "graph": lambda: ("sin(x)", {"graph": {"kind": "graph", "n": 60, "edges": CHORDS}}),
    "classes": lambda: ("sin(x)", {"graph": NECKLACE}),
}  # fmt: skip
NECKLACE = equitable([9] * 12, [[9 * ((a - b) % 12 in (1, 11)) for b in range(12)] for a in range(12)])
CHORDS = sorted([[i, i + 1] for i in range(59)] + [[0, 59], [7, 9]])


@pytest.mark.parametrize("kind", HONEST)
def test_honest_certificates_take_a_tenth_of_their_allowance_at_most(kind):
    formula, how = HONEST[kind]()
    found = certify.synchronization(formula, **how)
    assert found.verdict in ("proved", "refuted")
    assert checker.examine(json.loads(found.to_json()))[1] < 0.1


def test_certificates_from_before_take_a_tenth_of_their_allowance_at_most():
    for path in sorted(Path(__file__).parent.parent.joinpath("before").glob("proof-*.json")):
        assert checker.examine(json.loads(path.read_text()))[1] < 0.1


def test_a_stable_state_on_a_circulant_graph_is_verified():
    answer = certify.synchronization("sin(2*x)", graph=ring(3))
    assert answer.verdict == "refuted" and answer.leaves[0]["theorem"] == "stable-state" and answer.verify()
    moved = json.loads(answer.to_json())
    moved["leaves"][0]["angles"][1] = [1, 1]
    assert not checker.explain_text(json.dumps(moved))[0]


def test_checks_in_threads_do_not_take_the_work_of_each_other():
    good, bad = certificate("sin(x)"), certificate("sin(x) + 1/1000*sin(200*x)")
    found = []
    threads = [
        threading.Thread(target=lambda text=text: found.append(checker.explain_text(text)[0]))
        for text in (bad, good, good, good)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, True, True, True] and checker.rest == math.inf
