"""What dashboards must not make anybody believe: figures of a park in trouble, computed apart from their queries.

Rows stand here as the workers leave them: the running hour is as complete as what of it is over, a meter that fell
silent leaves no rows behind its last reading, a meter that counts its phases has a total beside them.
"""

from datetime import timedelta

import psycopg
import pytest
from dashboard_cases import all_queries, ask, chosen
from smartpark.clock import utc_now
from smartpark.periods import Grain, period_containing
from smartpark_storage import connect
from smartpark_storage.reads import read_amounts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUERIES = {
    " ".join(str(query).replace("-en ", " ").split()[: 3 if query.form == "mark" else 2]): query
    for query in all_queries("en")
}


class Park:
    """One park of a database, with what a test writes into it."""

    def __init__(self, connection, code, dsn):
        self.connection, self.code, self.dsn = connection, code, dsn
        self.run(
            "INSERT INTO smartpark.park (code, name, name_en, region, terrain, peer_class, area_mu, time_zone,"
            " contract_demand_kw, electricity_factor_scope)"
            " VALUES (%s, '园', 'Park', '350121', 'coastal', 1, 1, 'Asia/Shanghai', 1000, 'f')",
            code,
        )
        self.run(
            "INSERT INTO smartpark.indicator_origin (digest, unit, method, factor_set, factors, reason)"
            " VALUES (md5('adversary')::uuid, 'kWh', 'm/1', 's', '{}', '') ON CONFLICT DO NOTHING"
        )

    def run(self, statement, *values):
        return self.connection.execute(statement, values)

    def device(self, code, *, role="boundary", parent=None, internal=False):
        self.run(
            "INSERT INTO smartpark.device (park, code, name, name_en, kind, carrier, role, parent, internal_transfer,"
            " ct_ratio, pt_ratio) VALUES (%s, %s, '表', 'Meter', 'meter', 'electricity', %s, %s, %s, 1, 1)",
            self.code, code, role, parent, internal,
        )  # fmt: skip

    def point(self, device, code, measurand="active_power"):
        kind, unit = ("counter", "kWh") if measurand.startswith("active_energy") else ("gauge", "kW")
        (found,) = self.run(
            "INSERT INTO smartpark.point (park, device, code, key, measurand, kind, unit, carrier, multiplier)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 'electricity', 1) RETURNING point_id",
            self.code, device, code, f"{self.code}/{device}/{code}", measurand, kind, unit,
        ).fetchone()  # fmt: skip
        versioned = (
            "INSERT INTO smartpark.point_version (point_id, valid_from, multiplier) VALUES (%s, '2020-01-01', 1)"
        )
        self.run(versioned, found)
        return found

    def latest(self, point, value, *, at=None):
        at = at or utc_now()
        self.run("INSERT INTO smartpark.latest (point_id, time, raw, status, received_at) VALUES (%s, %s, %s, 0, %s)",
            point, at, value, at)  # fmt: skip

    def readings(self, point, at, value):
        self.run(
            "INSERT INTO smartpark.reading (time, point_id, raw, status) VALUES (%s, %s, %s, 0)", at, point, value
        )

    def quarters(self, point, start, end, amount=10.0):
        self.run(
            "INSERT INTO smartpark.interval_energy (point_id, start, amount, completeness, estimated_share, flags)"
            " SELECT %s, t, %s, 1, 0, 0 FROM generate_series(%s::timestamptz, %s::timestamptz, '15 minutes') AS t"
            " WHERE t < %s",
            point, amount, start, end, end,
        )  # fmt: skip

    def number(self, indicator, grain, start, value, *, completeness=1.0, boundary="park"):
        self.run(
            "INSERT INTO smartpark.indicator_series (park, boundary, indicator, grain) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            self.code, boundary, indicator, grain,
        )  # fmt: skip
        self.run(
            "INSERT INTO smartpark.indicator_value (series_id, origin_id, start, revision, value, completeness,"
            " estimated_share, computed_at, publication_id)"
            " SELECT s.series_id, o.origin_id, %s, 1, %s, %s, 0, now(), 1"
            " FROM smartpark.indicator_series AS s, smartpark.indicator_origin AS o"
            " WHERE s.park = %s AND s.boundary = %s AND s.indicator = %s AND s.grain = %s"
            " AND o.digest = md5('adversary')::uuid",
            start, value, completeness, self.code, boundary, indicator, grain,
        )  # fmt: skip

    def rows(self, name, *, end=None, span=DAY, **others):
        everything = {
            "zone": ["-"],
            "level": ["1", "2", "3"],
            "type": ["meter"],
            "pollutant": ["so2", "nox", "dust"],
            "outlet": ["S1"],
        } | others
        query = QUERIES[name]
        several = [self.code] if query.choices.get("park") else self.code
        values = chosen(query, several, language="en", others=everything)
        answer = ask(self.connection, query, end=end or utc_now(), span=span, values=values, timescale=False)
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    def row(self, name, **options):
        (row,) = self.rows(name, **options)
        return row


@pytest.fixture
def park(shared_plain_dsn, request):
    with psycopg.connect(shared_plain_dsn, autocommit=True) as connection:
        yield Park(connection, f"adv{abs(hash(request.node.name)) % 10**9}", shared_plain_dsn)


def hour_of(moment):
    return period_containing(moment, Grain.HOUR).start


def test_a_meter_that_shows_its_phases_is_not_counted_twice(park):
    park.device("M1")
    park.device("M2")
    park.device("X1", internal=True)
    total = park.point("M1", "active_power")
    phases = [park.point("M1", f"active_power_{phase}") for phase in "abc"]
    alone = [park.point("M2", f"active_power_{phase}") for phase in "abc"]
    inside = park.point("X1", "active_power")
    hour = hour_of(utc_now() - 3 * HOUR)
    for point, value in [(total, 300), *((p, 100) for p in phases), *((p, 20) for p in alone), (inside, 7)]:
        park.latest(point, value)
        for minute in range(0, 60, 5):
            park.readings(point, hour + timedelta(minutes=minute), value)
    # What the console, the accounts and the demand count: the total where there is one, else the phases.
    assert park.row("park-overview 1/A")["load_kw"] == 360
    assert park.row("park-overview 10/A")["value"] == pytest.approx(36)
    for panel, span in (("park-overview 20/A", DAY), ("park-power 10/A", DAY), ("park-power 10/A", 20 * DAY)):
        assert {row["load_kw"] for row in park.rows(panel, span=span)} == {360}
    assert {row["load_kw"] for row in park.rows("park-power 4/A")} == {360}
    assert {row["value"] for row in park.rows("park-power 15/A")} - {None} == {360}


def in_one_hour(park):
    """Running hours, each with nothing published yet, until one has not ended while it was looked at."""
    while True:
        park.run("DELETE FROM smartpark.indicator_value")
        hour = hour_of(utc_now())
        yield hour
        if hour_of(utc_now()) == hour:
            return


def mark(row):
    return row["time"], row["timeend"]


def test_the_running_hour_is_no_gap(park):
    for hour in in_one_hour(park):
        midnight = period_containing(hour, Grain.DAY).start
        for ago in range(6):
            # As derive publishes it: of the running hour so much is complete as is over.
            share = 0.25 if ago == 0 else 1
            park.number("electricity_consumption", "hour", hour - ago * HOUR, 5.0, completeness=share)
            park.number("electricity_consumption", "day", midnight - ago * DAY, 5.0, completeness=share / 2)
        found = [park.rows("park-power mark Gaps"), park.rows("park-power mark Gaps", span=40 * DAY)]
    assert found == [[], []]


def test_a_park_that_fell_silent_has_a_gap(park):
    """Nothing is derived of hours without a reading: until the park speaks again they have no row at all."""
    for hour in in_one_hour(park):
        midnight = period_containing(hour, Grain.DAY).start
        for ago in (9, 8, 7):
            park.number("electricity_consumption", "hour", hour - ago * HOUR, 5.0)
            park.number("electricity_consumption", "day", midnight - ago * DAY, 5.0)
        found = [
            [mark(row) for row in park.rows(f"{page} mark Gaps") if park.code in row["text"]]
            for page in ("park-power", "meter-health", "platform-operation")
        ]
        past = [mark(row) for row in park.rows("park-power mark Gaps", end=hour - 2 * HOUR, span=2 * HOUR)]
        days = [mark(row) for row in park.rows("park-power mark Gaps", span=40 * DAY)]
    assert found == [[(hour - 6 * HOUR, hour)]] * 3
    assert past == [(hour - 4 * HOUR, hour - HOUR)]
    assert days == [(midnight - 6 * DAY, midnight)]


def test_a_meter_that_fell_silent_is_on_the_list_of_gaps(park):
    park.device("LIVE", role="consumption")
    park.device("DEAD", role="consumption")
    park.device("MUTE", role="consumption")
    hour = hour_of(utc_now())
    live, dead = (park.point(code, "active_energy_import", "active_energy_import") for code in ("LIVE", "DEAD"))
    park.point("MUTE", "active_energy_import", "active_energy_import")
    park.quarters(live, hour - 30 * HOUR, utc_now())
    park.quarters(dead, hour - 30 * HOUR, hour - 5 * HOUR)
    found = {row["meter"].split("/")[1]: (row["since"], row["hours"]) for row in park.rows("meter-health 13/A")}
    assert set(found) == {"DEAD", "MUTE"}
    since, hours = found["DEAD"]
    assert since == hour - 5 * HOUR
    assert 5 <= hours <= (utc_now() - since) / HOUR
    assert found["MUTE"][1] >= 23.75


def test_a_day_without_a_quarter_hour_is_a_day_of_which_nothing_is_known(park):
    park.device("LIVE")
    park.device("DEAD")
    live, dead = (park.point(code, "active_energy_import", "active_energy_import") for code in ("LIVE", "DEAD"))
    midnight = period_containing(utc_now(), Grain.DAY).start
    park.quarters(live, midnight - 6 * DAY, midnight)
    park.quarters(dead, midnight - 6 * DAY, midnight - 4 * DAY)
    days = {
        (row["metric"].split()[-1], (midnight - row["time"]).days): row["value"]
        for row in park.rows("meter-health 15/A", span=10 * DAY)
    }
    assert {key: value for key, value in days.items() if key[1] > 0} == {
        **{("LIVE", ago): 100 for ago in range(1, 7)},
        ("DEAD", 6): 100, ("DEAD", 5): 100, **{("DEAD", ago): 0 for ago in range(1, 5)},
    }  # fmt: skip
    nodes = park.rows("park-balance 11/A", end=midnight - timedelta(seconds=1), span=4 * DAY)
    amounts = {row["id"]: row["mainstat"] for row in nodes}
    assert amounts == {"LIVE": "3840 kWh", "DEAD": "—"}
    nodes = park.rows("park-balance 11/A", end=midnight - timedelta(seconds=1), span=6 * DAY)
    amounts = {row["id"]: row["mainstat"] for row in nodes}
    assert amounts == {"LIVE": "5760 kWh", "DEAD": "≥ 1920 kWh"}


def test_registers_of_phases_are_not_added_to_their_total(park):
    park.device("M1")
    park.device("M2", role="consumption")
    midnight = period_containing(utc_now(), Grain.DAY).start
    for device, codes in (("M1", ["", "_a", "_b", "_c"]), ("M2", ["_a", "_b", "_c"])):
        for code in codes:
            point = park.point(device, f"active_energy_import{code}", "active_energy_import")
            park.quarters(point, midnight - DAY, midnight, 30.0 if not code else 10.0)
    yesterday = {"end": midnight - timedelta(seconds=1), "span": DAY - timedelta(seconds=1)}
    amounts = {row["id"]: row["mainstat"] for row in park.rows("park-balance 11/A", **yesterday)}
    assert amounts == {"M1": "2880 kWh", "M2": "2880 kWh"}
    assert [row["value"] for row in park.rows("park-balance 7/A", **yesterday)] == [2880]
    # And so does the console's page.
    with connect(park.dsn, application="test") as connection:
        read = read_amounts(connection, park.code, midnight - DAY, midnight)
    assert [(row.device, row.amount, row.known) for row in read] == [("M1", 2880, 96), ("M2", 2880, 96)]


def test_a_night_is_as_low_as_its_lowest_whole_hour(park):
    midnight = period_containing(utc_now(), Grain.DAY).start - DAY
    for n in range(5):
        park.number("electricity_consumption", "hour", midnight + n * HOUR, 40.0)
        park.number("electricity_consumption", "hour", midnight + n * HOUR - DAY, 10.0 if n == 3 else 40.0,
            completeness=0.25 if n == 3 else 1)  # fmt: skip
    assert [(row["time"], row["base"]) for row in park.rows("park-balance 5/A", span=4 * DAY)] == [(midnight, 40)]


def test_an_hour_that_is_half_known_is_not_compared(park):
    for hour in in_one_hour(park):
        first = period_containing(hour - HOUR, Grain.DAY).start
        for n in range(int((hour - first) / HOUR)):
            park.number("electricity_consumption", "hour", first + n * HOUR - DAY, 40.0)
            park.number("electricity_consumption", "hour", first + n * HOUR, 5.0 if n == 0 else 40.0,
                completeness=0.25 if n == 0 else 1)  # fmt: skip
        found = park.row("park-overview 6/A")
    whole = (hour - first) // HOUR - 1
    assert found == {"change": pytest.approx(0) if whole else None, "hours": whole or None}


def test_stacks_of_which_nothing_was_judged_are_not_in_order(park):
    park.device("S1")
    park.run("UPDATE smartpark.device SET carrier = 'flue_gas' WHERE park = %s", park.code)
    said = [*park.rows("park-environment 1/A"), *park.rows("park-overview 12/A")]
    assert {row[name] for row in said for name in ("within", "beyond", "judged") if name in row} <= {None}
    for span in (DAY, 60 * DAY):
        assert park.row("park-environment 2/A", span=span) == {"so2": None, "nox": None, "dust": None}


def test_a_sum_of_days_ends_before_the_day_that_begins_at_its_end(park):
    midnight = period_containing(utc_now(), Grain.DAY).start - DAY
    for ago in range(4):
        park.number("electricity_purchased", "day", midnight - ago * DAY, 100.0)
    # From the first of one month to the first of the next, as people write it.
    sums = park.row("park-balance 1/A", end=midnight, span=3 * DAY)
    assert sums["purchased"] == 300


def test_the_running_month_is_held_to_the_days_that_are_over(park):
    month = period_containing(utc_now(), Grain.MONTH)
    year = period_containing(utc_now(), Grain.YEAR)
    park.run(
        "INSERT INTO smartpark.business_figure (park, entity, kind, product, price_basis, grain, first_day, revision,"
        " value, unit, is_estimated, source_document, entered_by, note, recorded_at) VALUES (%s, 'park',"
        " 'carbon_budget_t', '', '', 'year', %s, 1, 1000, 't', false, 'd', 'd', '', now())",
        park.code, year.day,
    )  # fmt: skip
    now = utc_now()
    row = next(row for row in park.rows("park-carbon 10/A", end=now) if row["time"] == month.start)
    expected = 1000 * (now - year.start) / (year.end - year.start)
    assert row["allowed"] == pytest.approx(expected, rel=1e-4)


def test_a_sum_over_days_of_silence_is_not_known(park):
    midnight = period_containing(utc_now(), Grain.DAY).start
    for ago in range(3, 6):
        for indicator in ("electricity_purchased", "electricity_consumption"):
            park.number(indicator, "day", midnight - ago * DAY, 100.0)
    since = 6 * DAY + (utc_now() - midnight)
    # Of yesterday and the day before there is no number: the park is silent since.
    assert park.row("park-balance 1/A", span=since) == dict.fromkeys(
        ("purchased", "generated", "exported", "consumed", "lost", "unmetered")
    )
    # Before its first number a park was not there yet, and what is not over is not missing.
    known = park.row("park-balance 1/A", end=midnight - 2 * DAY, span=20 * DAY)
    assert (known["purchased"], known["consumed"], known["lost"]) == (300, 300, None)
    for ago in (1, 2):
        park.number("electricity_purchased", "day", midnight - ago * DAY, 100.0)
    assert park.row("park-balance 1/A", span=since)["purchased"] == 500
    # One that was given up is not silent.
    park.run("UPDATE smartpark.park SET retired_at = %s WHERE code = %s", midnight, park.code)
    assert park.row("park-balance 1/A", span=since)["purchased"] == 500


def test_what_is_of_the_month_that_is_over_is_not_this_months(park):
    month = period_containing(utc_now(), Grain.MONTH).start
    before = period_containing(month - DAY, Grain.MONTH).start
    park.number("maximum_demand", "month", before, 900.0)
    park.number("maximum_demand", "day", month - DAY, 900.0)
    pages = ("park-power 1/A", "park-power 2/A", "park-power 3/A", "park-power 5/A", "park-overview 10/A")
    for page in pages:
        assert {value for row in park.rows(page) for value in row.values()} <= {None}, page
    # A settlement month need not begin with the month of the calendar.
    park.number("maximum_demand_block", "month", period_containing(utc_now(), Grain.DAY).start - 20 * DAY, 800.0)
    assert (park.row("park-power 1/A"), park.row("park-power 3/A")["free"]) == ({"value": 800}, 200)


def test_what_was_forecast_of_last_year_is_not_of_this(park):
    year = period_containing(utc_now(), Grain.YEAR).start
    december = period_containing(year - DAY, Grain.MONTH).start
    for indicator in ("carbon_budget_forecast", "energy_budget_pace", "carbon_budget_pace"):
        park.number(indicator, "month", december, 0.9)
    assert (park.rows("park-carbon 2/A"), park.rows("park-overview 11/A")) == ([], [])
    for indicator in ("carbon_budget_forecast", "energy_budget_pace"):
        park.number(indicator, "month", year, 0.5)
    assert park.row("park-carbon 2/A") == {"value": 0.5}
    assert [row["pace"] for row in park.rows("park-overview 11/A")] == [50]
