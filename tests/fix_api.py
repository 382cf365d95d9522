"""The API over a real database: a client of the app, and a hand that puts readings and results where they belong.

`park_hand` writes through storage's own functions, as ingest and derive do; nothing here speaks SQL.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from smartpark import wire
from smartpark.catalogue import Catalogue, load_catalogue
from smartpark.clock import to_us
from smartpark.decimals import to_mantissa
from smartpark.status import GOOD, as_int32
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_storage import (
    INTERVAL_DTYPE,
    READING_DTYPE,
    Batch,
    DeadLetterRow,
    DeadReason,
    IndicatorRow,
    connect,
    load_registry,
    publish_indicators,
    record_birth,
    record_status,
    register_edge,
    store_batches,
    write_interval_energy,
)
from smartpark_storage import load_catalogue as store_catalogue

PARK_FILE = Path(__file__).parent / "data" / "api_park.toml"
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
"""Noon in the park's zone."""

Reading = tuple[str, datetime, float | None] | tuple[str, datetime, float | None, int]


@dataclass
class ParkHand:
    """Puts into one database what would come from edges and derive."""

    dsn: str
    edge: str = "edge-a"
    _sequence: Iterator[int] = field(default_factory=count)

    def load(self, catalogue: Catalogue) -> None:
        """Load a catalogue."""
        with connect(self.dsn, application="test") as connection:
            store_catalogue(connection, catalogue, source="test", loaded_by="test", at=NOON - timedelta(days=30))

    def store(self, *readings: Reading, dead: tuple[DeadLetterRow, ...] = ()) -> None:
        """Store readings (key, time, value as the device shows it[, status])."""
        with connect(self.dsn, application="test") as connection:
            registry = load_registry(connection)
            rows = np.empty(len(readings), READING_DTYPE)
            for row, (key, time, value, *status) in zip(rows, readings, strict=True):
                point = registry.by_key[key]
                row["point_id"], row["time"] = point.point_id, to_us(time)
                row["scaled"], row["raw"] = _stored(value, point.exponent)
                row["status"] = as_int32(status[0] if status else GOOD)
            edge_id = register_edge(connection, self.edge)
            connection.commit()
            newest = max((time for _, time, *_ in readings), default=NOON)
            batch = Batch(edge_id, 1, next(self._sequence), 0, rows, dead)
            store_batches(connection, [batch], received_at=newest)

    def energy(self, key: str, amounts: Mapping[datetime, float], *, completeness: float = 1.0) -> None:
        """Write interval energy of a counter on the primary side."""
        with connect(self.dsn, application="test") as connection:
            point = load_registry(connection).by_key[key]
            rows = np.zeros(len(amounts), INTERVAL_DTYPE)
            rows["point_id"], rows["completeness"] = point.point_id, completeness
            rows["start"] = [to_us(start) for start in amounts]
            rows["amount"] = list(amounts.values())
            write_interval_energy(connection, rows)
            connection.commit()

    def indicator(
        self,
        indicator: str,
        start: datetime,
        value: float | None,
        *,
        unit: str,
        grain: str = "day",
        park: str = "testpark",
        boundary: str = "park",
    ) -> None:
        """Publish an indicator."""
        row = IndicatorRow(
            park=park,
            indicator=indicator,
            grain=grain,
            start_us=to_us(start),
            value=value,
            numerator=value,
            denominator=None,
            unit=unit,
            completeness=0.975,
            estimated_share=0.0,
            method="test/1",
            factor_set="2026-11",
            factors=("mee-2025-47:electricity:FJ:2023",),
            reason="" if value is not None else "no reading of M0",
            computed_at_us=to_us(start) + 60_000_000,
            boundary=boundary,
        )
        with connect(self.dsn, application="test") as connection:
            publish_indicators(connection, [row])
            connection.commit()

    def hear(self, status: wire.Status, *, at: datetime) -> None:
        """Record the birth and the status of an edge."""
        birth = wire.Birth(edge=status.edge, boot=status.boot, session=status.session)
        with connect(self.dsn, application="test") as connection:
            edge_id = register_edge(connection, status.edge)
            record_birth(connection, edge_id, birth, at)
            record_status(connection, edge_id, status, at)
            connection.commit()

    def dead(self, reason: DeadReason, *, at: datetime) -> DeadLetterRow:
        """A dead letter to store."""
        return DeadLetterRow(self.edge, "tele/x/SENSOR", reason, "test", b"{", None, None, at)


def _stored(value: float | None, exponent: int | None) -> tuple[int, float]:
    if value is None:
        return wire.MISSING, np.nan
    return (wire.MISSING, value) if exponent is None else (to_mantissa(value, exponent), np.nan)


def edge_status(
    code: str,
    *,
    at: datetime,
    waiting: int = 0,
    oldest: datetime | None = None,
    alarms: tuple[str, ...] = (),
) -> wire.Status:
    """What an edge says about itself."""
    return wire.Status(
        edge=code,
        boot=1,
        session=1,
        time=to_us(at),
        spool_readings=waiting,
        spool_bytes=4096,
        spool_limit_bytes=256 * 2**20,
        oldest_pending=None if oldest is None else to_us(oldest),
        hours_left=410.5,
        alarms=alarms,
        sources=(
            wire.SourceStatus(name="meters", connected=True, last_reading=to_us(at), readings=1000),
            wire.SourceStatus(name="plc", connected=False, detail="connection refused"),
        ),
    )


@pytest.fixture(scope="session")
def small_park() -> Catalogue:
    """Catalogue of the park `testpark`."""
    return load_catalogue(PARK_FILE)


@pytest.fixture
def park_hand(database_dsn: str, small_park: Catalogue) -> ParkHand:
    """A migrated database with `testpark` in its catalogue."""
    hand = ParkHand(database_dsn)
    hand.load(small_park)
    return hand


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port of this machine; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2))
    # The protocol named, as in `smartpark api serve`: else every answer waits 40 ms for an acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def client_of() -> Iterator[Callable[..., httpx.Client]]:
    """Makes clients of the app over a database, at a moment that stands still."""
    with ExitStack() as stack:

        def make(dsn: str, *, now: datetime = NOON, **settings: object) -> httpx.Client:
            app = create_app(ApiSettings.model_validate({"dsn": dsn, **settings}), clock=lambda: now)
            address = stack.enter_context(serving(app))
            # Generous: on a busy machine a first answer may take longer than the five seconds that are usual.
            return stack.enter_context(httpx.Client(base_url=address, timeout=60))

        yield make


@pytest.fixture
def client(park_hand: ParkHand, client_of: Callable[..., httpx.Client]) -> httpx.Client:
    """A client of the app over `park_hand`'s database, at noon."""
    return client_of(park_hand.dsn)


@pytest.fixture
def plain_hand(plain_database_dsn: str, small_park: Catalogue) -> ParkHand:
    """The same on plain PostgreSQL only, for tests of what does not depend on the kind of database."""
    hand = ParkHand(plain_database_dsn)
    hand.load(small_park)
    return hand


@pytest.fixture
def plain_client(plain_hand: ParkHand, client_of: Callable[..., httpx.Client]) -> httpx.Client:
    """A client of the app over `plain_hand`'s database, at noon."""
    return client_of(plain_hand.dsn)
