"""Which park an alert or a silence lies in: looked up, and unknown where it is not theirs.

Whoever may not see a thing hears exactly what is heard when there is none.
"""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import Path, Request
from smartpark.access import Scope
from smartpark_storage.alerts import AlertFilter, UnknownAlertError, read_alert, read_silences

from smartpark_api.access.needs import allowed_parks
from smartpark_api.access.principal import principal_of
from smartpark_api.database import looking_up
from smartpark_api.problems import ProblemError, ProblemKind

MOST_NUMBER: Final = 2**62
AlertId = Annotated[int, Path(ge=1, le=MOST_NUMBER, description="Number of an alert.", examples=[1204])]
SilenceId = Annotated[int, Path(ge=1, le=MOST_NUMBER, description="Number of a silence.", examples=[7])]


def of_alert(request: Request, scope: Scope) -> str | None:
    """Park of the alert that the address names by ``alert``; none for what is no number."""
    number = _number(request, "alert")
    return None if number is None else park_of_alert(request, scope, number)


def park_of_alert(request: Request, scope: Scope, number: int) -> str:
    """Park of an alert of theirs, or the problem that there is no such alert."""
    with looking_up(request) as connection:
        try:
            park = read_alert(connection, number).alert.about.park
        except UnknownAlertError as error:
            raise unknown_alert(number) from error
    if not principal_of(request).may(scope, park):
        raise unknown_alert(number)
    return park


def of_silence(request: Request, scope: Scope) -> str | None:
    """Park of the silence that the address names by ``silence``; one of all parks is of whoever may do it in all."""
    number = _number(request, "silence")
    if number is None:
        return None
    with looking_up(request) as connection:
        found = read_silences(connection, silence_id=number)
    if not found or not principal_of(request).may(scope, found[0].silence.park):
        raise ProblemError(ProblemKind.SILENCE_NOT_FOUND, f"there is no silence {number}")
    return found[0].silence.park


def unknown_alert(number: int) -> ProblemError:
    """The problem that there is no such alert, or none that whoever asks may know of."""
    return ProblemError(ProblemKind.ALERT_NOT_FOUND, f"there is no alert {number}")


def within(request: Request, wanted: AlertFilter) -> AlertFilter:
    """The same alerts as far as they lie in parks of whoever asks."""
    allowed = allowed_parks(request, Scope.ALERTS_READ)
    return wanted if allowed is None else replace(wanted, parks=tuple(sorted(allowed)))


def _number(request: Request, name: str) -> int | None:
    text = str(request.path_params.get(name))
    is_number = text.isascii() and text.isdigit() and len(text) < len(str(MOST_NUMBER))
    return int(text) or None if is_number else None
