"""`scripts/bench NAME`: runs one bench and prints what it measured, for people or as one JSON object.

A bench is a module of this folder, as scripts/measuring.py describes it. It is never a test: a number depends on the
machine, so each report says which machine it was.
"""

import sys
from pathlib import Path

from machine import describe_machine

sys.path.insert(0, str(Path(__file__).parents[1]))

from measuring import run

BENCHES = {
    "analytics": "bench_analytics",
    "late": "bench_late",
    "ingest": "bench_ingest",
    "backfill": "bench_backfill",
    "edge": "bench_edge",
    "console": "bench_console",
    "aggregates": "bench_aggregates",
    "alerts": "bench_alerts",
    "queries": "bench_queries",
}
"""Name to module."""


if __name__ == "__main__":
    raise SystemExit(run("scripts/bench", __doc__.split("\n\n")[0], BENCHES, describe_machine()))
