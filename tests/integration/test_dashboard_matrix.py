"""Every query of every dashboard, as Grafana sends it, on real databases, with every kind of choice and range."""

import psycopg
import pytest
import two_parks
from dashboard_cases import SPANS, all_queries, ask, chosen, shape_problems, told
from smartpark.clock import utc_now
from smartpark_storage import connect

ODD = {"none": "", "quote": "o'b", "attack": "'; DROP VIEW park.park; --", "chinese": "甲园"}


def problems_with(dsn, *, timescale, values, spans, language="zh"):
    found = []
    now = utc_now()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for query in all_queries(language):
            for value in values:
                for span in spans:
                    try:
                        answer = ask(
                            connection, query, end=now, span=SPANS[span],
                            values=chosen(query, value, language=language, others=value), timescale=timescale,
                        )  # fmt: skip
                    except psycopg.Error as error:
                        found.append((query, value, span, error))
                        continue
                    found += [(query, value, span, text) for text in shape_problems(query, answer)]
    return told(found)


def test_every_query_answers_on_an_empty_database(plain_database_dsn):
    assert problems_with(plain_database_dsn, timescale=False, values=ODD.values(), spans=["24h"]) == ""


def test_every_query_answers_where_every_table_has_rows(plain_database_dsn):
    with connect(plain_database_dsn, application="test") as connection:
        two_parks.seed(connection, two_parks.NEAR, two_parks.FAR)
    values = ["near", ["near", "far"]]
    assert problems_with(plain_database_dsn, timescale=False, values=values, spans=SPANS) == ""
    assert problems_with(plain_database_dsn, timescale=False, values=["far"], spans=["1y"], language="en") == ""


@pytest.mark.timescale
def test_every_query_answers_on_timescale(timescale_database_dsn):
    with connect(timescale_database_dsn, application="test") as connection:
        two_parks.seed(connection, two_parks.NEAR, two_parks.FAR)
    assert problems_with(timescale_database_dsn, timescale=True, values=[["near", "far"]], spans=["24h", "1y"]) == ""


def test_grafanas_role_sees_the_views_and_nothing_else(plain_database_dsn):
    with psycopg.connect(plain_database_dsn) as connection:
        connection.execute("SET ROLE smartpark_grafana")
        for statement in ("SELECT * FROM smartpark.reading", "SELECT * FROM seen.park"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM park.park")
