"""`smartpark database console`: tells the database where browsers reach the console. It decides on no address."""

import argparse

from smartpark.cli import Subparsers

_UNTOLD = "http://127.0.0.1:8000"


def register_console(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verb `console` to `smartpark database`."""
    parser = verbs.add_parser(
        "console",
        help="say where browsers reach the console",
        description="Keeps the address of the console in the database, for the links of Grafana's pages; an empty "
        f"one takes it back: then they lead to {_UNTOLD}. Sessions that are open go on with what they know, "
        "Grafana's for four hours at most. The database is the one SMARTPARK_DSN names, with "
        "SMARTPARK_DSN_PASSWORD_FILE for its password; it wants a superuser.",
        epilog="example: smartpark database console https://park.example.org",
    )
    parser.add_argument("url", metavar="URL", help="http(s)://host[:port][/path]")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from smartpark_storage.connections import connect, dsn_from_environment
    from smartpark_storage.console_address import set_console_address

    with connect(dsn_from_environment(), application="smartpark") as connection:
        set_console_address(connection, arguments.url)
    print(f"links lead to {arguments.url or _UNTOLD}")
    return 0
