"""How words of the command line are read: numbers, the parameters of a system, and `name(2, key=0.5)`."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Kinds = Mapping[str, Callable[..., Any]]


def number(word: str) -> float:
    """A number as one writes it, fractions too: 0.5, 1/3, inf; ValueError for other words."""
    try:
        return float(Fraction(word) if "/" in word else word)
    except ZeroDivisionError:
        raise ValueError(f"{word!r} divides by zero") from None


def is_number(words: str) -> bool:
    """Whether it is a number, or several set apart by commas."""
    try:
        return all(isinstance(number(word), float) for word in words.split(","))
    except ValueError:
        return False


# --------------------------------------------------------------------------------- the parameters of a system


def joined(arguments: Sequence[str], known: Iterable[str]) -> list[str]:
    """`--a 0 0.2` as `--a=0,0.2`: a parameter, whose name only the system knows, keeps its numbers."""
    found: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word.startswith("--") and word.partition("=")[0] not in known:
            values = [word.partition("=")[2]] if "=" in word else []
            while words and (is_number(words[0]) or (not values and not words[0].startswith("--"))):
                values.append(words.pop(0))
            word = f"{word.partition('=')[0]}={','.join(values)}" if values else word
        found.append(word)
    return found


def parameters(words: Sequence[str]) -> dict[str, list[str]]:
    """`--beta=9 --sin=1,0.5` as {"beta": ["9"], "sin": ["1", "0.5"]}; the numbers stay text, which is exact."""
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name:
            raise ValueError(f"unexpected argument {word!r}; parameters are given as --name value")
        if not equals:
            raise ValueError(f"the parameter --{name} needs a value")
        if not is_number(value):
            raise ValueError(f"--{name} is neither an option nor a parameter with a number; got {value!r}")
        found[name] = value.split(",")
    return found


def numbers(texts: Mapping[str, Sequence[str]], function: Callable[..., Any] | None) -> dict[str, Any]:
    """Parameters as floats; lists where there are several, or where `function` takes a list."""
    found: dict[str, Any] = {}
    for name, words in texts.items():
        values = [number(word) for word in words]
        found[name] = values if len(values) > 1 or _takes_list(function, name) else values[0]
    return found


def _takes_list(function: Callable[..., Any] | None, name: str) -> bool:
    found = None if function is None else inspect.signature(function).parameters.get(name)
    return found is not None and "Sequence" in str(found.annotation)


def ranges(texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Parameters as exact ranges: one number, or two."""
    for name, words in texts.items():
        if len(words) > 2:
            raise ValueError(f"--{name} takes one number or a range of two; got {' '.join(words)}")
    return {name: words[0] if len(words) == 1 else (words[0], words[1]) for name, words in texts.items()}


# -------------------------------------------------------------------------------------- a name and its values


@dataclass(frozen=True)
class Call:
    """`name(1, key=2)` as it was written: its values by place and by name."""

    text: str
    name: str
    places: list[Any]
    keys: dict[str, Any]


def call(text: str) -> Call:
    """A name with values in brackets: numbers, words, true or false, and lists [1, 2] of them.

    Examples
    --------
    >>> call("bimodal(0, 1/2, separation=4)").places
    [0, 0.5]
    """
    name, bracket, inside = text.strip().partition("(")
    name = name.strip()
    if not bracket:
        return Call(text, name, [], {})
    if not inside.endswith(")"):
        raise ValueError(f"{text!r} must end with its closing bracket")
    places: list[Any] = []
    keys: dict[str, Any] = {}
    for part in _parts(inside[:-1]):
        key, equals, value = (piece.strip() for piece in part.rpartition("="))
        if not equals and keys:
            raise ValueError(f"{value!r} in {text!r} must come before the values with a name")
        if key in keys:
            raise ValueError(f"{key!r} is given twice in {text!r}")
        if equals:
            keys[key] = _value(value, text)
        else:
            places.append(_value(value, text))
    return Call(text, name, places, keys)


def _parts(inside: str) -> list[str]:
    """What commas set apart, except inside lists."""
    parts, depth = [""], 0
    for letter in inside:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts if inside.strip() else []


def _value(word: str, text: str) -> Any:
    if word.startswith("[") and word.endswith("]"):
        return [_value(part.strip(), text) for part in _parts(word[1:-1])]
    if word in ("true", "false"):
        return word == "true"
    if re.fullmatch(r"[+-]?\d+", word):
        return int(word)
    if is_number(word):
        if not math.isfinite(number(word)):
            raise ValueError(f"the numbers in {text!r} must be finite; got {word}")
        return number(word)
    if not re.fullmatch(r"[A-Za-z_]\w*", word):
        raise ValueError(f"the values in {text!r} must be numbers, set apart by commas; got {word!r}")
    return word


def bound(call: Call, kinds: Kinds, given: Sequence[str] = ()) -> dict[str, Any]:
    """The values of a call by the names that the function of that kind has for them.

    `given` are parameters of the function that are not the user's to choose. ValueError or TypeError for an
    unknown kind or name, for too many values, and for one that is missing.
    """
    from inphase.checks import checked_options

    if call.name not in kinds:
        raise ValueError(f"{call.name!r} is none of {', '.join(usages(kinds, given))}")
    function = kinds[call.name]
    names = _names(function, given)
    if len(call.places) > len(names):
        raise ValueError(
            f"{call.name} takes {', '.join(names) or 'no values'}; got {len(call.places)} values in {call.text!r}"
        )
    options = dict(zip(names, call.places))
    twice = next((key for key in call.keys if key in options), None)
    if twice is not None:
        raise ValueError(f"{twice!r} is given twice in {call.text!r}")
    options |= call.keys
    checked_options(repr(call.name), function, options, given=given)
    return options


def usages(kinds: Kinds, given: Sequence[str] = ()) -> list[str]:
    """How each is written: `lorentzian(center, width)`, or the name alone where it takes nothing."""
    return [
        f"{name}({', '.join(found)})" if (found := _names(kind, given)) else name
        for name, kind in kinds.items()
    ]


def without_file(kinds: Kinds) -> Kinds:
    """All but "file": a file is given by its path alone."""
    return {name: kind for name, kind in kinds.items() if name != "file"}


def example(name: str, function: Callable[..., Any]) -> str:
    """One of that kind, `lorentzian(0, 0.5)`: its usual numbers, but another width than the usual 1."""
    found = inspect.signature(function).parameters
    usual = {key: parameter.default for key, parameter in found.items()} | {"width": 0.5}
    shown = [f"{usual[key]:g}" for key in found if isinstance(usual[key], float)]
    return f"{name}({', '.join(shown)})"


def _names(function: Callable[..., Any], given: Sequence[str]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in given]
