"""`smartpark simulate nhjc-platform` and its like: the other side of uplinks, to try them against.

What a command needs is imported when it runs.
"""

import argparse
import signal
import threading
from pathlib import Path
from types import FrameType

from smartpark.cli import Subparsers

NHJC_FAULTS = ("refuse", "drop", "lose_answer", "slow", "no_ack", "garbage", "reject", "forget")
"""Names of `nhjc_platform.PlatformFault`, which a test compares with these."""

HJ212_MOODS = (
    *("no-answer", "drop", "refuse", "forget", "wrong-crc", "half", "garbage", "short-length", "small-crc"),
    *("foreign", "pieces"),
)
"""Names of `hj212_server.Mood`, which a test compares with these."""


def register_uplinks(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the platforms below ``smartpark simulate``."""
    _register_nhjc(verbs)
    _register_hj212(verbs)


def wait_for_the_end(seconds: float | None) -> None:
    """Wait for SIGTERM or SIGINT, or for so many seconds."""
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    stop.wait(seconds)


# --- NECC-NHJC ---


def _register_nhjc(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    platform = verbs.add_parser(
        "nhjc-platform",
        help="be a platform of the monitoring of key energy users, for `smartpark uplink run`",
        description=(
            "Registers devices and takes uploads on this machine, over HTTP, or HTTPS with a certificate; fails as "
            "often as it is told to. At the end it says what it took. Point platform.register_url of an uplink's "
            "settings to the address that it prints."
        ),
    )
    platform.add_argument("--port", type=int, default=8212, help="port on 127.0.0.1 (default 8212; 0: any free one)")
    platform.add_argument(
        "--upload-time", default="00:00:00", metavar="TIME", help="what it tells devices (default 00:00:00)"
    )
    platform.add_argument(
        "--method",
        choices=["none", "aes-128-ecb", "sm4-ecb"],
        default="none",
        help="how values are encrypted (default none)",
    )
    platform.add_argument(
        "--key-file", type=Path, metavar="FILE", help="the key, 16 characters (default: a known one)"
    )
    platform.add_argument("--certificate", type=Path, metavar="FILE", help="PEM; with --certificate-key: HTTPS")
    platform.add_argument("--certificate-key", type=Path, metavar="FILE", help="PEM")
    platform.add_argument(
        "--fault-share", type=float, default=0.0, metavar="SHARE", help="share of requests that fail (default 0)"
    )
    platform.add_argument(
        "--faults",
        nargs="+",
        choices=NHJC_FAULTS,
        default=list(NHJC_FAULTS),
        metavar="FAULT",
        help=f"how: {', '.join(NHJC_FAULTS)} (default: all of them)",
    )
    platform.add_argument("--seed", type=int, default=1, help="which requests fail (default 1)")
    platform.add_argument("--ledger", type=Path, metavar="FILE", help="append what it takes, as JSON lines")
    platform.add_argument("--for", dest="run_for", type=float, metavar="S", help="end after S seconds")
    platform.set_defaults(run=_run_nhjc)


def _run_nhjc(arguments: argparse.Namespace) -> int:
    import json
    from datetime import time

    from smartpark_simulators.uplinks.nhjc_platform import NhjcPlatform, PlatformFault, PlatformOptions

    options = PlatformOptions(
        upload_time=time.fromisoformat(arguments.upload_time),
        method=arguments.method,
        fault_share=arguments.fault_share,
        faults=tuple(PlatformFault(name) for name in arguments.faults),
        seed=arguments.seed,
    )
    key_file: Path | None = arguments.key_file
    if key_file is not None:
        options.secret = key_file.read_text(encoding="utf-8").strip()
    pair = (arguments.certificate, arguments.certificate_key) if arguments.certificate else None
    with NhjcPlatform(options, port=arguments.port, certificate=pair, ledger=arguments.ledger) as platform:
        print(f"register_url = {json.dumps(platform.register_url)}", flush=True)
        wait_for_the_end(arguments.run_for)
        taken = {"items": len(platform.taken), "requests": dict(platform.heard.requests)}
    print(json.dumps(taken))
    return 0


# --- HJ 212 ---


def _register_hj212(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    server = verbs.add_parser(
        "hj212-server",
        help="be an environment platform that speaks HJ 212, for `smartpark uplink run`",
        description=(
            "Takes what stations tell over TCP on this machine, keeps it by station, command, time and factor, and "
            "answers; misbehaves as often as it is told to. At the end it says what it has. Point server.host and "
            "server.port of an uplink's settings to it. Any password is taken, and none is written down."
        ),
    )
    server.add_argument("--port", type=int, default=8213, help="port on 127.0.0.1 (default 8213; 0: any free one)")
    server.add_argument(
        "--fault-share", type=float, default=1.0, metavar="SHARE", help="share of packets with a fault (default 1)"
    )
    server.add_argument(
        "--faults",
        nargs="+",
        choices=HJ212_MOODS,
        default=[],
        metavar="FAULT",
        help=f"what goes wrong, all of them together: {', '.join(HJ212_MOODS)} (default: nothing)",
    )
    server.add_argument("--seed", type=int, default=1, help="which packets have a fault (default 1)")
    server.add_argument("--ledger", type=Path, metavar="FILE", help="append what it takes, as JSON lines")
    server.add_argument("--for", dest="run_for", type=float, metavar="S", help="end after S seconds")
    server.set_defaults(run=_run_hj212)


def _run_hj212(arguments: argparse.Namespace) -> int:
    import json

    from smartpark_simulators.uplinks.hj212_server import Hj212Server, Mood

    server = Hj212Server(arguments.port, share=arguments.fault_share, seed=arguments.seed, ledger=arguments.ledger)
    server.moods = frozenset(Mood(name) for name in arguments.faults)
    with server:
        print(f"port = {server.port}", flush=True)
        wait_for_the_end(arguments.run_for)
    kept = server.kept
    told = {
        "commands": dict(sorted(kept.commands.items())),
        "values": len(kept.values),
        "repeated": kept.repeated,
        "corrected": kept.corrected,
        "damaged": len(kept.damaged),
    }
    print(json.dumps(told))
    return 0
