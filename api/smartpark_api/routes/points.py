"""Readings of one point over time."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Scope
from smartpark_storage.reads import read_buckets, read_readings
from starlette.responses import Response

from smartpark_api.access.needs import needs
from smartpark_api.access.places import of_point
from smartpark_api.database import Now, Settings, reading
from smartpark_api.lookup import find_point
from smartpark_api.models.series import Bucket, Layout, Series
from smartpark_api.negotiation import CSV, JSON, chosen_type
from smartpark_api.series import bucket_rows, bucket_starts, csv_text, lay_out, reading_rows
from smartpark_api.spans import From, To, span_of

router = APIRouter(tags=["points"])

PointKey = Annotated[
    str, Path(description="`park/device/point`.", examples=["minhou-demo/T01/active_power"], max_length=200)
]


@router.get(
    "/points/{key:path}/series",
    dependencies=[needs(Scope.READINGS_READ, of_point)],
    response_model=Series,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "Rows, columns or CSV."}},
)
def get_series(
    request: Request,
    key: PointKey,
    *,
    now: Now,
    settings: Settings,
    start: From = None,
    end: To = None,
    bucket: Annotated[Bucket, Query(description="`raw`, or how long each bucket is.")] = Bucket.QUARTER_HOUR,
    layout: Annotated[Layout, Query(description="Of JSON: a list of rows, or one list per key.")] = Layout.ROWS,
) -> Response:
    """Readings in [from, to), oldest first; raw, or reduced to quarter-hours, hours or the park's days.

    Values are on the primary side. A bucket without readings is there with a null and a reason. With
    `Accept: text/csv` the same rows come as CSV. An answer is bounded; a wider question is refused with advice.
    """
    media_type = chosen_type(request.headers.get("accept", "*/*"), (JSON, CSV))
    since, until = span_of(start, end, now=now)
    with reading(request) as connection:
        point = find_point(connection, key)
        if bucket is Bucket.RAW:
            found = read_readings(connection, point.point_id, since, until, limit=settings.max_rows + 1)
            rows = reading_rows(found, max_rows=settings.max_rows)
        else:
            starts = bucket_starts(since, until, bucket, now=now, max_rows=settings.max_rows)
            since = starts[0] if starts else since
            buckets = read_buckets(connection, point.point_id, since, until, bucket=bucket.value)
            rows = bucket_rows(starts, buckets, kind=point.kind)
    if media_type == CSV:
        return Response(csv_text(rows, bucket), media_type="text/csv; charset=utf-8; header=present")
    series = lay_out(point, bucket, since, until, rows, layout=layout)
    return Response(series.model_dump_json(by_alias=True, exclude_unset=True), media_type=JSON)
