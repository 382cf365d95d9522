"""`smartpark requests`: the desk of load requests on the terminal, over the database itself and not over HTTP."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from smartpark.cli import Subparsers, command_group
from smartpark.errors import SmartparkError
from smartpark.load_requests.words import (
    Channel,
    Importance,
    RequestKind,
    RequestSource,
    Stage,
    Standing,
    Supply,
    UserKind,
    VoltageClass,
)

from smartpark_api.load_requests.people_commands import register_managers, register_people
from smartpark_api.load_requests.verbs import WHERE, json_option, tell, told, verb

_LIST = f"""\
Shows what is under way, the next due first. Days are working days left of the limit of the stage; a minus sign means
too late, and ".." that it is somebody else's turn or suspended.
{WHERE}

  smartpark requests list --park minhou-demo
  smartpark requests list --standing overdue --manager chen
  smartpark requests list --ended --order changed --json
"""
_OPEN = f"""\
Opens an application, whose clock begins at once, or with --lead something not yet asked for. The project manager of
the park on that day gets it.
{WHERE}

  smartpark requests open --by chen --park minhou-demo --applicant 闽侯铝业 --kva 2000 --voltage 10kv \\
      --contact 电气负责人
  smartpark requests open --by chen --lead --source proactive_visit --probability 0.4 --park minhou-demo \\
      --applicant 某电池厂 --kva 8000 --voltage 35kv --contact 投资部 --wanted-on 2027-06-01
"""
_ACT = f"""\
TYPE is what happens, with its particulars as NAME=VALUE:

  moved [to=STAGE]                       to the next stage; from the last one into the archive
  sent_back to=STAGE reason=TEXT         rework
  handed to=utility|customer|government  somebody else owes the next action
  suspended reason=REASON                all clocks stop: documents_missing, customer_asked, permit_pending ...
  resumed, withdrawn reason=TEXT, rejected reason=TEXT, scheme_extended
  scheme_replied approved_kva=1800 [node=transformer/TR1]
  assigned manager=CODE, commented text=TEXT [is_for_applicant=true], undone sequence=N

What the request may take now stands in `smartpark requests show`. --expected refuses when something happened since
the version you have seen; without it the newest version is meant.
{WHERE}

  smartpark requests act LR-2026-000123 moved --by chen
  smartpark requests act LR-2026-000123 suspended reason=documents_missing note=缺少授权书 --by chen --expected 4
"""
_REFRESH = f"""\
The days on which limits fall are kept with each request. After the holidays of a year were entered or corrected
(SMARTPARK_WORKDAYS, docs/methods/working-days.md), this reckons them again for everything that is open.
{WHERE}
"""
_IMPORT = f"""\
For the day a desk begins, with requests that are under way already. Each line is one request:

  {{"reference": "2026-0815", "events": [{{"at": "2026-09-24T10:00:00+08:00", "by": "chen", "body": {{...}}}}, ...]}}

with the bodies of `smartpark requests show --json`. All lines are taken in or none; what is wrong is told by line. A
reference is taken in once: the same file again changes nothing. The people named must be on record before.
{WHERE}
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verbs of ``smartpark requests``."""
    verbs = command_group(subparsers, "requests", "load requests: the utility project manager's desk")
    listing = verb(verbs, "list", "load requests that fit, the next due first", _LIST, _list)
    _filters(listing)
    listing.add_argument("--order", default="due", choices=_ORDERS, help="order (due)")
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="how many (50)")
    json_option(listing)
    show = verb(verbs, "show", "one request: stages, clocks, events, what it may take now", WHERE, _show)
    show.add_argument("code", help="code, e.g. LR-2026-000123")
    json_option(show)
    _register_open(verbs)
    _register_act(verbs)
    _register_export(verbs)
    _register_import(verbs)
    kpis = verb(verbs, "kpis", "what the desk is measured by in a period", WHERE, _kpis)
    _filters(kpis)
    kpis.add_argument("--from", dest="start", metavar="DAY", help="first day (1 January)")
    kpis.add_argument("--to", dest="end", metavar="DAY", help="day after the last (tomorrow)")
    json_option(kpis)
    calendar = command_group(verbs, "calendar", "working days behind the clocks")
    refresh = verb(calendar, "refresh", "reckon the clocks of all open requests again", _REFRESH, _refresh)
    json_option(refresh)
    register_people(verbs)
    register_managers(verbs)


_ORDERS = ("due", "changed", "opened", "capacity", "wanted", "code")


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--park", metavar="CODE", help="only of this park")
    parser.add_argument("--stage", choices=list(Stage), metavar="STAGE", help=f"only in this stage: {told(Stage)}")
    parser.add_argument("--manager", metavar="CODE", help="only of this project manager")
    parser.add_argument("--standing", choices=list(Standing), metavar="S", help=f"only these: {told(Standing)}")
    parser.add_argument("--channel", choices=list(Channel), metavar="C", help=f"only these: {told(Channel)}")
    parser.add_argument(
        "--voltage", choices=list(VoltageClass), metavar="V", help=f"only these: {told(VoltageClass)}"
    )
    parser.add_argument("--text", metavar="TEXT", help="part of the code, the applicant or the customer's number")
    parser.add_argument("--ended", action="store_true", help="those that have ended, instead of those under way")


def _by_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", metavar="CODE", help="who does it: a person's code (default: SMARTPARK_ACTOR)")


def _register_open(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = verb(verbs, "open", "open a request, as an application or a lead", _OPEN, _open)
    parser.add_argument("--park", required=True, metavar="CODE", help="code of the park")
    parser.add_argument("--applicant", required=True, metavar="NAME", help="name of the firm, as applied")
    parser.add_argument("--kva", required=True, type=float, metavar="KVA", help="added capacity that is asked for")
    parser.add_argument("--existing-kva", type=float, metavar="KVA", help="capacity there is; makes it an increase")
    parser.add_argument("--contact", required=True, metavar="ROLE", help="whom to ask, as a role and not by name")
    for name, kind in (
        ("voltage", VoltageClass),
        ("supply", Supply),
        ("user-kind", UserKind),
        ("importance", Importance),
        ("source", RequestSource),
        ("channel", Channel),
    ):
        is_asked = name == "voltage"
        parser.add_argument(f"--{name}", required=is_asked, choices=list(kind), metavar="X", help=told(kind))
    parser.add_argument("--enterprise", metavar="CODE", help="code in the catalogue, where it is a tenant already")
    parser.add_argument("--node", metavar="NODE", help="where it would connect: transformer/CODE or feeder/CODE")
    parser.add_argument("--coincidence", type=float, metavar="K", help="share that falls together with the peak")
    parser.add_argument("--wanted-on", metavar="DAY", help="day on which it is wanted")
    parser.add_argument("--customer-no", metavar="NO", help="the customer's number")
    parser.add_argument("--lead", action="store_true", help="not yet asked for: a visit or a project")
    parser.add_argument("--probability", type=float, metavar="P", help="of a lead, how likely it comes (0 to 1)")
    parser.add_argument("--at", metavar="INSTANT", help="when it was accepted, ISO 8601 with offset (now)")
    _by_option(parser)
    json_option(parser)


def _register_act(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = verb(verbs, "act", "let something happen to a request", _ACT, _act)
    parser.add_argument("code", help="code of the request")
    parser.add_argument("type", help="what happens, see below")
    parser.add_argument("particulars", nargs="*", metavar="NAME=VALUE", help="its particulars")
    parser.add_argument("--expected", type=int, metavar="N", help="version you have seen (the newest)")
    parser.add_argument("--at", metavar="INSTANT", help="when it happened, ISO 8601 with offset (now)")
    _by_option(parser)
    json_option(parser)


def _register_export(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = verb(verbs, "export", "write requests as a table for spreadsheets", WHERE, _export)
    parser.add_argument("file", type=Path, help="file to write: .csv or .xlsx")
    _filters(parser)
    parser.add_argument("--lang", default="zh", choices=("zh", "en"), help="language of headings and words (zh)")


def _register_import(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = verb(verbs, "import", "take in requests with their history from another system", _IMPORT, _import)
    parser.add_argument("file", type=Path, help="file of JSON lines, a request a line")
    parser.add_argument("--by", required=True, metavar="PERSON", help="who takes them in: code of a person")
    json_option(parser)


def _import(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from smartpark_api.load_requests.history import read_histories, take_in
    from smartpark_api.load_requests.terminal import working, written_down

    file: Path = arguments.file
    added: dict[str, str] = {}
    known: dict[str, str] = {}
    total = len(read_histories(file))
    with working(arguments.by) as desk:
        for one in tqdm(take_in(desk, file), total=total, unit=" requests", file=sys.stderr, disable=None):
            added |= one.added
            known |= one.known
        written_down(desk, "requests import", file.name, added=len(added), known=len(known))
    lines = [f"{file}: {len(added)} requests taken in, {len(known)} were here already"]
    return tell(arguments, {"added": added, "known": known}, lines)


def _list(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import listed, working

    with working() as desk:
        document, lines = listed(desk, _asked(arguments), order=arguments.order, limit=arguments.limit)
    return tell(arguments, document, lines)


def _show(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import shown, working

    with working() as desk:
        return tell(arguments, *shown(desk, arguments.code))


def _open(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import opened, working

    given = {
        "park": arguments.park,
        "applicant": arguments.applicant,
        "kind": RequestKind.CAPACITY_INCREASE if arguments.existing_kva else RequestKind.NEW_SUPPLY,
        "applied_kva": arguments.kva,
        "existing_kva": arguments.existing_kva,
        "contact_role": arguments.contact,
    }
    for name in ("voltage", "supply", "user_kind", "importance", "source", "channel", "enterprise", "node"):
        given[name] = getattr(arguments, name)
    for name in ("coincidence", "wanted_on", "customer_no", "probability"):
        given[name] = getattr(arguments, name)
    with working(_actor(arguments)) as desk:
        document, lines = opened(desk, given, is_lead=arguments.lead, at=arguments.at)
    return tell(arguments, document, lines)


def _act(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import happened, working

    with working(_actor(arguments)) as desk:
        document, lines = happened(
            desk,
            arguments.code,
            arguments.type,
            arguments.particulars,
            expected=arguments.expected,
            at=arguments.at,
        )
    return tell(arguments, document, lines)


def _export(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import exported, working

    file: Path = arguments.file
    with working() as desk:
        count = exported(desk, _asked(arguments), file, language=arguments.lang)
    print(f"{file}: {count} requests")
    return 0


def _kpis(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import measured, working

    with working() as desk:
        document, lines = measured(desk, _asked(arguments), arguments.start, arguments.end)
    return tell(arguments, document, lines)


def _refresh(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import refreshed, working

    done = 0
    with working() as desk:
        for count in refreshed(desk):
            done += count
            if sys.stderr.isatty():
                print(f"\r{done} requests", end="", file=sys.stderr, flush=True)
    return tell(arguments, {"refreshed": done}, [f"reckoned again: {done} requests"])


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("park", "stage", "manager", "standing", "channel", "voltage", "text")
    return {name: getattr(arguments, name) for name in names} | {"is_open": not arguments.ended}


def _actor(arguments: argparse.Namespace) -> str:
    given: str | None = arguments.by or os.environ.get("SMARTPARK_ACTOR")
    if not given:
        raise SmartparkError("say who does it: --by CODE, or SMARTPARK_ACTOR (smartpark requests people list)")
    return given
