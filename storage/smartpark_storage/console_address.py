"""Where browsers reach the console, kept as a setting of the database that every new session sees.

Grafana's pages link to the console and are files that know no address. It is no secret, and nothing here asks whether
anybody answers there.
"""

from typing import Final
from urllib.parse import urlsplit

from psycopg import sql
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.errors import translate_errors

_SETTING: Final = sql.SQL("smartpark.console_url")
_NOT_IN_LINKS: Final = frozenset("\"'<>$ \t\r\n")


@translate_errors()
def set_console_address(connection: Connection, url: str) -> None:
    """Keep the address as a setting of this database; an empty one removes the setting."""
    database = sql.Identifier(connection.info.dbname)
    # ALTER DATABASE takes no parameters: name and address are composed as quoted identifier and literal.
    if url:
        address = sql.Literal(checked_address(url))
        change = sql.SQL("ALTER DATABASE {} SET {} = {}").format(database, _SETTING, address)
    else:
        change = sql.SQL("ALTER DATABASE {} RESET {}").format(database, _SETTING)
    with transaction(connection):
        connection.execute(change)


def checked_address(url: str) -> str:
    """The address without a slash at its end; raises where a link could not begin with it."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise SmartparkError(f"{url!r} is no address of a console: {error}") from error
    if not is_usable or parts.query or parts.fragment or "@" in parts.netloc or _NOT_IN_LINKS & set(url):
        raise SmartparkError(f"{url!r} is no address of a console: write http(s)://host[:port][/path], and no more")
    return url.rstrip("/")
