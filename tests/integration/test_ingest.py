"""Ingest with a real broker and a real database: what arrives is stored exactly once, or kept as a dead letter."""


from fix_ingest import (
    ENERGY,
    POWER,
    VOLTAGE,
    fetch,
    load_park,
)
from smartpark.clock import utc_now_us
from smartpark.status import BAD_NO_DATA
from smartpark.wire import MISSING, double_bits


def test_readings_arrive_exactly_as_the_meter_said_them(database_dsn, broker, make_edge, start_ingest):
    load_park(database_dsn)
    start_ingest(database_dsn, broker)
    edge = make_edge()
    now = utc_now_us()
    edge.send(
        [
            (VOLTAGE.alias, 0, now, 2301),
            (ENERGY.alias, 0, now, 123456),
            (POWER.alias, 0, now, double_bits(12.3456)),
            (VOLTAGE.alias, BAD_NO_DATA, now + 1, MISSING),
        ]
    )
    edge.wait_until_acknowledged()
    rows = fetch(
        database_dsn,
        "SELECT p.key, r.scaled, r.raw, r.status FROM smartpark.reading r JOIN smartpark.point p USING (point_id)"
        " ORDER BY p.key, r.time",
    )
    assert rows == [
        ("park/M1/active_energy_import", 123456, None, 0),
        ("park/M1/active_power", None, 12.3456, 0),
        ("park/M1/voltage", 2301, None, 0),
        ("park/M1/voltage", None, None, BAD_NO_DATA - 2**32),
    ]
