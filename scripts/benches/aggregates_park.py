"""Parks with years of published numbers, made by the database itself: as derive would have, but at once.

Each month of a park is a publication, the first revision of each number; what comes later is the bench's own doing.
Nothing here derives anything: it is for benches of what reads published numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from smartpark_storage import Connection

INDICATORS: Final = ("electricity_consumption", "comprehensive_energy", "carbon_location", "carbon_per_energy")

_PARKS = """
INSERT INTO smartpark.park (
    code, name, name_en, region, terrain, peer_class, area_mu, time_zone, electricity_factor_scope
)
SELECT
    format('park-%%s', lpad(n::text, 4, '0')), format('园区%%s', n), format('Park %%s', n), '350121', 'coastal', 1,
    1000 + n, 'Asia/Shanghai', 'provincial:FJ'
FROM generate_series(1, %(parks)s) AS n
"""
_SERIES = """
INSERT INTO smartpark.indicator_series (park, boundary, indicator, grain)
SELECT code, 'park', indicator, grain
FROM smartpark.park, unnest(%(indicators)s::text[]) AS indicator, unnest(ARRAY['day', 'month']) AS grain
ORDER BY 1, 3, 4
"""
_ORIGINS = """
INSERT INTO smartpark.indicator_origin (digest, unit, method, factor_set, factors, reason)
SELECT smartpark.origin_digest(unit, method, '2026-11', factors, ''), unit, method, '2026-11', factors, ''
FROM (
    SELECT
        CASE indicator WHEN 'electricity_consumption' THEN 'kWh' WHEN 'comprehensive_energy' THEN 'tce'
            WHEN 'carbon_location' THEN 't' ELSE 't/tce' END AS unit,
        indicator || '@1' AS method,
        ARRAY[format('electricity/provincial:FJ/%%s', year), 'electricity/equivalent'] AS factors
    FROM unnest(%(indicators)s::text[]) AS indicator, generate_series(2000, 2030) AS year
) AS one
"""
_PUBLICATIONS = """
INSERT INTO smartpark.publication (kind, park, position, token)
SELECT 'values', park, 1 + row_number() OVER (ORDER BY month, park), gen_random_uuid()
FROM (SELECT code AS park FROM smartpark.park) AS p, generate_series(1, 12 * %(years)s) AS month
ORDER BY month, park
"""
# A publication is a month of a park, all parks of a month one after the other.
_VALUES = """
WITH month AS (
    SELECT
        row_number() OVER (ORDER BY first, park) + 1 AS position, park, first,
        'electricity/provincial:FJ/' || to_char(first, 'YYYY') AS factor,
        first::date::timestamp AT TIME ZONE 'Asia/Shanghai' AS month_start
    FROM (SELECT code AS park FROM smartpark.park) AS p,
        generate_series(
            %(until)s::date - make_interval(years => %(years)s), %(until)s::date - INTERVAL '1 month',
            INTERVAL '1 month'
        ) AS first
),
period AS (
    SELECT position, park, 'month' AS grain, month_start AS start, 30.4 AS days, factor FROM month
    UNION ALL
    SELECT
        position, park, 'day', day::date::timestamp AT TIME ZONE 'Asia/Shanghai', 1.0, factor
    FROM month, generate_series(first, first + INTERVAL '1 month - 1 day', INTERVAL '1 day') AS day
),
number AS (
    SELECT
        p.*, s.series_id, s.indicator, o.origin_id,
        p.days * (20000 + 1000 * (s.series_id %% 97))
            * (1 + 0.2 * sin(extract(epoch FROM p.start) / 1e6 + s.series_id)) AS kwh
    FROM period AS p
    JOIN smartpark.indicator_series AS s USING (park, grain)
    JOIN smartpark.indicator_origin AS o ON o.method = s.indicator || '@1' AND o.factors[1] = p.factor
)
INSERT INTO smartpark.indicator_value (
    start, value, numerator, denominator, uncertainty, computed_at, superseded_at, series_id, origin_id, revision,
    completeness, estimated_share, publication_id
)
SELECT
    start,
    CASE indicator WHEN 'electricity_consumption' THEN kwh WHEN 'comprehensive_energy' THEN kwh * 1.229e-4
        WHEN 'carbon_location' THEN kwh * 4.092e-4 ELSE 4.092 / 1.229 END,
    CASE indicator WHEN 'carbon_per_energy' THEN kwh * 4.092e-4 END,
    CASE indicator WHEN 'carbon_per_energy' THEN kwh * 1.229e-4 END,
    CASE WHEN series_id %% 3 = 0 THEN 0.01 END, start + INTERVAL '1 day 13 seconds', NULL, series_id, origin_id, 1,
    0.99, 0.01, p.publication_id
FROM number JOIN smartpark.publication AS p USING (position)
ORDER BY position, series_id, start
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """What there is."""

    parks: int
    rows: int


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """Values without their indexes, which are made at the end: at once, and in order."""
    keys = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'smartpark.indicator_value'::regclass AND contype = 'p'"
    ).fetchall()
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = 'smartpark.indicator_value'::regclass AND NOT indisprimary"
    ).fetchall()
    for name, _ in keys:
        connection.execute(f"ALTER TABLE smartpark.indicator_value DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for name, definition in keys:
        connection.execute(f"ALTER TABLE smartpark.indicator_value ADD CONSTRAINT {name} {definition}")
    for _, definition in indexes:
        connection.execute(definition)


def fill(connection: Connection, *, parks: int, years: int, until: str) -> Filled:
    """So many parks with so many years before the day `until`, first of a month."""
    given = {"parks": parks, "years": years, "until": until, "indicators": list(INDICATORS)}
    for statement in (_PARKS, _SERIES, _ORIGINS, _PUBLICATIONS):
        connection.execute(statement, given)
    with _without_indexes(connection):
        # Whose number each is follows from the statement; asking again for each costs as much as all the rest.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("SET LOCAL work_mem = '256MB'")
        rows = connection.execute(_VALUES, given).rowcount
    connection.commit()
    connection.autocommit = True
    connection.execute(
        "VACUUM (ANALYZE) smartpark.indicator_value, smartpark.indicator_series, smartpark.publication"
    )
    connection.autocommit = False
    return Filled(parks, rows)
