"""`smartpark alerts contacts` and `smartpark alerts routes`: whom alerts are told to, looked at, loaded and tried."""

import argparse
import json
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartpark.alerts.words import Cause, Severity
from smartpark.cli import Subparsers, command_group

if TYPE_CHECKING:
    from smartpark.alerts.life import Alert
    from smartpark.alerts.routes import Contact, Directory
    from smartpark.errors import Problem

_CONTACTS = """\
Contacts are people and programs that are told of alerts. A contact names a file in the folder
SMARTPARK_ALERT_SECRETS, which nobody else can read (chmod 600); its first line is the address, its second what signs:

  mail           name@example.org; the server comes from SMARTPARK_SMTP_URL and its fellows
  webhook        https://… and a secret of 16 signs or more
  dingtalk       https://oapi.dingtalk.com/robot/send?access_token=… and the robot's secret (SEC…)
  wecom          https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…
  feishu         https://open.feishu.cn/open-apis/bot/v2/hook/… and the robot's secret
  alertmanager   https://alertmanager.example.org, and a bearer token where it asks for one
  apprise        an Apprise address, such as mqtt://user:password@host/topic (see SMARTPARK_ALERT_APPRISE)

See docs/alert-notifications.md.
"""
_ROUTES = """\
Routes say which alerts are told to which contacts, when, and to whom next when nobody takes note. They stand in a
TOML file together with the contacts; the first route that fits is taken, and those below it where it says goes_on.
See docs/alert-notifications.md.
"""


def register_notify(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``contacts`` and ``routes`` to the verbs of ``smartpark alerts``."""
    contacts = command_group(verbs, "contacts", "who is told of alerts, and whether they can be")
    _explain(verbs.choices["contacts"], _CONTACTS)
    _add_contacts(contacts)
    routes = command_group(verbs, "routes", "which alerts are told to whom")
    _explain(verbs.choices["routes"], _ROUTES)
    _add_routes(routes)


def _explain(parser: argparse.ArgumentParser, text: str) -> None:
    parser.description, parser.formatter_class = text, argparse.RawDescriptionHelpFormatter


def _add_contacts(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    shown = verbs.add_parser(
        "list",
        help="contacts, and how far each has been told",
        description="Prints every contact with how many messages were sent, wait and were given up, and its error.",
    )
    shown.add_argument("--json", action="store_true", help="one JSON object a line")
    shown.set_defaults(run=_list_contacts)
    check = verbs.add_parser(
        "check",
        help="whether each contact's file is there and says what it must; tells nobody",
        description=(
            "Looks at the secret file of every active contact, its rights and what it says, as far as that goes "
            "without telling anybody. Ends with 2 when there is a problem."
        ),
    )
    check.add_argument("--json", action="store_true", help="one JSON object a line: every problem")
    check.set_defaults(run=_check_contacts)
    test = verbs.add_parser(
        "test",
        help="send a test message to a contact, now",
        description="Sends one message that says that it is a test, past the outbox, and says what came of it.",
    )
    test.add_argument("code", help="the contact")
    test.set_defaults(run=_test_contact)


def _add_routes(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    check = verbs.add_parser(
        "check",
        help="report every problem of a file of contacts and routes",
        description="Reads a file of contacts and routes and names every problem by its key. It needs no database.",
    )
    check.add_argument("file", type=Path, help="TOML file")
    check.set_defaults(run=_check_routes)
    load = verbs.add_parser(
        "load",
        help="put a file of contacts and routes into the database, whole or not at all",
        description=(
            "Makes the database say what a file says; routes are taken in its order, and those that it does not name "
            "come after them. Nothing is ever removed. It counts from the next few seconds on, without a restart."
        ),
    )
    load.add_argument("file", type=Path, help="TOML file")
    load.add_argument("--replace", action="store_true", help="switch off what the file does not name")
    load.add_argument("--json", action="store_true", help="one JSON object: what changed")
    load.set_defaults(run=_load_routes)
    shown = verbs.add_parser(
        "list",
        help="routes in their order",
        description="Prints every route with what it says beyond the defaults; the first that fits is taken.",
    )
    shown.add_argument("--json", action="store_true", help="one JSON object a line")
    shown.set_defaults(run=_list_routes)
    _add_routes_test(verbs)


def _add_routes_test(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    test = verbs.add_parser(
        "test",
        help="whom an alert would be told to, at a moment; tells nobody",
        description="Says whom the routes on record lead an alert to that fires at a moment, by which way and when.",
    )
    test.add_argument("--park", required=True, help="code of the park")
    test.add_argument("--severity", choices=list(map(str, Severity)), default="warning", help="(default: warning)")
    test.add_argument("--cause", choices=list(map(str, Cause)), default="no_data", help="(default: no_data)")
    test.add_argument("--rule", default="some-rule", help="code of a rule")
    test.add_argument("--object", default="", help="as point:minhou/T01-E1/voltage or edge:gw-01 (default: the park)")
    test.add_argument("--at", help="moment, as 2026-11-23T22:30+08:00 (default: now)")
    test.add_argument("--json", action="store_true", help="one JSON object a line")
    test.set_defaults(run=_test_routes)


def _list_contacts(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.alerts import intent_state, read_contacts

    with closing(connect(dsn_from_environment(), application="smartpark alerts contacts")) as connection:
        contacts, states = read_contacts(connection), {one.contact: one for one in intent_state(connection)}
    for contact in contacts:
        state = states.get(contact.code)
        told: dict[str, Any] = contact.model_dump(mode="json") | ({} if state is None else asdict(state))
        if arguments.json:
            print(json.dumps(told, ensure_ascii=False, default=str))
            continue
        line = f"{contact.code} {contact.name}, {contact.channel}, {contact.language}"
        line += "" if contact.park is None else f", park {contact.park}"
        if state is not None:
            line += f": sent {state.sent}, waiting {state.waiting}, given up {state.given_up}"
            line += f"; {state.newest_error}" if state.newest_error else ""
        print(line + ("" if contact.is_active else " (not active)"))
    if not contacts and not arguments.json:
        print("There is no contact; load a file by: smartpark alerts routes load FILE")
    return 0


def _check_contacts(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.alerts import read_contacts

    from smartpark_ingest.alerting.notify.channels import ways_from_environment
    from smartpark_ingest.alerting.notify.keeping import contact_problems

    with closing(connect(dsn_from_environment(), application="smartpark alerts contacts")) as connection:
        contacts = [one for one in read_contacts(connection) if one.is_active]
    problems = list(contact_problems(contacts, ways_from_environment()))
    for problem in problems:
        _tell_problem(problem, as_json=arguments.json)
    if not problems and not arguments.json:
        print(f"{len(contacts)} contacts, as far as can be seen without telling them: fine")
    return 2 if problems else 0


def _tell_problem(problem: "Problem", *, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps({"contact": problem.file, "key": problem.key, "message": problem.message}, ensure_ascii=False)
        )
    else:
        print(problem)


def _test_contact(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now
    from smartpark.errors import SmartparkError
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.alerts import read_contacts

    from smartpark_ingest.alerting.notify.channels import hand_over, ways_from_environment
    from smartpark_ingest.alerting.notify.facts import Form, empty
    from smartpark_ingest.alerting.notify.message import Message
    from smartpark_ingest.alerting.notify.wording import words_of

    with closing(connect(dsn_from_environment(), application="smartpark alerts contacts")) as connection:
        contact = {one.code: one for one in read_contacts(connection)}.get(arguments.code)
    if contact is None:
        raise SmartparkError(f"there is no contact {arguments.code}")
    now, body = utc_now(), empty(Form.TEST)
    words = words_of(body, contact.language)
    hand_over(
        Message(f"{contact.code}/test/{now.isoformat()}", contact, words, body, now, now), ways_from_environment()
    )
    print(f"{contact.code}: handed over by {contact.channel}")
    return 0


def _check_routes(arguments: argparse.Namespace) -> int:
    from smartpark.alerts.routes import load_routes

    found = load_routes(arguments.file)
    print(f"{arguments.file}: {len(found.contact)} contacts, {len(found.route)} routes: fine")
    return 0


def _load_routes(arguments: argparse.Namespace) -> int:
    from smartpark.alerts.routes import load_routes
    from smartpark_storage import connect, dsn_from_environment

    from smartpark_ingest.alerting.notify.keeping import put_file

    found = load_routes(arguments.file)
    with closing(connect(dsn_from_environment(), application="smartpark alerts routes")) as connection:
        loaded = put_file(connection, found, replaces=arguments.replace, name=arguments.file.name)
    if arguments.json:
        print(json.dumps(asdict(loaded), ensure_ascii=False))
    else:
        retired = f"; switched off: {', '.join(loaded.retired)}" if loaded.retired else ""
        print(f"changed: {loaded.contacts} contacts, {loaded.routes} routes{retired}")
    return 0


def _list_routes(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.alerts import read_routes

    with closing(connect(dsn_from_environment(), application="smartpark alerts routes")) as connection:
        routes = read_routes(connection)
    for route in routes:
        if arguments.json:
            print(route.model_dump_json())
            continue
        told = route.model_dump(mode="json", exclude_defaults=True, exclude={"code", "contacts", "is_active"})
        what = ", ".join(f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in told.items())
        print(
            f"{route.code} → {', '.join(route.contacts)}{': ' if what else ''}{what}"
            + ("" if route.is_active else " (not active)")
        )
    if not routes and not arguments.json:
        print("There is no route: nobody is told of any alert. Load a file by: smartpark alerts routes load FILE")
    return 0


def _test_routes(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now
    from smartpark.workdays import builtin_workdays
    from smartpark_storage import connect, dsn_from_environment

    from smartpark_ingest.alerting.notify.keeping import directory_of

    now = utc_now() if arguments.at is None else datetime.fromisoformat(arguments.at).astimezone()
    with closing(connect(dsn_from_environment(), application="smartpark alerts routes")) as connection:
        directory = directory_of(connection, builtin_workdays())
    lines = _led(directory, _sample(arguments, now), now)
    for line in lines:
        print(
            json.dumps(line, ensure_ascii=False) if arguments.json else ", ".join(f"{k} {v}" for k, v in line.items())
        )
    if not lines and not arguments.json:
        print("Nobody would be told.")
    return 0


def _sample(arguments: argparse.Namespace, now: datetime) -> "Alert":
    from smartpark.alerts.events import About, Began, Event, Evidence, Fired
    from smartpark.alerts.life import replay
    from smartpark.alerts.objects import ObjectKind, ObjectRef

    subject = ObjectRef.parse(arguments.object or f"park:{arguments.park}")
    parts = subject.name.split("/")
    device = "/".join(parts[:2]) if subject.kind in {ObjectKind.POINT, ObjectKind.DEVICE} else None
    about = About(
        park=arguments.park,
        rule=arguments.rule,
        rule_version=1,
        object=str(subject),
        cause=Cause(arguments.cause),
        device=device,
    )
    began = Began(about=about, severity=Severity(arguments.severity), evidence=Evidence())
    bodies = (began, Fired(evidence=Evidence()))
    return replay(Event(sequence=n, at=now, recorded_at=now, body=body) for n, body in enumerate(bodies, 1))


def _led(directory: "Directory", alert: "Alert", now: datetime) -> list[dict[str, str]]:
    from smartpark.alerts.paging import Page
    from smartpark.alerts.words import PageKind
    from smartpark.clock import PARK_ZONE

    def line(contact: "Contact", when: datetime, why: str) -> dict[str, str]:
        local = when.astimezone(PARK_ZONE)
        return {"contact": contact.code, "by": contact.channel.value, "at": f"{local:%Y-%m-%d %H:%M:%S}", "why": why}

    led = directory.deliveries(alert, Page(PageKind.FIRED), now)
    if led is None:
        return [{"contact": "nobody yet", "why": "a route fits, and its hours have not begun"}]
    found = [
        line(directory.contacts[one.contact], one.due_at, "in the digest" if one.is_digest else "it fired")
        for one in led
    ]
    for after, contacts in directory.ladder(alert, now):
        found += [
            line(directory.contacts[code], now + after, "nobody has taken note")
            for code in contacts
            if code in directory.contacts
        ]
    return found
