"""Working days of the year in which the tests are run, where the calendar's table does not reach so far.

Nobody can open a request or count its days in a year whose holidays are not known. Tests that work by the real clock
would stop at a New Year with the table, though nothing is wrong with the code; they are given a year of weekends and
two holidays. What the calendar itself knows is tested with dates of its own.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from smartpark.clock import PARK_ZONE, utc_now
from smartpark.workdays import builtin_workdays

_YEAR = """
[[year]]
year = {year}
source = "made up for tests: the table of the package does not have it yet"
  [[year.holiday]]
  name = "new_year"
  first = {year}-01-01
  last = {year}-01-01
  [[year.holiday]]
  name = "national_day"
  first = {year}-10-01
  last = {year}-10-07
"""


@pytest.fixture(scope="session", autouse=True)
def holidays_of_the_year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Name a file with the years of today and of the months after it, if the table lacks one that has begun."""
    today = utc_now().astimezone(PARK_ZONE).date()
    known = builtin_workdays().years
    if today.year in known:
        yield
        return
    years = {today.year - 1, today.year, (today + timedelta(days=180)).year} - known
    file = tmp_path_factory.mktemp("workdays") / "workdays.toml"
    file.write_text("".join(_YEAR.format(year=year) for year in sorted(years)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMARTPARK_WORKDAYS", str(file))
        yield
