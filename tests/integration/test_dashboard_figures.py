"""Numbers on the dashboards, computed apart from their queries, from what stands in dashboard_parks.sql.

There, each number of a park is that of the park plus how many periods ago it was; of five periods four are in limits.
"""

from datetime import UTC, timedelta

import dashboard_parks
import psycopg
import pytest
from dashboard_cases import all_queries, ask, chosen
from dashboard_parks import CHINESE, DENSE, ONE, QUOTE, number_of
from smartpark import status
from smartpark.clock import PARK_ZONE, utc_now
from smartpark.load_requests.words import WORDS as REQUEST_WORDS
from smartpark.load_requests.words import Stage
from smartpark.periods import Grain, period_containing
from smartpark_analytics.balance import VERDICT_WORDS, Verdict
from smartpark_storage import connect, describe_database

DAY, MONTH, YEAR = timedelta(days=1), timedelta(days=30), timedelta(days=365)
QUERIES = {
    str(query).replace("-en ", " ")
    if query.form == "mark"
    else " ".join(str(query).replace("-en ", " ").split()[:2]): query
    for query in all_queries("en")
}
N = number_of(ONE)
FEEDERS = ["transformer/TR1", "transformer/TR2", "contract/C1"]
KEPT = {Grain.HOUR: 30, Grain.DAY: 34, Grain.MONTH: 14, Grain.YEAR: 3}


class Asker:
    """Asks the panels about a seeded database, always about the same span of time."""

    def __init__(self, dsn):
        with connect(dsn, application="test") as connection:
            dashboard_parks.seed(connection)
            self.timescale = describe_database(connection).timescale_version is not None
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.now = utc_now()
        newest = self.connection.execute("SELECT grain, max(time) FROM park.indicator GROUP BY grain").fetchall()
        self.newest = {Grain(grain): start for grain, start in newest}

    def rows(self, name, *, park=ONE, span=DAY, like="", **others):
        everything = {
            "province": ["35"], "zone": ["-", "z'1"], "level": ["1", "2"], "type": ["meter", "station", "stack"],
            "pollutant": ["so2", "nox", "dust"], "owner": ["utility"], "stage": [stage.value for stage in Stage],
            "feeder": FEEDERS, "severity": ["critical", "warning", "info"], "outlet": ["S1"],
            "rule": [f"rule-{number_of(code)}" for code in DENSE],
        }  # fmt: skip
        query = (
            QUERIES[name] if not like else next(QUERIES[key] for key in QUERIES if key.startswith(f"{name} {like}"))
        )
        values = chosen(query, park, language="en", others=everything | others)
        answer = ask(self.connection, query, end=self.now, span=span, values=values, timescale=self.timescale)
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    def row(self, name, **options):
        (row,) = self.rows(name, **options)
        return row

    def starts(self, grain, span):
        """How many periods ago, and when, the periods began that stand in the database and in the span."""
        found, start = [], self.newest[grain]
        for ago in range(KEPT[grain] + 1):
            if self.now - span <= start <= self.now:
                found.append((ago, start))
            start = period_containing(start - timedelta(seconds=1), grain).start
        return found

    def series(self, grain, span, *, of=lambda ago: N + ago):
        """Start and number of the periods in the span, in order."""
        return [(start, of(ago)) for ago, start in reversed(self.starts(grain, span))]


@pytest.fixture(scope="module")
def park(shared_database_dsn):
    asker = Asker(shared_database_dsn)
    yield asker
    asker.connection.close()


def pairs(rows, column="value"):
    return [(row["time"], row[column]) for row in rows]


def load(start):
    """What both incomers draw in the hour [kW]."""
    return 100 + start.astimezone(UTC).hour + 200


def amount_of_day(park, midnight):
    """What a register counted in a day [kWh]: 50 hours of quarters until the last full hour."""
    until = park.newest[Grain.HOUR]
    hours = [until - timedelta(hours=n) for n in range(1, 51)]
    return 40 * sum(midnight <= hour < midnight + DAY for hour in hours)


def hours_of_readings(park, span):
    """Hours of which readings stand in the database, and in the span; the running one has some too."""
    first = park.newest[Grain.HOUR] - timedelta(hours=27)
    return [first + timedelta(hours=n) for n in range(28) if first + timedelta(hours=n) >= park.now - span]


def test_the_overview(park):
    assert park.row("park-overview 1/A")["load_kw"] == 500
    assert park.row("park-overview 10/A")["value"] == pytest.approx(50)
    assert park.row("park-overview 13/A") == {"critical": 1, "warning": 0, "info": 0}
    assert park.row("park-overview 14/A")["value"] == 1
    assert pairs(park.rows("park-overview 21/A"), "electricity") == park.series(Grain.HOUR, DAY)
    assert {row["park"]: (row["critical"], row["firing"]) for row in park.rows("park-overview 30/A")} == {
        **dict.fromkeys(DENSE, (1, 1)), "bare": (0, 0),
    }  # fmt: skip


def test_the_day_is_compared_hour_by_hour(park):
    # The third hour back is known by a fifth.
    known = {start: N + ago for ago, start in park.starts(Grain.HOUR, timedelta(days=9)) if ago != 3}
    while True:
        running = period_containing(utc_now(), Grain.HOUR).start
        row = park.row("park-overview 6/A")
        if period_containing(utc_now(), Grain.HOUR).start == running:
            break  # else the hour ended meanwhile: which one the page compared up to is not known
    midnight = period_containing(running - timedelta(hours=1), Grain.DAY).start
    compared = [hour for hour in known if midnight <= hour < running and hour - DAY in known]
    today, before = sum(known[hour] for hour in compared), sum(known[hour - DAY] for hour in compared)
    assert row == {"change": pytest.approx(100 * (today / before - 1)), "hours": len(compared)}


def test_the_running_month(park):
    rows = park.rows("park-overview 7/A")
    if period_containing(utc_now(), Grain.MONTH).start == park.newest[Grain.MONTH]:
        assert [row["value"] for row in rows] == [N]
    else:
        assert rows == []  # the month ended since the numbers were written


@pytest.mark.parametrize(
    "page", [name.split()[0] for name in QUERIES if name.endswith(" 90/A") and "load" not in name]
)
def test_every_page_says_how_fresh_it_is(park, page):
    fresh = park.row(f"{page} 90/A")
    passed = (utc_now() - park.now).total_seconds()
    assert 10 <= fresh["reading"] <= 10 + passed + 600
    assert 0 <= fresh["hour"] <= passed + 600
    assert fresh["hour"] == pytest.approx(fresh["day"])


def test_the_peak_of_the_month_and_the_hours_of_days(park):
    # Of days the one longest ago has the highest demand.
    first_day = period_containing(park.newest[Grain.MONTH], Grain.DAY).start
    there = [hour for hour in hours_of_readings(park, MONTH) if first_day <= hour < first_day + DAY]
    expected = max(there, key=lambda hour: (load(hour), -hour.timestamp())) if there else first_day
    assert park.row("park-power 5/A")["at"] == expected
    cells = park.rows("park-power 15/A", span=MONTH)
    seen = {}
    for cell in cells:
        hour = cell["time"] + timedelta(hours=int(cell["metric"]))
        seen[hour] = cell["value"]
    assert {hour: kw for hour, kw in seen.items() if kw is not None} == {
        hour: pytest.approx(load(hour)) for hour in hours_of_readings(park, MONTH)
    }
    assert [cell["metric"] for cell in cells[:24]] == [f"{hour:02}" for hour in range(24)]
    limits = {row["value"] for row in park.rows("park-power 14/A") if row["metric"].startswith("limit")}
    assert limits == {0.9}


def test_free_capacity_by_node(park):
    rows = {row["code"]: row for row in park.rows("park-power 31/A", feeder=FEEDERS)}
    free = {node: row["headroom"] for node, row in rows.items()}
    assert free == {"TR1": 500 - N, "TR2": 640 - N, "C1": None}
    assert list(rows)[-1] == "C1"
    assert rows["C1"]["reason"] == "no demand published"
    assert rows["TR1"]["cautious"] == 500 - 2 * N
    shares = {row["node"]: row["headroom"] for row in park.rows("park-power 30/A", feeder=FEEDERS)}
    assert shares == {
        "一号变 TR1": pytest.approx(100 * (500 - N) / 1250),
        "二号变 TR2": pytest.approx(100 * (640 - N) / 800),
    }
    (one,) = park.rows("park-power 30/A", feeder=["transformer/TR2"])
    assert one["node"].endswith("TR2")


def test_forecasts(park):
    made = park.connection.execute("SELECT max(made_at) FROM smartpark.load_forecast_run").fetchone()[0]
    assert park.row("park-power 32/A") == {"peak": 323, "high": 373, "at": made + timedelta(hours=23)}
    ahead = park.rows("park-power 33/A")
    assert [row["expected"] for row in ahead] == [300 + n for n in range(48)][-len(ahead) :]
    assert len(ahead) in {47, 48}
    assert all((row["low"], row["high"]) == (row["expected"] - 50, row["expected"] + 50) for row in ahead)
    rows = {row["time"]: row for row in park.rows("park-power 34/A", span=2 * DAY)}
    # Of the run before, what lay a day ahead and is over by now.
    expected = {made - timedelta(hours=27 - n): 300 + n for n in range(24, 28)}
    forecast = {time: row["expected_kw"] for time, row in rows.items() if row["expected_kw"] is not None}
    assert forecast == {time: kw for time, kw in expected.items() if time <= park.now}
    came = {time: row["load_kw"] for time, row in rows.items() if row["load_kw"] is not None}
    assert came == {hour: pytest.approx(load(hour)) for hour in hours_of_readings(park, 2 * DAY)}


def test_the_load_and_its_duration(park):
    quarters = park.rows("park-power 10/A", span=DAY)
    assert {(row["contract_kw"], row["rated_kva"]) for row in quarters} == {(1000, 2050)}
    assert all(row["load_kw"] == pytest.approx(load(row["time"])) for row in quarters)
    assert len(quarters) >= 95
    by_hours = park.rows("park-power 10/A", span=MONTH)
    assert [(row["time"], row["load_kw"]) for row in by_hours] == [
        (hour, pytest.approx(load(hour))) for hour in hours_of_readings(park, MONTH)
    ]
    curve = park.rows("park-power 4/A", span=MONTH)
    loads = sorted(load(hour) for hour in hours_of_readings(park, MONTH))
    assert [row["share"] for row in curve] == list(range(0, 101, 2))
    assert curve[0]["load_kw"] == pytest.approx(loads[-1])
    assert curve[-1]["load_kw"] == pytest.approx(loads[0])
    middle = (loads[13] + loads[14]) / 2
    assert curve[25]["load_kw"] == pytest.approx(middle)


def test_demand_and_price_periods(park):
    assert park.row("park-power 1/A")["value"] == N
    assert park.row("park-power 3/A") == {"free": 1000 - N, "share": pytest.approx((1000 - N) / 10)}
    with park.connection.transaction(force_rollback=True):
        # Minutes began today, and the month is known by quarters: the maximum of a day is not that of the month.
        park.connection.execute("SET LOCAL session_replication_role = replica")
        park.connection.execute(
            "UPDATE smartpark.indicator_value AS v SET value = 1 FROM smartpark.indicator_series AS s"
            " WHERE s.series_id = v.series_id AND s.park = 'p1' AND s.indicator = 'maximum_demand'"
            " AND s.grain = 'month'"
        )
        park.connection.execute(
            "UPDATE smartpark.indicator_value AS v SET value = 950 FROM smartpark.indicator_series AS s"
            " WHERE s.series_id = v.series_id AND s.park = 'p1' AND s.indicator = 'maximum_demand_block'"
            " AND s.grain = 'month'"
        )
        assert park.row("park-power 1/A")["value"] == 950
        assert park.row("park-power 2/A")["value"] == pytest.approx(95)
        assert park.row("park-power 3/A") == {"free": 50, "share": pytest.approx(5)}
    # Above 105 % of the contract demand is charged more (the newest of core's rows on the basic charge).
    assert {(row["contract_kw"], round(row["charged_kw"], 6)) for row in park.rows("park-power 10/A")} == {
        (1000, 1050)
    }
    days = park.rows("park-power 12/A", span=MONTH)
    assert pairs(days, "peak") == park.series(Grain.DAY, MONTH)
    assert all(row["sharp"] == row["peak"] == row["flat"] == row["valley"] for row in days)


def test_the_balance(park):
    total = sum(number for _, number in park.series(Grain.DAY, MONTH))
    sums = park.row("park-balance 1/A", span=MONTH)
    assert sums == dict.fromkeys(("purchased", "generated", "exported", "consumed", "lost", "unmetered"), total)
    assert park.rows("park-balance 4/A", span=MONTH) == [
        {"name": "One", "electricity": total}, {"name": "Two", "electricity": total},
    ]  # fmt: skip
    (residual,) = park.rows("park-balance 10/A", span=MONTH)
    assert (residual["meter"], residual["residual"], residual["unknown_days"]) == ("p1/M1", total, 0)
    nights = {}
    for start, number in park.series(Grain.HOUR, timedelta(hours=30)):
        if number == N + 3:
            continue  # known by a fifth
        local = start.astimezone(PARK_ZONE)
        if local.hour < 5:
            nights.setdefault(local.date(), []).append(number)
    expected = [float(min(numbers)) for _, numbers in sorted(nights.items()) if len(numbers) == 5]
    assert [row["base"] for row in park.rows("park-balance 5/A", span=timedelta(hours=30))] == expected


def test_residuals_that_errors_do_not_explain_are_counted(park):
    total = sum(number for _, number in park.series(Grain.DAY, MONTH))
    assert park.rows("park-balance 6/A", span=MONTH) == [{"meter": "Incomer 1 M1", "residual": total}]
    assert park.rows("park-balance 6/A", span=MONTH, zone=["Z9"]) == []
    days = len(park.starts(Grain.DAY, MONTH))
    for verdict, column in ((Verdict.MISSING, "beyond_days"), (Verdict.CHILDREN_EXCEED, "exceeded_days")):
        with park.connection.transaction(force_rollback=True):
            # What numbers rest on is not rewritten: a trigger sees to that.
            park.connection.execute("SET LOCAL session_replication_role = replica")
            park.connection.execute(
                "UPDATE smartpark.indicator_origin SET reason = %s WHERE digest = md5('dashboards')::uuid",
                [f"as computed; {VERDICT_WORDS[verdict]}"],
            )
            (residual,) = park.rows("park-balance 10/A", span=MONTH)
        assert {name: residual[name] for name in ("beyond_days", "exceeded_days")} == {
            "beyond_days": 0, "exceeded_days": 0, column: days,
        }  # fmt: skip


def test_the_tree_of_meters_has_an_end_for_every_edge(park):
    # Two days and some hours of registers, 10 kWh a quarter; of T1 four hours are not known.
    days = {start: amount_of_day(park, start) for _, start in park.starts(Grain.DAY, MONTH)}
    total = sum(days.values())
    nodes = {row["id"]: row["mainstat"] for row in park.rows("park-balance 11/A", span=MONTH)}
    edges = {(row["source"], row["target"]) for row in park.rows("park-balance 11/B")}
    assert nodes["M2"].endswith(f"{total} kWh")
    assert nodes["T1"] == f"≥ {total - 4 * 40} kWh"
    yesterday = [start for ago, start in park.starts(Grain.DAY, MONTH) if ago == 1]
    assert days[yesterday[0]] == 960
    with park.connection.transaction(force_rollback=True):
        # A day of which nothing stands there is not known.
        park.connection.execute("DELETE FROM smartpark.energy_day WHERE start <> %s", yesterday)
        assert {row["id"]: row["mainstat"] for row in park.rows("park-balance 11/A", span=MONTH)}["M2"] == "≥ 960 kWh"
    by_zone = park.rows("park-balance 7/A", span=MONTH)
    assert {row["metric"] for row in by_zone} == {"Zone one"}
    # Meters at the boundary are no ends of the tree.
    assert sum(row["value"] for row in by_zone) == total - 4 * 40
    assert park.rows("park-balance 7/A", span=MONTH, zone=["-"]) == []
    shares = {row["time"]: row["value"] for row in park.rows("park-balance 8/A", span=MONTH)}
    assert shares[yesterday[0]] == pytest.approx(100 * (N + 1) / 960)
    assert edges == {("M1", "T1")}
    with park.connection.transaction(force_rollback=True):
        park.connection.execute(
            "INSERT INTO smartpark.device (park, code, name, name_en, kind, carrier, role, parent, internal_transfer,"
            " ct_ratio, pt_ratio) SELECT 'p1', 'A' || n, 'n', 'n', 'meter', 'electricity', 'consumption', 'M1',"
            " false, 1, 1 FROM generate_series(1000, 1300) AS n UNION ALL SELECT 'p1', 'PV', 'n', 'n', 'meter',"
            " 'photovoltaic', 'generation', 'M1', false, 1, 1"
        )
        ends = {row["id"] for row in park.rows("park-balance 11/A")}
        edges = park.rows("park-balance 11/B")
    assert len(ends) == 200
    assert {end for edge in edges for end in (edge["source"], edge["target"])} <= ends


def test_a_sum_with_an_unknown_day_is_not_known(park):
    with park.connection.transaction(force_rollback=True):
        park.connection.execute("ALTER TABLE smartpark.indicator_value DISABLE TRIGGER indicator_value_is_kept")
        park.connection.execute(
            "UPDATE smartpark.indicator_value AS v SET value = NULL FROM smartpark.indicator_series AS s"
            " WHERE s.series_id = v.series_id AND s.park = %s AND s.boundary = 'park' AND s.grain = 'day'"
            " AND s.indicator = 'electricity_purchased' AND v.start = %s",
            [ONE, park.starts(Grain.DAY, MONTH)[2][1]],
        )
        sums = park.row("park-balance 1/A", span=MONTH)
    assert sums["purchased"] is None
    assert sums["consumed"] is not None


def test_the_environment(park):
    beyond = sum(ago % 5 == 4 for ago, _ in park.starts(Grain.HOUR, DAY))
    assert park.row("park-environment 2/A") == {"so2": beyond, "nox": beyond, "dust": beyond}
    # Hours up to 31 days, all of them judged; then days, of which one was judged for a fifth of it.
    for grain, span, lost in ((Grain.HOUR, MONTH, 0), (Grain.DAY, 2 * MONTH, 4)):
        periods = park.starts(grain, span)
        limits = park.row("park-environment 3/A", span=span)
        share = 100 * sum(ago % 5 != 4 for ago, _ in periods) / len(periods)
        assert [limits[name] for name in ("so2", "nox", "dust")] == [pytest.approx(share)] * 3
        assert limits["completeness"] == pytest.approx(100 * len(periods) / (len(periods) + lost))
    for number, limit in (("10/A", 50), ("11/A", 200), ("12/A", 1000)):
        rows = park.rows(f"park-environment {number}")
        measured = [row for row in rows if row["metric"] == "Stack 1 S1"]
        assert pairs(measured) == park.series(Grain.HOUR, DAY)
        limits = [row for row in rows if row["metric"] == "limit S1"]
        assert pairs(limits) == park.series(Grain.HOUR, DAY, of=lambda _, limit=limit: limit)
        assert len(rows) == 2 * len(measured)
    assert {row["outlet"]: row["share"] for row in park.rows("park-environment 7/A")} == {
        "Stack 1 SO₂": pytest.approx(100 * N / 50), "Stack 1 NOₓ": pytest.approx(100 * N / 200),
        "Stack 1 dust": pytest.approx(100 * N / 1000),
    }  # fmt: skip
    assert [(row["pollutant"], row["limit_value"]) for row in park.rows("park-environment 8/A")] == [
        ("dust", 1000), ("nox", 200), ("so2", 50),
    ]  # fmt: skip
    assert pairs(park.rows("park-environment 4/A")) == park.series(
        Grain.HOUR, DAY, of=lambda ago: float(ago % 5 != 4)
    )


def test_a_feeder_carries_what_the_topmost_meters_on_its_transformers_measure(park):
    loads = park.rows("park-power 16/A", feeder=["feeder/L1"])
    assert {(row["metric"], round(row["value"], 6)) for row in loads} == {("一号线 L1", 100 * 200 / 2000)}
    assert len(loads) == len(hours_of_readings(park, DAY))
    assert park.rows("park-power 16/A") == []
    # A meter below the one that is counted, and a generator, are not counted; a second one whose power nobody knows
    # leaves nothing: half a feeder is no feeder.
    for role, parent, hours in (
        ("consumption", "M2", len(loads)),
        ("generation", None, len(loads)),
        ("none", None, 0),
    ):
        with park.connection.transaction(force_rollback=True):
            park.connection.execute(
                "UPDATE smartpark.device SET transformer = 'TR2', role = %s, parent = %s"
                " WHERE park = 'p1' AND code = 'T1'",
                [role, parent],
            )
            park.connection.execute("UPDATE smartpark.point SET retired_at = now() WHERE key = 'p1/T1/active_power'")
            assert len(park.rows("park-power 16/A", feeder=["feeder/L1"])) == hours, role
    with park.connection.transaction(force_rollback=True):
        park.connection.execute("UPDATE smartpark.transformer SET feeder = 'L1' WHERE park = 'p1' AND code = 'TR1'")
        assert park.rows("park-power 16/A", feeder=["feeder/L1"]) == []


def test_what_became_of_the_hours_of_a_stack(park):
    hours = park.starts(Grain.HOUR, DAY)
    assert [row["value"] for row in park.rows("park-environment 9/A")] == [1] * len(hours)
    assert park.rows("park-environment 9/A", span=2 * MONTH) == []
    for reason, state in {
        "oxygen suspicious; reference oxygen 3.5 %": 2, "oxygen of air; reference oxygen 3.5 %": 3,
        "too few minutes; reference oxygen 3.5 %": 5, "stopped; reference oxygen 3.5 %": 6,
    }.items():  # fmt: skip
        with park.connection.transaction(force_rollback=True):
            park.connection.execute("SET LOCAL session_replication_role = replica")
            park.connection.execute(
                "UPDATE smartpark.indicator_origin SET reason = %s"
                " WHERE reason LIKE '%%kept%%' OR reason LIKE '%%exceeded%%'",
                [reason],
            )
            if state in {3, 5, 6}:
                park.connection.execute(
                    "UPDATE smartpark.indicator_value AS v SET value = NULL FROM smartpark.indicator_series AS s"
                    " WHERE s.series_id = v.series_id AND s.park = 'p1' AND s.indicator LIKE '%%_corrected'"
                )
            assert {row["value"] for row in park.rows("park-environment 9/A")} == {state}, reason
            # Nothing was judged: not so many hours, not none.
            assert park.row("park-environment 2/A") == {"so2": None, "nox": None, "dust": None}
            now = park.row("park-environment 1/A")
            assert now == park.row("park-overview 12/A") == {"within": None, "beyond": None, "unjudged": 1}


def test_what_waits_for_somebody(park):
    rows = park.rows("park-overview 33/A")
    assert [(row["urgency"], row["area"]) for row in rows[:2]] == [("critical", "alerts"), ("overdue", "requests")]
    assert rows[0]["object"] == "Incomer 1 M1 · active power"
    assert park.row("park-overview 13/A")["critical"] == 1
    with park.connection.transaction(force_rollback=True):
        # While nobody judges what came, that nothing fires says nothing.
        park.connection.execute(
            "UPDATE smartpark.alert SET state = 'resolved', cleared_at = now(), resolved_at = now(),"
            " ended_by = 'condition'"
        )
        assert park.row("park-overview 13/A") == {"critical": 0, "warning": 0, "info": 0}
        park.connection.execute(
            "INSERT INTO smartpark.reading_change (edge_id, points, first_us, end_us, received_at)"
            " VALUES (1, '', '', '', now() - INTERVAL '1 hour')"
        )
        assert park.row("park-overview 13/A") == {"critical": None, "warning": None, "info": None}
        assert park.row("park-alerts 1/A")["critical"] is None


def test_what_the_analysers_of_stacks_say(park):
    assert pairs(park.rows("park-environment 5/A")) == park.series(
        Grain.HOUR, DAY, of=lambda ago: pytest.approx(20 if ago == 3 else 100)
    )
    (outlet,) = park.rows("park-environment 6/A")
    assert (outlet["meter"], outlet["measurand"], outlet["flag"]) == ("p1/S1", "so2_concentration", "good")
    flags = {
        status.UNCERTAIN: "uncertain", status.UNCERTAIN_OVER_RANGE: "over_range", status.BAD: "bad",
        status.BAD_SENSOR_FAILURE: "sensor_failure", status.BAD_OUT_OF_SERVICE: "out_of_service",
        status.BAD_SHUTDOWN: "shutdown",
    }  # fmt: skip
    for code, flag in flags.items():
        with park.connection.transaction(force_rollback=True):
            park.connection.execute(
                "UPDATE smartpark.latest AS l SET status = %s FROM smartpark.point AS p"
                " WHERE p.point_id = l.point_id AND p.key = 'p1/S1/so2_concentration'",
                [status.as_int32(code)],
            )
            assert park.row("park-environment 6/A")["flag"] == flag
    assert park.row("park-environment 2/A", pollutant=["nox"])["so2"] is None


def test_zero_carbon_parks(park):
    assert park.row("park-carbon 5/A") == {
        "gap": N, **dict.fromkeys(("clean", "quota", "waste", "heat", "water"), 100 * N)
    }  # fmt: skip
    assert park.row("park-carbon 3/A") == {"intensity": N, "target": 0}


def test_the_carbon_path_adds_up_the_year_and_spreads_its_budget(park):
    this_year = park.newest[Grain.MONTH].astimezone(PARK_ZONE).year
    # On New Year's Day the range reaches into the year before.
    path = [
        row for row in park.rows("park-carbon 10/A", span=DAY) if row["time"].astimezone(PARK_ZONE).year == this_year
    ]
    months = [
        (start, N + ago)
        for ago, start in reversed(park.starts(Grain.MONTH, YEAR))
        if start.astimezone(PARK_ZONE).year == this_year
    ]
    summed, expected = 0, []
    for start, number in months:
        summed += number
        # Of the running month, what is over.
        year, end = period_containing(start, Grain.YEAR), min(period_containing(start, Grain.MONTH).end, utc_now())
        budget = 3650 * (end - year.start) / (year.end - year.start)
        expected.append((start, summed, pytest.approx(budget, abs=0.01)))
    assert [(row["time"], row["emitted"], row["allowed"]) for row in path] == expected
    assert park.row("park-carbon 1/A") == {"emitted": summed, "unknown_months": 0}
    (factor,) = park.rows("park-carbon 21/A")
    assert (factor["id"], factor["value"], factor["unit"]) == ("dashboard-factor", 0.5, "t/MWh")


def test_the_health_of_meters(park):
    with park.connection.transaction(force_rollback=True):
        # As if the readings had come now, however long ago the database was filled.
        park.connection.execute(
            "UPDATE smartpark.latest SET time = time + shift, received_at = received_at + shift"
            " FROM (SELECT now() - max(received_at) AS shift FROM smartpark.latest) AS passed"
        )
        assert park.row("meter-health 1/A") == {"fresh": 7, "late": 0, "silent": 1, "never": 3, "bad": 0}
        in_zone = {"fresh": 1, "late": 0, "silent": 1, "never": 1, "bad": 0}
        assert park.row("meter-health 1/A", zone=["z'1"]) == in_zone
        assert park.row("meter-health 1/A", type=["stack"])["fresh"] == 1
    assert {(row["meter"], row["hours"]) for row in park.rows("meter-health 13/A")} == {("p1/T1", 4)}
    findings = {row["meter"]: row for row in park.rows("meter-health 12/A")}
    assert findings["p1/T1"]["gaps"] == 16
    assert findings["p1/M1"]["gaps"] == 0
    # One each full hour, except in those that are not known; how many hours there are depends on the minute.
    assert findings["p1/M1"]["glitches"] - findings["p1/T1"]["glitches"] == 4
    assert findings["p1/T1"]["glitches"] >= 18
    assert [row["point"] for row in park.rows("meter-health 21/A", meter="p1/M2")] == [
        "active_energy_import", "active_power",
    ]  # fmt: skip
    assert {row["value"] for row in park.rows("meter-health 22/A", meter="p1/M2")} == {200}
    days = {start: amount_of_day(park, start) for _, start in park.starts(Grain.DAY, MONTH)}
    counted = park.rows("meter-health 23/A", span=MONTH, meter="p1/M2")
    assert {row["metric"] for row in counted} == {"active energy, import [kWh]"}
    assert {row["time"]: row["value"] for row in counted} == {start: kwh for start, kwh in days.items() if kwh}
    yesterday = next(start for ago, start in park.starts(Grain.DAY, MONTH) if ago == 1)
    complete = {
        row["metric"]: row["value"] for row in park.rows("meter-health 15/A", span=MONTH) if row["time"] == yesterday
    }
    gone = park.newest[Grain.HOUR] - timedelta(hours=6)
    missing = sum(yesterday <= gone + timedelta(hours=n) < yesterday + DAY for n in range(4))
    assert complete == {
        "Incomer 1 M1": 100, "Incomer 2 M2": 100, "Tenant T1": pytest.approx(100 * (24 - missing) / 24),
    }  # fmt: skip
    usable = sum(row["usable"] for row in park.rows("meter-health 4/A"))
    # Seven gauges every five minutes.
    in_hours = [hour for hour in hours_of_readings(park, DAY) if hour < park.newest[Grain.HOUR]]
    of_the_running_hour = park.connection.execute(
        "SELECT count(*) FROM smartpark.reading AS r JOIN smartpark.point AS p USING (point_id)"
        " WHERE p.park = 'p1' AND r.time >= %s",
        [park.newest[Grain.HOUR]],
    ).fetchone()[0]
    assert usable == 7 * 12 * len(in_hours) + of_the_running_hour


def test_clocks_that_are_ahead(park):
    clocks = {row["meter"]: row for row in park.rows("meter-health 14/A")}
    assert (clocks["p1/M1"]["ahead"], clocks["p1/M1"]["delay"], clocks["p1/M1"]["points"]) == (0, 2, 2)
    with park.connection.transaction(force_rollback=True):
        park.connection.execute(
            "UPDATE smartpark.latest AS l SET time = l.received_at + INTERVAL '7 seconds' FROM smartpark.point AS p"
            " WHERE p.point_id = l.point_id AND p.key = 'p1/M1/active_power'"
        )
        (first, *_) = park.rows("meter-health 14/A")
    assert (first["meter"], first["ahead"]) == ("p1/M1", 7)


def test_spans_are_marked(park):
    (outage,) = park.rows("park-power mark", like="Maintenance")
    assert (outage["text"], outage["tags"]) == ("maintenance · p1 · M1", "maintenance")
    assert outage["timeend"] - outage["time"] == timedelta(minutes=30)
    gaps = [(row["time"], row["timeend"]) for row in park.rows("park-power mark", like="Gaps")]
    thin = dict(park.starts(Grain.HOUR, DAY)).get(3)
    assert gaps == [(thin, thin + timedelta(hours=1))]
    of_days = [(row["time"], row["timeend"]) for row in park.rows("park-power mark", like="Gaps", span=2 * MONTH)]
    thin = dict(park.starts(Grain.DAY, 2 * MONTH)).get(3)
    assert of_days == [(thin, thin + DAY)]
    critical, others = (park.rows("park-power mark", like=like) for like in ("Critical", "Other"))
    assert {row["tags"] for row in critical} == {"critical"}
    assert "critical" not in {row["tags"] for row in others}
    assert len(critical) + len(others) == 2
    # People read what a device is called, not the key of a point.
    assert {row["text"].split(" · ")[1] for row in (*critical, *others)} == {"Incomer 1 M1", "Incomer 2 M2"}
    everywhere = [park.rows("platform-operation mark", like=like) for like in ("Critical", "Other")]
    assert sum(map(len, everywhere)) == 6
    assert len(park.rows("meter-health mark", park=[ONE, CHINESE], like="Maintenance")) == 2


def test_alerts(park):
    everything = list(DENSE)
    assert [row["alerts"] for row in park.rows("park-alerts 6/A", park=everything)][1:] == [3, 0, 0]
    cells = park.rows("park-alerts 13/A", park=everything)
    assert sum(cell["value"] for cell in cells) == 6
    assert len(cells) % 24 == 0
    (silence,) = park.rows("park-alerts 14/A")
    assert (silence["kind"], silence["covers"], silence["state"]) == ("maintenance", "M1", "over")
    assert park.row("park-alerts 1/A", park=everything) == {"critical": 3, "warning": 0, "info": 0, "hidden": 0}
    assert park.row("park-alerts 1/A", park=everything, severity=["info"])["critical"] == 0
    assert park.row("park-alerts 3/A") == {"acknowledged_after": 300, "resolved_after": 1200}
    assert park.row("park-alerts 4/A") == {"acknowledged": 50, "false_alarms": 100}
    assert [row["alerts"] for row in park.rows("park-alerts 11/A", park=everything)] == [2, 2, 2]
    assert sum(row["critical"] + row["warning"] for row in park.rows("park-alerts 10/A", park=everything)) == 6
    states = {}
    for row in park.rows("park-alerts 12/A"):
        states.setdefault(row["metric"], []).append(row["value"])
    assert states == {"Incomer 1 M1 · active power": [3], "Incomer 2 M2 · active power": [2, 0]}
    assert 2400 <= park.row("park-alerts 2/A")["value"] < 2400 + 3600


def test_load_requests(park):
    assert park.row("load-requests 1/A") == {"open": 2, "overdue": 1, "suspended": 0}
    assert park.row("load-requests 1/A", park=[ONE, CHINESE, QUOTE])["open"] == 6
    assert park.row("load-requests 2/A")["value"] == 1500
    assert park.row("load-requests 3/A")["value"] == 100
    assert park.row("load-requests 4/A")["value"] == pytest.approx(30 - 10 / 1440, abs=0.01)
    assert [(row["stage"], row["requests"], row["kva"]) for row in park.rows("load-requests 10/A")] == [
        ("survey", 1, 1000), ("scheme_reply", 1, 500),
    ]  # fmt: skip
    assert [row["applied_kva"] for row in park.rows("load-requests 11/A")] == [1000, 500]
    for panel, column, numbers in (("5/A", "requests", (1, 1)), ("6/A", "kva", (1000, 500))):
        funnel = {row["stage"]: row[column] for row in park.rows(f"load-requests {panel}")}
        assert list(funnel) == [REQUEST_WORDS[stage][1] for stage in Stage]
        expected = dict(zip((Stage.SURVEY, Stage.SCHEME_REPLY), numbers, strict=True))
        assert funnel == {REQUEST_WORDS[stage][1]: expected.get(stage, 0) for stage in Stage}
    fresh = park.row("load-requests 90/A")
    assert 0 <= fresh["changed"] <= 3600
    # The day of the server's zone, which may be the park's yesterday.
    assert fresh["clocks"] in {0, 1}
    assert [row["requests"] for row in park.rows("load-requests 7/A")] == [2, 0, 0, 0, 0, 0]
    assert park.row("load-requests 1/A", stage=["survey"])["open"] == 1
    nodes = {
        row["node"]: (row["asked"], row["reserved"], row["rated"], row["free"])
        for row in park.rows("load-requests 22/A")
    }
    assert nodes == {"一号变 TR1": (1000, 500, 1250, 500 - N), "no node": (500, 250, None, None)}
    with park.connection.transaction(force_rollback=True):
        # The console names a node with its kind.
        park.connection.execute("UPDATE smartpark.load_request SET node = 'transformer/TR1' WHERE node = 'TR1'")
        assert {row["node"] for row in park.rows("load-requests 22/A")} == {"一号变 TR1", "no node"}
    # Three requests spent 1, 2, 3 days of the utility and one of the customer on their acceptance.
    assert park.rows("load-requests 24/A", span=MONTH) == [{"stage": REQUEST_WORDS[Stage.ACCEPTANCE][1], "days": 3}]
    flow = {(row["time"], row["metric"]): row["value"] for row in park.rows("load-requests 25/A", span=2 * MONTH)}
    names = [f"{n:02} {REQUEST_WORDS[stage][1]}" for n, stage in enumerate(Stage, 1)]
    course = {time: tuple(flow.get((time, name)) for name in names[:3]) for time, _ in flow}
    midnight = period_containing(park.now, Grain.DAY).start
    for ago, counts in ((50, None), (39, (3, 0, 0)), (29, (0, 3, 0)), (3, (0, 0, 3)), (0, (0, 0, 3))):
        assert course.get(midnight - timedelta(days=ago)) == counts
    (wanted,) = park.rows("load-requests 23/A")
    assert (wanted["kva"], wanted["expected_kva"]) == (1500, 750)
    open_course = park.rows("load-requests 20/A", span=timedelta(days=90))
    assert {row["open"] for row in open_course[:50]} == {0}
    assert open_course[-2]["open"] == 3


def test_the_comparison_of_parks(park):
    month = park.newest[Grain.MONTH].astimezone(PARK_ZONE).strftime("%Y-%m")
    rows = park.rows("province-league 1/A", park=[CHINESE, ONE, QUOTE], month=month)
    assert [(row["park"], row["intensity"]) for row in rows] == [(ONE, 100), (QUOTE, 200), (CHINESE, 300)]
    assert rows[0]["change"] == pytest.approx(100 * (100 / 112 - 1))
    assert rows[0]["energy"] == N
    assert [row["third"] for row in rows] == ["1", "2", "3"]
    assert [row["third"] for row in park.rows("province-league 1/A", park=[ONE, QUOTE], month=month)] == ["alone"] * 2
    assert {row["in_limits"] for row in rows} == {100.0}
    assert {row["on_time"] for row in rows} == {100}
    points = park.rows("province-league 5/A", park=list(DENSE), month=month)
    assert sorted((row["value_added"], row["intensity"]) for row in points) == [(2, 100), (2, 200), (2, 300)]
    assert [row["intensity"] for row in park.rows("province-league 6/A", park=list(DENSE), month=month)] == [
        100, 200, 300,
    ]  # fmt: skip
    assert pairs(park.rows("province-league 13/A", span=YEAR)) == park.series(Grain.MONTH, YEAR)
    assert [row["value"] for row in park.rows("province-league 2/A", park=list(DENSE), month=month)] == [
        100,
        200,
        300,
    ]
    assert park.rows("province-league 2/A", park=list(DENSE), month="1999-01") == []


def test_the_platform(park):
    now = park.row("platform-operation 1/A")
    assert (now["set_aside"], now["offline"]) == (3, 0)
    assert now["per_second"] == pytest.approx(3 * 7 * 3 / 900)
    assert park.row("platform-operation 2/A") == {"half": pytest.approx(2), "most": pytest.approx(2)}
    assert sum(row["corrected"] for row in park.rows("platform-operation 13/A")) == 3
    (agent,) = [row for row in park.rows("platform-operation 12/A") if row["agent"] == f"edge-{N}"]
    waiting = {row["kind"]: (row["number"], row["parks"]) for row in park.rows("platform-operation 15/A")}
    assert waiting["dead_letter"] == (3, 0)
    assert waiting["notice"] == waiting["alert_intent"] == (0, 0)
    (source,) = [row for row in park.rows("platform-operation 16/A") if row["source"] == f"source-{N}"]
    assert (source["rows"], source["error"], source["complete"]) == (7, "none", None)
    assert 300 <= source["pulled"] <= 3900
    database = park.row("platform-operation 4/A")
    assert database["database_bytes"] > database["reading_bytes"] > 0
    assert (database["failed_jobs"] is None) is not park.timescale
    assert (agent["state"], agent["waiting"], agent["spool"]) == ("online", 3, 50)
