"""Parks that have something to show on every panel of every dashboard; see data/dashboard_parks.sql for what."""

from pathlib import Path
from typing import Final, LiteralString, cast

import psycopg
from smartpark.indicators import INDICATORS
from smartpark_storage import Connection, refresh_aggregates, transaction

ONE, QUOTE, CHINESE, BARE = "p1", "o'b", "甲园", "bare"
"""Codes of parks; the last one has nothing but its name."""
DENSE = (ONE, QUOTE, CHINESE)
_ROWS: Final = Path(__file__).parent / "data" / "dashboard_parks.sql"


def number_of(park: str) -> int:
    """The park's own number, on which its amounts rest."""
    return 100 * (DENSE.index(park) + 1)


def seed(connection: Connection) -> None:
    """Write the parks."""
    rows = cast("LiteralString", _ROWS.read_text(encoding="utf-8"))
    with transaction(connection):
        for park in DENSE:
            values = {"p": park, "n": number_of(park), "indicators": sorted(INDICATORS)}
            # Many statements with parameters: only the client itself puts them in.
            psycopg.ClientCursor(connection).execute(rows, values)
        connection.execute(
            "INSERT INTO smartpark.park (code, name, name_en, region, terrain, peer_class, area_mu, time_zone,"
            " electricity_factor_scope) VALUES (%s, '空园', 'Bare', '350121', 'coastal', 2, 1, 'Asia/Shanghai', 'f')",
            [BARE],
        )
        connection.execute("SELECT smartpark.number_publications(true)")
    connection.execute("ANALYZE")
    connection.commit()
    # What TimescaleDB's policies do within minutes.
    refresh_aggregates(connection)
