"""Access of programs: what they are granted, their keys with expiry, and making, rotating and revoking them.

A new key is shown in the answer that makes it and nowhere else.
"""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from smartpark.access import ROLE_SCOPES, Role, Scope
from smartpark_storage.access import SecretKind, read_grants, read_secrets
from starlette.responses import Response

from smartpark_api.access.managing import grants_in_force, known_client, managed_clients, may_manage
from smartpark_api.access.models import ClientIn, KeyIn, KeyMade, NewClient, RotateIn, is_over
from smartpark_api.access.needs import needs
from smartpark_api.access.principal import principal_of
from smartpark_api.console.access import MANAGE, FormRefusedError, decides_everywhere, parks_to_grant, refusals
from smartpark_api.console.flash import Flash, see_other
from smartpark_api.console.forms import SentForm
from smartpark_api.database import Now, looking_up
from smartpark_api.pages import render
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.access import change_client_details, make_client, make_key, revoke_key, rotate_key
from smartpark_api.routes.console.access import granted

router = APIRouter(include_in_schema=False, prefix="/access/programs")
_MANAGES: Final = [needs(MANAGE)]
_DAYS: Final = (30, 90, 180, 365, 730)
_OVERLAP_HOURS: Final = (0, 24, 72, 168)
_KINDS: Final = (SecretKind.API_KEY, SecretKind.CLIENT_SECRET)
Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
Key = Annotated[str, Path(pattern=r"^[a-z0-9]{12}$")]


@router.get("", dependencies=_MANAGES)
def show_programs(request: Request, now: Now) -> Response:
    """Programs with what they are granted and their keys."""
    principal = principal_of(request)
    clients = managed_clients(request)
    with looking_up(request) as connection:
        grants = [one for one in read_grants(connection, at=now) if principal.may(MANAGE, one.park)]
        secrets = [one for one in read_secrets(connection) if not is_over(one, now)]
    return render(
        request,
        "console/access/programs.html",
        clients=clients,
        grants={one.client: [grant for grant in grants if grant.client == one.client] for one in clients},
        secrets={one.client: [secret for secret in secrets if secret.client == one.client] for one in clients},
        parks={park.code: park for park in parks_to_grant(request)},
    )


@router.post("", dependencies=_MANAGES)
def add_program(request: Request, form: SentForm, now: Now) -> Response:
    """Make a program known."""
    fields = {name: form.text(name) for name in ("client", "title", "contact")}
    try:
        with refusals():
            made = make_client(request, NewClient.model_validate(fields), now)
    except FormRefusedError as refused:
        return see_other(request, "/access/programs", refused.flash)
    return see_other(request, f"/access/programs/{made.client}", Flash("access.program_made"))


@router.get("/{name}", dependencies=_MANAGES)
def show_program(request: Request, name: Name, now: Now) -> Response:
    """One program."""
    return _program_page(request, name, now)


def _program_page(request: Request, name: str, now: Now, *, made: KeyMade | None = None) -> Response:
    principal = principal_of(request)
    if name not in {one.client for one in managed_clients(request)}:
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no client {name!r}")
    held = grants_in_force(request, f"client:{name}")
    is_managed = may_manage(principal, held)
    with looking_up(request) as connection:
        secrets = read_secrets(connection, client=name) if is_managed else []
    response = render(
        request,
        "console/access/program.html",
        client=known_client(request, name),
        grants=[one for one in held if principal.may(MANAGE, one.park)],
        is_managed=is_managed,
        secrets=sorted(secrets, key=lambda one: (is_over(one, now), one.made_at)),
        over={one.secret_id for one in secrets if is_over(one, now)},
        parks={park.code: park for park in parks_to_grant(request)},
        decides_everywhere=decides_everywhere(request),
        roles=list(Role),
        scopes=[scope for scope in Scope if any(scope in ROLE_SCOPES[one.role] for one in held)],
        kinds=_KINDS,
        days=_DAYS,
        overlaps=_OVERLAP_HOURS,
        made=made,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/{name}/grant", dependencies=_MANAGES)
def grant_program_role(request: Request, name: Name, form: SentForm, now: Now) -> Response:
    """Give a program a role."""
    known_client(request, name)
    return granted(request, form, now, f"/access/programs/{name}", client=name)


@router.post("/{name}/details", dependencies=_MANAGES)
def change_program(request: Request, name: Name, form: SentForm, now: Now) -> Response:
    """Call a program something else, shut it out, or let it in again."""
    fields = {
        "title": form.text("title"),
        "contact": form.text("contact"),
        "is_disabled": form.text("disabled") == "yes",
    }
    back = f"/access/programs/{name}"
    try:
        with refusals():
            change_client_details(request, name, ClientIn.model_validate(fields), now)
    except FormRefusedError as refused:
        return see_other(request, back, refused.flash)
    return see_other(request, back, Flash("access.program_changed"))


@router.post("/{name}/keys", dependencies=_MANAGES)
def make_program_key(request: Request, name: Name, form: SentForm, now: Now) -> Response:
    """Make a key and show it, this once."""
    fields = {"kind": form.text("kind"), "days": form.whole("days"), "scopes": form.texts("scope")}
    return _with_secret(
        request, name, now, lambda: make_key(request, Response(), name, KeyIn.model_validate(fields), now)
    )


@router.post("/{name}/keys/{key}/rotate", dependencies=_MANAGES)
def rotate_program_key(request: Request, name: Name, key: Key, form: SentForm, now: Now) -> Response:
    """Make a key in place of another one and show it, this once."""
    fields = {"overlap_hours": form.whole("overlap")}
    return _with_secret(
        request, name, now, lambda: rotate_key(request, Response(), key, RotateIn.model_validate(fields), now)
    )


def _with_secret(request: Request, name: str, now: Now, make: Callable[[], KeyMade]) -> Response:
    try:
        with refusals():
            made = make()
    except FormRefusedError as refused:
        return see_other(request, f"/access/programs/{name}", refused.flash)
    return _program_page(request, name, now, made=made)


@router.post("/{name}/keys/{key}/revoke", dependencies=_MANAGES)
def revoke_program_key(request: Request, name: Name, key: Key, _form: SentForm, now: Now) -> Response:
    """End a key now."""
    try:
        with refusals():
            revoke_key(request, key, now)
    except FormRefusedError as refused:
        return see_other(request, f"/access/programs/{name}", refused.flash)
    return see_other(request, f"/access/programs/{name}", Flash("access.key_revoked", {"id": key}))
