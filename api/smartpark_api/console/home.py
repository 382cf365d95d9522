"""What the start page shows: how far an empty installation has come, or each park in a few numbers with their time.

Nothing is computed here but sums of what is read; what is not known stays unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smartpark.alerts.words import Severity
from smartpark_storage.alerts import OPEN, AlertFilter
from smartpark_storage.alerts.reading_for_api import alert_tabs
from smartpark_storage.connections import Connection, describe_database
from smartpark_storage.load_requests import RequestFilter, read_persons, stage_totals
from smartpark_storage.reads import ParkRow, read_edges

from smartpark_api.console.grafana import GrafanaState
from smartpark_api.load_requests.service import Desk
from smartpark_api.models.now import ParkNow


@dataclass(frozen=True, slots=True)
class Found:
    """What the database says of an installation."""

    database: str
    agents: int
    """That have come online at some time."""
    has_people: bool


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What an installation has already."""

    found: Found
    has_park: bool
    has_data: bool
    """Whether any meter has been heard."""

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to help with."""
        return self.has_park and self.has_data


@dataclass(frozen=True, slots=True)
class RequestTile:
    """Load requests of a park."""

    count: int
    kva: float
    overdue: int
    at_risk: int
    """At risk or due today."""
    waiting: int


@dataclass(frozen=True, slots=True)
class AlertTile:
    """Open alerts of a park that people are told of."""

    firing: int
    """That nobody has taken note of."""
    critical: int
    """Of these."""
    in_hand: int
    oldest: datetime | None
    """Of those that nobody has taken note of."""


@dataclass(frozen=True, slots=True)
class ParkTile:
    """A park at a glance."""

    park: ParkRow
    now: ParkNow
    requests: RequestTile
    alerts: AlertTile | None
    """None: not for whoever looks."""

    @property
    def online(self) -> int:
        """Edge agents that are online."""
        return sum(agent.state == "online" for agent in self.now.agents or ())

    @property
    def headroom_kw(self) -> float | None:
        """What is left of the contract demand; none: no contract, or the grid's power is not known."""
        contract, taken = self.park.contract_demand_kw, self.now.grid_power.value
        return None if contract is None or taken is None else contract - taken


@dataclass(frozen=True, slots=True)
class Home:
    """The start page."""

    tiles: Sequence[ParkTile]
    steps: FirstSteps
    grafana: GrafanaState
    as_of: datetime


def request_tile(desk: Desk, park: str) -> RequestTile:
    """Requests under way in a park."""
    found = stage_totals(desk.connection, RequestFilter(park=park), today=desk.today)
    return RequestTile(
        count=sum(total.count for total in found),
        kva=sum(total.kva for total in found),
        overdue=sum(total.overdue for total in found),
        at_risk=sum(total.at_risk + total.due for total in found),
        waiting=sum(total.waiting + total.suspended for total in found),
    )


def alert_tile(connection: Connection, park: str) -> AlertTile:
    """Open alerts of a park."""
    counts = alert_tabs(connection, AlertFilter(park=park, states=OPEN))
    firing = [one for one in counts if one.tab == "firing"]
    return AlertTile(
        firing=sum(one.count for one in firing),
        critical=sum(one.count for one in firing if one.severity is Severity.CRITICAL),
        in_hand=sum(one.count for one in counts if one.tab == "acknowledged"),
        oldest=min((one.oldest for one in firing), default=None),
    )


def found_so_far(connection: Connection) -> Found:
    """What the database says of the installation."""
    return Found(
        database=describe_database(connection).label,
        agents=sum(edge.born_at is not None for edge in read_edges(connection)),
        has_people=bool(read_persons(connection, is_active=True)),
    )


def first_steps(found: Found, tiles: Sequence[ParkTile]) -> FirstSteps:
    """How far the installation has come."""
    has_data = any(meter.last_reading is not None for tile in tiles for meter in tile.now.meters)
    return FirstSteps(found, has_park=bool(tiles), has_data=has_data)


def nothing_left(found: Found) -> FirstSteps:
    """Of an installation that is somebody else's to set up."""
    return FirstSteps(found, has_park=True, has_data=True)
