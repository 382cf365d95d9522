"""Between storage and the pure calculators of gauges: minutes in, rows of indicators out."""

from collections.abc import Sequence
from itertools import groupby

from smartpark.clock import to_us
from smartpark.indicators import meaning_of
from smartpark.periods import Grain
from smartpark_analytics.gauges.day import GaugeDay, GaugeNumber
from smartpark_analytics.gauges.minutes import Minutes
from smartpark_analytics.gauges.months import Rollup, rolled_up
from smartpark_storage import Connection, IndicatorRow, PointRecord, publish_indicators
from smartpark_storage.hour_series import fetch_parts
from smartpark_storage.minutes import MinuteMeans


def publish(connection: Connection, day: GaugeDay[PointRecord], numbers: Sequence[GaugeNumber], now_us: int) -> int:
    """Publish what differs from what is current; returns how much."""
    return publish_indicators(connection, [_row(day.park, number, now_us) for number in numbers])


def _row(park: str, number: GaugeNumber, now_us: int) -> IndicatorRow:
    return IndicatorRow(
        park=park,
        indicator=number.indicator,
        grain=number.grain.value,
        start_us=number.start_us,
        value=number.value,
        numerator=number.numerator,
        denominator=number.denominator,
        unit=meaning_of(number.indicator).unit,
        completeness=number.completeness,
        estimated_share=number.estimated_share,
        method=number.method,
        factor_set=number.rule_set,
        factors=number.rules,
        reason=number.reason,
        computed_at_us=now_us,
        boundary=number.boundary,
    )


def pure(minutes: MinuteMeans) -> Minutes:
    """Minutes as the calculators take them."""
    return Minutes(minutes.points, minutes.start_us, minutes.mean, minutes.status)


def roll_up_parts(
    connection: Connection, day: GaugeDay[PointRecord], rollups: Sequence[Rollup], grain: Grain
) -> list[GaugeNumber]:
    """Numbers of longer periods from their parts of this grain."""
    if not rollups:
        return []
    rows = fetch_parts(
        connection,
        day.park,
        sorted({one.boundary for one in rollups}),
        sorted({one.indicator for one in rollups}),
        grain=grain.value,
        start_us=min(to_us(one.period.start) for one in rollups),
        end_us=max(to_us(one.period.end) for one in rollups),
    )
    parts = {name: list(group) for name, group in groupby(rows, key=lambda row: (row.boundary, row.indicator))}
    found = (rolled_up(one, parts.get((one.boundary, one.indicator), [])) for one in rollups)
    return [row for row in found if row is not None]
