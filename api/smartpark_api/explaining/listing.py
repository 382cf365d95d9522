"""`smartpark indicators`: what is published, and what the numbers of a park's period are."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from smartpark.clock import PARK_ZONE
from smartpark.indicators import INDICATORS, IndicatorMeaning
from smartpark.periods import Period
from smartpark_analytics.accounting.explanation import NothingToExplainError
from smartpark_storage.connections import Connection
from smartpark_storage.reads import IndicatorReadRow, read_overview, read_parks


def registry_lines(wanted: str) -> Iterable[str]:
    """Every indicator whose code or name has `wanted` in it."""
    for meaning in matching(wanted):
        unit = "-" if meaning.unit == "1" else meaning.unit
        yield f"{meaning.code:32} {unit:9} {meaning.zh}  {meaning.en}  (docs/methods/{meaning.method_page}.md)"


def registry_objects(wanted: str) -> list[dict[str, str]]:
    """The same for machines."""
    return [
        {
            "indicator": meaning.code,
            "unit": meaning.unit,
            "zh": meaning.zh,
            "en": meaning.en,
            "accumulation": meaning.accumulation.value,
            "method_page": f"docs/methods/{meaning.method_page}.md",
        }
        for meaning in matching(wanted)
    ]


def matching(wanted: str) -> list[IndicatorMeaning]:
    """Indicators with `wanted` in code or name, whatever its case."""
    word = wanted.casefold()
    return [one for one in INDICATORS.values() if word in f"{one.code} {one.zh} {one.en}".casefold()]


def rows_of_period(connection: Connection, park: str, period: Period, boundary: str) -> list[IndicatorReadRow]:
    """What is published of a park in a period; `boundary` may be ``all``.

    Raises
    ------
    NothingToExplainError
        When there is no such park, or nothing is published of the period.
    """
    known = [row.code for row in read_parks(connection)]
    if park not in known:
        raise NothingToExplainError(f"there is no park {park!r}; known: {', '.join(known) or 'none yet'}")
    rows = read_overview(connection, park, list(INDICATORS), period.start, period.end, grain=period.grain.value)
    found = [row for row in rows if boundary in {"all", row.boundary}]
    if not found:
        others = sorted({row.boundary for row in rows})
        hint = f"there is of: {', '.join(others)}" if others else "is derive running, and are there readings of it?"
        raise NothingToExplainError(f"nothing is published of {park}, {boundary}, in that period; {hint}")
    return found


def row_lines(rows: Iterable[IndicatorReadRow]) -> Iterable[str]:
    """One line per number: code, value, unit, completeness, revision, names; and why there is none."""
    boundary = ""
    for row in rows:
        if row.boundary != boundary:
            boundary = row.boundary
            yield f"{boundary}"
        meaning = INDICATORS[row.indicator]
        unit = "-" if row.unit == "1" else row.unit
        value = "-" if row.value is None else f"{row.value:,.3f}"
        complete = "" if row.completeness is None else f"{row.completeness:.1%}"
        why = f"  [{row.reason}]" if row.value is None else ""
        number = f"{value:>16} {unit:9} {complete:>6} r{row.revision:<3}"
        yield f"  {row.indicator:32} {number} {meaning.zh} {meaning.en}{why}"


def row_object(row: IndicatorReadRow) -> dict[str, Any]:
    """A number for machines."""
    start: datetime = row.start.astimezone(PARK_ZONE)
    return {
        "boundary": row.boundary,
        "indicator": row.indicator,
        "zh": INDICATORS[row.indicator].zh,
        "en": INDICATORS[row.indicator].en,
        "grain": row.grain,
        "start": start.isoformat(),
        "value": row.value,
        "unit": row.unit,
        "completeness": row.completeness,
        "estimated_share": row.estimated_share,
        "revision": row.revision,
        "method": row.method,
        "reason": row.reason,
    }
