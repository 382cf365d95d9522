"""Platforms that an uplink tells, on ports of their own, and numbers published for them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from certificates import Authority
from fix_ingest import PARK, load_park
from smartpark.clock import to_us
from smartpark_simulators.uplinks.nhjc_platform import NhjcPlatform, PlatformOptions
from smartpark_storage import IndicatorRow, connect, publish_indicators

ENTERPRISE = "91350000MA2XXXXX0X"


def number(start: datetime, value: float | None, **changed: object) -> IndicatorRow:
    """A number that derive would publish an hour after its day has ended."""
    row = IndicatorRow(
        park="park",
        boundary="park",
        indicator="electricity_consumption",
        grain="day",
        start_us=to_us(start),
        value=value,
        numerator=None,
        denominator=None,
        unit="kWh",
        completeness=0.0 if value is None else 1.0,
        estimated_share=0.0,
        method="test",
        factor_set="none",
        factors=(),
        reason="",
        computed_at_us=to_us(start + timedelta(hours=25)),
    )
    return replace(row, **changed)


def publish(dsn: str, *rows: IndicatorRow) -> None:
    """Publish numbers, corrections among them."""
    with closing(connect(dsn, application="test")) as connection:
        publish_indicators(connection, rows)


_parks = count(1)


def new_park(dsn: str) -> str:
    """Code of a park that only the caller has."""
    code = f"park{next(_parks)}"
    load_park(dsn, {"park": PARK["park"] | {"code": code}})
    return code


@pytest.fixture
def make_nhjc_platform(tmp_path: Path) -> Iterator[Callable[..., NhjcPlatform]]:
    """Start platforms over HTTPS; they end with the test."""
    platforms: list[NhjcPlatform] = []
    server = Authority(tmp_path).issue("platform")

    def make(options: PlatformOptions | None = None, *, port: int = 0) -> NhjcPlatform:
        platform = NhjcPlatform(options, port=port, certificate=(server.certificate, server.key))
        platforms.append(platform)
        return platform

    yield make
    for platform in platforms:
        platform.close()


@pytest.fixture
def nhjc_platform(make_nhjc_platform: Callable[..., NhjcPlatform]) -> NhjcPlatform:
    """One that works."""
    return make_nhjc_platform()
