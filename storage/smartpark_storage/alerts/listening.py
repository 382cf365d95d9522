"""Hearing that alerts have changed, on a connection of its own: which parks, never what. Nothing is read here.

A notification says that something was committed; whoever hears it asks for what they may see (`read_changed`). What
was missed while not connected is told as "anything may have changed".
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from smartpark_storage.connections import connect
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query

EVERYWHERE: Final[frozenset[str] | None] = None
"""Of any park: nobody knows."""


def hear_changes(
    dsn: str, *, application: str, is_over: Callable[[], bool], turn_s: float = 0.25
) -> Iterator[frozenset[str] | None]:
    """Parks in which alerts have changed, as it happens; first, and after each connection, `EVERYWHERE`.

    Ends when `is_over`, which is asked every `turn_s`.

    Raises
    ------
    StorageUnavailableError
        When the database cannot be reached any more; whoever listens begins again a little later.
    """
    with connect(dsn, application=application) as connection, translate_errors():
        connection.autocommit = True
        connection.execute(query("hear_alert_changes"))
        yield EVERYWHERE
        while not is_over():
            parks = {_park_of(one.payload) for one in connection.notifies(timeout=turn_s, stop_after=1)}
            # What has come together with the first one is told together with it.
            parks |= {_park_of(one.payload) for one in connection.notifies(timeout=0)} if parks else set()
            if None in parks:
                yield EVERYWHERE
            elif parks:
                yield frozenset(cast("set[str]", parks))


def _park_of(payload: str) -> str | None:
    """Park that a notification is about; none: it does not say."""
    try:
        told: Any = json.loads(payload)
    except ValueError:
        return None
    park = cast("dict[str, Any]", told).get("park") if isinstance(told, dict) else None
    return park if isinstance(park, str) else None
