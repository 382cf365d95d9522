"""What people ask of alerts beside lists: groups, how many on each tab, how soon they were dealt with. Only reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from smartpark.alerts.words import Severity

from smartpark_storage.alerts.reading import filter_parameters
from smartpark_storage.alerts.rows import AlertFilter, StoredAlert, stored_alert
from smartpark_storage.connections import Connection, read_transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """Alerts that are one matter."""

    group_key: str
    count: int
    severity: Severity
    """Of the worst of them."""
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class TabCount:
    """Alerts of a tab and severity."""

    tab: str
    """``firing``, ``acknowledged``, ``hidden``, ``pending`` or ``resolved``."""
    severity: Severity
    count: int
    oldest: datetime
    """When the oldest of them began."""


@dataclass(frozen=True, slots=True)
class Took:
    """How long something took, of those to which it happened."""

    count: int
    mean_s: float | None
    median_s: float | None


@dataclass(frozen=True, slots=True)
class Dealings:
    """How alerts that fired in a span were dealt with; not those that later data took back."""

    fired: int
    hidden: int
    acknowledge: Took
    """From firing until somebody took note."""
    resolve: Took
    """From firing until it was over."""
    true_alarms: int
    """As people said."""
    false_alarms: int


def alert_groups(
    connection: Connection, wanted: AlertFilter, *, worst_first: bool, limit: int = 50, skip: int = 0
) -> list[AlertGroup]:
    """Groups of the alerts that fit."""
    statement = query("alert_groups") + "\n" + query("alerts_fit") + "\n" + query("alert_groups_end")
    place = {"worst_first": worst_first, "limit": limit, "skip": skip}
    with read_transaction(connection):
        rows = connection.execute(statement, filter_parameters(wanted) | place, prepare=False).fetchall()
    severities = list(Severity)
    return [AlertGroup(key, count, severities[rank - 1], *span) for key, count, rank, *span in rows]


def alerts_of_groups(
    connection: Connection, wanted: AlertFilter, groups: Iterable[str], *, per_group: int
) -> dict[str, list[StoredAlert]]:
    """The newest alerts of each of some groups, of those that fit."""
    statement = "\n".join(
        query(name) for name in ("alerts_of_groups", "alert_columns", "alerts_fit", "alerts_of_groups_end")
    )
    keys = list(groups)
    given = filter_parameters(wanted) | {"groups": keys, "per_group": per_group}
    with read_transaction(connection):
        rows = connection.execute(statement, given, prepare=False).fetchall()
    found: dict[str, list[StoredAlert]] = {key: [] for key in keys}
    for row in rows:
        one = stored_alert(row)
        found[one.group_key].append(one)
    return found


def alert_tabs(connection: Connection, wanted: AlertFilter) -> list[TabCount]:
    """Alerts that fit by tab and severity; combinations without any are not there."""
    statement = query("alert_tabs") + "\n" + query("alerts_fit") + "\n" + query("alert_tabs_end")
    with read_transaction(connection):
        rows = connection.execute(statement, filter_parameters(wanted), prepare=False).fetchall()
    return [TabCount(tab, Severity(severity), *rest) for tab, severity, *rest in rows]


def alert_dealings(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    park: str | None = None,
    parks: Sequence[str] | None = None,
) -> Dealings:
    """How alerts that fired in [start, end) were dealt with."""
    given = {"start": start, "end": end, "park": park, "parks": None if parks is None else list(parks)}
    with read_transaction(connection):
        row = connection.execute(query("alert_dealings"), given).fetchone()
    if row is None:
        raise LookupError("a count has no row")
    fired, hidden, *rest = row
    return Dealings(fired, hidden, Took(*rest[:3]), Took(*rest[3:6]), *rest[6:])
