"""`smartpark api serve`: the HTTP API and the pages, in one process.

Listens to its own machine only unless told otherwise; where other machines can reach it, whoever asks has to prove
who they are. Ends cleanly on SIGTERM and SIGINT; comes up, and stays up, while the database is away.
"""

import argparse
import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers, command_group
from smartpark.errors import SmartparkError
from smartpark.metrics_options import add_metrics_options, metrics_address

if TYPE_CHECKING:
    from smartpark_api.settings import ApiSettings

_log = logging.getLogger(__name__)
_BACKLOG = 256
_GRACE_S = 5

_EPILOG = """\
The database is the one SMARTPARK_DSN names. Open http://127.0.0.1:8000/ for the page "the park now",
http://127.0.0.1:8000/api/v1/parks for the API; docs/api.md has examples.

Pages keep who you say you are, and their forms, under a key: SMARTPARK_CONSOLE_KEY, or the file that
SMARTPARK_CONSOLE_KEY_FILE names (made at the first start; by default console.key in ~/.local/state/smartpark).

The start page links the Grafana that SMARTPARK_GRAFANA_URL names, and says whether it answers.

Holidays that the built-in calendar does not have stand in the file that SMARTPARK_WORKDAYS names
(docs/methods/working-days.md).

Load requests: documents are kept in the folder SMARTPARK_ATTACHMENTS names (none is taken without one), webhooks
are signed with the files in SMARTPARK_WEBHOOK_SECRETS, limits of your own stand before the built-in ones in
SMARTPARK_LOAD_REQUEST_RULES (docs/load-requests.md).

Periods are submitted with the key in the file that SMARTPARK_SEAL_KEY_FILE names (docs/aggregates.md); without one
nothing is submitted here.

On this machine alone, whoever reaches the port may do everything, and says who they are without proof: access is
"local". With --allow-network, or SMARTPARK_ACCESS=enforced, access is "enforced": people log in, programs show a key,
and each does what they were granted (smartpark access, docs/access.md). Nobody has access to begin with; the first
administrator is made on the command line:

  smartpark access grant person:chen administrator --all-parks
  smartpark access login-link chen

Other machines are answered over plain HTTP: put something in front that speaks TLS, and let it tell us who asked by
X-Forwarded-For and X-Forwarded-Proto (FORWARDED_ALLOW_IPS names it; 127.0.0.1 by default).

  SMARTPARK_RATE_LIMIT          requests a minute of one person or program (default 1200)
  SMARTPARK_FAILURE_LIMIT       proofs a minute of one address that do not hold (default 30)
  SMARTPARK_SESSION_IDLE        minutes after which a session that was left alone is over (default 480)
  SMARTPARK_SESSION_LONGEST     hours after which a session is over in any case (default 24)
  SMARTPARK_TOKEN_MINUTES       how long an access token lasts that a program exchanged its secret for (default 30)
  SMARTPARK_OIDC_FILE           identity providers that people log in with (docs/login.md)
  SMARTPARK_PUBLIC_URL          where browsers reach this server, e.g. https://park.example.org
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add this room's commands."""
    group = command_group(subparsers, "api", "the HTTP API and the pages")
    parser: argparse.ArgumentParser = group.add_parser(
        "serve",
        help="serve the API and the page 'the park now'",
        description="Serve the HTTP API and the page 'the park now'.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8000, help="port (default 8000; 0: any free one)")
    parser.add_argument(
        "--allow-network",
        action="store_true",
        help="listen where other machines can reach it, and let nobody in without proof; see below",
    )
    add_metrics_options(parser)
    parser.set_defaults(run=_serve)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def _serve(arguments: argparse.Namespace) -> int:
    from smartpark.workdays import load_workdays
    from smartpark_storage.connections import dsn_from_environment

    from smartpark_api.access.environment import access_from_environment
    from smartpark_api.access.login.settings import login_from_environment
    from smartpark_api.access.secrecy import guard_logs
    from smartpark_api.aggregates.seal_keys import key_file_from_environment
    from smartpark_api.console.grafana import grafana_from_environment
    from smartpark_api.console.signing import key_from_environment
    from smartpark_api.load_requests.installation import desk_settings
    from smartpark_api.planning.calendar_file import workday_file_from_environment
    from smartpark_api.settings import LOOPBACK_NAMES, ApiSettings, is_loopback

    guard_logs()
    host: str = arguments.host
    allow_network: bool = arguments.allow_network
    if not is_loopback(host) and not allow_network:
        raise SmartparkError(
            f"will not listen on {host}: other machines could reach it. Use --host 127.0.0.1, or --allow-network: "
            "then everybody has to prove who they are"
        )
    host_names = None if allow_network else (*LOOPBACK_NAMES, host)
    workday_file = workday_file_from_environment()
    if workday_file is not None:
        load_workdays(workday_file)  # a file that is wrong should stop the start, not a visitor
    settings = ApiSettings(
        dsn=dsn_from_environment(),
        host_names=host_names,
        workday_file=workday_file,
        console_key=key_from_environment(),
        grafana_url=grafana_from_environment(),
        seal_key_file=key_file_from_environment(),
        **desk_settings(),
        **access_from_environment(is_reachable=allow_network),
        **login_from_environment(),
    )
    _on_request_to_end(_end_at_once)
    with _listen(host, arguments.port) as listener:
        _say_where(listener, settings.dsn)
        _run(settings, listener, metrics_address(arguments))
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Bind now, so that a port that is taken is told in one line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, else the loop does not know it for TCP and leaves out TCP_NODELAY: then the second part
    # of every small answer waits 40 ms for the acknowledgement of the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SmartparkError(
            f"cannot listen on {host} port {port}: {error.strerror or error}; choose another with --port"
        ) from error
    listener.listen(_BACKLOG)
    return listener


def _say_where(listener: socket.socket, dsn: str) -> None:
    from smartpark_storage.connections import connect, describe_database
    from smartpark_storage.errors import StorageUnavailableError

    address, port = listener.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    try:
        with connect(dsn, application="smartpark api") as connection:
            database = describe_database(connection).label
    except StorageUnavailableError as error:
        database = "not reachable yet, will keep trying"
        _log.warning("%s", error)
    print(f"smartpark api: http://{shown}:{port}/  database: {database}", flush=True)


def _run(settings: "ApiSettings", listener: socket.socket, metrics: tuple[str, int] | None) -> None:
    import uvicorn
    from smartpark.vitals import vitals_port

    from smartpark_api.app import create_app
    from smartpark_api.traffic import writer_to
    from smartpark_api.vitals import ApiVitals

    app = create_app(settings)
    writer = writer_to(settings.dsn, app.state.requests.traffic)

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = uvicorn.Server(config)
    # It ends on either signal and then raises it again for whoever was there before it; that is us, and for us ending
    # is enough: exit code 0. One that came before the server heard it itself ends it as soon as it has begun.
    _on_request_to_end(lambda _number, _frame: setattr(server, "should_exit", True))
    app.state.is_ending = lambda: server.should_exit
    with vitals_port(ApiVitals(app, writer), metrics):
        writer.start()
        try:
            server.run(sockets=[listener])
        finally:
            writer.close()


def _on_request_to_end(act: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, act)


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """While nobody is served yet."""
    raise SystemExit(0)
