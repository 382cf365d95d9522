"""An uplink as processes of the command: workers killed again and again, a platform that fails every fourth time.

At the end the platform's own ledger has every published number, to the last digit, and nothing else.
"""

import json
import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from fix_ingest import as_ingest
from fix_uplinks import ENTERPRISE, new_park, number, publish
from smartpark.clock import PARK_ZONE, to_us
from smartpark_storage import connect
from smartpark_storage.uplinks import uplink_overviews
from waiting import wait_until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

ENTERPRISES = 20
HOURS = 480
KILLS = 12


def settings(url: str, name: str, park: str) -> str:
    """Short waits, small batches."""
    head = f"""
        [uplink]
        name = "{name}"
        kind = "nhjc"
        [delivery]
        since = 2026-01-01
        batch = 50
        backlog_per_minute = 1_000_000
        first_wait_s = 0.1
        longest_wait_s = 1
        lease_s = 1
        poll_s = 0.1
        [platform]
        register_url = {url}
        enterprise_code = "{ENTERPRISE}"
        region = "350121"
        [form]
        valid = "boolean"
        [quality]
        least_completeness = 0.9
    """
    items = [
        f"""
        [[item]]
        data_code = "00-00-{n:04}-023300-11"
        stat_type = "real_time"
        park = "{park}"
        boundary = "enterprise/E{n}"
        indicator = "electricity_consumption"
        grain = "hour"
        decimals = 3
        """
        for n in range(ENTERPRISES)
    ]
    return "".join([head, *items])


def overview(dsn: str, name: str):
    with connect(dsn, application="test") as connection:
        found = uplink_overviews(connection, name)
        return found[0] if found else None


def test_workers_are_killed_and_the_platform_fails_and_ends_with_exactly_our_numbers(
    timescale_database_dsn, smartpark, tmp_path
):
    dsn, dice = timescale_database_dsn, random.Random(5)
    park = new_park(dsn)
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS)
    values: dict[tuple[str, str], float] = {}

    def tell_of(enterprise: int, hours: range) -> None:
        rows = []
        for hour in hours:
            start, value = first + timedelta(hours=hour), round(dice.uniform(0, 1000), 3)
            local = start.astimezone(PARK_ZONE).strftime("%Y-%m-%d %H:%M:%S")
            values[f"00-00-{enterprise:04}-023300-11", local] = value
            rows.append(
                number(
                    start,
                    value,
                    park=park,
                    grain="hour",
                    boundary=f"enterprise/E{enterprise}",
                    computed_at_us=to_us(first),
                )
            )
        publish(dsn, *rows)

    for enterprise in range(ENTERPRISES):
        tell_of(enterprise, range(HOURS))
    ledger = tmp_path / "ledger"
    platform = smartpark.start(
        *("simulate", "nhjc-platform", "--port", 0, "--ledger", ledger, "--fault-share", 0.25, "--faults"),
        *("refuse", "drop", "lose_answer", "no_ack", "garbage", "reject", "forget"),
    )
    wait_until(lambda: "register_url" in platform.output(), what="the platform listens")
    file = tmp_path / "up.toml"
    file.write_text(settings(platform.output().split("=", 1)[1].strip(), "up", park), encoding="utf-8")
    environment = {"SMARTPARK_DSN": as_ingest(dsn)}
    for _ in range(KILLS):
        worker = smartpark.start("uplink", "run", file, environment=environment)
        before = 0 if (seen := overview(dsn, "up")) is None else seen.acknowledged

        def has_moved(before=before) -> bool:
            seen = overview(dsn, "up")
            return seen is not None and seen.acknowledged > before

        wait_until(has_moved, what="something was told")
        time.sleep(dice.uniform(0, 0.5))  # anywhere in what it does
        worker.kill()
        # Late data: what was told already, and what was not.
        tell_of(dice.randrange(ENTERPRISES), range(0, HOURS, 7))
    last = smartpark.start("uplink", "run", file, environment=environment)

    def is_done() -> bool:
        seen = overview(dsn, "up")
        return seen is not None and seen.waiting == 0 and seen.acknowledged == len(values)

    wait_until(is_done, what="everything was taken", timeout_s=240)
    assert last.terminate() == 0
    assert platform.terminate() == 0
    told: dict[tuple[str, str], float] = {}
    lines = ledger.read_text(encoding="utf-8").splitlines()
    for enterprise, stat_type, code, start, value, _ in map(json.loads, lines):
        assert (enterprise, stat_type) == (ENTERPRISE, 0)
        told[code, start] = value
    assert told == values
