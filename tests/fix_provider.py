"""A server that others pull from: three small parks with enterprises, published numbers, a key that seals, real keys.

`west` and `east` lie in one city, `far` in another. Programs: `province` sees all three, `westerner` west alone,
`chief` may do everything.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fix_api import serving
from smartpark.access import Grant, Role
from smartpark.catalogue import load_catalogue, uscc_check_character
from smartpark.clock import PARK_ZONE, to_us
from smartpark_api.aggregates.seal_keys import make_key
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_storage import IndicatorRow, connect, publish_indicators
from smartpark_storage import load_catalogue as store_catalogue
from smartpark_storage.access import SecretKind, add_client, add_grant, make_secret
from smartpark_storage.aggregates import number_publications

NOW: Final = datetime(2026, 11, 22, 4, tzinfo=UTC)
REGIONS: Final = {"west": "350121", "east": "350122", "far": "350583"}
ENTERPRISES: Final = ("T01", "T02", "T03", "T04")
PARK: Final = """\
[park]
code = "{code}"
name = "{code}园区"
name_en = "{code} park"
region = "{region}"
terrain = "coastal"
peer_class = 2
area_mu = 100.0
"""
ENTERPRISE: Final = """
[[enterprise]]
code = "{code}"
name = "企业{code}"
name_en = "Enterprise {code}"
uscc = "{uscc}"
"""
ENERGY: Final = "electricity_consumption"
RATIO: Final = "carbon_per_energy"
ARROW: Final = "application/vnd.apache.arrow.stream"


def day(number: int, month: int = 10) -> datetime:
    """Begin of a day of 2026 in the parks' zone."""
    return datetime(2026, month, number, tzinfo=PARK_ZONE).astimezone(UTC)


def number(
    park: str,
    value: float | None,
    start: datetime,
    *,
    indicator: str = ENERGY,
    grain: str = "day",
    boundary: str = "park",
    parts: tuple[float | None, float | None] = (None, None),
    completeness: float = 1.0,
    computed: timedelta = timedelta(minutes=3),
) -> IndicatorRow:
    """A number to publish."""
    return IndicatorRow(
        park=park,
        indicator=indicator,
        grain=grain,
        start_us=to_us(start),
        value=value,
        numerator=parts[0],
        denominator=parts[1],
        unit="t/tce" if indicator == RATIO else "kWh",
        completeness=completeness,
        estimated_share=0.0,
        method="test/1",
        factor_set="2026-11",
        factors=("mee-2025-47:electricity:FJ:2023", "gb-2589-2020:electricity"),
        reason="" if value is not None else "no reading of M0",
        computed_at_us=to_us(start + computed),
        boundary=boundary,
    )


@dataclass
class Provider:
    """The server, its database, and who may ask it what."""

    dsn: str
    seal_key: Path
    folder: Path
    address: str = ""
    keys: dict[str, str] = field(default_factory=dict[str, str])
    guests: ExitStack = field(default_factory=ExitStack)
    _parks: Iterator[int] = field(default_factory=lambda: count(len(REGIONS)))

    def park(self, region: str = "350121") -> str:
        """A new park, in which two programs have a role: one of its name pulls it, `NAME-operator` runs it."""
        n = next(self._parks)
        code = f"park{n}"
        load_park(self.dsn, self.folder, code, region, n)
        self.add(code, Grant(Role.PROVINCE, code))
        self.add(f"{code}-operator", Grant(Role.OPERATOR, code))
        return code

    def publish(self, *rows: IndicatorRow) -> None:
        """Publish numbers, as derive does."""
        with connect(self.dsn, application="test") as connection:
            publish_indicators(connection, rows)
            connection.commit()
            number_publications(connection, wait=True)
            connection.commit()

    def add(self, name: str, *grants: Grant) -> None:
        """Make a program known."""
        with connect(self.dsn, application="test") as connection:
            add_client(connection, name, title=name, contact="", by="test", at=NOW - timedelta(days=60))
            self.grant(name, *grants)
            made = make_secret(
                connection,
                name,
                SecretKind.API_KEY,
                by="test",
                at=NOW - timedelta(days=60),
                expires_at=NOW + timedelta(days=60),
            )
            connection.commit()
        self.keys[name] = made.text

    def grant(self, name: str, *grants: Grant) -> None:
        """Grant a program more."""
        with connect(self.dsn, application="test") as connection:
            for grant in grants:
                add_grant(connection, f"client:{name}", grant, by="test", at=NOW - timedelta(days=60))
            connection.commit()

    def client(self, name: str, **headers: str) -> httpx.Client:
        """A program that shows its key."""
        shown = {"authorization": f"Bearer {self.keys[name]}", "accept-encoding": "identity"}
        made = httpx.Client(base_url=f"{self.address}/api/v1", headers=shown | headers, timeout=60)
        return self.guests.enter_context(made)


def load_park(dsn: str, folder: Path, code: str, region: str, n: int) -> None:
    """A park with four enterprises."""
    text = PARK.format(code=code, region=region)
    for m, enterprise in enumerate(ENTERPRISES):
        first17 = f"91350121MA{n:03}{m}000"
        text += ENTERPRISE.format(code=enterprise, uscc=first17 + uscc_check_character(first17))
    file = folder / f"{code}.toml"
    file.write_text(text, encoding="utf-8")
    with connect(dsn, application="test") as connection:
        store_catalogue(
            connection, load_catalogue(file), source="test", loaded_by="test", at=NOW - timedelta(days=90)
        )


@pytest.fixture(scope="module")
def provider(shared_plain_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """One server for a module; tests that write take fresh parks."""
    yield from provide(shared_plain_dsn, tmp_path_factory.mktemp("provider"))


def provide(dsn: str, folder: Path, **settings: Any) -> Iterator[Provider]:
    """Parks, programs and a server; for fixtures."""
    key = folder / "seal.key"
    make_key(key)
    for n, (code, region) in enumerate(REGIONS.items()):
        load_park(dsn, folder, code, region, n)
    asked = {
        "dsn": dsn,
        "access": "enforced",
        "seal_key_file": key,
        "requests_per_minute": 1_000_000,
        "failures_per_minute": 1_000_000,
        **settings,
    }
    app = create_app(ApiSettings.model_validate(asked), clock=lambda: NOW)
    with serving(app) as address, ExitStack() as guests:
        made = Provider(dsn, key, folder, address, guests=guests)
        made.add("province", *(Grant(Role.PROVINCE, park) for park in REGIONS))
        made.add("westerner", Grant(Role.PROVINCE, "west"))
        made.add("chief", Grant(Role.ADMINISTRATOR, None))
        yield made


def two_months(park: str) -> list[IndicatorRow]:
    """Numbers of September and October of a park, complete."""
    months = [number(park, 900.0 + m, day(1, m), grain="month") for m in (9, 10)]
    days = [number(park, 30.0 + n / 7, day(n)) for n in range(1, 32)]
    of_tenants = [
        number(park, 1.0 + n, day(1, m), grain="month", boundary=f"enterprise/{code}")
        for n, code in enumerate(ENTERPRISES)
        for m in (9, 10)
    ]
    return [*months, *days, *of_tenants]
