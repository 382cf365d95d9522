"""The desk behind a page: a connection in one transaction, the rules and working days of this installation, who acts.

Pages use the service through it and never ask our own HTTP. What the service refuses is told by the page itself.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path

from fastapi import Request
from smartpark.load_requests.rules import LoadRequestRules, builtin_load_request_rules
from smartpark.workdays import WorkdayCalendar, builtin_workdays, load_workdays
from smartpark_storage.load_requests import read_persons

from smartpark_api.console.actor import actor_of, required_actor
from smartpark_api.database import reading, writing
from smartpark_api.load_requests.service import Desk
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings


@contextmanager
def looking(request: Request) -> Generator[Desk, None, None]:
    """Desk for a page that only shows."""
    actor = actor_of(request)
    with reading(request) as connection:
        yield Desk(connection, rules_of(request), calendar_of(request), _now(request), actor.code if actor else None)


@contextmanager
def acting(request: Request) -> Generator[Desk, None, None]:
    """Desk for a write, by the person the visitor says they are; committed at the end.

    Raises
    ------
    ProblemError
        When nobody is named, or a person who is not active any more.
    """
    actor = required_actor(request)
    with writing(request) as connection:
        if not read_persons(connection, code=actor.code, is_active=True):
            raise ProblemError(ProblemKind.NOBODY_ACTS, f"{actor.code} is not active any more; say who you are")
        yield Desk(connection, rules_of(request), calendar_of(request), _now(request), actor.code)


def rules_of(_request: Request) -> LoadRequestRules:
    """Stages and limits of this installation."""
    return builtin_load_request_rules()


def calendar_of(request: Request) -> WorkdayCalendar:
    """Working days of this installation; its file is read once."""
    settings: ApiSettings = request.app.state.settings
    return builtin_workdays() if settings.workday_file is None else _calendar(settings.workday_file)


@cache
def _calendar(file: Path) -> WorkdayCalendar:
    return load_workdays(file)


def _now(request: Request) -> datetime:
    now: datetime = request.app.state.clock()
    return now
