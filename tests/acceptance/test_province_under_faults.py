"""A province ends up with exactly our numbers: writers, corrections, seals, a puller and servers that are killed.

Everything is real: two databases, the `smartpark` commands, HTTP over a link that cuts and garbles. At the end both
sides' digests are compared, and, apart from them, every row as it stands in the two databases.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fix_api import PARK_FILE, ParkHand
from fix_database import copied_database, fresh_database, migrated
from fix_process import SmartparkProcess, SmartparkRunner
from smartpark.catalogue import load_catalogue
from smartpark.clock import to_us
from smartpark.errors import RetryableError
from smartpark.periods import Grain, period_containing
from smartpark_simulators.ports import free_port
from smartpark_simulators.province.run import ProvinceStory, pull_under_faults
from smartpark_storage import Connection, IndicatorRow, connect, publish_indicators
from waiting import wait_until

PARK = "testpark"
MONTHS = [period_containing(datetime(2026, month, 15, tzinfo=UTC), Grain.MONTH) for month in range(1, 11)]
DAYS = [period_containing(datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=d), Grain.DAY) for d in range(31)]
INDICATORS = ("electricity_consumption", "comprehensive_energy", "carbon_scope2", "energy_per_output")


@dataclass
class Writers:
    """Several connections that publish, correct and change their minds, each in transactions of its own length."""

    dsn: str
    seed: int
    stop: threading.Event = field(default_factory=threading.Event)
    published: int = 0
    rolled_back: int = 0
    errors: list[Exception] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator["Writers"]:
        threads = [threading.Thread(target=self._write, args=(name,)) for name in INDICATORS]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()
        assert self.errors == []

    def _write(self, indicator: str) -> None:
        chance = random.Random(f"{self.seed}{indicator}")
        try:
            with closing(connect(self.dsn, application=f"writer {indicator}")) as connection:
                while not self.stop.is_set():
                    # A seal that holds the same rows may be the one that goes on; then we are told to try again.
                    with suppress(RetryableError):
                        self._publish(connection, self._rows(indicator, chance), chance)
        except Exception as error:  # noqa: BLE001  a thread's edge: the test looks at what ended it
            self.errors.append(error)

    def _publish(self, connection: Connection, rows: list[IndicatorRow], chance: random.Random) -> None:
        is_in_vain = chance.random() < 0.15
        with connection.transaction(force_rollback=is_in_vain):
            count = publish_indicators(connection, rows)
            # Others commit meanwhile, so that positions and identities come in different orders.
            time.sleep(chance.choice((0.0, 0.005, 0.05, 0.2)))
        self.rolled_back += is_in_vain
        self.published += 0 if is_in_vain else count

    @staticmethod
    def _rows(indicator: str, chance: random.Random) -> list[IndicatorRow]:
        periods = chance.sample([*MONTHS, *DAYS], chance.randint(1, 30))
        boundaries = chance.sample(["park", "enterprise/T1", "enterprise/T2"], 2)
        now_us = to_us(datetime.now(UTC))
        row = IndicatorRow(
            park=PARK,
            indicator=indicator,
            grain="day",
            start_us=0,
            value=None,
            numerator=None,
            denominator=None,
            unit="kWh",
            completeness=0.5,
            estimated_share=0.0,
            method="a-test@1",
            factor_set="2026",
            factors=("one factor", "another; factor"),
            reason="",
            computed_at_us=now_us,
        )
        return [
            replace(
                row,
                boundary=boundary,
                grain=period.grain.value,
                start_us=to_us(period.start),
                value=chance.choice((None, chance.uniform(-1e6, 1e6), 0.1 * chance.randint(0, 9), 0.0)),
                reason=chance.choice(("", "缺数", "late")),
                completeness=chance.choice((0.25, 0.1, 1.0)),
            )
            for period in periods
            for boundary in boundaries
        ]


class Instance:
    """The API over a database, on one port, killed and begun again."""

    def __init__(self, smartpark: SmartparkRunner, dsn: str, folder: Path, port: int) -> None:
        self._smartpark, self._port = smartpark, port
        self.environment = {
            "SMARTPARK_DSN": dsn,
            "SMARTPARK_ACCESS": "enforced",
            "SMARTPARK_SEAL_KEY_FILE": str(folder / "seal.pem"),
            "SMARTPARK_CONSOLE_KEY_FILE": str(folder / "console.key"),
        }
        self.url = f"http://127.0.0.1:{port}"
        self.kills = 0
        self.process: SmartparkProcess | None = None

    def start(self) -> None:
        self.process = self._smartpark.start("api", "serve", "--port", self._port, environment=self.environment)

    def wait(self) -> None:
        wait_until(self.is_ready, what="the instance answers")

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def kill_now_and_then(self, stop: threading.Event, chance: random.Random) -> None:
        while not stop.wait(chance.uniform(3, 6)):
            assert self.process is not None
            self.process.kill_group()
            self.kills += 1
            stop.wait(chance.uniform(0, 1))
            self.start()

    def command(self, *arguments: object) -> str:
        done = self._smartpark.run(*arguments, environment=self.environment)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout


@pytest.fixture
def province_dsn(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    if database_kind == "plain":
        yield from copied_database(request.getfixturevalue("plain_template_dsn"))
    else:
        for dsn in fresh_database(request.getfixturevalue("timescale_server_dsn")):
            yield migrated(dsn)


@pytest.fixture
def instance(database_dsn, smartpark, tmp_path) -> Instance:
    ParkHand(database_dsn).load(load_catalogue(PARK_FILE))
    found = Instance(smartpark, database_dsn, tmp_path, free_port())
    found.command("submissions", "key", "make", "--into", tmp_path / "seal.pem")
    found.command("access", "client", "add", "province", "--title", "省平台")
    found.command("access", "grant", "client:province", "province", "--all-parks")
    found.command("access", "key", "make", "province", "--into", tmp_path / "province.key")
    return found


def everything(dsn: str) -> dict[str, object]:
    """All that holds, and all that was submitted, row by row."""
    with closing(connect(dsn, application="test")) as connection:
        rows = connection.execute(
            "SELECT park, boundary, indicator, grain, start, revision, value, numerator, denominator, unit,"
            " completeness, estimated_share, uncertainty, method, factor_set, factors, reason, computed_at"
            " FROM smartpark.indicator WHERE superseded_at IS NULL ORDER BY 1, 2, 3, 4, 5"
        ).fetchall()
        sealed = connection.execute(
            "SELECT s.code, s.digest, s.manifest, s.signature, i.park, i.boundary, i.indicator, r.start, r.revision"
            " FROM smartpark.submission_row AS r JOIN smartpark.submission AS s USING (code)"
            " JOIN smartpark.indicator_series AS i USING (series_id) ORDER BY 1, 5, 6, 7, 8"
        ).fetchall()
    return {"rows": rows, "sealed": sealed}


def run_story(instance: Instance, province_dsn: str, key: Path, *, seconds: float, seed: int) -> None:
    chance, stop = random.Random(seed), threading.Event()
    instance.start()
    instance.wait()
    killer = threading.Thread(target=instance.kill_now_and_then, args=(stop, chance))
    story = ProvinceStory(
        instance.url,
        province_dsn,
        options=["--key-file", str(key), "--page-rows", "37"],
        seconds=seconds,
        least_faults=8,
        seed=seed,
    )
    sealer = threading.Thread(target=seal_now_and_then, args=(instance, stop))

    def come_to_rest() -> None:
        writers.stop.set()
        stop.set()
        for thread in (killer, sealer):
            thread.join()
        instance.wait()

    with Writers(instance.environment["SMARTPARK_DSN"], seed).at_work() as writers:
        wait_until(lambda: writers.published > 200, what="the writers publish")
        killer.start()
        sealer.start()
        try:
            # The last pull, over the good link and without kills, is after the writers have ended.
            report = pull_under_faults(story, before_the_end=come_to_rest)
        finally:
            stop.set()
            killer.join()
            sealer.join()

    assert report.is_same, report
    assert report.rows > 200
    assert report.kills > 2
    assert instance.kills > 0
    assert writers.rolled_back > 0
    assert sum(report.link.values()) >= story.least_faults
    here, there = everything(instance.environment["SMARTPARK_DSN"]), everything(province_dsn)
    assert here["sealed"], "nothing was sealed: the story told nothing about seals"
    assert here == there


def seal_now_and_then(instance: Instance, stop: threading.Event) -> None:
    for month in ("2026-01", "2026-02", "2026-03", "2026-01"):
        if stop.wait(1.0):
            return
        instance.command("submissions", "seal", PARK, month, "--accept-incomplete", "--by", "a test")


def test_a_province_ends_up_with_exactly_our_numbers(instance, province_dsn, tmp_path):
    run_story(instance, province_dsn, tmp_path / "province.key", seconds=8, seed=5)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_it_does_so_for_minutes(instance, province_dsn, tmp_path, seed):
    run_story(instance, province_dsn, tmp_path / "province.key", seconds=120, seed=seed)
