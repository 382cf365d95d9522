"""The park now, read in one go and kept for a second: a wall of screens costs no more than one.

Reading and remembering only; what the rows mean is said in `now` and `operations`.
"""

from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Generic, Protocol, TypeVar

from smartpark.catalogue import DeviceKind
from smartpark.periods import Grain, period_containing
from smartpark_storage.connections import Connection
from smartpark_storage.reads import (
    read_amounts,
    read_dead_letter_counts,
    read_devices,
    read_edges,
    read_indicators,
    read_latest,
)

from smartpark_api.balance import photovoltaic_energy
from smartpark_api.load import QUARTER
from smartpark_api.lookup import find_park, summary_of
from smartpark_api.models.now import ParkNow
from smartpark_api.now import (
    completeness_of,
    devices_now,
    indicator_today,
    powers_now,
    share_of,
)
from smartpark_api.operations import RECENT, agents_now, dead_letter_summary

KEPT_FOR: Final = timedelta(seconds=1)
OVERVIEW_KEPT_FOR: Final = timedelta(seconds=10)
"""Published numbers change every few minutes."""
SETTLED_AFTER: Final = timedelta(minutes=2)
"""By then derive has been through a quarter-hour that ended, unless it is behind."""
_MANY_INDICATORS: Final = 1_000


class HasInstant(Protocol):
    """Something put together at an instant."""

    @property
    def as_of(self) -> datetime:
        """When it was."""
        ...


Picture = TypeVar("Picture", bound=HasInstant)


class Snapshots(Generic[Picture]):
    """The newest picture of each park."""

    def __init__(self, *, kept_for: timedelta = KEPT_FOR) -> None:
        self._kept_for = kept_for
        self._lock = Lock()
        self._kept: dict[str, Picture] = {}

    def fresh(self, park: str, *, now: datetime) -> Picture | None:
        """Picture that is young enough to be shown again."""
        with self._lock:
            kept = self._kept.get(park)
        return kept if kept is not None and timedelta(0) <= now - kept.as_of < self._kept_for else None

    def keep(self, park: str, picture: Picture) -> None:
        """Remember a picture that has just been taken."""
        with self._lock:
            self._kept[park] = picture


def take_picture(connection: Connection, code: str, *, now: datetime) -> ParkNow:
    """Read and put together what the park does now."""
    park = find_park(connection, code)
    devices, latest = read_devices(connection, code), read_latest(connection, code)
    today = period_containing(now, Grain.DAY)
    # Counted are quarter-hours that ended a while ago: what runs or has just ended is nobody's gap yet.
    quarter = max(period_containing(now - SETTLED_AFTER, Grain.QUARTER_HOUR).start, today.start)
    amounts = read_amounts(connection, code, today.start, today.end)
    last_day = read_amounts(connection, code, quarter - RECENT, quarter)
    indicators = {
        row.indicator: row
        for row in read_indicators(connection, code, today.start, today.end, grain=Grain.DAY, limit=_MANY_INDICATORS)
    }
    energy = indicator_today(indicators, "electricity_consumption", unit="kWh")
    powers = powers_now(devices, latest, now=now)
    quarters = (quarter - today.start) // QUARTER
    of_kind = {
        kind: devices_now(devices, latest, amounts, kind=kind, quarters=quarters, now=now) for kind in DeviceKind
    }
    return ParkNow(
        park=summary_of(park),
        as_of=now,
        power=powers.load,
        grid_power=powers.grid,
        pv_power=powers.pv,
        energy_today=energy,
        carbon_today=indicator_today(indicators, "carbon_location", unit="t"),
        coal_equivalent_today=indicator_today(indicators, "comprehensive_energy", unit="tce"),
        pv_share_today=share_of(photovoltaic_energy(devices, amounts), energy.value, unit="kWh"),
        completeness_24_h=completeness_of(last_day, quarters=RECENT // QUARTER),
        meters=of_kind[DeviceKind.METER],
        stacks=of_kind[DeviceKind.STACK],
        stations=of_kind[DeviceKind.STATION],
        agents=agents_now(read_edges(connection), now=now),
        dead_letters=dead_letter_summary(read_dead_letter_counts(connection, recent_from=now - RECENT), now=now),
    )
