"""Every query of every dashboard, as Grafana sends it, on real databases, with every kind of choice and range."""

from collections import defaultdict
from datetime import timedelta

import dashboard_parks
import psycopg
import pytest
import two_parks
from dashboard_cases import SPANS, all_queries, ask, chosen, shape_problems, told
from dashboard_parks import BARE, CHINESE, DENSE, ONE, QUOTE
from smartpark.clock import utc_now
from smartpark_storage import connect

ODD = {"none": "", "quote": "o'b", "attack": "'; DROP VIEW park.park; --", "chinese": "甲园"}
CHOICES = {
    "one": ONE,
    "many": [ONE, CHINESE],
    "all": [*DENSE, BARE],
    "bare": BARE,
    "quote": QUOTE,
    "chinese": CHINESE,
}
EVERYDAY = [("one", span) for span in SPANS] + [(choice, "24h") for choice in ("all", "bare", "quote")]


class Pages:
    """Asks the queries of one set of dashboards, and remembers what was wrong and what was seen."""

    def __init__(self, dsn, *, timescale, language="zh"):
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.timescale = timescale
        self.language = language
        self.now = utc_now()
        self.problems = []
        self.seen = defaultdict(bool)
        self.queries = all_queries(language)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def answer(self, query, values, span):
        """The answer, or None where there was an error."""
        options = {"end": self.now, "span": SPANS[span], "values": values, "timescale": self.timescale}
        try:
            return ask(self.connection, query, **options)
        except psycopg.Error as error:
            self.problems.append((query, values, span, error))
            return None

    def look(self, park, span, *, others):
        """Ask every query once."""
        for query in self.queries:
            chosen_others = others if others is not None else self.options(query.page, park, span)
            values = chosen(query, park, language=self.language, others=chosen_others)
            answer = self.answer(query, values, span)
            if answer is not None:
                self.problems += [(query, values, span, text) for text in shape_problems(query, answer)]
                self.seen[query] |= not answer.is_empty

    def options(self, page, park, span):
        """What can be chosen of the page's other variables when this park is, as Grafana would find it."""
        found = {}
        for query in self.queries:
            if query.page == page and query.form == "variable" and query.where != "$park":
                # One may depend on those before it, as a meter depends on its zone.
                values = chosen(query, park, language=self.language, others=found)
                answer = self.answer(query, values, span)
                found[query.where[1:]] = answer.of("__value") if answer is not None else ""
        return found


def look_through(dsn, cases, *, timescale, language="zh", others=None):
    with Pages(dsn, timescale=timescale, language=language) as pages:
        for park, span in cases:
            pages.look(park, span, others=others)
        return pages


def seeded(dsn):
    with connect(dsn, application="test") as connection:
        dashboard_parks.seed(connection)
    return dsn


def test_every_query_answers_on_an_empty_database(plain_database_dsn):
    with Pages(plain_database_dsn, timescale=False) as pages:
        for word in ODD.values():
            pages.look(word, "24h", others=word)
    assert told(pages.problems) == ""


def test_every_query_answers_where_every_table_has_rows(plain_database_dsn):
    with connect(plain_database_dsn, application="test") as connection:
        two_parks.seed(connection, two_parks.NEAR, two_parks.FAR)
    cases = [("near", "1y"), (["near", "far"], "24h")]
    assert told(look_through(plain_database_dsn, cases, timescale=False).problems) == ""


def test_every_query_has_something_to_show_for_every_choice_and_range(plain_database_dsn):
    dsn = seeded(plain_database_dsn)
    pages = look_through(dsn, [(CHOICES[choice], span) for choice, span in EVERYDAY], timescale=False)
    assert told(pages.problems) == ""
    assert [str(query) for query, is_seen in pages.seen.items() if not is_seen] == []
    english = look_through(dsn, [(CHOICES["all"], "30d")], timescale=False, language="en")
    assert told(english.problems) == ""


@pytest.mark.timescale
def test_every_query_has_something_to_show_on_timescale(timescale_database_dsn):
    dsn = seeded(timescale_database_dsn)
    pages = look_through(dsn, [(CHOICES["all"], "24h"), (ONE, "1y")], timescale=True)
    assert told(pages.problems) == ""
    assert [str(query) for query, is_seen in pages.seen.items() if not is_seen] == []


@pytest.mark.soak
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("choice", CHOICES)
def test_the_whole_matrix(database_dsn, database_kind, choice, language):
    cases = [(CHOICES[choice], span) for span in SPANS]
    pages = look_through(seeded(database_dsn), cases, timescale=database_kind == "timescale", language=language)
    assert told(pages.problems) == ""


def test_a_park_that_has_nothing_is_no_park_of_zeros(plain_database_dsn):
    """What is not known is empty; only what is counted may be none."""
    counted = {
        "park-overview 12/A", "park-overview 13/A", "park-overview 14/A", "park-overview 30/A",
        "park-environment 1/A", "park-environment 2/A", "park-carbon 1/A", "meter-health 1/A", "meter-health 2/A",
        "park-alerts 1/A", "park-alerts 6/A", "load-requests 1/A", "load-requests 5/A", "load-requests 6/A",
        "load-requests 7/A", "load-requests 20/A", "province-league 1/A",
    }  # fmt: skip
    everybodys = {"park-overview 31/A", "park-overview 32/A", "meter-health 11/A"}
    dsn = seeded(plain_database_dsn)
    with Pages(dsn, timescale=False) as pages:
        pages.look(BARE, "30d", others=None)
    filled = {
        " ".join(str(query).split()[:2])
        for query, is_seen in pages.seen.items()
        if is_seen and query.form in {"table", "time_series"} and query.page != "platform-operation"
    }
    assert filled - everybodys <= counted


def test_grafanas_role_sees_the_views_and_nothing_else(plain_database_dsn):
    with psycopg.connect(plain_database_dsn) as connection:
        connection.execute("SET ROLE smartpark_grafana")
        for statement in ("SELECT * FROM smartpark.reading", "SELECT * FROM seen.park", "DELETE FROM park.park"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


def test_what_is_not_in_shape_is_told(plain_database_dsn):
    wrong = {
        "SELECT now() AS at, 1 AS value": "no column time",
        "SELECT t AS \"time\", 1 AS value FROM unnest(ARRAY[now(), now() - INTERVAL '1 day']) AS t": "order of time",
        'SELECT NULL::timestamptz AS "time", 1 AS value': "without a time",
        "SELECT now() AS \"time\", 'a' AS name, 1 AS value": "one at most",
        "SELECT now() AS \"time\", INTERVAL '1 day' AS value": "shows as text",
        "SELECT n::text::int * INTERVAL '0 days' + now() AS \"time\", 1 AS value FROM generate_series(1, 2) AS n":
            "two values for one moment",
    }  # fmt: skip
    series = next(query for query in all_queries() if query.form == "time_series")
    with psycopg.connect(plain_database_dsn, autocommit=True) as connection:
        for sql, expected in wrong.items():
            query = type(series)("page", "where", sql, "time_series", {})
            answer = ask(connection, query, end=utc_now(), span=timedelta(1), values={}, timescale=False)
            assert expected in "\n".join(shape_problems(query, answer))
