"""Factors of a station by HJ 212: what settings say of each, and what that comes to with the tables.

A factor is a point of the station as the standard codes it. What settings leave out stands in the tables; what does
not fit (a unit that cannot be told, a counter) is refused in words.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from smartpark.errors import SmartparkError
from smartpark.indicators import INDICATORS
from smartpark.measurands import MEANINGS, Kind, Measurand
from smartpark.tomlfile import StrictModel
from smartpark.uplinks.hj212_tables import Binding, hj212_tables


class StationFactor(StrictModel):
    """Table ``station.factor``: a point of the station, and which factor it is."""

    point: Annotated[str, Field(min_length=1)]
    """Code of the point in the catalogue."""
    measurand: Measurand | None = None
    """Of the point; none: its code says it."""
    code: str | None = None
    """Factor; none: as the tables have it for the measurand."""
    unit: str | None = None
    """In which it is told; none: as the tables have it."""
    decimals: Annotated[int, Field(ge=0, le=9)] = 3
    """Digits behind the point at most; zeros at the end are left out."""
    total: str | None = None
    """Indicator told as ``Cou``; none: as the tables have it; ``""``: not told."""
    corrected: str | None = None
    """Indicator told as ``ZsAvg``; the same."""

    @field_validator("total", "corrected")
    @classmethod
    def _published(cls, value: str | None) -> str | None:
        if value and value not in INDICATORS:
            raise ValueError(f"there is no indicator {value!r}")
        return value


class ToldFactor(StrictModel):
    """A factor with everything that settings and tables say of it together."""

    point: str
    measurand: Measurand
    code: str
    unit: str
    times: float
    per: float
    decimals: int
    total: str | None
    total_times: float = 1.0
    total_per: float = 1.0
    corrected: str | None
    index: str | None


def told_factor(system: str, factor: StationFactor) -> ToldFactor:
    """What a factor comes to in a system (ST); `SmartparkError` says what is missing or does not fit."""
    tables = hj212_tables()
    measurand = factor.measurand or _measurand_of(factor.point)
    meaning = MEANINGS[measurand]
    if meaning.kind is not Kind.GAUGE:
        raise SmartparkError(f"{measurand} is a counter; factors are levels")
    bound = tables.binding_of(measurand, system)
    if bound is not None and factor.code not in {None, bound.factor}:
        bound = None
    code = factor.code or (bound and bound.factor)
    if code is None:
        raise SmartparkError(f"{measurand} has no factor in system {system}; say code and unit")
    row = tables.factor_of(code)
    unit = factor.unit or (bound.unit if bound is not None else row.unit)
    times, per = tables.scale(meaning.unit, unit)
    total = _chosen(factor.total, bound, "total")
    total_times, total_per = tables.scale(INDICATORS[total].unit, row.total_unit or "") if total else (1.0, 1.0)
    return ToldFactor(
        point=factor.point,
        measurand=measurand,
        code=code,
        unit=unit,
        times=times,
        per=per,
        decimals=factor.decimals,
        total=total,
        total_times=total_times,
        total_per=total_per,
        corrected=_chosen(factor.corrected, bound, "corrected"),
        index=None if bound is None else bound.index,
    )


def _measurand_of(point: str) -> Measurand:
    try:
        return Measurand(point)
    except ValueError:
        raise SmartparkError("the code of the point does not say what it measures; say measurand") from None


def _chosen(said: str | None, bound: Binding | None, name: Literal["total", "corrected"]) -> str | None:
    if said is not None:
        return said or None
    return None if bound is None else getattr(bound, name)
