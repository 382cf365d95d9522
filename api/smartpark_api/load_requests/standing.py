"""Working days left until a day, for lists of thousands: rows keep the days on which their limits fall.

Which standing that is says the row itself; no events are read here.
"""

from datetime import date

from smartpark.workdays import CalendarNotCoveredError, WorkdayCalendar
from smartpark_storage.load_requests import RequestRow


def days_left(row: RequestRow, calendar: WorkdayCalendar, today: date) -> int | None:
    """Working days left of the limit of the stage; negative: so many too late; None: no limit, or it ended."""
    if row.outcome is not None or row.stage_limit is None:
        return None
    if not row.stage_runs:
        return row.stage_limit - row.stage_used
    return workdays_until(row.stage_due_on, calendar, today)


def workdays_until(due_on: date | None, calendar: WorkdayCalendar, today: date) -> int | None:
    """Working days from today until a day, negative when it has passed; None where the calendar does not reach.

    Examples
    --------
    >>> from smartpark.workdays import builtin_workdays
    >>> workdays_until(date(2026, 10, 15), builtin_workdays(), date(2026, 10, 9))
    5
    >>> workdays_until(date(2026, 10, 9), builtin_workdays(), date(2026, 10, 13))
    -3
    """
    if due_on is None:
        return None
    try:
        if due_on >= today:
            return calendar.workdays_between(today, due_on)
        return -calendar.workdays_between(due_on, today)
    except CalendarNotCoveredError:
        return None
