"""Contacts and routes on record, as people write them. No address and no secret is kept; nothing is ever removed."""

from collections.abc import Callable
from typing import Any, TypeVar

from psycopg import errors as pg
from psycopg.types.json import Jsonb
from smartpark.alerts.routes import Contact, Route
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.queries import query

_Made = TypeVar("_Made")


def put_contact(connection: Connection, contact: Contact) -> None:
    """Add a contact, or make the one of that code say this."""
    _put(connection, "put_alert_contact", contact, {})


def put_route(connection: Connection, route: Route, position: int) -> None:
    """Add a route, or make the one of that code say this; routes are taken by position."""
    _put(connection, "put_alert_route", route, {"position": position})


def read_contacts(connection: Connection) -> list[Contact]:
    """Contacts by code, those that are not active too."""
    return _read(connection, "alert_contacts", lambda row: Contact.model_validate(row[0]))


def read_routes(connection: Connection) -> list[Route]:
    """Routes in their order, those that are not active too."""
    return [route for _, route in read_placed_routes(connection)]


def read_placed_routes(connection: Connection) -> list[tuple[int, Route]]:
    """Routes in their order, each with its position."""
    return _read(connection, "alert_routes", lambda row: (row[0], Route.model_validate(row[1])))


def _put(connection: Connection, statement: str, given: Contact | Route, also: dict[str, int]) -> None:
    parameters = {
        "code": given.code,
        "park": given.park,
        "document": Jsonb(given.model_dump(mode="json")),
        "is_active": given.is_active,
        **also,
    }
    try:
        with transaction(connection):
            connection.execute(query(statement), parameters)
    except pg.ForeignKeyViolation as error:
        raise SmartparkError(f"{given.code}: there is no park {given.park}") from error


def _read(connection: Connection, statement: str, made: Callable[[tuple[Any, ...]], _Made]) -> list[_Made]:
    with read_transaction(connection):
        return [made(row) for row in connection.execute(query(statement))]
