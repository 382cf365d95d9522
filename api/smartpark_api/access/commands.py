"""`smartpark access` and `smartpark audit`: who may do what, from the machine that has the database's address.

Whoever can run this has the database itself, so nobody asks who they are; what they change is written down as done by
`local`. A secret is printed once, or written into a new file that only its owner reads; nobody can be told it again.
"""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from smartpark.access import Role, Scope
from smartpark.cli import Subparsers, command_group

if TYPE_CHECKING:
    from smartpark_api.access.telling import Told

_DOCUMENT = "The database is the one SMARTPARK_DSN names. Roles, scopes and keys are explained in docs/access.md."
_START = f"""\
A program gets a name, then rights, then a key:

  smartpark access client add province --title 省级平台 --contact ops@example.org
  smartpark access grant client:province province --all-parks
  smartpark access key make province --into province.key

{_DOCUMENT}
"""
_GRANT = f"""\
WHO is person:CODE (smartpark requests people list) or client:NAME (smartpark access client list). A role holds in one
park or in all, from now on, until it is ended or until the day given. Roles: {", ".join(Role)}.

  smartpark access grant person:chen operator --park minhou-demo
  smartpark access grant client:province province --all-parks --until 2027-01-01

{_DOCUMENT}
"""
_KEY = f"""\
An API key (spk_…) is sent with each request; a client secret (spc_…) is exchanged for short-lived tokens. It is shown
once and kept as a digest. Scopes make it narrower than the program's roles: {", ".join(Scope)}.

  smartpark access key make province --days 180 --scope aggregates:read --scope parks:read --into province.key
  smartpark access key rotate ab12cd34ef56 --overlap-days 7 --into province.key.new

{_DOCUMENT}
"""
_ADMIT = f"""\
For programs that start together with the platform, before anybody could make them a key: scripts/init-secrets makes
one for Grafana, and this keeps its digest. A program that is not known yet gets the role in all parks; what was
ended, revoked or disabled since is not given back. Other keys of that program end. The same key again changes
nothing.

  smartpark access key admit grafana --file secrets/grafana/api.key --title Grafana --role operator \\
    --scope platform-alerts:write

{_DOCUMENT}
"""
_LINK = f"""\
The link works once, for the hours given. Without SMARTPARK_PUBLIC_URL or --url the address begins with the path.

  smartpark access login-link chen --url http://127.0.0.1:8000

{_DOCUMENT}
"""
_AUDIT = """\
Every write and every read of aggregates stands in the log, refused ones too. Nobody rewrites it. The newest first.

  smartpark audit list --park minhou-demo --since 2026-11-01 --refused
  smartpark audit list --by client:province --action pull
  smartpark audit export --since 2026-11-01 --until 2026-12-01 --into november.ndjson

The database is the one SMARTPARK_DSN names. What an entry says: docs/access.md.
"""
_MOST_DAYS = 1830


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark access`` and ``smartpark audit``."""
    access = command_group(subparsers, "access", "who may do what: programs, keys, roles, sessions")
    _register_clients(access)
    _register_keys(access)
    _register_grants(access)
    _register_people(access)
    _register_audit(command_group(subparsers, "audit", "what was asked and done, by whom"))


def _register_clients(access: "Subparsers[argparse.ArgumentParser]") -> None:
    clients = command_group(access, "client", "programs that have access: add, list, disable, enable")
    add = _verb(clients, "add", "make a program known", "登记程序", _START)
    add.add_argument("client", metavar="NAME", help="2 to 63 small letters, digits, hyphens; e.g. province")
    add.add_argument("--title", required=True, help="what it is, for people")
    add.add_argument("--contact", default="", help="whom to ask about it")
    _verb(clients, "list", "programs by name, with what they were granted", "程序列表", _START)
    for name, summary, said in (
        ("disable", "shut a program out: none of its keys opens anything", "停用程序"),
        ("enable", "let a program in again", "启用程序"),
    ):
        _verb(clients, name, summary, said, _START).add_argument("client", metavar="NAME", help="name of the program")


def _register_keys(access: "Subparsers[argparse.ArgumentParser]") -> None:
    keys = command_group(access, "key", "keys of programs: make, admit, rotate, revoke, list")
    make = _verb(keys, "make", "make a key for a program; it is shown once", "创建密钥", _KEY)
    make.add_argument("client", metavar="NAME", help="name of the program")
    make.add_argument(
        "--kind", choices=("api_key", "client_secret"), default="api_key", help="what it is for (default: api_key)"
    )
    make.add_argument("--days", type=_days, default=365, help="how long it is good for (default: 365)")
    make.add_argument(
        "--scope",
        action="append",
        default=[],
        choices=list(Scope),
        metavar="SCOPE",
        help="at most this; several times",
    )
    rotate = _verb(keys, "rotate", "make a key in place of one that goes on for a while", "轮换密钥", _KEY)
    rotate.add_argument("key", metavar="ID", help="the twelve characters after spk_")
    rotate.add_argument(
        "--days", type=_days, help="how long the new one is good for (default: as long as the old one was)"
    )
    rotate.add_argument(
        "--overlap-days", type=_overlap, default=7, help="how long the old one still opens (default: 7)"
    )
    admit = _verb(keys, "admit", "let a program in by a key that was made beforehand", "登记已有密钥", _ADMIT)
    admit.add_argument("client", metavar="NAME", help="name of the program; made known where it is not")
    admit.add_argument("--file", type=Path, required=True, metavar="FILE", help="file that holds the key alone")
    admit.add_argument("--title", required=True, help="what it is, for people")
    admit.add_argument("--role", choices=list(Role), metavar="ROLE", required=True, help=", ".join(Role))
    admit.add_argument(
        "--scope",
        action="append",
        required=True,
        choices=list(Scope),
        metavar="SCOPE",
        help="this alone; several times",
    )
    admit.add_argument(
        "--days", type=_days, default=_MOST_DAYS, help=f"how long it is good for (default: {_MOST_DAYS})"
    )
    for parser in (make, rotate):
        parser.add_argument("--into", metavar="FILE", type=Path, help="new file for it, which only you can read")
    revoke = _verb(keys, "revoke", "end a key now, and the tokens that were had with it", "吊销密钥", _KEY)
    revoke.add_argument("key", metavar="ID", help="the twelve characters after spk_")
    listing = _verb(keys, "list", "what is known of keys, which is never the key", "密钥列表", _KEY)
    listing.add_argument("--client", metavar="NAME", help="only of this program")


def _register_grants(access: "Subparsers[argparse.ArgumentParser]") -> None:
    grant = _verb(access, "grant", "give a person or a program a role in a park, or in all", "授权", _GRANT)
    grant.add_argument("principal", metavar="WHO", help="person:CODE or client:NAME")
    grant.add_argument("role", choices=list(Role), metavar="ROLE", help=", ".join(Role))
    where = grant.add_mutually_exclusive_group(required=True)
    where.add_argument("--park", metavar="CODE", help="in this park")
    where.add_argument("--all-parks", action="store_true", help="in every park there is and will be")
    grant.add_argument("--until", metavar="DAY", help="to the beginning of this day (default: until it is ended)")
    end = _verb(access, "end-grant", "end a grant; it stays on record", "撤销授权", _GRANT)
    end.add_argument(
        "grant", type=int, metavar="NUMBER", help="number of the grant, as `smartpark access grants` says"
    )
    grants = _verb(access, "grants", "who has which role where", "授权列表", _GRANT)
    grants.add_argument("--of", dest="principal", metavar="WHO", help="only of this person or program")
    grants.add_argument("--park", metavar="CODE", help="only what holds in this park")
    grants.add_argument("--ended", action="store_true", help="with those that hold no more")


def _register_people(access: "Subparsers[argparse.ArgumentParser]") -> None:
    link = _verb(access, "login-link", "make a way in that works once, for a person", "一次性登录链接", _LINK)
    link.add_argument("person", metavar="CODE", help="code of the person")
    link.add_argument("--hours", type=_hours, default=1, help="how long it is good for (default: 1)")
    link.add_argument("--url", metavar="URL", help="where people reach the server (default: SMARTPARK_PUBLIC_URL)")
    link.add_argument("--into", metavar="FILE", type=Path, help="new file for it, which only you can read")
    sessions = _verb(access, "sessions", "who is logged in, and ending it", "登录会话", _DOCUMENT)
    sessions.add_argument("--person", metavar="CODE", help="only of this person")
    sessions.add_argument("--end", metavar="ID", help="end this session")
    sessions.add_argument("--end-all", action="store_true", help="end all sessions of --person")


def _register_audit(audit: "Subparsers[argparse.ArgumentParser]") -> None:
    listing = _verb(audit, "list", "the newest entries of the audit log", "审计日志", _AUDIT)
    listing.add_argument("--limit", type=_count, default=50, help="so many at most (default: 50)")
    export = _verb(audit, "export", "write the audit log into a file, one JSON object a line", "导出审计日志", _AUDIT)
    export.add_argument("--into", metavar="FILE", type=Path, required=True, help="new file, .ndjson")
    for parser in (listing, export):
        parser.add_argument("--by", metavar="WHO", help="only of this principal: person:CODE, client:NAME, local")
        parser.add_argument("--action", metavar="NAME", help="only what begins with this")
        parser.add_argument("--park", action="append", metavar="CODE", help="only of this park; several times")
        parser.add_argument("--since", metavar="WHEN", help="from this day or instant on")
        parser.add_argument("--until", metavar="WHEN", help="before this day or instant")
        parser.add_argument("--refused", action="store_true", help="only what was refused or failed")


def _verb(
    verbs: "Subparsers[argparse.ArgumentParser]", name: str, summary: str, said: str, epilog: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}. {said}",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run_of(parser.prog.split()[1:]))
    return parser


def _run_of(path: list[str]) -> Callable[[argparse.Namespace], int]:
    """Function with the name of the command: ``smartpark access key make`` is `terminal.key_make`."""
    is_access = path[0] == "access"
    module = "terminal" if is_access else "audit_terminal"
    name = "_".join(path[is_access:]).replace("-", "_")

    def run(arguments: argparse.Namespace) -> int:
        told: Told = getattr(import_module(f"smartpark_api.access.{module}"), name)(arguments)
        if arguments.json:
            sys.stdout.write(json.dumps(told.document, ensure_ascii=False, indent=2) + "\n")
        else:
            sys.stdout.write("".join(f"{line}\n" for line in told.lines))
        return 0

    return run


def _number(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text}: a whole number from {least} to {most}")
    return int(text)


def _days(text: str) -> int:
    return _number(text, 1, _MOST_DAYS)


def _overlap(text: str) -> int:
    return _number(text, 0, 90)


def _hours(text: str) -> int:
    return _number(text, 1, 168)


def _count(text: str) -> int:
    return _number(text, 1, 10_000)
