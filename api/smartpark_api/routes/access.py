"""Who has access: programs and their keys, grants, sessions; and to everybody what they may do themselves.

A secret is told in the answer that makes it and never again; it is kept by no cache and under no Idempotency-Key.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Grant, Scope
from smartpark_storage.access import (
    AccessConflictError,
    NewSecret,
    UnknownAccessError,
    add_client,
    add_grant,
    change_client,
    disable_client,
    enable_client,
    end_grant,
    end_session_by_id,
    make_secret,
    read_client,
    read_grants,
    read_secrets,
    read_sessions,
    revoke_secret,
    rotate_secret,
)
from smartpark_storage.connections import Connection
from starlette.responses import Response

from smartpark_api.access.audit import audited
from smartpark_api.access.managing import (
    actor_name,
    check_managed,
    check_managed_for_long,
    check_no_longer,
    check_no_wider,
    grants_in_force,
    known_client,
    managed_clients,
    managed_secret,
    may_manage,
)
from smartpark_api.access.models import (
    ClientIn,
    ClientList,
    ClientName,
    ClientOut,
    GrantIn,
    GrantList,
    GrantOut,
    KeyIn,
    KeyList,
    KeyMade,
    Me,
    MyGrant,
    MyScope,
    NewClient,
    RotateIn,
    SecretId,
    SessionList,
    client_out,
    grant_out,
    key_out,
    session_out,
)
from smartpark_api.access.needs import check_everywhere, check_park, needs, somebody
from smartpark_api.access.principal import principal_of
from smartpark_api.database import Now, looking_up, reading, writing
from smartpark_api.problems import ProblemError, ProblemKind

router = APIRouter(prefix="/access", tags=["access"])
_MANAGES = [needs(Scope.ACCESS_MANAGE)]
_NO_STORE = {"Cache-Control": "no-store"}
_MADE: dict[int | str, dict[str, Any]] = {201: {"headers": {"Cache-Control": {"schema": {"type": "string"}}}}}
_Client = Annotated[ClientName, Path()]
_Key = Annotated[SecretId, Path()]


@contextmanager
def _told() -> Generator[None]:
    """What the database has nothing of, or holds against it, as problems."""
    try:
        yield
    except UnknownAccessError as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from None
    except AccessConflictError as error:
        raise ProblemError(ProblemKind.CONFLICT, str(error)) from None


@router.get("/me", dependencies=[somebody()])
def get_my_access(request: Request) -> Me:
    """Who asks, by what proof, and what they may do where."""
    principal = principal_of(request)
    scopes = [
        MyScope(scope=scope, parks=None if (parks := principal.parks_for(scope)) is None else sorted(parks))
        for scope in Scope
        if principal.allows(scope)
    ]
    return Me(
        principal=principal.name,
        name=principal.display,
        proof=principal.proof,
        grants=[MyGrant(role=grant.role, park=grant.park) for grant in principal.grants],
        scopes=scopes,
    )


@router.get("/clients", dependencies=_MANAGES)
def list_clients(request: Request) -> ClientList:
    """Programs that have access, or had it, to parks of whoever asks."""
    return ClientList(clients=[client_out(one) for one in managed_clients(request)])


@router.post("/clients", dependencies=_MANAGES, status_code=201)
def make_client(request: Request, given: NewClient, now: Now) -> ClientOut:
    """Make a program known; it may do nothing until it is granted something and has a key."""
    with _told(), writing(request) as connection:
        add_client(connection, given.client, title=given.title, contact=given.contact, by=actor_name(request), at=now)
        audited(request, status=201, detail={"client": given.client})
        return _client(connection, given.client)


@router.put("/clients/{client}", dependencies=_MANAGES)
def change_client_details(request: Request, client: _Client, given: ClientIn, now: Now) -> ClientOut:
    """Call a program something else, shut it out, or let it in again."""
    known_client(request, client)
    check_managed(request, f"client:{client}")
    with _told(), writing(request) as connection:
        change_client(connection, client, title=given.title, contact=given.contact)
        if given.is_disabled:
            disable_client(connection, client, at=now)
        else:
            enable_client(connection, client)
        audited(request, detail={"is_disabled": given.is_disabled})
        return _client(connection, client)


def _client(connection: Connection, name: str) -> ClientOut:
    found = read_client(connection, name)
    if found is None:
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no client {name!r}")
    return client_out(found)


@router.get("/clients/{client}/keys", dependencies=_MANAGES)
def list_keys(request: Request, client: _Client) -> KeyList:
    """Keys and client secrets of a program: what is known of them, never they themselves."""
    known_client(request, client)
    check_managed(request, f"client:{client}")
    with reading(request) as connection:
        return KeyList(keys=[key_out(one) for one in read_secrets(connection, client=client)])


@router.post("/clients/{client}/keys", dependencies=_MANAGES, status_code=201, responses=_MADE)
def make_key(request: Request, response: Response, client: _Client, given: KeyIn, now: Now) -> KeyMade:
    """Make a key for a program. It is told in this answer and never again."""
    known_client(request, client)
    check_managed_for_long(request, f"client:{client}")
    check_no_wider(request, given.scopes)
    with _told(), writing(request) as connection:
        made = make_secret(
            connection,
            client,
            given.kind,
            by=actor_name(request),
            at=now,
            expires_at=now + timedelta(days=given.days),
            scopes=[scope.value for scope in given.scopes],
        )
        audited(request, status=201, detail={"client": client, "key": made.secret_id, "kind": given.kind.value})
    return _made(response, made)


@router.post("/keys/{key}/rotate", dependencies=_MANAGES, status_code=201, responses=_MADE)
def rotate_key(request: Request, response: Response, key: _Key, given: RotateIn, now: Now) -> KeyMade:
    """Make a key in place of another one, which goes on for the overlap so that nothing stands still."""
    old = managed_secret(request, key)
    check_managed_for_long(request, f"client:{old.client}")
    check_no_wider(request, old.scopes)
    with _told(), writing(request) as connection:
        made = rotate_secret(
            connection,
            key,
            by=actor_name(request),
            at=now,
            overlap=timedelta(hours=given.overlap_hours),
            expires_at=None if given.days is None else now + timedelta(days=given.days),
        )
        audited(request, status=201, detail={"client": old.client, "key": made.secret_id, "instead_of": key})
    return _made(response, made)


def _made(response: Response, made: NewSecret) -> KeyMade:
    response.headers.update(_NO_STORE)
    return KeyMade(key=made.secret_id, secret=made.text, expires_at=made.expires_at)


@router.delete("/keys/{key}", dependencies=_MANAGES, status_code=204)
def revoke_key(request: Request, key: _Key, now: Now) -> None:
    """End a key now, with the tokens that were had for it."""
    old = managed_secret(request, key)
    with writing(request) as connection:
        if not revoke_secret(connection, key, by=actor_name(request), at=now):
            raise ProblemError(ProblemKind.CONFLICT, f"key {key} has ended already")
        audited(request, detail={"client": old.client, "key": key})


@router.get("/grants", dependencies=[needs(Scope.ACCESS_MANAGE, "query.park")])
def list_grants(
    request: Request,
    now: Now,
    *,
    person: Annotated[str | None, Query(min_length=1, max_length=60, description="Only of this person.")] = None,
    client: Annotated[ClientName | None, Query(description="Only of this program.")] = None,
    park: Annotated[str | None, Query(max_length=64, description="Only what counts in this park.")] = None,
    ended: Annotated[bool, Query(description="Those that have ended, too.")] = False,
) -> GrantList:
    """What was granted in parks of whoever asks."""
    whose = f"person:{person}" if person is not None else None if client is None else f"client:{client}"
    principal = principal_of(request)
    with reading(request) as connection:
        found = read_grants(connection, principal=whose, park=park, at=None if ended else now)
    if person is not None and client is not None:
        found = []
    return GrantList(grants=[grant_out(one) for one in found if principal.may(Scope.ACCESS_MANAGE, one.park)])


@router.post("/grants", dependencies=_MANAGES, status_code=201)
def make_grant(request: Request, given: GrantIn, now: Now) -> GrantOut:
    """Grant somebody a role in a park, or in all of them. What covers it already stays as it is."""
    if given.park is None:
        check_everywhere(request, Scope.ACCESS_MANAGE)
    else:
        check_park(request, Scope.ACCESS_MANAGE, given.park)
    if given.until is not None and given.until <= now:
        raise ProblemError(ProblemKind.INVALID_REQUEST, "body.until: the grant would end before it begins")
    check_no_longer(request, given.park, given.until)
    with _told(), writing(request) as connection:
        grant = Grant(given.role, given.park)
        number = add_grant(connection, given.principal, grant, by=actor_name(request), at=now, until=given.until)
        found = [one for one in read_grants(connection, principal=given.principal) if one.grant_id == number]
        audited(
            request, status=201, park=given.park, detail={"to": given.principal, "role": given.role, "grant": number}
        )
    return grant_out(found[0])


@router.delete("/grants/{grant}", dependencies=_MANAGES, status_code=204)
def end_one_grant(request: Request, grant: Annotated[int, Path(ge=1, le=2**62)], now: Now) -> None:
    """Take a role away from now on."""
    principal = principal_of(request)
    found = next((one for one in grants_in_force(request) if one.grant_id == grant), None)
    if found is None or not principal.may(Scope.ACCESS_MANAGE, found.park):
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no grant {grant} that still holds")
    with writing(request) as connection:
        if not end_grant(connection, grant, by=actor_name(request), at=now):
            raise ProblemError(ProblemKind.NOT_FOUND, f"there is no grant {grant} that still holds")
        detail = {"from": found.principal, "role": found.role.value, "grant": grant}
        audited(request, park=found.park, detail=detail)


@router.get("/sessions", dependencies=_MANAGES)
def list_sessions(
    request: Request,
    now: Now,
    *,
    person: Annotated[str | None, Query(max_length=60, description="Only of this person.")] = None,
) -> SessionList:
    """Who is logged in, of those whom whoever asks may shut out."""
    with looking_up(request) as connection:
        found = read_sessions(connection, person=person, at=now)
    theirs = _people_managed(request, {one.person for one in found})
    return SessionList(sessions=[session_out(one) for one in found if one.person in theirs])


@router.delete("/sessions/{session}", dependencies=_MANAGES, status_code=204)
def end_somebodys_session(
    request: Request, session: Annotated[str, Path(max_length=100, description="Id of the session.")], now: Now
) -> None:
    """Log somebody out."""
    with looking_up(request) as connection:
        found = next((one for one in read_sessions(connection, at=now) if one.session_id == session), None)
    if found is None or not _people_managed(request, {found.person}):
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no session {session!r} that still holds")
    with writing(request) as connection:
        if not end_session_by_id(connection, session, by=actor_name(request), at=now):
            raise ProblemError(ProblemKind.NOT_FOUND, f"there is no session {session!r} that still holds")
        audited(request, detail={"person": found.person})


def _people_managed(request: Request, people: set[str]) -> set[str]:
    principal = principal_of(request)
    grants = grants_in_force(request)
    return {person for person in people if may_manage(principal, [one for one in grants if one.person == person])}
