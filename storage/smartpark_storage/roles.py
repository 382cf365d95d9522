"""The roles that other rooms connect as: letting them in.

The migrations make the roles and grant what each needs; here they get a password, which travels to the server only
as a salted digest.
"""

import time
from typing import Final

from psycopg import errors as pg
from psycopg import sql

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query
from smartpark_storage.role_names import DatabaseRole

_PATIENCE_S: Final = 30.0


@translate_errors()
def set_password(connection: Connection, role: DatabaseRole, password: str) -> None:
    """Let a role log in with this password, with the limits and rights that are its own."""
    with transaction(connection):
        let_in(connection, role.value, password)


def let_in(connection: Connection, role: str, password: str) -> None:
    """Let a role of ours log in. In the caller's transaction."""
    digest = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    # ALTER ROLE takes no parameters; the digest and the name are composed as quoted literal and identifier.
    statement = sql.SQL("ALTER ROLE {role} LOGIN PASSWORD {digest}").format(
        role=sql.Identifier(role), digest=sql.Literal(digest)
    )
    change_role(connection, statement)
    # A server that was restored from a dump knows roles by their names only.
    connection.execute(query("fit_role"), {"role": role})


def change_role(connection: Connection, statement: sql.Composed) -> None:
    """Change a role of the whole server, which another database may be changing just now."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with connection.transaction():
                connection.execute(statement)
        except pg.InternalError_ as error:
            if "tuple concurrently" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
