"""Factors in the database: the platform's rows beside those of parks, and none of them ever edited.

Loading the same row again changes nothing. A row whose id is known under another meaning is refused by name: numbers
have been published with it. What a row means is what a lookup goes by; that a later release puts its source in
better words is no reason to refuse it, and none to change what is stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg.errors import ForeignKeyViolation
from psycopg.types.json import Jsonb
from smartpark.errors import SmartparkError
from smartpark.factor_files import factor_problems
from smartpark.factors import Factor, FactorSet, builtin_factors

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query

BUILTIN: Final = "platform"
"""Origin of the rows that come with the platform."""

_WORDS: Final = {"source", "grade", "uncertainty", "as_stated"}


class FactorConflictError(SmartparkError):
    """Rows cannot be loaded beside those that are there; the message names them."""


@dataclass(frozen=True, slots=True)
class FactorLoadReport:
    """What a load did."""

    added: tuple[Factor, ...]
    known: int
    """Rows that were there already, with the same meaning."""
    version: str
    """Of the set afterwards, as it is recorded with every number computed by it."""


def load_factors(connection: Connection, rows: Sequence[Factor], *, origin: str, loaded_by: str) -> FactorLoadReport:
    """Add rows to those that are there, in one transaction.

    Raises
    ------
    FactorConflictError
        When an id is known under another meaning, or a row does not fit those that are there; nothing is loaded.
    """
    with transaction(connection):
        connection.execute(query("lock_factors"))
        stored = {row.id: row for row in _stored(connection)}
        _refuse_conflicts(rows, stored)
        added = tuple(row for row in rows if row.id not in stored)
        if added:
            parameters = {
                "rows": Jsonb([row.model_dump(mode="json") for row in added]),
                "origin": origin,
                "loaded_by": loaded_by,
            }
            _add(connection, parameters)
        factors = builtin_factors().with_rows((*stored.values(), *added))
    return FactorLoadReport(added, len(rows) - len(added), factors.version)


def load_builtin_factors(connection: Connection) -> FactorLoadReport:
    """Add the rows that come with the platform, where they are missing."""
    return load_factors(connection, builtin_factors().factor, origin=BUILTIN, loaded_by="smartpark migrate")


def load_factor_set(connection: Connection) -> FactorSet:
    """All rows, with the platform's rules; its version is the digest of the rows."""
    with transaction(connection):
        return builtin_factors().with_rows(_stored(connection))


def count_factors(connection: Connection) -> int:
    """Rows there are; rows are only ever added, so another number means another set."""
    with transaction(connection):
        row = connection.execute(query("count_factors")).fetchone()
    return 0 if row is None else int(row[0])


def list_factors(
    connection: Connection,
    *,
    kind: str | None = None,
    carrier: str | None = None,
    scope: str | None = None,
    park: str | None = None,
    factor_id: str | None = None,
) -> list[dict[str, Any]]:
    """Rows with where they came from, by kind, carrier, scope and date; only those that are asked for."""
    asked = {"kind": kind, "carrier": carrier, "scope": scope, "park": park, "id": factor_id}
    with transaction(connection):
        return [row for (row,) in connection.execute(query("list_factors"), asked)]


def factor_uses(connection: Connection, factor_id: str) -> list[dict[str, Any]]:
    """Published numbers that rest on a row, by indicator: how many revisions, and of which periods."""
    with transaction(connection):
        rows = connection.execute(query("factor_uses"), {"id": factor_id}).fetchall()
    return [{"indicator": i, "revisions": n, "first": first, "last": last} for i, n, first, last in rows]


def _add(connection: Connection, parameters: dict[str, Any]) -> None:
    try:
        connection.execute(query("add_factors"), parameters)
    except ForeignKeyViolation as error:
        raise FactorConflictError(
            f"nothing was loaded: a row is about a park or device no catalogue names: {error.diag.message_detail}"
        ) from error


def _stored(connection: Connection) -> list[Factor]:
    return [Factor.model_validate(row) for (row,) in connection.execute(query("stored_factors"))]


def _refuse_conflicts(rows: Iterable[Factor], stored: dict[str, Factor]) -> None:
    new = [row for row in rows if row.id not in stored]
    changed = [row for row in rows if row.id in stored and _meaning(row) != _meaning(stored[row.id])]
    problems = [
        f"{row.id}: is there with {_difference(stored[row.id], row)}; a row is never edited: give the new one an id "
        "of its own and `supersedes`"
        for row in changed
    ]
    problems += [f"{row}: {message}" for row, message in factor_problems(new, stored.values())]
    if problems:
        raise FactorConflictError("nothing was loaded:\n" + "\n".join(problems))


def _meaning(row: Factor) -> dict[str, Any]:
    return row.model_dump(exclude=_WORDS)


def _difference(old: Factor, new: Factor) -> str:
    before, after = _meaning(old), _meaning(new)
    return ", ".join(
        f"{name} {before[name]} instead of {after[name]}" for name in before if before[name] != after[name]
    )
