"""Working days of mainland China: holidays, make-up days, deadlines, and years that nobody entered."""

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.errors import InvalidFileError
from smartpark.workdays import (
    HOLIDAY_WORDS,
    CalendarNotCoveredError,
    DayKind,
    Holiday,
    WorkdayFile,
    builtin_workdays,
    load_workdays,
    with_entries,
)

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "working_days.toml").read_text(encoding="utf-8"))
BUILTIN = builtin_workdays()
COVERED = st.dates(date(2004, 1, 1), date(2026, 9, 30))


@pytest.mark.parametrize("example", GOLDEN["example"], ids=lambda e: e["name"])
@pytest.mark.parametrize("entered", [True, False], ids=["holidays as input", "built-in calendar"])
def test_the_worked_example_of_a_deadline(example, entered):
    calendar = BUILTIN
    if entered:
        year = {"year": 2026, "source": example["source"], "holiday": example["holiday"]}
        calendar = with_entries(WorkdayFile.model_validate({"year": [year]}), base=BUILTIN)
    assert calendar.due(example["accepted"], example["limit"]) == example["due"]
    first = example["accepted"].date()
    after = [first + timedelta(days=n) for n in range(1, 40)]
    assert [day for day in after if calendar.is_workday(day)][: example["limit"]] == example["counted"]
    by_weekday = [day for day in after if day.weekday() < 5]
    assert by_weekday[example["limit"] - 1] == example["by_weekday"] < example["due"]


@pytest.mark.parametrize(
    ("day", "kind", "holiday"),
    [
        (date(2026, 10, 9), DayKind.WORKDAY, None),
        (date(2026, 10, 11), DayKind.WEEKEND, None),
        (date(2026, 10, 5), DayKind.HOLIDAY, Holiday.NATIONAL_DAY),
        (date(2026, 10, 3), DayKind.HOLIDAY, Holiday.NATIONAL_DAY),  # a Saturday within the holiday
        (date(2026, 10, 10), DayKind.MAKE_UP_DAY, Holiday.NATIONAL_DAY),
        (date(2025, 10, 6), DayKind.HOLIDAY, Holiday.MID_AUTUMN),  # in the middle of National Day's
        (date(2015, 9, 3), DayKind.HOLIDAY, Holiday.OTHER),  # once only, in 2015
    ],
)
def test_what_a_day_is(day, kind, holiday):
    found = BUILTIN.describe(day)
    assert (found.kind, found.holiday) == (kind, holiday)
    assert found.is_workday == (kind in {DayKind.WORKDAY, DayKind.MAKE_UP_DAY})


def test_the_days_around_spring_festival_are_told_apart():
    # 15 to 23 February 2026 are the holiday.
    offsets = {
        day: BUILTIN.describe(day).festival_offset for day in (date(2026, 2, 1) + timedelta(n) for n in range(45))
    }
    assert [offsets[date(2026, 2, d)] for d in (1, 14, 15, 23, 24)] == [-14, -1, 0, 0, 1]
    assert offsets[date(2026, 3, 10)] == 15
    assert offsets[date(2026, 3, 11)] is None


def test_what_is_accepted_after_hours_counts_as_accepted_on_the_next_day():
    closing = datetime(2026, 9, 24, 9, 0, tzinfo=UTC)  # five in the afternoon in the park's zone
    assert BUILTIN.due(closing, 1) == date(2026, 9, 28)
    assert BUILTIN.due(datetime(2026, 11, 17, 9, 0, tzinfo=UTC), 1) == date(2026, 11, 18)
    late = datetime(2026, 11, 17, 9, 1, tzinfo=UTC)
    assert BUILTIN.due(late, 1) == date(2026, 11, 19)
    assert BUILTIN.due(late, 1, closes=None) == date(2026, 11, 18)
    assert BUILTIN.due(late, 1, closes=time(18)) == date(2026, 11, 18)


def test_a_naive_instant_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        BUILTIN.due(datetime(2026, 9, 24, 10, 0), 1)  # noqa: DTZ001  that is what is refused


@pytest.mark.parametrize("day", [date(2003, 12, 31), date(2031, 5, 1)])
def test_a_year_that_nobody_entered_is_an_error_and_never_monday_to_friday(day):
    with pytest.raises(CalendarNotCoveredError, match=rf"{day.year}.*docs/methods/working-days.md"):
        BUILTIN.describe(day)


def test_a_deadline_that_reaches_into_an_unknown_year_is_an_error():
    last = max(BUILTIN.years)
    assert BUILTIN.add_workdays(date(last, 12, 1), 2) <= date(last, 12, 31)
    with pytest.raises(CalendarNotCoveredError, match=str(last + 1)):
        BUILTIN.add_workdays(date(last, 12, 20), 30)


def test_a_file_adds_a_year_and_changes_single_days(tmp_path):
    last = max(BUILTIN.years)
    file = tmp_path / "workdays.toml"
    file.write_text(
        f"""
[[year]]
year = {last + 1}
source = "notice"
  [[year.holiday]]
  name = "new_year"
  first = {last}-12-31
  last = {last + 1}-01-02

[[day]]
day = {last}-07-15
kind = "holiday"
source = "typhoon, notice of the city"
""",
        encoding="utf-8",
    )
    calendar = load_workdays(file)
    assert calendar.years == BUILTIN.years | {last + 1}
    assert not calendar.is_workday(date(last, 7, 15))
    assert not calendar.is_workday(date(last, 12, 31))
    assert calendar.describe(date(last + 1, 1, 1)).holiday is Holiday.NEW_YEAR
    assert calendar.is_workday(date(2026, 10, 10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "new_year"\nfirst = 2027-01-02\nlast = 2027-01-01', "is before first"),
        ('name = "new_year"\nfirst = 2028-01-01\nlast = 2028-01-01', "is not a day of 2027"),
        ('name = "new_year"\nfirst = 2027-01-01\nlast = 2027-01-01\nmake_up = [2027-01-04]', "is a Monday"),
        ('name = "newyear"\nfirst = 2027-01-01\nlast = 2027-01-01', "newyear"),
    ],
)
def test_a_wrong_file_is_refused_with_the_key(tmp_path, text, message):
    file = tmp_path / "workdays.toml"
    file.write_text(f'[[year]]\nyear = 2027\nsource = "x"\n[[year.holiday]]\n{text}\n', encoding="utf-8")
    with pytest.raises(InvalidFileError, match=message):
        load_workdays(file)


@given(day=COVERED, count=st.integers(0, 40))
def test_counting_forth_and_back_agree(day, count):
    due = BUILTIN.add_workdays(day, count)
    assert BUILTIN.workdays_between(day, due) == count
    assert due == day if count == 0 else BUILTIN.is_workday(due)


@given(day=COVERED, first=st.integers(0, 20), second=st.integers(0, 20))
def test_deadlines_add_up(day, first, second):
    halfway = BUILTIN.add_workdays(day, first)
    assert BUILTIN.add_workdays(halfway, second) == BUILTIN.add_workdays(day, first + second)


@given(day=COVERED, count=st.integers(0, 20))
def test_a_later_day_is_never_due_earlier(day, count):
    assert BUILTIN.add_workdays(day, count) <= BUILTIN.add_workdays(day + timedelta(days=1), count)


def test_every_year_of_the_table_is_a_whole_one():
    """A year has ten to thirteen public holidays by law; what else is taken off the week is worked on weekends."""
    for year in sorted(BUILTIN.years):
        days = [date(year, 1, 1) + timedelta(n) for n in range(365)]
        kinds = [BUILTIN.describe(day).kind for day in days]
        assert 10 <= kinds.count(DayKind.HOLIDAY) <= 40
        assert kinds.count(DayKind.MAKE_UP_DAY) <= 12
        assert 240 <= sum(BUILTIN.is_workday(day) for day in days) <= 255


def test_every_holiday_has_names_in_both_languages():
    assert set(HOLIDAY_WORDS) == set(Holiday)
