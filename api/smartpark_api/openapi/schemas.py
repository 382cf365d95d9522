"""How two JSON schemas differ, seen from whoever knows the first: as a sender of such values, or as a receiver.

A sender breaks when less is taken than before, a receiver when more is given than before. So every keyword is asked
once whether it became narrower or wider, and the side says which of the two breaks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_WORDS: Final = frozenset({"title", "description", "examples", "example", "default", "deprecated", "discriminator"})
_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_ALTERNATIVES: Final = ("anyOf", "oneOf")
_HANDLED: Final = _WORDS | {
    *_LEAST,
    *_MOST,
    "$ref",
    "type",
    "enum",
    "const",
    "required",
    "properties",
    "additionalProperties",
    "items",
    *_ALTERNATIVES,
}
Components = tuple[dict[str, Any], dict[str, Any]]
"""Schemas by name, of both documents."""


class Side(StrEnum):
    """Where whoever is looked at stands."""

    TAKEN = "taken"
    """They send it: it breaks when it becomes narrower."""
    GIVEN = "given"
    """They receive it: it breaks when it becomes wider."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference of two schemas."""

    path: str
    what: str
    is_breaking: bool


def compare_schemas(
    old: dict[str, Any], new: dict[str, Any], side: Side, components: Components
) -> Iterator[Finding]:
    """Differences that matter to one side."""
    yield from _Walk(side, components, set()).compare("", old, new)


@dataclass(frozen=True, slots=True)
class _Walk:
    side: Side
    components: Components
    seen: set[tuple[str, str]]
    """Pairs of names that were compared already; schemas may hold themselves."""

    def compare(self, path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
        names = (old.get("$ref", ""), new.get("$ref", ""))
        if any(names):
            if names in self.seen:
                return
            self.seen.add(names)
        before, after = _resolved(old, self.components[0]), _resolved(new, self.components[1])
        keyword = next((one for one in _ALTERNATIVES if one in before or one in after), None)
        if keyword is not None:
            # What had one form and has several now, or the other way round, had one alternative.
            yield from self._alternatives(path, before.get(keyword, [old]), after.get(keyword, [new]))
            return
        yield from self._types(path, before, after)
        yield from self._values(path, before, after)
        yield from self._bounds(path, before, after)
        yield from self._members(path, before, after)
        if "items" in before and "items" in after:
            yield from self.compare(f"{path}[]", before["items"], after["items"])
        elif "items" in before or "items" in after:
            yield self._changed(path, "items", is_narrower="items" in after)
        for keyword in sorted((before.keys() | after.keys()) - _HANDLED):
            if before.get(keyword) != after.get(keyword):
                yield Finding(
                    path, f"{keyword}: {after.get(keyword)!r}, no longer {before.get(keyword)!r}", is_breaking=True
                )

    def _types(self, path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
        before, after = _types_of(old), _types_of(new)
        if before != after:
            lost, added = (before or after) - (after or set()), (after or before) - (before or set())
            if lost or not before:
                yield self._changed(path, f"type {_told(after)}, no longer {_told(before)}", is_narrower=True)
            if added or not after:
                yield self._changed(path, f"type {_told(after)}, no longer {_told(before)}", is_narrower=False)

    def _values(self, path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
        before, after = _values_of(old), _values_of(new)
        if before is None and after is None:
            return
        if before is None or after is None:
            yield self._changed(
                path, "is a closed list" + ("" if before is None else " no longer"), is_narrower=before is None
            )
            return
        if before - after:
            yield self._changed(path, f"without {_told(before - after)}", is_narrower=True)
        if after - before:
            yield self._changed(path, f"also {_told(after - before)}", is_narrower=False)

    def _bounds(self, path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
        for keyword in (*_LEAST, *_MOST):
            before, after = old.get(keyword), new.get(keyword)
            if before == after:
                continue
            if before is None or after is None:
                is_narrower = before is None
            else:
                is_narrower = (after > before) == (keyword in _LEAST)
            yield self._changed(path, f"{keyword} {after}, no longer {before}", is_narrower=is_narrower)

    def _members(self, path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
        before, after = old.get("properties", {}), new.get("properties", {})
        musts = (set(old.get("required", ())), set(new.get("required", ())))
        for name in sorted(before.keys() - after.keys()):
            # Nobody takes it any more, or nobody gives it.
            yield Finding(f"{path}.{name}", "is gone", is_breaking=True)
        for name in sorted(after.keys() - before.keys()):
            must = self.side is Side.TAKEN and name in musts[1]
            yield Finding(f"{path}.{name}", "is new" + (" and required" if must else ""), is_breaking=must)
        for name in sorted(before.keys() & after.keys()):
            if (name in musts[0]) != (name in musts[1]):
                told = "is required now" if name in musts[1] else "may be left out"
                yield self._changed(f"{path}.{name}", told, is_narrower=name in musts[1])
            yield from self.compare(f"{path}.{name}", before[name], after[name])
        yield from self._further(path, old.get("additionalProperties", True), new.get("additionalProperties", True))

    def _further(self, path: str, old: Any, new: Any) -> Iterator[Finding]:
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self.compare(f"{path}.*", old, new)
        elif old != new and self.side is Side.TAKEN:
            yield self._changed(f"{path}.*", "further members", is_narrower=old is True or new is False)

    def _alternatives(self, path: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Finding]:
        before, after = _by_name(old), _by_name(new)
        for name in sorted(before.keys() - after.keys()):
            yield self._changed(path, f"{name} is not among the alternatives any more", is_narrower=True)
        for name in sorted(after.keys() - before.keys()):
            yield self._changed(path, f"{name} is a new alternative", is_narrower=False)
        for name in sorted(before.keys() & after.keys()):
            yield from self.compare(path, before[name], after[name])

    def _changed(self, path: str, what: str, *, is_narrower: bool) -> Finding:
        return Finding(path, what, is_breaking=is_narrower == (self.side is Side.TAKEN))


def _resolved(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """Schema behind a reference, with what stands beside it."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if not name:
        return schema
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return _resolved(components.get(name, {}), components) | beside


def _types_of(schema: dict[str, Any]) -> set[str]:
    given = schema.get("type", [])
    types = {given} if isinstance(given, str) else set(given)
    # Every integer is a number.
    return types | {"integer"} if "number" in types else types


def _values_of(schema: dict[str, Any]) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(value) for value in schema["enum"]} if "enum" in schema else None


def _by_name(alternatives: Any) -> dict[str, dict[str, Any]]:
    """Alternatives by what tells them apart."""
    return {
        str(one.get("$ref", "")).rpartition("/")[2]
        or f"{one.get('type', 'anything')} {one.get('format', '')}".strip(): one
        for one in alternatives
    }


def _told(values: set[str]) -> str:
    return ", ".join(sorted(values)) or "anything"
