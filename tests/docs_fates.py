"""What becomes of each command of the documents: it is run, started, run by another test, or only read, and why.

`python tests/docs_fates.py` counts them, document by document.
"""

import functools
import re
import sys
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from docs_commands import ROOT, Command, commands_of, documents
from docs_filled import FILLED, GROUPS, is_filled_by
from docs_reading import is_only_named


class Fate(StrEnum):
    """What a test does with a command."""

    RUN = "run"
    """As it stands."""
    FILLED = "filled in"
    """Run, with what a reader puts where the document only names it."""
    STARTED = "started"
    """A process, until it does its work, and ended."""
    ELSEWHERE = "elsewhere"
    """Another test runs it, or what it stands for, in another way."""
    READ = "read"
    """Nobody runs it: its words, files and services are held against what there is."""


@dataclass(frozen=True)
class ReadOnly:
    """Commands that are read and not run."""

    pattern: str
    """Of the whole command, from its beginning."""
    why: str
    tests: tuple[str, ...] = ()
    """Files that run it, or what it stands for, in another way."""
    documents: str = ""
    """Only of these documents: part of their name."""


READ_ONLY: Final = (
    ReadOnly(
        r"docker (?!compose (exec (api|province) smartpark|exec database psql"
        r"|run --rm (-e \S+ )*(migrate|backup|restore-drill)))",
        "needs a container engine",
    ),
    ReadOnly(r"docker .*EXTENSION timescaledb UPDATE", "needs TimescaleDB of before and after"),
    ReadOnly(r"scripts/demo|smartpark demo", "minutes of a whole park", ("test_demo",)),
    ReadOnly(r"\. var/demo/env", "the demo writes that file", ("test_demo",)),
    ReadOnly(r"(\w+=\w+ )?scripts/test", "it is what runs this"),
    ReadOnly(r"scripts/chaos|export SMARTPARK_DSN=\S*chaos", "minutes", ("test_chaos_run", "test_chaos")),
    ReadOnly(r"scripts/fuzz", "minutes", ("test_fuzz",)),
    ReadOnly(r"scripts/bench", "minutes", ("test_benches",)),
    ReadOnly(r"scripts/render-dashboards", "fetches a front end, and needs a browser"),
    ReadOnly(r"scripts/score alerts", "needs sets that are no part of the project", ("test_alert_scores",)),
    ReadOnly(r"chmod 600$", "names no file"),
    ReadOnly(r"smartpark edge spool /etc", "an agent has to have run there", ("test_edge_agent",)),
    ReadOnly(r"export SMARTPARK_DSN=", "the test's own database it is", (), "api/"),
    ReadOnly(r"curl -u .*client_credentials", "needs a program's secret", ("test_oauth",)),
    ReadOnly(r"smartpark edge browse", "needs a PLC", ("test_edge_proposals",)),
    ReadOnly(r"smartpark alerts contacts test", "tells people", ("test_alert_contacts_commands",)),
    ReadOnly(r"smartpark dashboards build", "writes into the project", ("test_dashboards",)),
    ReadOnly(r"smartpark grafana report --database", "needs a reader of its own", ("test_dashboard_report",)),
    ReadOnly(r"smartpark explain energy_per_value_added", "needs a whole month", ("test_explain_whole",)),
    ReadOnly(
        r"(UV_\w+=\S+ )?uv |python3 -m|/opt/smartpark/bin/pip|sha256sum smartpark-images",
        "takes packages from a registry, or images from an engine",
    ),
    ReadOnly(r"scripts/verify-grafana", "needs a living Grafana", ("test_verify_grafana",)),
    ReadOnly(r"smartpark grafana sync", "needs a living Grafana", ("test_grafana_sync",)),
    ReadOnly(r"timedatectl|chronyc|journalctl", "a program of a machine that systemd has started"),
    ReadOnly(r"npm pack|curl ISSUER|curl -s http://HOST|openssl s_client", "speaks with somebody else's server"),
)
"""The first that fits holds, for commands that are neither run nor started."""


SLOW: Final = re.compile(
    r"smartpark (derive --park|api describe|import|grafana report|forecast|alerts (backtest|run --once)|database st"
    r"|dashboards build|aggregates pull --into all|derive run --once|migrate --refresh)"
    r"|([A-Z_]+=\S+ )*scripts/(backup|restore-drill|score-forecast)"
    r"|docker compose (run --rm (backup|restore-drill)|.*DATABASE )"
)
"""Commands that are run in the long test only: they take a second or more."""

STARTED: Final = re.compile(
    r"(SMARTPARK_\w+=\S+ )?smartpark (api serve|edge (run|listen)|database watch"
    r"|(ingest|derive|outlook|notices|alerts|uplink) run(?! --once)"
    r"|province run sources.toml$|simulate (broker|park|nhjc-platform|hj212-server|province))"
)
"""Commands that go on for good, or speak with one that does: tests/integration/test_docs_commands_started.py."""


@functools.cache
def fate_of(command: Command) -> tuple[Fate, ReadOnly | None]:
    """What becomes of a command, and where it is not run, why."""
    row = next((r for r in READ_ONLY if r.documents in command.document and re.match(r.pattern, command.text)), None)
    not_run = Fate.ELSEWHERE if row is not None and row.tests else Fate.READ
    if not is_only_named(command):
        if STARTED.match(command.text):
            return Fate.STARTED, None
        return (Fate.RUN, None) if row is None else (not_run, row)
    if (typed := typed_for(command)) is not None:
        return (Fate.STARTED if STARTED.match(typed) else Fate.FILLED), None
    return not_run, row


def typed_for(named: Command) -> str | None:
    """What is typed where a command is only named; nothing where nobody does."""
    return next((typed for typed in _typed() if is_filled_by(named, typed)), None)


@functools.cache
def _typed() -> tuple[str, ...]:
    found = [c for path in documents() for c in commands_of(path) if not is_only_named(c)]
    whole = [c.text for c in found if c.text.startswith("smartpark ") and fate_of(c)[0] in {Fate.RUN, Fate.STARTED}]
    return (*FILLED, *GROUPS, *whole)


def table() -> str:
    """How many commands of each document have which fate."""
    counts = {path: Counter(fate_of(command)[0] for command in commands_of(path)) for path in documents()}
    lines = [f"{'document':40}" + "".join(f"{fate:>11}" for fate in Fate)]
    lines += [
        f"{path.relative_to(ROOT)!s:40}" + "".join(f"{count[fate]:11}" for fate in Fate)
        for path, count in counts.items()
        if count
    ]
    whole = sum(counts.values(), Counter[Fate]())
    return "\n".join([*lines, f"{f'all {whole.total()}':40}" + "".join(f"{whole[fate]:11}" for fate in Fate)])


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
