"""What `docker compose` would run inside of a service, as somebody types it who has its database before them.

There is no engine here: that a container starts is not seen. What it runs is: `exec` and `run` of services whose
programs are ours, or the database's own, are taken out of their container and run.
"""

import re
import shlex
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_INSIDE: Final = re.compile(
    r"docker compose (?:exec (?:api|province) (?P<ours>smartpark .*)|exec database (?P<psql>psql .*)"
    r"|run --rm(?P<given>(?: -e \S+)*) migrate$|run --rm (?P<script>backup|restore-drill)\b(?P<words>.*))",
    re.DOTALL,
)
_DATABASE: Final = re.compile(r"\bsmartpark(?=_restored|_before|_trial|\b)")


def is_run_inside(command: str) -> bool:
    """Whether it is a command whose inside is run."""
    return _INSIDE.match(command) is not None


def inside(command: str, dsn: str) -> str:
    """What runs inside of a service; any other command as it is."""
    found = _INSIDE.match(command)
    if found is None:
        return command
    if found["ours"]:
        return found["ours"]
    if found["psql"]:
        return _psql(shlex.split(found["psql"]), dsn)
    if found["script"]:
        return f"scripts/{found['script']}{_neighbours(found['words'], dsn)}"
    given = " ".join(word for word in found["given"].split() if word != "-e")
    return re.sub(r"postgresql://\S+", shlex.quote(dsn), f"{given} smartpark migrate".strip())


def _neighbours(text: str, dsn: str) -> str:
    """A text with databases that have names that begin with this one's, as theirs do with `smartpark`."""
    return _DATABASE.sub(str(conninfo_to_dict(dsn)["dbname"]), text)


def _psql(words: list[str], dsn: str) -> str:
    database, sql = words[words.index("-d") + 1], words[words.index("-c") + 1]
    if re.search(r"\bDATABASE\b", sql):
        sql = _neighbours(sql, dsn)
    where = make_conninfo(dsn, dbname=_neighbours(database, dsn))
    return shlex.join(["psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", where, "-c", sql])
