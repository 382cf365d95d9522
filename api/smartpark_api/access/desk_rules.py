"""What of the desk is whose, where it is not simply a park's: calendars, webhooks, people.

A calendar of a person goes across parks, and so does a webhook without a park; the people of the desk belong to no
park, yet an administrator of one park has no business with those of another.
"""

from collections.abc import Iterable

from fastapi import Request
from smartpark.access import Principal, Scope
from smartpark_storage.access import read_grants
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import CalendarLink, Person, Webhook, read_manager_terms

from smartpark_api.access.needs import admitted, check_everywhere, check_park
from smartpark_api.access.principal import principal_of
from smartpark_api.access.refusing import not_everywhere
from smartpark_api.database import looking_up


def may_calendar(principal: Principal, scope: Scope, link: CalendarLink) -> bool:
    """Whether a calendar is theirs to see or to revoke: their own, or of a park of theirs."""
    is_own = link.person is not None and principal.person == link.person
    return (is_own and principal.allows(scope)) or principal.may(scope, link.park)


def check_calendar(request: Request, *, person: str | None, park: str | None) -> None:
    """Refuse a new calendar of somebody else, but to whoever sees all parks."""
    scope = Scope.REQUESTS_WRITE
    if park is not None:
        check_park(request, scope, park)
    elif person is None or principal_of(request).person != person:
        check_everywhere(request, scope)


def may_webhook(principal: Principal, scope: Scope, hook: Webhook) -> bool:
    """Whether a webhook tells of parks of theirs only."""
    return principal.may(scope, hook.park)


def check_webhook(request: Request, *, park: str | None) -> None:
    """Refuse to tell anybody of a park that is not theirs."""
    if park is None:
        check_everywhere(request, Scope.REQUESTS_WRITE)
    else:
        check_park(request, Scope.REQUESTS_WRITE, park)


def people_theirs(request: Request, persons: Iterable[Person]) -> list[Person]:
    """Those who have to do with parks of whoever asks; to administrators also those who have to do with none yet."""
    principal = principal_of(request)
    allowed = principal.parks_for(Scope.PEOPLE_READ)
    if allowed is None:
        return list(persons)
    with looking_up(request) as connection:
        parks = _parks_of_people(connection)
    is_shown = {code: bool(of & allowed) or None in of or code == principal.person for code, of in parks.items()}
    has_none = principal.allows(Scope.PEOPLE_WRITE)
    return [one for one in persons if is_shown.get(one.code, has_none or one.code == principal.person)]


def _parks_of_people(connection: Connection) -> dict[str, set[str | None]]:
    """Parks by person: where they serve or were granted something; None among them: all parks."""
    found: dict[str, set[str | None]] = {}
    for term in read_manager_terms(connection):
        found.setdefault(term.person, set()).add(term.park)
    for grant in read_grants(connection):
        if grant.person is not None:
            found.setdefault(grant.person, set()).add(grant.park)
    return found


def check_may_change_person(request: Request, code: str) -> None:
    """Refuse to change somebody who serves or has rights where whoever asks is no administrator.

    Who may change an e-mail address may become its owner wherever people log in by it.
    """
    principal = admitted(request, Scope.PEOPLE_WRITE)
    if principal.may(Scope.PEOPLE_WRITE, None):
        return
    with looking_up(request) as connection:
        parks = _parks_of_people(connection).get(code, set())
    if not all(principal.may(Scope.PEOPLE_WRITE, park) for park in parks):
        raise not_everywhere(principal, Scope.PEOPLE_WRITE)
