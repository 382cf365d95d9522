"""Options and environment of the port on which a service says how it fares; light, because every command passes here.

What is said there is in `vitals`.
"""

import argparse
import os

from smartpark.errors import SmartparkError


class MetricsPortError(SmartparkError):
    """The port for metrics cannot be used."""


def add_metrics_options(parser: argparse.ArgumentParser) -> None:
    """Where a service shall say how it fares."""
    parser.add_argument(
        "--metrics-port",
        type=_port,
        default=None,
        metavar="PORT",
        help="say how it fares at this port: /metrics, /healthz, /readyz (default SMARTPARK_METRICS_PORT, else none)",
    )
    parser.add_argument(
        "--metrics-host",
        default=None,
        metavar="ADDRESS",
        help="where that port listens (default SMARTPARK_METRICS_HOST, else 127.0.0.1; there is no log-in)",
    )


def metrics_address(arguments: argparse.Namespace) -> tuple[str, int] | None:
    """Host and port from the options of `add_metrics_options` and the environment; None: not wanted."""
    port: int | None = arguments.metrics_port
    if port is None and (text := os.environ.get("SMARTPARK_METRICS_PORT")):
        try:
            port = _port(text)
        except argparse.ArgumentTypeError as error:
            raise MetricsPortError(f"SMARTPARK_METRICS_PORT: {error}") from None
    if port is None:
        return None
    return arguments.metrics_host or os.environ.get("SMARTPARK_METRICS_HOST") or "127.0.0.1", port


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 (any free one) to 65535")
    return int(text)
