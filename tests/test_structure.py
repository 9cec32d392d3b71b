"""How the source is made: functions of a length that one reads at a time, and couplings that say what they are."""

import ast
from pathlib import Path

import pytest

import inphase

SOURCE = Path(inphase.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST = 90  # lines of a function with its docstring
MOST_TYPE_CHECKS = 8  # on couplings, outside their room; each asks what the coupling could have said itself
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def parsed(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def long_functions(tree):
    """(name, lines) of the functions that are too long, from the first decorator on."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found.append((node.name, node.end_lineno - first + 1))
    return [(name, lines) for name, lines in found if lines > LONGEST]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SOURCE).as_posix())
def test_functions_are_short(file):
    assert long_functions(parsed(file)) == []


def coupling_classes(trees):
    """The names of `Coupling` and of all that derive from it, wherever they are defined."""
    bases = {
        node.name: {ast.unparse(base).split(".")[-1] for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {"Coupling"}
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    return known


def type_checks(tree, classes):
    """Lines that compare a type with one of the classes: isinstance, issubclass, `type(x) is` and its like, a class pattern.

    A tuple of classes with a name counts as the classes in it.
    """
    named = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and names_one(node.value, classes)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value, (ast.Tuple, ast.List, ast.Set))
    }
    known = classes | named
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            asked = names_one(node.args[1], known)
        elif isinstance(node, ast.Compare) and any(is_type(side) for side in (node.left, *node.comparators)):
            asked = names_one(node, known)
        else:
            asked = isinstance(node, ast.MatchClass) and names_one(node.cls, known)
        if asked:
            found.append(node.lineno)
    return found


def is_type(node):
    return (isinstance(node, ast.Call) and ast.unparse(node.func) == "type") or (
        isinstance(node, ast.Attribute) and node.attr == "__class__"
    )


def names_one(node, classes):
    """Whether one of the classes is named in an expression."""
    return any(
        (isinstance(part, ast.Name) and part.id in classes)
        or (isinstance(part, ast.Attribute) and part.attr in classes)
        for part in ast.walk(node)
    )


def test_few_type_checks_on_couplings():
    """A room above asks a coupling (`facts`, `edges`, `common_weights`, ...) and not for its type."""
    trees = {file: parsed(file) for file in FILES}
    classes = coupling_classes(trees.values())
    assert {"AllToAll", "RankOne", "Sparse", "Lattice", "Learnt", "LearntLowRank", "Hypergraph"} <= classes
    outside = {
        file.relative_to(SOURCE).as_posix(): lines
        for file, tree in trees.items()
        if file.relative_to(SOURCE).parts[0] != "coupling" and (lines := type_checks(tree, classes))
    }
    assert sum(map(len, outside.values())) <= MOST_TYPE_CHECKS, outside


def test_what_counts_is_counted():
    """The two rules above would see what they forbid."""
    many = "@cached\ndef long():\n" + "    pass\n" * (LONGEST - 1)
    assert long_functions(ast.parse(many)) == [("long", LONGEST + 1)]
    assert long_functions(ast.parse(many.replace("@cached\n", ""))) == []
    text = """
KINDS = (Ring, Sparse)
isinstance(c, (int, Ring)); isinstance(c, int)
type(c) is coupling.Ring; type(c) in KINDS; c.__class__ == Ring; type(c) is int
match c:
    case Ring(): pass
    case int(): pass
Ring(c); Ring == c
"""
    assert coupling_classes(
        [ast.parse("class Ring(base.Coupling): pass\nclass Lattice(Ring): pass\nclass A(B): pass")]
    ) == {
        "Coupling",
        "Ring",
        "Lattice",
    }
    assert sorted(type_checks(ast.parse(text), {"Ring"})) == [3, 4, 4, 4, 6]
