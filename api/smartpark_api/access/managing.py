"""Who may let in or shut out whom: who administers all parks everybody, who some of them those without rights beyond.

A key made for a program opens whatever the program was granted, wherever that is: who makes it has to be
administrator of all of that. The database holds the same rule (`smartpark.is_managed`).
"""

from collections.abc import Sequence
from datetime import datetime

from fastapi import Request
from smartpark.access import LOCAL, ROLE_SCOPES, Principal, Scope
from smartpark_storage.access import Client, GrantRow, SecretRow, read_clients, read_grants, read_secrets

from smartpark_api.access.needs import admitted
from smartpark_api.access.principal import principal_of
from smartpark_api.access.refusing import not_everywhere
from smartpark_api.database import looking_up
from smartpark_api.problems import ProblemError, ProblemKind

_SCOPE = Scope.ACCESS_MANAGE


def actor_name(request: Request) -> str:
    """Whoever decides, for the record."""
    return principal_of(request).name


def grants_in_force(request: Request, principal: str | None = None) -> list[GrantRow]:
    """What somebody was granted now and for later; without a name: everybody."""
    with looking_up(request) as connection:
        return read_grants(connection, principal=principal, at=request.app.state.clock())


def grants_ever(request: Request, principal: str) -> list[GrantRow]:
    """What somebody was granted at any time: who held something elsewhere may come to hold it again."""
    with looking_up(request) as connection:
        return read_grants(connection, principal=principal)


def may_manage(principal: Principal, grants: Sequence[GrantRow]) -> bool:
    """Whether somebody with these grants may be let in or shut out by a principal."""
    return all(principal.may(_SCOPE, grant.park) for grant in grants)


def check_managed(request: Request, whose: str) -> None:
    """Refuse what touches somebody who has rights where whoever asks decides nothing."""
    principal = admitted(request, _SCOPE)
    if not may_manage(principal, grants_in_force(request, whose)):
        raise not_everywhere(principal, _SCOPE)


def check_managed_for_long(request: Request, whose: str) -> None:
    """The same for a way in that lasts: not for somebody either who had rights elsewhere, and may have them again."""
    principal = admitted(request, _SCOPE)
    if not may_manage(principal, grants_ever(request, whose)):
        raise not_everywhere(principal, _SCOPE)


def check_no_wider(request: Request, scopes: Sequence[str]) -> None:
    """Refuse a way in that opens more than what was shown itself; no scopes: all that the roles do."""
    principal = principal_of(request)
    most = principal.scopes
    if most is not None and (not scopes or not most.issuperset(scopes)):
        raise ProblemError(
            ProblemKind.NOT_GRANTED,
            f"what you showed opens {', '.join(sorted(most))} only, and lets nobody make what opens more",
        )


def check_no_longer(request: Request, park: str | None, until: datetime | None) -> None:
    """Refuse a grant that outlasts the right of whoever makes it: else nobody's right would end that can grant."""
    principal = principal_of(request)
    if principal.name == LOCAL.name:
        return
    now: datetime = request.app.state.clock()
    ends = [
        one.valid_to
        for one in grants_in_force(request, principal.name)
        if _SCOPE in ROLE_SCOPES[one.role] and one.park in {None, park} and one.valid_from <= now
    ]
    known = [end for end in ends if end is not None]
    if len(known) == len(ends) and (until is None or not known or until > max(known)):
        last = f" at {max(known).isoformat()}" if known else ""
        raise ProblemError(ProblemKind.NOT_GRANTED, f"your own right to grant ends{last}: grant nothing beyond that")


def known_client(request: Request, name: str) -> Client:
    """A program, or the problem that there is none of that name."""
    with looking_up(request) as connection:
        found = next((one for one in read_clients(connection) if one.client == name), None)
    if found is None:
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no client {name!r}")
    return found


def managed_clients(request: Request) -> list[Client]:
    """Programs that have to do with parks of whoever asks, or with none yet."""
    principal = principal_of(request)
    with looking_up(request) as connection:
        clients = read_clients(connection)
    if principal.may(_SCOPE, None):
        return clients
    grants: dict[str, list[GrantRow]] = {}
    for one in grants_in_force(request):
        grants.setdefault(one.principal, []).append(one)
    return [
        client
        for client in clients
        if _concerns(principal, grants.get(f"client:{client.client}", ())) or principal.client == client.client
    ]


def _concerns(principal: Principal, grants: Sequence[GrantRow]) -> bool:
    return not grants or any(grant.park is None or principal.may(_SCOPE, grant.park) for grant in grants)


def managed_secret(request: Request, secret_id: str) -> SecretRow:
    """A secret that whoever asks may revoke or rotate; to others there is none of that id."""
    principal = admitted(request, _SCOPE)
    with looking_up(request) as connection:
        found = next((one for one in read_secrets(connection) if one.secret_id == secret_id), None)
    if found is not None and may_manage(principal, grants_in_force(request, f"client:{found.client}")):
        return found
    raise ProblemError(ProblemKind.NOT_FOUND, f"there is no key {secret_id!r}")


def is_local(request: Request) -> bool:
    """Whether it is the machine itself that asks."""
    return principal_of(request).name == LOCAL.name
