"""Runs a `smartpark` command with a clock that can be turned from outside: `python -m … OFFSET_FILE edge run …`.

A gateway's clock is wrong when its battery is flat or its time server lies. The agent has no door for that, and must
not have one; so this stands in front of it: `smartpark.clock`, the one place from which the platform takes the time,
is told to add the seconds that a file holds, before the command is loaded. Only `chaos` starts agents this way.
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from smartpark import clock
from smartpark.cli import main


def turned(true_clock: Callable[[], datetime], offset: Path) -> Callable[[], datetime]:
    """A clock that goes wrong by as many seconds as the file says; an empty or missing file says none."""

    def utc_now() -> datetime:
        try:
            seconds = float(offset.read_text(encoding="utf-8") or 0)
        except OSError:
            seconds = 0.0
        return true_clock() + timedelta(seconds=seconds)

    return utc_now


def turn(seconds: float, offset: Path) -> None:
    """Set the clock of who reads this file."""
    draft = offset.with_name(offset.name + ".new")
    draft.write_text(f"{seconds}", encoding="utf-8")
    draft.replace(offset)


if __name__ == "__main__":
    clock.utc_now = turned(clock.utc_now, Path(sys.argv[1]))
    raise SystemExit(main(sys.argv[2:]))
