"""How formulas and parameters are printed in figures, titles and pages."""

from __future__ import annotations

import re

from inphase.interaction import Interaction
from inphase.report.style import LONGEST

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def formula(interaction: Interaction) -> str:
    """f as mathtext without dollar signs: names of parameters as names, s1 as s with an index."""
    text = interaction.latex()
    if len(text) > LONGEST:  # is not set as a formula
        return text
    for name in interaction.parameters:
        match = re.fullmatch(r"([A-Za-z]+)_?(\d+)", name)
        shown = f"{match[1]}_{{{match[2]}}}" if match else rf"\mathrm{{{name}}}"
        if match or len(name) > 1:
            text = re.sub(
                rf"(?<![\\A-Za-z_]){re.escape(name)}(?![A-Za-z0-9_])", shown.replace("\\", r"\\"), text
            )
    return text


def symbol(name: str) -> str:
    """A parameter's name as it is printed: beta as β, s1 as s₁."""
    greek = {
        "alpha": "α",
        "beta": "β",
        "gamma": "γ",
        "delta": "δ",
        "kappa": "κ",
        "sigma": "σ",
        "lambda": "λ",
        "mu": "μ",
    }
    return re.sub(
        r"(?<=[A-Za-z])_?\d+$", lambda m: m[0].lstrip("_").translate(SUBSCRIPTS), greek.get(name, name)
    )


def values(interaction: Interaction) -> str:
    """The parameters in words, such as "β = 9"."""
    return ", ".join(
        f"{symbol(name)} = {value:.6g}".replace("-", "−") for name, value in interaction.parameters.items()
    )
