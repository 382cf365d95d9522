"""Where the commands of the documents are run: a database with the demonstration park, and the files that they name.

The park has a day of readings, what derive makes of them, a project manager and one alert; the folder has what a
reader would have written by then, taken from the documents themselves where they show it.
"""

import re
import runpy
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import psycopg
from docs_commands import ROOT
from fix_api import NOON, ParkHand
from inbox_hand import DEMAND, InboxHand
from numpy.typing import NDArray
from smartpark.access import Grant, Role
from smartpark.alerts.events import Evidence, Measured
from smartpark.catalogue import load_catalogue
from smartpark.cli import main
from smartpark.clock import PARK_ZONE, to_us
from smartpark.wire import MISSING
from smartpark_edge.choices import WhenFull
from smartpark_edge.spool import Spool
from smartpark_ingest.alerting.rules_in_force import enter_builtin_rules
from smartpark_storage import (
    READING_DTYPE,
    Batch,
    Connection,
    DeadLetterRow,
    DeadReason,
    IndicatorRow,
    connect,
    load_registry,
    publish_indicators,
    register_edge,
    store_batches,
)
from smartpark_storage.access import SecretKind, add_client, add_grant, make_secret
from smartpark_storage.aggregates import number_publications
from smartpark_storage.registry import PointRecord
from storage_cases import write_truth

PARK: Final = "minhou-demo"
PARK_FILE: Final = ROOT / "simulators/smartpark_simulators/parks/minhou-demo.toml"
MIDNIGHT: Final = datetime(2026, 11, 21, 16, tzinfo=UTC)
"""Start of 2026-11-22 in the park's zone, the day of which the documents ask."""
QUARTER: Final = timedelta(minutes=15)
STEPS: Final = 100
"""By which every number grows from one reading to the next."""
ALERT: Final = 1204
"""Number of the alert that docs/alerts.md deals with."""


def fill(dsn: str) -> None:
    """Write the park into a migrated database."""
    ParkHand(dsn).load(load_catalogue(PARK_FILE))
    with connect(dsn, application="test") as connection:
        edge = register_edge(connection, "edge-a")
        batches = [Batch(edge, 1, number, 0, rows) for number, rows in enumerate(_day(connection))]
        store_batches(connection, [*batches, _with_a_letter(edge)], received_at=MIDNIGHT + timedelta(days=1))
        enter_builtin_rules(connection, NOON - timedelta(days=30))
        connection.commit()
    assert main(["derive", "--park", PARK, "--from", "2026-11-22", "--to", "2026-11-23"]) == 0
    assert main(["requests", "people", "put", "chen", "--name", "陈明"]) == 0
    _publish_what_is_asked_for(dsn)
    _leave_an_alert(dsn)
    with connect(dsn, application="test") as connection:
        number_publications(connection, wait=True)
        connection.commit()


def _with_a_letter(edge: int) -> Batch:
    """One in which a point speaks that the catalogue does not have."""
    letter = DeadLetterRow(
        edge="edge-a",
        topic="smartpark/v1/edge-a/data",
        reason=DeadReason.UNKNOWN_POINT,
        detail="the catalogue has no such point",
        payload=b"{}",
        point_key=f"{PARK}/T99/voltage",
        reading_time_us=to_us(NOON),
        received_at=NOON,
    )
    return Batch(edge, 2, 1, 0, np.zeros(0, READING_DTYPE), dead=(letter,))


def _publish_what_is_asked_for(dsn: str) -> None:
    """Two months that are handed in, and today, whichever day that is when its command is run."""
    today = datetime.now(PARK_ZONE).date()
    periods = [("month", date(2026, month, 1)) for month in (9, 10)]
    periods += [("day", today + timedelta(days=ahead)) for ahead in (-1, 0, 1)]
    rows = [_whole_indicator(grain, to_us(datetime.combine(first, time(), PARK_ZONE))) for grain, first in periods]
    with connect(dsn, application="test") as connection:
        publish_indicators(connection, rows)
        connection.commit()


def _whole_indicator(grain: str, start_us: int) -> IndicatorRow:
    return IndicatorRow(
        park=PARK,
        indicator="electricity_consumption",
        grain=grain,
        start_us=start_us,
        value=1e6,
        numerator=1e6,
        denominator=None,
        unit="kWh",
        completeness=1.0,
        estimated_share=0.0,
        method="test/1",
        factor_set="2026-11",
        factors=(),
        reason="",
        computed_at_us=start_us + 60_000_000,
        boundary="park",
    )


def _day(connection: Connection) -> Iterator[NDArray[np.void]]:
    """Readings of every point each quarter-hour, registers that step and gauges that stand; one power each minute."""
    points = load_registry(connection).by_key
    yield _readings(list(points.values()), QUARTER)
    yield _readings([points[f"{PARK}/M0/active_power"]], timedelta(minutes=1))


def _readings(points: Sequence[PointRecord], every: timedelta) -> NDArray[np.void]:
    times = [to_us(MIDNIGHT + number * every) for number in range(timedelta(days=1) // every + 1)]
    rows = np.zeros(len(times) * len(points), READING_DTYPE)
    rows["point_id"] = np.repeat([point.point_id for point in points], len(times))
    rows["time"] = np.tile(times, len(points))
    rows["scaled"] = np.tile(100_000 + STEPS * np.arange(len(times)), len(points))
    rows["raw"] = np.nan
    plain = np.repeat([point.exponent is None for point in points], len(times))
    rows["scaled"][plain], rows["raw"][plain] = MISSING, 50.0
    return rows


def _leave_an_alert(dsn: str) -> None:
    """One that fires and that nobody has acknowledged, at the version that the document has seen."""
    with psycopg.connect(dsn) as connection:
        connection.execute(f"ALTER TABLE smartpark.alert ALTER COLUMN alert_id RESTART WITH {ALERT}")
    inbox = InboxHand(dsn)
    inbox.rules(DEMAND)
    shown = [Evidence(value=value, limit=500.0, unit="kW") for value in (530.0, 541.2)]
    more = [Measured(evidence=one, worst=one, worst_at=NOON) for one in shown]
    number = inbox.fires(f"point:{PARK}/M0/active_power", *more, park=PARK, device=f"{PARK}/M0")
    assert number == ALERT


def key_of_a_reader(dsn: str) -> str:
    """A key that opens everything here, of a program that no document speaks of."""
    name = f"reader-{secrets.token_hex(4)}"
    with connect(dsn, application="test") as connection:
        now = datetime.now(UTC)
        add_client(connection, name, title="Reader", contact="", by="test", at=now)
        add_grant(connection, f"client:{name}", Grant(Role.ADMINISTRATOR, None), by="test", at=now)
        until = now + timedelta(days=1)
        made = make_secret(connection, name, SecretKind.API_KEY, by="test", at=now, expires_at=until)
        connection.commit()
    return made.text


def lay_out(folder: Path) -> None:
    """The files that documents name: the project's own, and what their reader would have written."""
    for name in ("tests", "dashboards", "simulators", "edge"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("deploy", "scripts"):
        # Readers write beside what they copy, and scripts beside themselves.
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "docs").mkdir()
    shutil.copy(ROOT / "docs/openapi.json", folder / "docs")
    for name, (document, place) in SHOWN.items():
        (folder / name).write_text(shown(document)[place], encoding="utf-8")
    shutil.copy(PARK_FILE, folder / "park.toml")
    shutil.copy(ROOT / "edge/example.toml", folder / "agent.toml")
    Spool(folder / "edge-a.sqlite", limit_bytes=1 << 20, when_full=WhenFull.DROP_OLDEST, now=NOON).close()
    (folder / "application.pdf").write_bytes(b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF\n")
    (folder / "alerts").mkdir()
    contacts = {"alerts/duty": "dingtalk://" + "a" * 64, "alerts/chief": "chief@example.org"}
    made_before = {"reader.password": "a" * 40, "office.key": new_key()}
    for name, text in {"jinjiang.secret": "secret", **contacts, **made_before}.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o600)
    # The key that the park has made is the one that the province is given.
    (folder / "minhou.key").symlink_to("province.key")
    write_truth(
        folder / "truth.sqlite", [(f"{PARK}/M0/frequency", to_us(MIDNIGHT), "1000.00", 0)], meta={"park": PARK}
    )
    (folder / "archive").mkdir()
    lines = ["time,T01 kWh", *(f"2026-11-20T{hour:02}:00:00,{100 + hour}" for hour in range(3))]
    (folder / "year-2025.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def new_key() -> str:
    """A key as scripts/init-secrets makes it, before there is a database."""
    made: str = runpy.run_path(str(ROOT / "scripts/init-secrets"), run_name="init_secrets")["new_api_key"]()
    return made


SHOWN: Final[Mapping[str, tuple[str, int]]] = {
    "own.toml": ("docs/methods/factors.md", 0),
    "routes.toml": ("docs/alert-notifications.md", 0),
    "map.toml": ("docs/import.md", 0),
    "sources.toml": ("docs/province.md", 0),
    "my-rules.toml": ("docs/alerts.md", 0),
}
"""Files that a document shows: which of its blocks of TOML they are."""


def shown(document: str) -> list[str]:
    """Blocks of TOML of a document, fenced first."""
    text = (ROOT / document).read_text(encoding="utf-8")
    fenced = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^ {4}\[\[\w+\]\]\n(?:^ {4}.*\n)+", text, re.MULTILINE)
    return [*fenced, *(re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in indented)]


def write_parquet(folder: Path) -> None:
    """The year's file once more, as Parquet."""
    # Takes as long to load as most commands to run.
    import pyarrow.csv  # noqa: PLC0415  see above
    import pyarrow.parquet  # noqa: PLC0415  see above

    pyarrow.parquet.write_table(pyarrow.csv.read_csv(folder / "year-2025.csv"), folder / "archive/2025.parquet")
