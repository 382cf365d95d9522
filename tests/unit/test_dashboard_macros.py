"""Grafana's rules for macros and variables, as its documentation and its own tests have them."""

from datetime import UTC, datetime, timedelta

import pytest
from smartpark_dashboards.grafana_sql import GrafanaWouldRefuseError, Request, expand, instant, without_comments

START = datetime(2018, 4, 12, 18, 0, tzinfo=UTC)
END = datetime(2018, 4, 12, 18, 5, tzinfo=UTC)


def expanded(sql, *, timescale=False, several=(), interval=timedelta(minutes=1), **variables):
    return expand(sql, Request(START, END, variables, frozenset(several), interval, timescale))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select $__time(time_column)", 'select time_column AS "time"'),
        ("select $__timeEpoch(time_column)", 'select extract(epoch from time_column) as "time"'),
        (
            "WHERE $__timeFilter(time_column)",
            "WHERE time_column BETWEEN '2018-04-12T18:00:00Z' AND '2018-04-12T18:05:00Z'",
        ),
        ("select $__timeFrom(), $__timeTo()", "select '2018-04-12T18:00:00Z', '2018-04-12T18:05:00Z'"),
        ("$__timeGroupAlias(c,'5m')", 'floor(extract(epoch from c)/300)*300 AS "time"'),
        ("$__timeGroup(c,'5m') x", "floor(extract(epoch from c)/300)*300 x"),
        ("$__timeGroup(c , '5m'), x", 'floor(extract(epoch from c)/300)*300 AS "time", x'),
        ("$__unixEpochFilter(c)", "c >= 1523556000 AND c <= 1523556300"),
        ("$__unixEpochNanoFilter(c)", "c >= 1523556000000000000 AND c <= 1523556300000000000"),
        ("$__unixEpochNanoFrom() $__unixEpochNanoTo()", "1523556000000000000 1523556300000000000"),
        ("$__unixEpochFrom() $__unixEpochTo()", "1523556000 1523556300"),
        ("$__unixEpochGroup(c,'5m')", "floor((c)/300)*300"),
        ("$__unixEpochGroupAlias(c,'5m', NULL)", 'floor((c)/300)*300 AS "time"'),
        ("$__interval $__interval_ms", "60s 60000"),
    ],
)
def test_a_macro_becomes(sql, expected):
    assert expanded(sql) == expected


@pytest.mark.parametrize(("length", "bucket"), [("5m", "300.000s"), ("12d", "1036800.000s"), ("200ms", "0.200s")])
def test_with_timescaledb_times_are_grouped_by_its_buckets(length, bucket):
    assert expanded(f"$__timeGroup(c,'{length}')", timescale=True) == f"time_bucket('{bucket}',c)"


@pytest.mark.parametrize(
    "sql", ["$__timeFiltr(c)", "$__timeGroup(c)", "$__timeGroup(c,'0s')", "$__timeGroup(c,'soon')"]
)
def test_a_macro_that_grafana_does_not_know_is_an_error(sql):
    with pytest.raises(GrafanaWouldRefuseError):
        expanded(sql)


def test_arguments_end_at_the_first_closing_bracket():
    assert expanded("$__time(f(c))") == 'f(c AS "time")'


@pytest.mark.parametrize(
    ("sql", "variables", "several", "expected"),
    [
        ("'$v'", {"v": "O'B"}, (), "'O''B'"),
        ("'${v}x'", {"v": "O'B"}, (), "'O''Bx'"),
        ("IN ($v)", {"v": "O'B"}, ("v",), "IN ('O''B')"),
        ("IN ($v)", {"v": ["O'B", "b 2"]}, ("v",), "IN ('O''B','b 2')"),
        ("IN (${v:sqlstring})", {"v": ["O'B", "b 2"]}, ("v",), "IN ('O''B','b 2')"),
        ("= $v", {"v": 7}, (), "= 7"),
        ("= $other", {"v": 7}, (), "= $other"),
        ("$vv $v", {"v": 7}, (), "$vv 7"),
    ],
)
def test_variables_are_written_in(sql, variables, several, expected):
    assert expanded(sql, several=several, **variables) == expected


def test_a_format_that_leaves_quotes_unsafe_is_refused():
    with pytest.raises(GrafanaWouldRefuseError, match="singlequote"):
        expanded("'${v:singlequote}'", v="O'B")


def test_comments_go_and_what_is_quoted_stays():
    sql = "SELECT '--a', \"/*b*/\", $x$ --c $x$ -- d\n, 1 /* e */"
    assert without_comments(sql) == "SELECT '--a', \"/*b*/\", $x$ --c $x$ \n, 1 "


def test_moments_have_as_many_decimals_as_they_need():
    assert instant(START + timedelta(milliseconds=120)) == "2018-04-12T18:00:00.12Z"
