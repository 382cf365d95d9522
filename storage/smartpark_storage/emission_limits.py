"""Limits of stacks as rows: what follows from the catalogues and from the platform's table of limits, resolved.

Kept when a catalogue is loaded, when the schema is migrated and when a worker starts, so that they follow a new
release's table. A row that no longer follows is superseded, and stays. A stack that names no limit, or one that
nobody knows, has no row; what is not known is told to whoever asked.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.types.json import Jsonb
from smartpark.dated import RuleNotFoundError
from smartpark.emission_limits import EmissionLimits, emission_limits
from smartpark.measurands import Measurand

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query

UNIT: Final = "mg/m3"
POLLUTANTS: Final = {
    Measurand.SO2_CONCENTRATION: "so2",
    Measurand.NOX_CONCENTRATION: "nox",
    Measurand.DUST_CONCENTRATION: "dust",
}


@dataclass(frozen=True, slots=True)
class LimitedStack:
    """A stack in service that names a limit set."""

    park: str
    device: str
    code: str
    reference_o2_pct: float | None
    """Of the stack itself; None: that of the limit set."""


@dataclass(frozen=True, slots=True)
class LimitReport:
    """What keeping changed."""

    added: int
    superseded: int
    unknown: tuple[str, ...]
    """Stacks whose limit set nobody knows, each with a sentence."""


def keep_emission_limits(
    connection: Connection, *, at: datetime, park: str | None = None, limits: EmissionLimits | None = None
) -> LimitReport:
    """Make the rows say what catalogues and table say now, in one transaction; the same again changes nothing.

    Parameters
    ----------
    connection : Connection
    at : datetime
        Since when new rows are on record.
    park : str, optional
        Only this one; default all.
    limits : EmissionLimits, optional
        Table of limits; default the platform's.
    """
    table = emission_limits() if limits is None else limits
    with transaction(connection):
        connection.execute(query("lock_catalogue"))
        stacks = [LimitedStack(*row) for row in connection.execute(query("limited_stacks"), {"park": park})]
        rows, unknown = _resolve(stacks, table)
        given = {"park": park, "rows": Jsonb(rows), "at": at}
        superseded = connection.execute(query("supersede_emission_limits"), given).rowcount
        added = connection.execute(query("add_emission_limits"), given).rowcount
    return LimitReport(added, superseded, tuple(unknown))


def _resolve(stacks: Iterable[LimitedStack], table: EmissionLimits) -> tuple[list[dict[str, Any]], list[str]]:
    rows: list[dict[str, Any]] = []
    unknown: list[str] = []
    for stack in stacks:
        try:
            rows.extend(rows_of(stack, table))
        except RuleNotFoundError as error:
            unknown.append(f"{stack.park}/{stack.device}: {error}")
    return rows, unknown


def rows_of(stack: LimitedStack, table: EmissionLimits) -> Iterator[dict[str, Any]]:
    """One row per pollutant and period, of those that have a limit."""
    for start, end, limit in table.periods(stack.code):
        reference = limit.reference_oxygen_pct if stack.reference_o2_pct is None else stack.reference_o2_pct
        for measurand, pollutant in POLLUTANTS.items():
            value = limit.of(measurand)
            if value is not None:
                yield {
                    "park": stack.park,
                    "device": stack.device,
                    "pollutant": pollutant,
                    "measurand": measurand.value,
                    "limit_value": value,
                    "unit": UNIT,
                    "reference_o2_pct": reference,
                    "code": limit.code,
                    "name": limit.zh,
                    "name_en": limit.en,
                    "valid_from": start.isoformat(),
                    "valid_to": None if end is None else end.isoformat(),
                    "source": limit.source,
                    "grade": limit.grade,
                    "version": table.version,
                }
