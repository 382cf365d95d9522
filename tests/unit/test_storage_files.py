"""Named queries, migration files and stale spans: decisions without a database."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark_storage import MigrationError, StaleSpan
from smartpark_storage.derived import MERGE_GAP_US, merge_spans
from smartpark_storage.migrations import Flavour, builtin_migrations, parse_migrations, pending, select_flavour
from smartpark_storage.queries import parse_queries, query


def test_a_statement_lasts_until_the_next_name_and_loses_its_comments():
    text = "-- Of this file.\n\n-- first --\n-- What for.\nSELECT 1\n  + 1;\n\n-- second --\nSELECT '--no comment'\n"
    assert dict(parse_queries(text, file="x.sql")) == {
        "first": "SELECT 1\n  + 1",
        "second": "SELECT '--no comment'",
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1;\n-- late --\nSELECT 2;", "before the first"),
        ("-- empty --\n-- only words\n", "empty has no statement"),
    ],
)
def test_a_query_file_without_sense_is_refused_by_name(text: str, complaint: str):
    with pytest.raises(ValueError, match=rf"x\.sql: .*{complaint}"):
        dict(parse_queries(text, file="x.sql"))


def test_an_unknown_statement_is_an_error():
    with pytest.raises(KeyError, match="no_such_statement"):
        query("no_such_statement")


def test_every_flavour_has_every_migration_number():
    migrations = builtin_migrations()
    numbers = {flavour: [m.number for m in select_flavour(migrations, flavour)] for flavour in Flavour}
    assert numbers[Flavour.PLAIN] == numbers[Flavour.TIMESCALE] == list(range(1, len(numbers[Flavour.PLAIN]) + 1))


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["0001_a.sql", "0003_c.sql"], "each number from 1"),
        (["0001_a.sql", "0001_b.sql"], "each number from 1"),
        (["0001_a.sql", "0002_b.plain.sql"], "migrations for timescale"),
        (["1_a.sql"], r"1_a\.sql: a migration is named"),
        (["0001_a.oracle.sql"], r"0001_a\.oracle\.sql: a migration is named"),
    ],
)
def test_migration_files_that_do_not_fit_together_are_refused(names: list[str], complaint: str):
    with pytest.raises(MigrationError, match=complaint):
        parse_migrations([(name, "SELECT 1;") for name in names])


def test_line_ends_do_not_change_a_checksum():
    unix, dos = (parse_migrations([("0001_a.sql", text)])[0] for text in ("A;\nB;\n", "A;\r\nB;\r\n"))
    assert unix.checksum == dos.checksum


def test_an_applied_migration_that_was_changed_renamed_or_lost_is_refused_by_name():
    wanted = parse_migrations([("0001_a.sql", "A;"), ("0002_b.sql", "B;")])
    first = wanted[0]
    assert pending(wanted, [(1, first.name, first.checksum)]) == wanted[1:]
    with pytest.raises(MigrationError, match=r"0001_a\.sql was changed after it was applied"):
        pending(wanted, [(1, first.name, "0" * 64)])
    with pytest.raises(
        MigrationError, match=r"has 0001_old\.sql applied, but the file of that number is 0001_a\.sql"
    ):
        pending(wanted, [(1, "0001_old.sql", first.checksum)])
    with pytest.raises(MigrationError, match=r"0003_c\.sql applied, which this version does not know"):
        pending(wanted, [(3, "0003_c.sql", "x")])


spans = st.lists(
    st.builds(
        lambda point, start, length: StaleSpan(point, start, start + length),
        st.integers(1, 3),
        st.integers(0, 20 * MERGE_GAP_US),
        st.integers(1, 3 * MERGE_GAP_US),
    )
)


@given(spans)
def test_merged_spans_cover_every_span_and_stand_apart(given_spans: list[StaleSpan]):
    merged = merge_spans(given_spans)
    for span in given_spans:
        assert any(
            m.point_id == span.point_id and m.start_us <= span.start_us and span.end_us <= m.end_us for m in merged
        )
    for left, right in pairwise(merged):
        assert left.point_id < right.point_id or right.start_us > left.end_us + MERGE_GAP_US
    # Nothing is stale that no span touches: each merged span begins and ends with a given one.
    assert {(m.point_id, m.start_us) for m in merged} <= {(s.point_id, s.start_us) for s in given_spans}
    assert {(m.point_id, m.end_us) for m in merged} <= {(s.point_id, s.end_us) for s in given_spans}
