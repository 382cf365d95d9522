"""TOML into frozen models, with every problem at once.

A settings file or catalogue that is wrong is refused whole, with a list that names file and key for each
problem; the environment is never read here.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from smartpark.errors import InvalidFileError, Problem


class StrictModel(BaseModel):
    """A value read from a file: frozen, and a key nobody knows is an error rather than a wish."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def load_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; `InvalidFileError` names the file when it is missing or malformed."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidFileError([Problem(str(path), "", "no such file")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFileError([Problem(str(path), "", f"cannot be read: {error}")]) from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidFileError([Problem(str(path), "", f"not valid TOML: {error}")]) from error


def parse_model(document: Mapping[str, Any], model: type[Model], *, file: str) -> Model:
    """Check a parsed document against `model`; `InvalidFileError` lists every problem with its key."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InvalidFileError(problems_of(error, document, file=file)) from None


def load_model(path: Path, model: type[Model]) -> Model:
    """Read and check a TOML file."""
    return parse_model(load_toml(path), model, file=str(path))


def problems_of(error: ValidationError, document: object, *, file: str) -> list[Problem]:
    """Translate pydantic's findings; list entries are named by their ``code``, ``name`` or ``id``."""
    problems: list[Problem] = []
    for finding in error.errors(include_url=False):
        message = finding["msg"].removeprefix("Value error, ")
        if finding["type"] == "extra_forbidden":
            message = "unknown key (misspelt, or not for this table)"
        elif finding["type"] == "missing":
            message = "required, and not there"
        elif finding["type"] != "value_error":
            given = finding.get("input")
            if isinstance(given, str | int | float | bool):
                message = f"{message}; got {given!r}"
            if finding["type"] == "string_type" and isinstance(given, int | float):
                message = f'write it in quotes, so that it stays exact: "{given}"'
        problems.append(Problem(file, _key(finding["loc"], document), message))
    return problems


def _key(loc: Sequence[int | str], document: object) -> str:
    """Dotted key of a location, e.g. ``device[T03-E1].point[0].resolution``."""
    parts: list[str] = []
    here = document
    for step in loc:
        if isinstance(step, int):
            here = _child(here, step)
            parts[-1:] = [f"{parts[-1] if parts else ''}[{_label(here, step)}]"]
        else:
            here = _child(here, step)
            parts.append(step)
    return ".".join(parts)


def _child(node: object, step: int | str) -> object:
    if isinstance(step, int):
        return cast("Sequence[object]", node)[step] if isinstance(node, list) and step < len(node) else None
    return cast("Mapping[str, object]", node).get(step) if isinstance(node, dict) else None


def _label(node: object, index: int) -> str:
    if isinstance(node, dict):
        entry = cast("Mapping[str, object]", node)
        for name in ("code", "name", "id"):
            if isinstance(entry.get(name), str):
                return str(entry[name])
    return str(index)
