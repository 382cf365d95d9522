"""`smartpark database password` and `smartpark database reader`: who logs in to the database, and who reads what.

A password comes from a file or from standard input, never from the command line.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers, command_group
from smartpark.errors import SmartparkError

from smartpark_storage.role_names import READER_PREFIX, DatabaseRole

if TYPE_CHECKING:
    from smartpark_storage.connections import Connection

_WHERE = "The database is the one SMARTPARK_DSN names, with SMARTPARK_DSN_PASSWORD_FILE for its password."
_EXAMPLES = """\
examples:
  smartpark database reader add minhou --park minhou-demo --file secrets/grafana/minhou.password
  smartpark database reader add city --park minhou-demo --park fuqing-demo --file - < password
  smartpark database reader list
  smartpark database reader remove minhou
"""


def register_logins(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verbs `password` and `reader` to `smartpark database`."""
    password = verbs.add_parser(
        "password",
        help="let a role log in",
        description="Sets the password of one of the platform's roles, read from a file, with the limits and rights "
        f"that are the role's own. {_WHERE}",
    )
    password.add_argument("role", choices=[role.value for role in DatabaseRole])
    password.add_argument(
        "--file", type=Path, required=True, metavar="FILE", help="file of the password; - for stdin"
    )
    password.set_defaults(run=_password)
    _register_reader(command_group(verbs, "reader", "roles for Grafana's users who read some parks only"))


def _register_reader(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    adding = verbs.add_parser(
        "add",
        help="make a reader, or give one other parks",
        description=f"Makes the role {READER_PREFIX}NAME, which logs in as Grafana's own role does and is shown the "
        "rows of these parks only, by every view of the schema park. One that is there gets these parks instead of "
        "those it had, and keeps its password unless another is given. In Grafana it wants a data source of its own. "
        f"{_WHERE}",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    adding.add_argument("name", metavar="NAME", help="a-z, 0-9, - and _")
    adding.add_argument(
        "--park", action="append", required=True, metavar="CODE", help="what it reads; may be repeated"
    )
    adding.add_argument("--file", type=Path, metavar="FILE", help="file of its password; - for stdin")
    adding.set_defaults(run=_add)
    listing = verbs.add_parser("list", help="who reads which parks", description=f"Readers and their parks. {_WHERE}")
    listing.add_argument("--json", action="store_true", help="one JSON object per reader")
    listing.set_defaults(run=_list)
    removing = verbs.add_parser(
        "remove",
        help="take a reader away",
        description=f"Removes a reader and ends its sessions. {_WHERE}",
    )
    removing.add_argument("name", metavar="NAME")
    removing.set_defaults(run=_remove)


def _connect() -> "Connection":
    from smartpark_storage.connections import connect, dsn_from_environment

    return connect(dsn_from_environment(), application="smartpark")


def _read_password(file: Path) -> str:
    place = "standard input" if str(file) == "-" else f"password file {file}"
    try:
        password = (sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SmartparkError(f"{place} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not password:
        raise SmartparkError(f"{place} is empty")
    return password


def _password(arguments: argparse.Namespace) -> int:
    from smartpark_storage.roles import set_password

    password = _read_password(arguments.file)
    with _connect() as connection:
        set_password(connection, DatabaseRole(arguments.role), password)
    print(f"{arguments.role} may log in with the password in {arguments.file}")
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from smartpark_storage.readers import put_reader, role_of_reader

    role, parks = role_of_reader(arguments.name), sorted(set(arguments.park))
    password = None if arguments.file is None else _read_password(arguments.file)
    with _connect() as connection:
        is_new = put_reader(connection, arguments.name, parks, password=password)
    print(f"{role} reads {', '.join(parks)}")
    if is_new and password is None:
        print("it cannot log in yet: give it a password with --file")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from smartpark_storage.readers import list_readers

    with _connect() as connection:
        readers = list_readers(connection)
    for one in readers:
        facts = {"name": one.name, "role": one.role, "parks": list(one.parks), "may_log_in": one.may_log_in}
        shut = "" if one.may_log_in else "  (cannot log in)"
        print(
            json.dumps(facts, ensure_ascii=False) if arguments.json else f"{one.role}  {', '.join(one.parks)}{shut}"
        )
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    from smartpark_storage.readers import remove_reader, role_of_reader

    with _connect() as connection:
        remove_reader(connection, arguments.name)
    print(f"{role_of_reader(arguments.name)} is gone")
    return 0
