"""A write about alerts over HTTP: who acts, once for each key, on the version that was seen, in one transaction.

The manners are those of load requests (`load_requests.writes`); here what core or storage refuses becomes a problem.
"""

from collections.abc import Generator
from contextlib import contextmanager

from fastapi import Request
from smartpark.alerts.events import Body
from smartpark.alerts.life import RefusedEventError
from smartpark_storage.alerts import StaleAlertError, StoredAlert, UnknownAlertError, read_alert, read_events
from smartpark_storage.connections import Connection
from starlette.responses import Response

from smartpark_api.alerts.acting_models import DeedIn
from smartpark_api.alerts.answers import alert_out, events_out
from smartpark_api.alerts.places import unknown_alert
from smartpark_api.alerts.service import act, known_rules, newer_than, possible
from smartpark_api.load_requests.service import Desk
from smartpark_api.load_requests.writes import Done, expected_version, write
from smartpark_api.problems import ProblemError, ProblemKind


def do(
    request: Request, number: int, body: Body, given: DeedIn, *, is_versioned: bool = True, status: int = 200
) -> Response:
    """Let somebody do something about an alert, and answer where it stands then."""

    def work(desk: Desk) -> Done:
        expected = expected_version(request, given.expected, is_required=is_versioned)
        seen = done(desk, number, body, expected=expected)
        return Done(alert_out(seen, known_rules(desk.connection)), status, version=seen.alert.sequence)

    return write(request, work, content=given)


def done(desk: Desk, number: int, body: Body, *, expected: int | None) -> StoredAlert:
    """The same at a desk, with problems for what is refused."""
    with refusals(desk.connection, number):
        return act(desk.connection, number, body, actor=desk.actor or "system", now=desk.now, expected=expected)


@contextmanager
def refusals(connection: Connection, number: int) -> Generator[None]:
    """What core and storage refuse, as problems that say what to do."""
    try:
        yield
    except StaleAlertError as error:
        newer = newer_than(read_events(connection, number), error.expected)
        told = [one.model_dump(mode="json") for one in events_out(newer)]
        raise ProblemError(ProblemKind.STALE_VERSION, str(error), version=error.found, events=told) from None
    except RefusedEventError as error:
        alert = read_alert(connection, number).alert
        raise ProblemError(
            ProblemKind.EVENT_REFUSED, str(error), version=alert.sequence, possible=list(possible(alert))
        ) from None
    except UnknownAlertError:
        raise unknown_alert(number) from None
