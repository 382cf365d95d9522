"""What a change of the description means for whoever uses the API: nothing, something new, or that it breaks.

Two documents in, findings out. Broken is whoever goes by the old document, or has a program generated from it, and
meets the new server: what they send is no longer taken, or what they get is not what was promised. Where a difference
is of no known kind it counts as a break, so that somebody looks. Words (descriptions, examples) are no difference.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from smartpark_api.openapi.operations import METHODS
from smartpark_api.openapi.schemas import Side, compare_schemas

_PARAMETER_WORDS: Final = frozenset({"description", "example", "examples", "schema", "required", "name", "in"})


class Effect(StrEnum):
    """What a difference does to those who use the API."""

    BREAKING = "breaking"
    COMPATIBLE = "compatible"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One difference."""

    effect: Effect
    where: str
    """Operation, and the part of it."""
    what: str

    @property
    def is_breaking(self) -> bool:
        """Whether somebody meets something else than was promised."""
        return self.effect is Effect.BREAKING

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.effect}: {self.where}: {self.what}"


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Differences from one document to the next, the breaking ones first.

    Examples
    --------
    >>> ask = {"responses": {"200": {"description": "so"}}}
    >>> old, new = ({"paths": {path: {"get": ask}}} for path in ("/parks", "/places"))
    >>> for change in changes(old, new):
    ...     print(change)
    breaking: GET /parks: is gone
    compatible: GET /places: is new
    """
    return sorted(set(_Comparison(old, new).all()))


@dataclass(frozen=True, slots=True)
class _Comparison:
    old: dict[str, Any]
    new: dict[str, Any]

    def all(self) -> Iterator[Change]:
        before, after = _operations(self.old), _operations(self.new)
        for name in before.keys() - after.keys():
            yield _gone(name, before[name])
        for name in after.keys() - before.keys():
            yield Change(Effect.COMPATIBLE, name, "is new")
        for name in before.keys() & after.keys():
            yield from self._operation(name, before[name], after[name])

    def _operation(self, name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        if old.get("operationId") != new.get("operationId"):
            yield Change(
                Effect.BREAKING, name, f"is called {new.get('operationId')}, no longer {old.get('operationId')}"
            )
        if bool(new.get("deprecated")) != bool(old.get("deprecated")):
            yield Change(Effect.COMPATIBLE, name, "is retired" if new.get("deprecated") else "is no longer retired")
        yield from _security(name, old, new)
        yield from self._parameters(name, _parameters(old), _parameters(new))
        yield from self._body(name, old.get("requestBody"), new.get("requestBody"))
        yield from self._responses(name, _responses(self.old, old), _responses(self.new, new))

    def _parameters(self, name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        for key in old.keys() - new.keys():
            yield Change(Effect.BREAKING, f"{name}: {key}", "is taken no longer")
        for key in new.keys() - old.keys():
            effect = Effect.BREAKING if new[key].get("required") else Effect.COMPATIBLE
            yield Change(effect, f"{name}: {key}", "is new" + (" and required" if effect is Effect.BREAKING else ""))
        for key in old.keys() & new.keys():
            where, before, after = f"{name}: {key}", old[key], new[key]
            if after.get("required") and not before.get("required"):
                yield Change(Effect.BREAKING, where, "is required now")
            elif before.get("required") and not after.get("required"):
                yield Change(Effect.COMPATIBLE, where, "is no longer required")
            if _beside(before) != _beside(after):
                yield Change(Effect.BREAKING, where, "is written otherwise")
            if before["schema"].get("default") != after["schema"].get("default"):
                yield Change(Effect.BREAKING, where, "means something else when it is left out")
            yield from self._schemas(where, before["schema"], after["schema"], Side.TAKEN)

    def _body(self, name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> Iterator[Change]:
        if old is None and new is None:
            return
        where = f"{name}: body"
        if old is None or new is None:
            is_harmless = old is None and not (new or {}).get("required")
            yield Change(
                Effect.COMPATIBLE if is_harmless else Effect.BREAKING,
                where,
                "is " + ("new" if old is None else "gone"),
            )
            return
        if new.get("required") and not old.get("required"):
            yield Change(Effect.BREAKING, where, "is required now")
        elif old.get("required") and not new.get("required"):
            yield Change(Effect.COMPATIBLE, where, "is no longer required")
        yield from self._content(where, old, new, Side.TAKEN)

    def _responses(self, name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        for status in old.keys() - new.keys():
            effect = Effect.BREAKING if status < "4" else Effect.COMPATIBLE
            yield Change(effect, f"{name}: {status}", "is answered no longer")
        for status in new.keys() - old.keys():
            effect = Effect.BREAKING if status < "3" else Effect.COMPATIBLE
            yield Change(effect, f"{name}: {status}", "may be answered")
        for status in old.keys() & new.keys():
            where = f"{name}: {status}"
            yield from _headers(where, old[status].get("headers", {}), new[status].get("headers", {}))
            yield from self._content(where, old[status], new[status], Side.GIVEN)

    def _content(self, where: str, old: dict[str, Any], new: dict[str, Any], side: Side) -> Iterator[Change]:
        before, after = old.get("content", {}), new.get("content", {})
        for media_type in before.keys() - after.keys():
            yield Change(Effect.BREAKING, where, f"{media_type} is {side} no longer")
        for media_type in after.keys() - before.keys():
            yield Change(Effect.COMPATIBLE, where, f"{media_type} is {side}, too")
        for media_type in before.keys() & after.keys():
            yield from self._schemas(
                where, before[media_type].get("schema", {}), after[media_type].get("schema", {}), side
            )

    def _schemas(self, where: str, old: dict[str, Any], new: dict[str, Any], side: Side) -> Iterator[Change]:
        components = (_schemas_of(self.old), _schemas_of(self.new))
        for finding in compare_schemas(old, new, side, components):
            effect = Effect.BREAKING if finding.is_breaking else Effect.COMPATIBLE
            yield Change(effect, f"{where}{finding.path}", finding.what)


def _headers(where: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in old.keys() - new.keys():
        yield Change(Effect.BREAKING, f"{where}: header {name}", "is gone")
    for name in new.keys() - old.keys():
        yield Change(Effect.COMPATIBLE, f"{where}: header {name}", "is new")


def _gone(name: str, operation: dict[str, Any]) -> Change:
    # Whether its time was over is for people to say; that it was told before is for us.
    told = ", as was told" if operation.get("deprecated") else ""
    return Change(Effect.BREAKING, name, f"is gone{told}")


def _security(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    before, after = ([_flat(one) for one in document.get("security", [])] for document in (old, new))
    # Nothing asked for is one way in, too.
    if any(not any(way <= known for way in after or [frozenset[str]()]) for known in before or [frozenset[str]()]):
        yield Change(Effect.BREAKING, name, "asks for other rights")
    elif before != after:
        yield Change(Effect.COMPATIBLE, name, "asks for fewer rights, or takes another proof")


def _flat(requirement: dict[str, list[str]]) -> frozenset[str]:
    return frozenset(f"{scheme} {scope}" for scheme, scopes in requirement.items() for scope in scopes or [""])


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": methods[method]
        for path, methods in document["paths"].items()
        for method in METHODS
        if method in methods
    }


def _parameters(operation: dict[str, Any]) -> dict[str, Any]:
    return {f"{one['in']} {one['name']}": one for one in operation.get("parameters", ())}


def _responses(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    shared = document.get("components", {}).get("responses", {})
    return {
        status: shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in operation["responses"].items()
    }


def _beside(parameter: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameter.items() if key not in _PARAMETER_WORDS}


def _schemas_of(document: dict[str, Any]) -> dict[str, Any]:
    return document.get("components", {}).get("schemas", {})
