"""Two processes of `smartpark alerts run`: the one with the turn is killed, the other one goes on within seconds."""

from alert_park import Hill, limit
from fix_ingest import as_ingest
from fix_process import SmartparkRunner
from smartpark.clock import utc_now
from waiting import wait_until

TAKEN_UP = "taken up in"


def test_who_stands_by_takes_over_from_whoever_is_killed(
    plain_database_dsn: str, smartpark: SmartparkRunner, tmp_path
) -> None:
    hill = Hill(plain_database_dsn, now=utc_now())
    hill.rules(limit())
    environment = {
        "SMARTPARK_DSN": as_ingest(plain_database_dsn),
        "SMARTPARK_ALERT_SECRETS": str(tmp_path),
        "SMARTPARK_LOG_LEVEL": "INFO",
    }
    first = smartpark.start("alerts", "run", environment=environment)
    wait_until(lambda: TAKEN_UP in first.output(), what="the first has the turn")
    second = smartpark.start("alerts", "run", environment=environment)
    wait_until(lambda: "alerts are evaluated on" in second.output(), what="the second stands by")

    exceeds(hill, "M1")
    wait_until(lambda: len(hill.alerts()) == 1, what="the first one finds it")
    assert TAKEN_UP not in second.output(), "two would judge the same"

    first.kill()
    exceeds(hill, "M2")
    wait_until(lambda: len(hill.alerts()) == 2, what="the second goes on")
    assert TAKEN_UP in second.output()
    assert [one.about.object for one in hill.alerts()] == [f"point:hill/M{n}/active_power" for n in (1, 2)]


def exceeds(hill: Hill, meter: str) -> None:
    hill.now = utc_now()
    hill.store({f"{meter}/active_power": [(hill.now, 150.0)]})
