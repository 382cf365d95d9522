"""Episodes as core knows them, and alerts on record as episodes: between arrays and what is written down."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from smartpark.alerts.course import Episode
from smartpark.alerts.events import Evidence
from smartpark.alerts.life import Alert
from smartpark.clock import from_us, to_us

from smartpark_analytics.alerts import episodes
from smartpark_analytics.alerts.episodes import Change, EpisodeCarry, Episodes
from smartpark_analytics.alerts.samples import NEVER_US, Floats, Ints


class Found(NamedTuple):
    """News of an object."""

    row: int
    """Place among the rule's subjects."""
    episode: Episode
    change: Change
    """What this step did to it."""


def episode_at(found: Episodes, at: int, last: tuple[int, float, float], window_us: int, unit: str) -> Episode:
    """One of the episodes as core knows it; `last` is moment, value and limit of its last verdict."""
    fired, cleared = int(found.fired_us[at]), int(found.cleared_us[at])
    last_us, value, limit = last
    return Episode(
        since=from_us(int(found.since_us[at])),
        fired_at=None if fired == NEVER_US else from_us(fired + window_us),
        cleared_at=None if cleared == NEVER_US else from_us(cleared),
        last=_evidence(value, limit, unit),
        last_at=from_us(last_us + window_us),
        worst=_evidence(float(found.worst[at]), float(found.worst_limit[at]), unit),
        worst_at=from_us(int(found.worst_us[at])),
    )


def _evidence(value: float, limit: float, unit: str) -> Evidence:
    return Evidence(
        value=value if np.isfinite(value) else None, limit=limit if np.isfinite(limit) else None, unit=unit
    )


def recorded_carry(rows: int, standing: Sequence[tuple[int, Alert]], window_us: int) -> EpisodeCarry:
    """What to remember of alerts on record whose condition holds, each with its row."""

    def moments(values: Iterable[int]) -> Ints:
        return np.array(list(values), np.int64)

    def numbers(values: Iterable[float | None]) -> Floats:
        return np.array([np.nan if value is None else value for value in values], np.float64)

    alerts = [alert for _, alert in standing]
    found = Episodes(
        row=moments(row for row, _ in standing),
        since_us=moments(to_us(alert.since) for alert in alerts),
        fired_us=moments(
            NEVER_US if alert.fired_at is None else to_us(alert.fired_at) - window_us for alert in alerts
        ),
        cleared_us=moments(NEVER_US for _ in alerts),
        worst=numbers(alert.worst.value for alert in alerts),
        worst_limit=numbers(alert.worst.limit for alert in alerts),
        worst_us=moments(to_us(alert.worst_at) for alert in alerts),
        n_breaches=moments(1 for _ in alerts),
        change=np.zeros(len(alerts), np.int8),
    )
    return episodes.resumed(rows, found)
