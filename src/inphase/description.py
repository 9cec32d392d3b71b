"""What a model is, in words: its equation for a reader, and the Python that makes it again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inphase.coupling.words import Words
from inphase.interaction import CATALOG, Interaction
from inphase.model import DEFAULTS, PARTS, PhaseModel

WRITTEN_OUT = 12  # numbers of an array that code spells; of more, it refers to a file
KEPT = 20_000_000  # numbers of an array that are written to that file
FILE = "parts.npz"


class Kept:
    """The numbers that code refers to: few are written into the code, many are kept for a file beside it.

    Attributes
    ----------
    arrays : dict
        Name -> array, for ``numpy.savez(FILE, **arrays)``.
    remarks : list of str
        What the reader of the code must provide: arrays that are too large to be kept, functions, couplings that
        do not say how they are made.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self.remarks: list[str] = []

    def __call__(self, name: str, array: NDArray[Any]) -> str:
        """The expression that gives the array."""
        if array.size <= WRITTEN_OUT:
            return repr(array.tolist())
        if array.size > KEPT:
            self.remarks.append(f"{name} {array.shape} was too large to be kept: put it into parts")
        else:
            self.arrays[name] = array
        return f'parts["{name}"]'

    def given(self, name: str, what: str) -> str:
        """The name of something that no code can spell."""
        self.remarks.append(f"{name} is {what}, as it was given")
        return name

    def argument(self, name: str, value: Any) -> str:
        """The expression for an argument: a number, a text, an array, a tuple of these, or a function by its name."""
        if isinstance(value, np.ndarray) and value.ndim:
            return self(name, value)
        if isinstance(value, np.generic | np.ndarray):
            return repr(value.item())
        if isinstance(value, tuple | list):
            parts = [self.argument(f"{name}_{k}", part) for k, part in enumerate(value)]
            return f"({', '.join(parts)},)" if isinstance(value, tuple) else f"[{', '.join(parts)}]"
        return self.given(name, "the function") if callable(value) else repr(value)


def equation(model: PhaseModel) -> Words:
    """The equation that this model obeys, as LaTeX (mathtext) and as plain text.

    Examples
    --------
    >>> import inphase as ip
    >>> equation(ip.PhaseModel(ip.kuramoto(), 2 * ip.AllTriads() - ip.Ring(1), noise=0.1)).text
    'dθ_i/dt = −(2 (1/n²) Σ_jk f(θ_i + θ_k − 2θ_j) − Σ_j K(2)_ij f(θ_i − θ_j)) + √(2D) ξ_i(t)'
    """
    delay = model.delays.ndim if model.has_delays else None
    pull: Words = model.coupling.equation(delay)
    if model.drive is not None and "coupling" in model.drive.parts:
        pull = model.drive.symbol("coupling") + Words(r"\,", " ") + model.g.front() + pull
    else:
        pull = model.g.front() + pull
    own = _own(model)
    minus = Words(" - ", " − ") if own.text else Words("-", "−")
    return _left(model) + Words(" = ", " = ") + own + minus + pull + _noise(model)


def _letter(model: PhaseModel, part: str, latex: str, text: str) -> Words:
    """A part's symbol, with an index where it differs from oscillator to oscillator."""
    each = getattr(model, part).ndim > 0
    return Words(f"{latex}_i", f"{text}_i") if each else Words(latex, text)


def _left(model: PhaseModel) -> Words:
    found = Words(r"\dfrac{d\theta_i}{dt}", "dθ_i/dt")
    if np.any(model.damping != 1):
        found = _letter(model, "damping", "d", "d") + Words(r"\,", " ") + found
    if model.has_inertia:
        second = Words(r"\,\dfrac{d^2\theta_i}{dt^2} + ", " d²θ_i/dt² + ")
        found = _letter(model, "inertia", "m", "m") + second + found
    return found


def _own(model: PhaseModel) -> Words:
    """What moves an oscillator by itself."""
    found = []
    if np.any(model.frequencies):
        found.append(_letter(model, "frequencies", r"\omega", "ω"))
    driven = {} if model.drive is None else {name: model.drive.symbol(name) for name in model.drive.parts}
    if "frequencies" in driven:
        found.append(driven["frequencies"])
    if np.any(model.field):
        found.append(_letter(model, "field", "b", "b") + Words(r"\,\sin\theta_i", " sin θ_i"))
    if "force" in driven:
        push, phase = driven["force"], driven["phase"]
        angle = Words(rf"\sin({phase.latex} - \theta_i)", f"sin({phase.text} − θ_i)")
        found.append(push + Words(r"\,", " ") + angle)
    return Words(" + ".join(part.latex for part in found), " + ".join(part.text for part in found))


def _noise(model: PhaseModel) -> Words:
    found = Words("", "")
    if np.any(model.noise):
        letter = _letter(model, "noise", "D", "D")
        found += Words(rf" + \sqrt{{2{letter.latex}}}\,\xi_i(t)", f" + √(2{letter.text}) ξ_i(t)")
    if np.any(model.common_noise):
        found += Words(r" + \sqrt{2C}\,\xi(t)", " + √(2C) ξ(t)")
    return found


def catalog_arguments(f: Interaction) -> str | None:
    """The arguments with which the catalog gives f; None where it does not."""
    if f.name not in CATALOG:
        return None
    arguments: dict[str, Any] = dict(f.parameters)
    if f.name == "harmonics":
        arguments = {part: found for part in ("sin", "cos") if (found := _amplitudes(f, part[0]))}
    try:
        same = CATALOG[f.name](**arguments).to_dict() == f.to_dict()
    except (TypeError, ValueError):  # a formula of the user's that is called like one of the catalog
        return None
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items()) if same else None


def _amplitudes(f: Interaction, letter: str) -> list[float]:
    """The parameters s1, s2, ... or c1, c2, ... of `harmonics`, as far as they go."""
    found: list[float] = []
    while (name := f"{letter}{len(found) + 1}") in f.parameters:
        found.append(f.parameters[name])
    return found


def interaction_code(f: Interaction) -> str:
    """A Python expression that makes f, with `ip` for inphase."""
    arguments = catalog_arguments(f)
    if arguments is not None:
        return f"ip.{f.name}({arguments})"
    if f.sine_strength is not None and not f.parameters:
        return f"{f.sine_strength!r} * ip.kuramoto()"
    numbers = "".join(f", {name}={value!r}" for name, value in f.parameters.items())
    return f"ip.Interaction({json.dumps(f.to_dict()['formula'], ensure_ascii=False)}{numbers})"


def model_code(model: PhaseModel, keep: Kept) -> str:
    """A Python expression that makes the model: `ip` is inphase, `parts` what was kept, `gain` the user's.

    Examples
    --------
    >>> import inphase as ip
    >>> model_code(ip.PhaseModel(ip.kuramoto(), ip.AllToAll([1, 2]), frequencies=[0.5, -0.5]), Kept())
    'ip.PhaseModel(ip.kuramoto(), ip.AllToAll([1.0, 2.0]), frequencies=[0.5, -0.5])'
    """
    arguments = [interaction_code(model.interaction)]
    try:
        coupling = model.coupling.code(keep)
    except ValueError:  # a user's own
        coupling = keep.given("coupling", repr(model.coupling))
    arguments += [] if coupling == "ip.AllToAll()" else [coupling]
    if model.g.kind != "one":
        arguments.append(
            f"gain={model.g.name!r}" if model.g.name else f"gain={keep.given('gain', 'the function')}"
        )
    for name in PARTS:
        values = getattr(model, name)
        if sparse.issparse(values):
            entries = values.tocoo()
            numbers = [keep(f"{name}_{what}", getattr(entries, what)) for what in ("data", "row", "col")]
            places = f"({numbers[1]}, {numbers[2]})"
            arguments.append(f"{name}=sparse.coo_array(({numbers[0]}, {places}), shape={values.shape})")
        elif np.any(values != DEFAULTS.get(name, 0.0)):
            arguments.append(f"{name}={keep(name, values) if values.ndim else repr(float(values))}")
    if model.drive is not None:
        arguments.append(f"drive={model.drive.code(keep)}")
    return f"ip.PhaseModel({', '.join(arguments)})"


def script(lines: list[str], keep: Kept) -> str:
    """A Python script of some lines that use `ip`, `sparse` and `parts`: with what they need before them."""
    body = "\n".join(lines)
    head = ["import inphase as ip"]
    if "parts[" in body:
        head.insert(0, "import numpy as np")
    if "sparse." in body:
        head.append("from scipy import sparse")
    if "parts[" in body:
        head += ["", f'parts = np.load("{FILE}")  # beside this report']
    head += [f"# {remark}" for remark in keep.remarks]
    return "\n".join([*head, "", body])
