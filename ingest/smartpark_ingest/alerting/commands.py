"""`smartpark alerts`: evaluate alerts for good, try rules on history, and look after rules."""

import argparse
import json
import signal
import sys
import threading
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from datetime import time as clock_time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from smartpark.cli import Subparsers, command_group
from smartpark.clock import PARK_ZONE, parse_instant
from smartpark.metrics_options import add_metrics_options, metrics_address

from smartpark_ingest.alerting.notify.commands import register_notify

if TYPE_CHECKING:
    from smartpark_ingest.alerting.checking import Checked

_DESCRIPTION = """\
Evaluates rules over what comes in and over time, keeps alerts with all that happens to them, and tells people.

  smartpark alerts run                          for good, beside the other services
  smartpark alerts check rules.toml             every problem of a file of rules, and what each would watch
  smartpark alerts backtest my-rule --from 2026-10-01 --to 2026-11-01      what it would have told
  smartpark alerts rules load rules.toml        let rules count from now on
  smartpark alerts status                       how far everything is

The database comes from SMARTPARK_DSN. See docs/alerts.md.
"""
_RUN = """\
Evaluates alerts: as soon as readings are committed, each second what time alone says, quarter-hours and hours when
they close, and the past where something late touches it. One process has the turn, any number may stand by. May be
killed at any time: nothing is lost, and nobody is told twice. A rule or catalogue that changes counts within seconds.

People are told by the ways of docs/alert-notifications.md: SMARTPARK_ALERT_SECRETS, SMARTPARK_SMTP_*,
SMARTPARK_CONSOLE_URL. Working days come from SMARTPARK_WORKDAYS, else from the built-in calendar.
"""
_BACKTEST = """\
What a rule would have told over a stretch of history: the same evaluation as live, all at once. RULE is the code of a
rule in the database or of those that a new park begins with, or a file of rules. Nothing is kept, nobody is told.
Contracts and limits are those of the last day. Dates are those of Asia/Shanghai; the end is left out.
"""


def register_alerts(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark alerts`` and its verbs."""
    verbs = command_group(subparsers, "alerts", "alerts: evaluate, try on history, rules, whom to tell")
    _explain(subparsers.choices["alerts"], _DESCRIPTION)
    _add_run(verbs)
    _add_backtest(verbs)
    _add_check(verbs)
    rules = command_group(verbs, "rules", "rules of alerts: load, list, show, enable, disable")
    _add_rules(rules)
    status = verbs.add_parser(
        "status",
        help="how far evaluation is, and how many alerts are open",
        description=(
            "Whether some process evaluates, since when readings are told of, how many commits wait and since when, "
            "the last checkpoint, how many rules are in force, and how many alerts pend and fire, by severity."
        ),
    )
    status.add_argument("--json", action="store_true", help="one JSON object")
    status.set_defaults(run=_status)
    forget = verbs.add_parser(
        "forget",
        help="end the watch: writers tell no more what they bring",
        description=(
            "For an installation that evaluates no alerts any more. What waits is let go; alerts and rules stay. "
            "`smartpark alerts run` begins anew. Without this, writers stop by themselves after a day."
        ),
    )
    forget.set_defaults(run=_forget)
    register_notify(verbs)


def _explain(parser: argparse.ArgumentParser, text: str) -> None:
    parser.description, parser.formatter_class = text, argparse.RawDescriptionHelpFormatter


def _add_run(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    run = verbs.add_parser("run", help="evaluate and tell, for good")
    _explain(run, _RUN)
    run.add_argument("--once", action="store_true", help="evaluate what waits, plan and send what is due, and end")
    run.add_argument(
        "--since",
        type=_moment,
        metavar="DATE",
        help="on the very first start: judge stored readings from then on, not only what comes; windows from now on",
    )
    run.add_argument("--no-send", action="store_true", help="plan messages and leave sending to another process")
    run.add_argument("--json", action="store_true", help="one JSON object at the end: what was done")
    add_metrics_options(run)
    run.set_defaults(run=_run)


def _add_backtest(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    back = verbs.add_parser("backtest", help="what a rule would have told in the past")
    _explain(back, _BACKTEST)
    back.add_argument("rule", metavar="RULE", help="code of a rule, or a file of rules")
    back.add_argument("--from", required=True, dest="start", type=_moment, metavar="DATE", help="first day or moment")
    back.add_argument("--to", dest="end", type=_moment, metavar="DATE", help="day after the last; default: now")
    back.add_argument("--park", metavar="CODE", help="only this park")
    back.add_argument("--json", action="store_true", help="one JSON object a line: an alert; the last one sums up")
    back.set_defaults(run=_backtest)


def _add_check(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    check = verbs.add_parser(
        "check",
        help="report every problem of a file of rules, and what each rule would watch",
        description=(
            "Every problem of the file with its key; then for each rule and park how many objects it watches and "
            "what is not judged, with the reason, such as a contract that the catalogue does not have. Parks come "
            "from the database, or from a catalogue in a file (--catalogue), for which no database is needed."
        ),
    )
    check.add_argument("file", type=Path, nargs="?", help="TOML; default: the rules that a new park begins with")
    check.add_argument("--catalogue", type=Path, nargs="+", metavar="FILE", help="catalogues in files")
    check.add_argument("--json", action="store_true", help="one JSON object a line: a rule in a park")
    check.set_defaults(run=_check)


def _add_rules(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    load = verbs.add_parser(
        "load",
        help="let the rules of a file count from now on; each that differs is a version",
        description=(
            "Puts all rules of a file into the database, or none. A rule that says what it said before stays as it "
            "is, any other becomes another version. A running `smartpark alerts run` takes it up within seconds. "
            "Rules that the file does not name stay, unless --only. Try it before: `check`, `backtest`."
        ),
    )
    load.add_argument("file", type=Path)
    load.add_argument("--park", metavar="CODE", help="let them watch this park only")
    load.add_argument("--only", action="store_true", help="retire all rules that the file does not name")
    load.add_argument("--json", action="store_true", help="one JSON object a line: what became of a rule")
    load.set_defaults(run=_load_rules)
    shown = verbs.add_parser(
        "list",
        help="rules, by code",
        description="Every rule in its newest version, with its severity and kind of detector; retired ones say so.",
    )
    shown.add_argument("--json", action="store_true", help="one JSON object a line")
    shown.set_defaults(run=_list_rules)
    show = verbs.add_parser(
        "show",
        help="a rule as it stands, and its versions",
        description="One rule whole, as JSON, and who wrote which version when. An alert names the version it is of.",
    )
    show.add_argument("code")
    show.add_argument("--json", action="store_true", help="one JSON object")
    show.set_defaults(run=_show_rule)
    for name, summary, more in (
        ("enable", "let a rule count again", "Takes effect within seconds; what holds then is an alert."),
        (
            "disable",
            "retire a rule; its open alerts end",
            "Its versions and its alerts stay on record; see `enable`.",
        ),
    ):
        verb = verbs.add_parser(name, help=summary, description=f"{summary.capitalize()}. {more}")
        verb.add_argument("code")
        verb.set_defaults(run=_switch_rule, is_active=name == "enable")


def _moment(text: str) -> datetime:
    """A date in the park's zone, or an ISO 8601 instant."""
    try:
        if len(text) == len("2026-11-01"):
            midnight = datetime.combine(datetime.fromisoformat(text).date(), clock_time.min, tzinfo=PARK_ZONE)
            return midnight.astimezone(UTC)
        return parse_instant(text, default_zone=PARK_ZONE)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-11-01, nor an instant") from None


def _run(arguments: argparse.Namespace) -> int:
    from smartpark.vitals import vitals_port
    from smartpark_storage import dsn_from_environment

    from smartpark_ingest.alerting.notify.channels import ways_from_environment
    from smartpark_ingest.alerting.worker import AlertWorker, calendar_from_environment

    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    ways = None if arguments.no_send else ways_from_environment()
    worker = AlertWorker(dsn_from_environment(), stop, calendar_from_environment(), ways=ways, since=arguments.since)
    has_turn = True
    with vitals_port(worker.vitals, metrics_address(arguments)):
        if arguments.once:
            has_turn = worker.run_once()
            worker.send_due()
        else:
            worker.run()
    done = {**asdict(worker.totals), "had_turn": has_turn}
    if arguments.json:
        print(json.dumps(done))
    elif not has_turn:
        print("smartpark: another process has the turn to evaluate alerts", file=sys.stderr)
    return 0 if has_turn else 1


def _backtest(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now
    from smartpark_storage import connect, dsn_from_environment
    from tqdm import tqdm

    from smartpark_ingest.alerting.backtest import backtest, rules_named
    from smartpark_ingest.alerting.worker import calendar_from_environment

    end = arguments.end or utc_now()
    with closing(connect(dsn_from_environment(), application="smartpark alerts backtest")) as connection:
        rules = rules_named(connection, arguments.rule, arguments.park)
        with tqdm(total=100, unit=" %", file=sys.stderr, disable=None) as bar:

            def progress(share: float) -> None:
                bar.update(min(100, round(100 * share)) - bar.n)

            found = backtest(
                connection, rules, arguments.start, end, calendar=calendar_from_environment(), progress=progress
            )
    for alert in found.alerts:
        print(json.dumps(alert.document(), ensure_ascii=False) if arguments.json else alert.line())
    told = found.summary()
    if arguments.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items()))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from smartpark.alerts.rules import builtin_rules, load_rules

    from smartpark_ingest.alerting.checking import check_in_catalogues, check_in_database

    rules = load_rules(arguments.file) if arguments.file is not None else builtin_rules()
    if arguments.catalogue:
        found = check_in_catalogues(rules, arguments.catalogue)
    else:
        from smartpark_storage import connect, dsn_from_environment

        with closing(connect(dsn_from_environment(), application="smartpark alerts check")) as connection:
            found = check_in_database(connection, rules)
    for one in found:
        print(json.dumps(one.document(), ensure_ascii=False) if arguments.json else _checked_line(one))
    idle = sorted({one.rule for one in found} - {one.rule for one in found if one.watched})
    if idle and not arguments.json:
        print(f"watch nothing anywhere: {', '.join(idle)}")
    return 0


def _checked_line(one: "Checked") -> str:
    line = f"{one.rule} in {one.park}: watches {one.watched}"
    for reason, count in one.unjudged.items():
        line += f"; not judged {count}: {reason}"
    return line


def _load_rules(arguments: argparse.Namespace) -> int:
    from smartpark.alerts.rules import load_rules
    from smartpark.clock import utc_now
    from smartpark_storage import connect, dsn_from_environment

    from smartpark_ingest.alerting.rule_keeping import load_into

    rules = load_rules(arguments.file)
    with closing(connect(dsn_from_environment(), application="smartpark alerts rules")) as connection:
        done = load_into(
            connection,
            rules,
            park=arguments.park,
            only=arguments.only,
            at=utc_now(),
            source=f"{arguments.file.name}",
        )
    for code, became in done:
        print(json.dumps({"code": code, "became": became}) if arguments.json else f"{code}: {became}")
    return 0


def _list_rules(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.alerts import read_rules

    with closing(connect(dsn_from_environment(), application="smartpark alerts rules")) as connection:
        found = read_rules(connection)
    for one in found:
        rule = one.rule
        if arguments.json:
            print(json.dumps({"version": one.version, **rule.model_dump(mode="json")}, ensure_ascii=False))
        else:
            active = "" if rule.is_active else " (retired)"
            print(f"{rule.code} v{one.version}, {rule.severity}, {rule.detector.kind}: {rule.name_en}{active}")
    if not found and not arguments.json:
        print("There is no rule yet; `smartpark alerts run` enters those that a new park begins with.")
    return 0


def _show_rule(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect, dsn_from_environment

    from smartpark_ingest.alerting.rule_keeping import require_rule

    with closing(connect(dsn_from_environment(), application="smartpark alerts rules")) as connection:
        versions = require_rule(connection, arguments.code)
    newest = versions[0]
    history = [{"version": v.version, "by": v.written_by, "at": v.written_at.isoformat()} for v in versions]
    document: dict[str, Any] = newest.rule.model_dump(mode="json")
    if arguments.json:
        print(json.dumps({"version": newest.version, "rule": document, "history": history}, ensure_ascii=False))
        return 0
    print(json.dumps(document, ensure_ascii=False, indent=2))
    for one in history:
        print(f"version {one['version']} by {one['by']} at {one['at']}")
    return 0


def _switch_rule(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now
    from smartpark_storage import connect, dsn_from_environment

    from smartpark_ingest.alerting.rule_keeping import switch

    with closing(connect(dsn_from_environment(), application="smartpark alerts rules")) as connection:
        print(switch(connection, arguments.code, is_active=arguments.is_active, at=utc_now()))
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now
    from smartpark_storage import connect, dsn_from_environment

    from smartpark_ingest.alerting.rule_keeping import status

    with closing(connect(dsn_from_environment(), application="smartpark alerts status")) as connection:
        found = status(connection, utc_now())
    if arguments.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name.replace('_', ' ')}: {value if value is not None else '-'}")
    return 0


def _forget(_arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.alerts import unregister_watch

    from smartpark_ingest.alerting.watching import WATCHER

    with closing(connect(dsn_from_environment(), application="smartpark alerts forget")) as connection:
        was_there = unregister_watch(connection, WATCHER)
    print("nobody evaluates alerts any more" if was_there else "nobody was evaluating alerts")
    return 0
