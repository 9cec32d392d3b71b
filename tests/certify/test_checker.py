"""The independent checker: its arithmetic contains the
truth, it accepts no mutation that changes the claim.
"""

import copy
import json
import math
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest

from inphase import certify
from inphase.certify import checker
from inphase.certify.networks import ring

ONE = checker.ONE


def inside(ball, value):
    return ball.lo <= value * ONE <= ball.hi


def sample_functions(count):
    rng, mpmath.mp.prec = random.Random(1), 300
    functions = {
        "exp": (mpmath.exp, -30, 8), "sin": (mpmath.sin, -20, 20), "cos": (mpmath.cos, -20, 20), "tan": (mpmath.tan, -1.5, 1.5),
        "sqrt": (mpmath.sqrt, 1e-3, 50), "log": (mpmath.log, 1e-3, 50), "atan": (mpmath.atan, -50, 50),
        "sinh": (mpmath.sinh, -5, 5), "cosh": (mpmath.cosh, -5, 5), "tanh": (mpmath.tanh, -5, 5),
    }  # fmt: skip
    for _ in range(count):
        name = rng.choice(sorted(functions))
        reference, low, high = functions[name]
        x, width = Fraction(rng.uniform(low, high)), Fraction(10.0 ** rng.uniform(-20, -2))
        if name in ("sqrt", "log") and x <= 2 * width:
            continue
        if name == "tan" and abs(x) > 1.4:
            continue
        jet = checker.function(
            name, [checker.span(x - width, x + width), checker.number(1), checker.I(0, 0), checker.I(0, 0)]
        )
        at = x + width * Fraction(rng.uniform(-1, 1))
        series = mpmath.taylor(reference, mpmath.mpf(at.numerator) / at.denominator, 3)
        for coefficient, value in zip(jet, series):
            low_end, high_end = mpmath.mpf(coefficient.lo) / ONE, mpmath.mpf(coefficient.hi) / ONE
            # the reference's own derivatives are finite differences
            slack = mpmath.mpf(10) ** -25 * (1 + abs(value))
            assert low_end - slack <= value <= high_end + slack, (name, float(x), float(width))
        assert inside(jet[0], reference(mpmath.mpf(at.numerator) / at.denominator))


def test_functions_contain_the_value():
    sample_functions(300)


@pytest.mark.long
def test_functions_contain_the_value_many_times():
    sample_functions(20_000)


def test_arithmetic_is_outward():
    rng = random.Random(2)
    for _ in range(2000):
        a, b = sorted(Fraction(rng.uniform(-3, 3)) for _ in range(2))
        c, d = sorted(Fraction(rng.uniform(-3, 3)) for _ in range(2))
        x, y = checker.span(a, b), checker.span(c, d)
        s, t = a + (b - a) * Fraction(rng.random()), c + (d - c) * Fraction(rng.random())
        for ball, value in [
            (x + y, s + t),
            (x - y, s - t),
            (x * y, s * t),
            (x.power(3), s**3),
            (x.power(2), s**2),
            (x.over(7), s / 7),
        ]:
            assert ball.lo <= value * ONE <= ball.hi
        if y.lo > 0 or y.hi < 0:
            assert (x / y).lo <= s / t * ONE <= (x / y).hi
    assert inside(checker.PI, mpmath.pi) and checker.PI.hi - checker.PI.lo < 1 << 20


def test_structure_of_formulas():
    def read(text, *names):
        return checker.Formula(text, list(names))

    assert (
        read("sin(x)*exp(b*(cos(x) - 1))", "b").parity() == "odd"
        and read("sin(2*x) + a*sin(3*x)", "a").periodic()
    )
    assert read("cos(x)").parity() == "even" and read("sin(x + 1)").parity() == "none"
    assert (
        not read("sin(x/2)").periodic() and not read("x").periodic() and not read("sin(x) + x**2").periodic()
    )
    assert not read("sin(x*x)").periodic()
    for bad in ("__import__('os')", "x.real", "lambda: 0", "sin(x", "x if x else 0", "[x]", "f(x)"):
        with pytest.raises(checker.Rejected):
            read(bad).derivatives(checker.I(0, 0), {}, 1)


@pytest.fixture(scope="module")
def certificates():
    made = [
        certify.synchronization("attention", beta=(-2 / 3 + 1e-6, "inf")),
        certify.synchronization("attention", theorems=["l1-pi"], beta=(-0.2, 0.5)),
        certify.synchronization("sin(x) + a*sin(2*x)", a=(0, "0.2")),
        certify.synchronization("sin(x) + a*sin(2*x) + b*sin(3*x)", a=(0, 0.0625), b=(-0.0625, 0)),
        certify.synchronization("sin(x) + a*sin(2*x)", theorems=["cluster-count"], a=(0, 0.03125)),
        certify.synchronization("attention", beta="-0.68", n=5),
        certify.synchronization("attention", beta=-0.7, n=3),
        certify.synchronization("attention", beta=-1.5, n=5),
        certify.synchronization("sin(x)", graph=ring(7)),
        certify.synchronization("sin(x)", graph=ring(8, 3)),
        certify.synchronization("sin(x) + a*sin(2*x)", a=2),
        certify.synchronization("a*sin(x) + b*sin(2*x)", graph=ring(8, 3), a=(0.5, 2), b=0),
    ]
    assert all(c.verify() for c in made)
    return [json.loads(c.to_json()) for c in made]


def test_each_kind_is_verified_in_a_process_of_its_own(certificates, tmp_path):
    script = Path(checker.__file__)
    assert "inphase" not in [
        line.split()[1] for line in script.read_text().splitlines() if line.startswith(("import ", "from "))
    ]
    copy_of_script = tmp_path / "checker.py"
    copy_of_script.write_text(script.read_text())
    for k, data in enumerate(certificates):
        path = tmp_path / f"{k}.json"
        path.write_text(json.dumps(data))
        ran = subprocess.run(
            [sys.executable, "-I", str(copy_of_script), str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0 and data["claim"]["statement"] in ran.stdout, ran.stdout


def places(node, path=()):
    """Every field of a certificate that is part of the claim or its evidence."""
    if isinstance(node, dict):
        for key in node:
            yield (*path, key)
            yield from places(node[key], (*path, key))
    elif isinstance(node, list):
        for key in range(len(node)):
            yield (*path, key)
            yield from places(node[key], (*path, key))


def mutate(data, rng):
    """A copy with one field changed, or None."""
    found = copy.deepcopy(data)
    path = rng.choice(list(places({"claim": found["claim"], "leaves": found["leaves"]})))
    holder = found
    for key in path[:-1]:
        holder = holder[key]
    key, value = path[-1], holder[path[-1]]
    if rng.random() < 0.2:
        del holder[key]
    elif isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, int):
        holder[key] = rng.choice(
            [
                value + 1,
                value - 1,
                -value,
                value * 2,
                value + rng.choice([-1, 1]) * max(1, abs(value) // 1000),
                0,
            ]
        )
    elif isinstance(value, str):
        words = [
            "proved",
            "refuted",
            "undecided",
            "pi",
            "2 pi",
            "any positive",
            "equal",
            "none",
            "softmax",
            "none or positive",
        ]
        words += [
            "all-to-all",
            "rank-one",
            "circulant",
            "inf",
            "-inf",
            *checker.PROVE,
            *checker.REFUTE,
            value + " ",
            "sin(x)",
        ]
        holder[key] = rng.choice(words)
    elif isinstance(value, list) and value:
        if rng.random() < 0.5:
            holder[key] = value[:-1]
        else:
            holder[key] = [*value, copy.deepcopy(rng.choice(value))]
    else:
        holder[key] = rng.choice([None, 0, "0", []])
    return None if found == data else found


def claim_is_kept(before, after):
    """Whether the mutated certificate claims the same or less that is true: the same claim, word for word."""
    return before["claim"] == after["claim"]


def run_mutations(certificates, count, seed):
    rng, accepted = random.Random(seed), 0
    small = [c for c in certificates if len(c["leaves"]) < 20]
    for trial in range(count):
        # the long proof in one trial of ten: its check takes longest
        data = certificates[0] if trial % 10 == 0 else rng.choice(small)
        changed = mutate(data, rng)
        if changed is None:
            continue
        try:
            checker.verify(changed)
        except (
            checker.Rejected,
            KeyError,
            TypeError,
            ValueError,
            IndexError,
            AttributeError,
            OverflowError,
            ZeroDivisionError,
        ):
            continue
        accepted += 1
        assert claim_is_kept(data, changed), changed["claim"]
    return accepted


def test_mutations_do_not_change_the_claim(certificates):
    run_mutations(certificates, 300, seed=0)


@pytest.mark.long
def test_ten_thousand_mutations(certificates):
    run_mutations(certificates, 10_000, seed=1)


def refresh(data):
    """The sentence made to fit the claim: a forger would do that."""
    data["claim"]["statement"] = checker.statement(data["claim"])
    return data


def rejected(data):
    with pytest.raises((checker.Rejected, KeyError, TypeError, ValueError)):
        checker.verify(data)


def test_forgeries_with_a_fitting_sentence(certificates):
    proof, l1, family, *_ = (copy.deepcopy(c) for c in certificates)
    wider = copy.deepcopy(proof)
    wider["claim"]["model"]["parameters"]["beta"][0] = [-7, 10]
    rejected(refresh(wider))
    dropped = copy.deepcopy(proof)
    del dropped["leaves"][len(dropped["leaves"]) // 2]
    rejected(dropped)
    other = copy.deepcopy(l1)
    other["claim"]["model"]["formula"] = "sin(x)*exp(3*beta*(cos(x) - 1))"
    rejected(refresh(other))
    tilted = copy.deepcopy(family)
    tilted["claim"]["model"]["formula"] = "sin(x) + a*cos(2*x)"
    rejected(refresh(tilted))
    swapped = copy.deepcopy(certificates[6])
    swapped["claim"]["verdict"] = "proved"
    rejected(refresh(swapped))
    more = copy.deepcopy(certificates[6])
    more["claim"]["model"]["coupling"]["n"] = 4
    rejected(refresh(more))
    network = copy.deepcopy(proof)
    network["claim"]["model"]["coupling"] = {"kind": "circulant", "n": 9, "offsets": [1]}
    rejected(refresh(network))
    moving = copy.deepcopy(proof)
    moving["claim"]["model"]["frequencies"] = 1
    rejected(refresh(moving))


def test_files(tmp_path):
    path = tmp_path / "bad.json"
    for text in ("", "{}", "[]", "nonsense", '{"schema": 1}', '{"schema": 1, "claim": 3, "leaves": []}'):
        path.write_text(text)
        assert not certify.check(path)
    assert not certify.check(tmp_path / "missing.json")
    assert math.isinf(checker.claimed_range(["-inf", "inf"])[0])
