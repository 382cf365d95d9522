"""Named SQL statements, read from the files in ``sql/queries``.

A statement begins with a line ``-- its_name --``, may go on with comment lines that say what it is for, and
ends where the next one begins. Names are unique over all files. Statements are only ever the files' own text
with parameters beside it; a literal percent sign is written ``%%``.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString, cast

_TITLE = re.compile(r"^-- ([a-z][a-z0-9_]*) --[ \t]*$", re.MULTILINE)


def parse_queries(text: str, *, file: str) -> Iterator[tuple[str, LiteralString]]:
    """Yield (name, statement) pairs of one file; `ValueError` names the file and what is wrong in it."""
    before, *parts = _TITLE.split(text)
    if any(line and not line.startswith("--") for line in before.splitlines()):
        raise ValueError(f"{file}: a statement stands before the first '-- name --' line")
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        lines = [line for line in body.splitlines() if line.strip() and not line.lstrip().startswith("--")]
        if not lines:
            raise ValueError(f"{file}: {name} has no statement")
        # The text comes with the package, not from a user: literal in all but the type checker's eyes.
        yield name, cast("LiteralString", "\n".join(lines).rstrip(";"))


@cache
def _queries() -> Mapping[str, LiteralString]:
    found: dict[str, LiteralString] = {}
    for file in sorted(files("smartpark_storage").joinpath("sql/queries").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            for name, statement in parse_queries(file.read_text(encoding="utf-8"), file=file.name):
                if name in found:
                    raise ValueError(f"{file.name}: the name {name} is already taken by another statement")
                found[name] = statement
    return found


def query(name: str) -> LiteralString:
    """Statement of this name; `KeyError` when no file has it."""
    return _queries()[name]


def all_queries() -> Mapping[str, LiteralString]:
    """Every statement by its name."""
    return MappingProxyType(_queries())
