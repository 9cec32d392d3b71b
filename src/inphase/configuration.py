"""What the configurations of a model and of a training have in common: strict sections, read from TOML files.

A text is no number, and a boolean neither; a whole number is a float. Paths in a file are relative to it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import numpy as np
import tomli_w
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from inphase.checks import checked_options, finite_vector
from inphase.interaction import CATALOG, Interaction
from inphase.stored import reading

FOLDER = "folder"  # of the TOML file, in the context of a validation


class Section(BaseModel):
    """A table of a TOML file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self) -> dict[str, Any]:
        """What the file says, without defaults."""
        return self.model_dump(exclude_unset=True)


def resolved(path: str, info: ValidationInfo) -> str:
    """A path as seen from the working directory; ValueError for the empty one, which names nothing."""
    if not path:
        raise ValueError("must name a file or a folder; got ''")
    return str(Path(info.context[FOLDER], path)) if info.context else path


def unmixed(options: dict[str, Any]) -> dict[str, Any]:
    """Options whose types only their function knows; ValueError for booleans in a list of numbers.

    An array would hide them.
    """
    for key, value in options.items():
        kinds = set(_kinds(value)) if isinstance(value, list) else set()
        if bool in kinds and len(kinds) > 1:
            raise ValueError(f"{key} must not have booleans among its numbers; got {value!r:.60}")
    return options


def _kinds(value: Any) -> Iterator[type]:
    if isinstance(value, list):
        for item in value:
            yield from _kinds(item)
    else:
        yield type(value)


def _vector(value: Any, info: ValidationInfo) -> Any:
    """Numbers as an array; those of an array are not looked at one by one."""
    name = str(info.field_name)
    try:
        return finite_vector(name, value if isinstance(value, np.ndarray) else _LIST.validate_python(value))
    except ValidationError as error:
        fault = error.errors()[0]
        at = f" at index {fault['loc'][0]}" if fault["loc"] else ""
        raise ValueError(f"{fault['msg']}{at}; got {fault['input']!r:.60}") from None
    except TypeError as error:
        raise ValueError(str(error)) from None


_LIST = TypeAdapter(list[float], config=ConfigDict(strict=True))

Options = Annotated[dict[str, Any], AfterValidator(unmixed)]
FilePath = Annotated[str, AfterValidator(resolved)]  # relative to the TOML file
Vector = Annotated[Any, PlainValidator(_vector)]  # finite numbers, (n,), as an array


class InteractionSection(Section):
    """f: a name of the catalog or a formula, with parameters."""

    name: str | None = None
    formula: str | None = None
    parameters: dict[
        str, Annotated[float | list[float], Field(description="a number or a list of numbers")]
    ] = Field(default_factory=dict)
    strength: float = 1.0

    @model_validator(mode="after")
    def _one_of(self) -> InteractionSection:
        if (self.name is None) == (self.formula is None):
            raise ValueError("give either name or formula")
        return self

    def build(self) -> Interaction:
        """The interaction; ValueError or TypeError where it is unknown or lacks a parameter."""
        if self.formula is None:
            found = from_catalog(str(self.name), self.parameters)
        else:
            lists = [key for key, value in self.parameters.items() if isinstance(value, list)]
            if lists:
                raise ValueError(f"the parameter {lists[0]!r} of a formula must be a number")
            found = Interaction(self.formula, **self.parameters)  # type: ignore[arg-type]
        return found if self.strength == 1.0 else self.strength * found


def from_catalog(name: str, parameters: dict[str, Any]) -> Interaction:
    """An interaction by its name; ValueError that lists the names, TypeError that lists its parameters."""
    if name not in CATALOG:
        raise ValueError(f"unknown interaction {name!r}; known: {', '.join(CATALOG)} (or give a formula)")
    checked_options(name, CATALOG[name], parameters, word="parameter")
    return CATALOG[name](**parameters)


# ---------------------------------------------------------------------------------------------------- TOML


S = TypeVar("S", bound=BaseModel)


def load(section: type[S], path: str | os.PathLike[str]) -> S:
    """A section from a TOML file.

    Raises
    ------
    OSError, ValueError
        With the file, the key, the value and what was expected.
    """
    content = Path(path).read_bytes()
    with reading(path, "is not TOML: {}"):
        data = tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
        return validated(section, data, str(path), Path(path).parent)


def toml(data: Mapping[str, Any], comment: str) -> str:
    """A TOML text with a comment at its head."""
    return f"# {comment}\n{tomli_w.dumps(data)}"


# -------------------------------------------------------------------------------------------------- faults


def validated(section: type[S], data: Mapping[str, Any], source: str, folder: Path | None = None) -> S:
    """A section from nested dictionaries, whose paths are relative to `folder`.

    Raises
    ------
    ValueError
        With `source` and one line for each fault: the key, what was expected and what was given; unknown keys
        with those that are known.
    """
    try:
        return section.model_validate(data, context=None if folder is None else {FOLDER: folder})
    except ValidationError as error:
        raise ValueError(f"{source}: {'; '.join(_sentences(section, data, error.errors()))}") from None


def _sentences(section: type[BaseModel], data: Any, faults: Sequence[Any]) -> list[str]:
    """One for each key at fault. Where a value may be one of several things, pydantic names a fault for each:
    kept is what lies deepest in the value, or else what it may be.
    """
    at: dict[tuple[Any, ...], list[Any]] = {}
    for fault in faults:
        at.setdefault(_keys(data, fault), []).append(fault)
    told = []
    for keys, found in at.items():
        if any(other[: len(keys)] == keys and other != keys for other in at):
            continue
        fault = next((one for one in found if one["type"] == "value_error"), found[0])
        name = ".".join(f"{key!s:.60}" for key in keys[:8]) or "file"
        if fault["type"] == "extra_forbidden":
            known = _section_of(section, keys[:-1]).model_fields
            told.append(f"unknown key {name!r}; known: {', '.join(known)}")
            continue
        words = fault["msg"].removeprefix("Value error, ")
        if len(found) > 1 and fault["type"] != "value_error":
            words = f"must be {_description(section, keys)}"
        plain = fault["type"] in ("missing", "value_error")
        told.append(f"{name}: {words}" + ("" if plain else f"; got {fault['input']!r:.60}"))
    return told


def _keys(data: Any, fault: Any) -> tuple[Any, ...]:
    """Where a fault lies in the data: its place without the names of alternatives."""
    keys: list[Any] = []
    for k, part in enumerate(fault["loc"]):
        missing = fault["type"] == "missing" and k == len(fault["loc"]) - 1
        inside = isinstance(data, Mapping) and part in data
        if inside or (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            data = data[part]
        elif not missing:
            continue
        keys.append(part)
    return tuple(keys)


def _section_of(section: type[BaseModel], keys: Sequence[Any]) -> type[BaseModel]:
    """The section that stands at some keys of a section."""
    for key in keys:
        if key in section.model_fields:
            section = _inner(section.model_fields[key].annotation) or section
    return section


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The section among the alternatives of a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part)) is not None), None)


def _description(section: type[BaseModel], keys: Sequence[Any]) -> str:
    field = _section_of(section, keys[:-1]).model_fields.get(str(keys[-1]))
    return (field.description if field is not None else None) or "a number or a list of numbers"
