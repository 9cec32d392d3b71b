"""Models in files: the Python that makes a model again, with its arrays, written to NetCDF and read without `eval`."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inphase import coupling, interaction
from inphase.description import Kept, model_code
from inphase.drive import Drive, Samples
from inphase.files import named, write_dataset
from inphase.model import PhaseModel
from inphase.stored import open_netcdf

if TYPE_CHECKING:
    import xarray as xr

CODE, PART = "model_code", "model_part_"
# what the code of a model may call: `ip.Name(...)` or `ip.Name.method(...)`
_HOMES = (coupling, interaction)
_NAMES = {name: getattr(home, name) for home in _HOMES for name in getattr(home, "__all__", ())} | {
    name: getattr(interaction, name)
    for name in ("Interaction", "attention", "harmonics", "kuramoto", "sakaguchi")
}
_NAMES |= {"PhaseModel": PhaseModel, "Drive": Drive, "Samples": Samples}
_METHODS = ("circulant",)


def written(model: PhaseModel) -> tuple[str, dict[str, Any]]:
    """The code of a model, and the variables of a Dataset that it refers to.

    Raises
    ------
    ValueError
        If a part cannot be written, such as a function of the user's; with its name.
    """
    keep = Kept()
    code = model_code(model, keep)
    if keep.remarks:
        raise ValueError(
            f"the model cannot be written: {'; '.join(keep.remarks)}; make it from numbers, formulas and the library's "
            "couplings, or keep the Python that makes it"
        )
    arrays = {
        f"{PART}{name}": (tuple(f"{PART}{name}_{axis}" for axis in range(array.ndim)), array)
        for name, array in keep.arrays.items()
    }
    return code, arrays


def save(model: PhaseModel, path: str | os.PathLike[str]) -> Path:
    """Write a model to a NetCDF file, from which `load` makes it again, to the bit.

    Parameters
    ----------
    model : PhaseModel
    path : path-like
        Such as "model.nc". It is written beside and renamed.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If a part cannot be written, such as a gain that is a function; with its name.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib, inphase as ip
    >>> model = ip.PhaseModel(ip.attention(beta=4.0), gain="softmax", frequencies=[0.1, 0.2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(save(model, pathlib.Path(folder) / "model.nc"))
    >>> bool((again.velocity([0.0, 1.0]) == model.velocity([0.0, 1.0])).all())
    True
    """
    import xarray as xr

    from inphase.version import version

    code, arrays = written(model)
    return write_dataset(named(path), xr.Dataset(arrays, attrs={CODE: code, "inphase_version": version()}))


def load(source: str | os.PathLike[str] | xr.Dataset) -> PhaseModel:
    """The model in a file of `save`, in the file of a run of `simulate`, or in the Dataset of a run.

    What the file says is read as calls of the library's names and as numbers, and nothing of it is executed.

    Parameters
    ----------
    source : path-like or xarray.Dataset

    Returns
    -------
    PhaseModel

    Raises
    ------
    OSError, ValueError
        If the file holds no model, with the reason: that of a run whose model could not be written names the part.

    Examples
    --------
    >>> import inphase as ip
    >>> run = ip.simulate(ip.PhaseModel(0.5 * ip.kuramoto()), [0.0, 1.0], t_end=1.0)
    >>> load(run).velocity([0.0, 1.0]).round(4)
    array([ 0.2104, -0.2104])
    """
    if isinstance(source, str | os.PathLike):
        with open_netcdf(source) as opened:
            held = opened.load()
        return load(held)
    code = source.attrs.get(CODE)
    if not isinstance(code, str):
        why = source.attrs.get("model_not_written", f"there is no attribute {CODE}")
        raise ValueError(f"no model is kept here: {why}")
    parts = {
        str(name).removeprefix(PART): source[name].values
        for name in source.data_vars
        if str(name).startswith(PART)
    }
    try:
        found = _made(ast.parse(code, mode="eval").body, parts)
    except (SyntaxError, RecursionError, KeyError, TypeError) as error:
        raise ValueError(f"{CODE} cannot be read: {error}") from None
    if not isinstance(found, PhaseModel):
        raise ValueError(f"{CODE} must make a PhaseModel; it makes {found!r:.60}")
    return found


def _made(node: ast.expr, parts: Mapping[str, Any]) -> Any:
    """The value of an expression of literals, parts, arithmetic and calls of the library's names."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        found = [_made(one, parts) for one in node.elts]
        return found if isinstance(node, ast.List) else tuple(found)
    if isinstance(node, ast.Dict):
        keys = [_made(key, parts) for key in node.keys if key is not None]
        return dict(zip(keys, (_made(value, parts) for value in node.values)))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_made(node.operand, parts)
    if isinstance(node, ast.BinOp):
        left, right = _made(node.left, parts), _made(node.right, parts)
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "parts":
        return parts[_made(node.slice, parts)]
    if isinstance(node, ast.Call):
        arguments = [_made(one, parts) for one in node.args]
        options = {str(one.arg): _made(one.value, parts) for one in node.keywords}
        return _callable(ast.unparse(node.func))(*arguments, **options)
    if isinstance(node, ast.Name) and node.id in ("inf", "nan"):
        return getattr(np, node.id)
    raise ValueError(f"{CODE} may not hold {ast.unparse(node)!r:.60}")


def _callable(name: str) -> Any:
    from scipy import sparse

    words = name.split(".")
    if words[0] == "sparse" and len(words) == 2 and words[1] in ("coo_array", "csr_array"):
        return getattr(sparse, words[1])
    if (
        words[0] == "ip"
        and len(words) in (2, 3)
        and words[1] in _NAMES
        and all(w in _METHODS for w in words[2:])
    ):
        found = _NAMES[words[1]]
        return found if len(words) == 2 else getattr(found, words[2])
    raise ValueError(f"{CODE} may not call {name!r:.60}")
