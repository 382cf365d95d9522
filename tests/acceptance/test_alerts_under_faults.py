"""Alerts under kills, late and repeated data: what is on record in the end follows from what was measured.

Readings of some meters are stored by ingest's own way in a shuffled order, some late, some twice, while the worker's
process is killed (SIGKILL) at random moments and begun again. The expectation knows nothing of the platform: it walks
through the series that was generated, reading by reading.
"""

import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from alert_park import PARK, Hill, limit
from fix_process import SmartparkRunner
from smartpark.alerts.routes import Contact, Route
from smartpark.alerts.words import EndedBy, PageKind
from smartpark.clock import utc_now
from smartpark_storage.alerts import put_contact, put_route, read_alerts, read_backlog, read_intents
from waiting import wait_until

METERS = ("M1", "M2", "M3", "M4")
HOURS = 6
STEP = timedelta(seconds=30)
LIMIT, CLEAR, LASTS = 100.0, 90.0, timedelta(minutes=2)


class Expected(NamedTuple):
    """An event in the measured world."""

    object: str
    since: datetime
    cleared_at: datetime | None
    worst: float


def truth(chance: random.Random, start: datetime) -> dict[str, list[tuple[datetime, float]]]:
    """Power of each meter: calm, with an excess now and then, never two of them close to each other."""
    series: dict[str, list[tuple[datetime, float]]] = {}
    for meter in METERS:
        values: list[float] = []
        while len(values) < HOURS * 120:
            values += [chance.uniform(30, 80) for _ in range(chance.randint(70, 100))]
            excess = [chance.uniform(101, 200) for _ in range(chance.randint(2, 30))]
            # Between the limit and where it counts as over nothing changes.
            values += [chance.uniform(91, 99) if chance.random() < 0.2 and n else v for n, v in enumerate(excess)]
        values = [*values[: HOURS * 120], 50.0]
        series[meter] = [(start + n * STEP, round(value, 1)) for n, value in enumerate(values)]
    return series


def expected(series: dict[str, list[tuple[datetime, float]]]) -> list[Expected]:
    """What a person with the whole series before them would say."""
    found: list[Expected] = []
    for meter, said in series.items():
        since, worst = None, 0.0
        for at, value in said:
            if since is None and value > LIMIT:
                since, worst = at, value
            elif since is not None and value <= CLEAR:
                if at - since >= LASTS:
                    found.append(Expected(f"point:{PARK}/{meter}/active_power", since, at, worst))
                since = None
            elif since is not None:
                worst = max(worst, value)
    return sorted(found)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_alerts_follow_from_what_was_measured_whoever_is_killed(
    database_dsn: str, smartpark: SmartparkRunner, seed: int
) -> None:
    chance = random.Random(seed)
    hill = Hill(database_dsn)
    hill.rules(limit(for_s=LASTS.total_seconds()))
    with hill.connection() as connection:
        contact = {"code": "duty", "name": "值班", "channel": "webhook", "address": "duty"}
        put_contact(connection, Contact.model_validate(contact))
        put_route(connection, Route(code="all", contacts=("duty",), group_wait_s=0.0), 1)
    end = utc_now().replace(microsecond=0)
    start = end - timedelta(hours=HOURS)
    # How often meters speak is known from before.
    hill.store({f"{meter}/active_power": [(start - n * STEP, 50.0) for n in range(240, 0, -1)] for meter in METERS})
    environment = {"SMARTPARK_DSN": database_dsn, "SMARTPARK_LOG_LEVEL": "WARNING"}
    assert smartpark.run("alerts", "run", "--once", "--no-send", environment=environment).returncode == 0

    series = truth(chance, start)
    deliveries = shuffled(chance, series)
    worker = smartpark.start("alerts", "run", "--no-send", environment=environment)
    kills = 0
    for number, commit in enumerate(deliveries):
        hill.now = utc_now()
        hill.store(commit)
        time.sleep(chance.uniform(0, 0.05))
        if number % 25 == 24:
            time.sleep(chance.uniform(0, 3))
            worker.kill()
            kills += 1
            worker = smartpark.start("alerts", "run", "--no-send", environment=environment)

    def is_dealt_with() -> bool:
        with hill.connection() as connection:
            return read_backlog(connection).count == 0

    wait_until(is_dealt_with, what="all changes are dealt with", timeout_s=180)
    assert worker.terminate() == 0
    assert kills >= 5
    assert on_record(hill) == expected(series)
    each_is_told_once(hill)


def shuffled(
    chance: random.Random, series: dict[str, list[tuple[datetime, float]]]
) -> list[dict[str, list[tuple[datetime, float]]]]:
    """Commits: in order of time, but some readings come minutes later, and some twice."""
    arrivals: list[tuple[float, str, datetime, float]] = []
    for meter, said in series.items():
        for place, (at, value) in enumerate(said):
            late = chance.uniform(0, 20) if chance.random() < 0.1 else 0.0
            arrivals.append((place + late, meter, at, value))
            if chance.random() < 0.05:
                arrivals.append((place + chance.uniform(0, 30), meter, at, value))
    arrivals.sort(key=lambda one: one[0])
    commits: list[dict[str, list[tuple[datetime, float]]]] = []
    while arrivals:
        size = chance.randint(1, 40)
        commit: dict[str, list[tuple[datetime, float]]] = {}
        for _, meter, at, value in arrivals[:size]:
            commit.setdefault(f"{meter}/active_power", []).append((at, value))
        commits.append(commit)
        del arrivals[:size]
    return commits


def on_record(hill: Hill) -> list[Expected]:
    with hill.connection() as connection:
        found = [one.alert for one in read_alerts(connection, limit=10_000)]
    return sorted(
        Expected(alert.about.object, alert.since, alert.cleared_at, alert.worst.value or 0.0)
        for alert in found
        if alert.fired_at is not None and alert.ended_by is not EndedBy.CORRECTION
    )


def each_is_told_once(hill: Hill) -> None:
    with hill.connection() as connection:
        intents = read_intents(connection, limit=10_000)
    fired = [
        alert for intent in intents if intent.kind in (PageKind.FIRED, PageKind.PASSED) for alert in intent.alerts
    ]
    assert len(fired) == len(set(fired)), json.dumps(fired)


def test_the_expectation_itself_is_not_empty() -> None:
    found = expected(truth(random.Random(1), datetime(2026, 1, 1, tzinfo=UTC)))
    assert len(found) > 10
