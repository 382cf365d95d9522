"""`smartpark database backups`: what is on record of backups, drills and restores. It looks at no file of a backup.

Whether the newest one is whole, `scripts/backup check` says.
"""

import argparse
import json
from typing import TYPE_CHECKING, Any

from smartpark.cli import Subparsers

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_SHOWN = 20


def register_backups(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verb `backups` to `smartpark database`."""
    parser = verbs.add_parser(
        "backups",
        help="how old the last good backup is, and the last good drill",
        description="Backups, restore drills and restores that are on record, newest first, and how old the last "
        "good backup and drill are. What nobody recorded is not known here: scripts/backup check looks at files. "
        "The database is the one SMARTPARK_DSN names, with SMARTPARK_DSN_PASSWORD_FILE for its password.",
    )
    parser.add_argument(
        "--max-age-hours",
        type=float,
        metavar="HOURS",
        help="exit code 1 when the last good backup is older, or none is on record",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object: good_hours, drill_hours, runs")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now

    from smartpark_storage.backups import backup_ages, read_backups
    from smartpark_storage.connections import connect, dsn_from_environment

    with connect(dsn_from_environment(), application="smartpark") as connection:
        ages = backup_ages(connection, utc_now())
        runs = read_backups(connection, limit=_SHOWN)
    good, drill = _hours(ages.good), _hours(ages.drill)
    if arguments.json:
        told = [{name: _told(value) for name, value in run.as_row().items()} for run in runs]
        print(json.dumps({"good_hours": good, "drill_hours": drill, "runs": told}))
    else:
        for run in runs:
            print(f"{run.began_at:%Y-%m-%d %H:%MZ}  {run.kind:<8}  {run.outcome:<7}  {run.backup}")
        print(f"last good backup: {_words(good)}; last good drill: {_words(drill)}")
    most: float | None = arguments.max_age_hours
    return 0 if most is None or (good is not None and good <= most) else 1


def _hours(age: "timedelta | None") -> float | None:
    return None if age is None else round(age.total_seconds() / 3600, 2)


def _words(hours: float | None) -> str:
    return "none is on record" if hours is None else f"{hours:.1f} hours old"


def _told(value: "datetime | Any") -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
