"""What speaks for an alert: readings around it in as fine a bucket as fits an answer, and what its rule saw.

An alert of a point shows that point. One of a device shows the points of it that its rule looks at; one of a
transformer, an enterprise or a park the meters through which all of it comes. Values are those on record: nothing is
filled in, and a bucket without readings is a gap.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from smartpark.alerts.events import Began, Cleared, Event, Evidence, Fired, Measured, Returned
from smartpark.alerts.objects import ObjectKind, ObjectRef
from smartpark.alerts.parks import demand_meters, topmost_behind
from smartpark.alerts.rules import Source
from smartpark.alerts.scope import fits
from smartpark.measurands import Measurand
from smartpark_storage import PointRecord, load_registry
from smartpark_storage.connections import Connection
from smartpark_storage.reads import read_buckets, read_readings

from smartpark_api.alerts.models import EvidenceOut, EvidencePoint, EvidenceSeries
from smartpark_api.alerts.service import AlertView
from smartpark_api.models.series import Bucket, SeriesRow
from smartpark_api.series import bucket_rows, bucket_starts, reading_rows

MOST_POINTS: Final = 1500
"""Values of one series."""
MOST_SERIES: Final = 4
_LEAST_AROUND: Final = timedelta(hours=1)
_MOST_AROUND: Final = timedelta(days=7)
_FINEST: Final = {Source.QUARTER: Bucket.QUARTER_HOUR, Source.HOUR: Bucket.HOUR}
"""What a rule looks at is what is shown, but where that would be too much."""
_LONGEST: Final = {
    Bucket.RAW: timedelta(days=2),
    Bucket.QUARTER_HOUR: timedelta(days=14),
    Bucket.HOUR: timedelta(days=60),
    Bucket.DAY: timedelta(days=MOST_POINTS),
}
"""Spans that a bucket is taken for."""
_NOTES: Final = {
    ObjectKind.EDGE: "an agent has no readings of its own; what its rule saw stands in judged",
}
_NONE_FOUND: Final = "no point of the catalogue shows it; what its rule saw stands in judged"


class _Span(NamedTuple):
    start: datetime
    end: datetime


def evidence_of(connection: Connection, seen: AlertView, *, now: datetime) -> EvidenceOut:
    """Evidence of an alert, as far as it is known at a moment."""
    alert = seen.alert
    span = span_around(alert.since, alert.cleared_at or alert.resolved_at, now, back=waited(alert.last))
    subject = ObjectRef.parse(alert.about.object)
    points = _points(connection, seen, subject)
    series = [_series(connection, point, span, seen.rule.source, now) for point in points]
    return EvidenceOut(
        alert=seen.stored.alert_id,
        object=alert.about.object,
        kind=subject.kind,
        start=span.start,
        end=span.end,
        breach_from=alert.since,
        breach_to=alert.cleared_at,
        fired_at=alert.fired_at,
        unit=alert.last.unit or alert.worst.unit,
        judged=list(judged(seen.events)),
        series=series,
        note="" if series else _NOTES.get(subject.kind, _NONE_FOUND),
    )


def waited(seen: Evidence) -> timedelta:
    """How long before its alert a thing began, where the limit is a length of time: a value that stood still."""
    if seen.unit != "s" or seen.limit is None:
        return timedelta()
    return timedelta(seconds=min(seen.limit, _MOST_AROUND.total_seconds()))


def span_around(since: datetime, over: datetime | None, now: datetime, *, back: timedelta = timedelta()) -> _Span:
    """Span that shows an alert with what was before it and what came after; it ends now at the latest.

    `back` is how long before `since` began what the alert is of.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> [f"{at:%d %H:%M}" for at in span_around(noon, noon + timedelta(hours=4), noon + timedelta(days=3))]
    ['23 10:00', '23 18:00']
    """
    end = max(since, over or now)
    around = min(max((end - since) / 2, _LEAST_AROUND), _MOST_AROUND)
    return _Span(since - back - around, max(min(end + around, now), since + timedelta(minutes=1)))


def judged(events: Sequence[Event]) -> Iterator[EvidencePoint]:
    """Values and limits as the rule saw them, in the order of time."""
    seen = [
        EvidencePoint(time=event.at, value=event.body.evidence.value, limit=event.body.evidence.limit)
        for event in events
        if isinstance(event.body, Began | Fired | Measured | Returned | Cleared)
    ]
    step = -(-len(seen) // MOST_POINTS) or 1
    yield from sorted(seen[::step], key=lambda one: one.time)


def _points(connection: Connection, seen: AlertView, subject: ObjectRef) -> list[PointRecord]:
    if subject.kind is ObjectKind.EDGE:
        return []
    known = load_registry(connection).by_key
    if subject.kind is ObjectKind.POINT:
        return [known[subject.name]] if subject.name in known else []
    mine = [point for point in known.values() if point.park == seen.alert.about.park]
    if subject.kind is ObjectKind.DEVICE:
        return _looked_at(seen, [point for point in mine if f"{point.park}/{point.device}" == subject.name])
    devices = _meters(subject, mine)
    powers = [p for p in mine if p.device in devices and p.measurand is Measurand.ACTIVE_POWER]
    return powers[:MOST_SERIES]


def _looked_at(seen: AlertView, points: Sequence[PointRecord]) -> list[PointRecord]:
    """Points of a device that the rule looks at; where it names none, its power, or whatever there is."""
    mine = [point for point in points if point.retired_at_us is None and fits(seen.rule.scope, point)]
    if not seen.rule.scope.measurands:
        mine.sort(key=lambda point: point.measurand is not Measurand.ACTIVE_POWER)
    return mine[:MOST_SERIES]


def _meters(subject: ObjectRef, points: Sequence[PointRecord]) -> frozenset[str]:
    park, _, code = subject.name.partition("/")
    if subject.kind is ObjectKind.TRANSFORMER:
        return frozenset(topmost_behind(points).get((park, code), ()))
    owner = code if subject.kind is ObjectKind.ENTERPRISE else None
    return frozenset(demand_meters(points).get((park, owner), ()))


def _series(connection: Connection, point: PointRecord, span: _Span, source: Source, now: datetime) -> EvidenceSeries:
    bucket, rows = _rows(connection, point, span, _FINEST.get(source, Bucket.RAW), now)
    return EvidenceSeries(
        point=point.key,
        measurand=point.measurand,
        unit=point.unit,
        bucket=bucket.value,
        time=[row.time for row in rows],
        value=[row.value for row in rows],
        quality=[None if row.quality is None else row.quality.value for row in rows],
    )


def _rows(
    connection: Connection, point: PointRecord, span: _Span, finest: Bucket, now: datetime
) -> tuple[Bucket, list[SeriesRow]]:
    """Rows of the finest bucket of which there are not too many."""
    order = list(Bucket)
    wanted = [one for one in order[order.index(finest) :] if span.end - span.start <= _LONGEST[one]]
    for bucket in wanted:
        if bucket is not Bucket.RAW:
            return bucket, _buckets(connection, point, span, bucket, now)
        found = read_readings(connection, point.point_id, span.start, span.end, limit=MOST_POINTS + 1)
        if len(found) <= MOST_POINTS:
            return bucket, reading_rows(found, max_rows=MOST_POINTS)
    latest = _Span(max(span.start, span.end - _LONGEST[Bucket.DAY]), span.end)
    return Bucket.DAY, _buckets(connection, point, latest, Bucket.DAY, now)


def _buckets(
    connection: Connection, point: PointRecord, span: _Span, bucket: Bucket, now: datetime
) -> list[SeriesRow]:
    starts = bucket_starts(span.start, span.end, bucket, now=now, max_rows=MOST_POINTS + 2)
    if not starts:
        return []
    found = read_buckets(connection, point.point_id, starts[0], span.end, bucket=bucket.value)
    return bucket_rows(starts, found, kind=point.kind)
