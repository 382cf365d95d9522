"""`smartpark notices`: reminders to project managers and events to webhooks, planned and sent."""

import argparse
import json
import logging
import signal
import threading
from contextlib import closing
from dataclasses import asdict
from types import FrameType

from smartpark.cli import Subparsers, command_group
from smartpark.metrics_options import add_metrics_options, metrics_address

_log = logging.getLogger(__name__)

_DESCRIPTION = """\
Reminds project managers of load requests: some working days before a limit ends, when it has passed, when a
green-channel request lies still, when a scheme is about to expire; and once each working morning of all of theirs.
Tells webhooks every event. Each thing is told once, however often this is killed and begun again.

The database comes from SMARTPARK_DSN. Mail leaves by SMARTPARK_SMTP_URL (smtp://host:587 with STARTTLS, or
smtps://host:465), from SMARTPARK_SMTP_FROM, as SMARTPARK_SMTP_USERNAME with SMARTPARK_SMTP_PASSWORD_FILE; without a
mail server what is planned waits. SMARTPARK_CONSOLE_URL puts links into messages. Secrets that sign what webhooks are
told lie in the folder SMARTPARK_WEBHOOK_SECRETS. See docs/load-requests.md.
"""


def register_notices(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark notices`` and its verbs."""
    verbs = command_group(subparsers, "notices", "remind project managers, tell webhooks")
    parser: argparse.ArgumentParser = subparsers.choices["notices"]
    parser.description, parser.formatter_class = _DESCRIPTION, argparse.RawDescriptionHelpFormatter
    run = verbs.add_parser("run", help="plan and send, for good", description=_DESCRIPTION)
    run.formatter_class = argparse.RawDescriptionHelpFormatter
    run.add_argument("--once", action="store_true", help="plan, send what is due now, and end")
    run.add_argument("--json", action="store_true", help="one JSON object at the end: what was done")
    add_metrics_options(run)
    run.set_defaults(run=_run)
    show = verbs.add_parser(
        "show",
        help="what there is to tell people just now, without telling anybody",
        description=(
            "Prints what there is to tell now, with its words, whether or not it has been told; nothing is kept or "
            "sent. Try it before you configure a mail server."
        ),
    )
    show.add_argument("--json", action="store_true", help="one JSON object a line")
    show.set_defaults(run=_show)
    status = verbs.add_parser(
        "status",
        help="how far webhooks have been told, or what became of a request's notices",
        description=(
            "Without a code: of each webhook how many events wait, were told or given up, and its newest error. "
            "With one: every notice about that request, to whom, and whether it was sent."
        ),
    )
    status.add_argument("code", nargs="?", help="code of a request, e.g. LR-2026-000123")
    status.add_argument("--json", action="store_true", help="one JSON object a line")
    status.set_defaults(run=_status)


def _run(arguments: argparse.Namespace) -> int:
    from smartpark.vitals import vitals_port
    from smartpark_storage import dsn_from_environment

    from smartpark_ingest.notices.worker import NoticeWorker, channels_from_environment, office_from_environment

    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    worker = NoticeWorker(dsn_from_environment(), stop, office_from_environment(), channels_from_environment())
    with vitals_port(worker.vitals, metrics_address(arguments)):
        if arguments.once:
            worker.run_once()
        else:
            worker.run()
    totals = worker.totals
    told = {
        "planned": dict(totals.planned),
        "mails": totals.mails,
        "webhook_deliveries": totals.deliveries,
        "put_off": totals.put_off,
        "given_up": totals.given_up,
    }
    if arguments.json:
        print(json.dumps(told))
    else:
        _log.info("notices: %s", ", ".join(f"{name} {value}" for name, value in told.items()))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now
    from smartpark_storage import connect, dsn_from_environment

    from smartpark_ingest.notices.preview import preview
    from smartpark_ingest.notices.worker import channels_from_environment, office_from_environment

    console = channels_from_environment().console
    with closing(connect(dsn_from_environment(), application="smartpark notices show")) as connection:
        found = preview(connection, office_from_environment(), utc_now(), console=console)
    for one in found:
        if arguments.json:
            line = {"to": one.person, "kind": one.kind, "subject": one.words.subject, "text": one.words.text}
            print(json.dumps(line, ensure_ascii=False))
        else:
            print(f"To: {one.person}\n{one.words.subject}\n\n{one.words.text}\n{'-' * 40}")
    if not found and not arguments.json:
        print("Nothing to tell anybody just now.")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.load_requests import notices_of, outbox_state

    with closing(connect(dsn_from_environment(), application="smartpark notices status")) as connection:
        found = outbox_state(connection) if arguments.code is None else notices_of(connection, arguments.code)
    for one in found:
        # Moments carry their offset; a word is for people as it is for machines.
        told = asdict(one)
        if arguments.json:
            print(json.dumps(told, ensure_ascii=False, default=str))
        else:
            print(", ".join(f"{name} {value}" for name, value in told.items() if value not in (None, "")))
    if not found and not arguments.json:
        print("There is no webhook." if arguments.code is None else f"No notice is about {arguments.code}.")
    return 0
