"""`scripts/score NAME`: holds what the platform says against known answers, for people or as one JSON object.

A score is a module of this folder, as scripts/measuring.py describes it. It is never a test: which data are at hand
differs from place to place, and what is missing is said on stderr.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from measuring import run

SCORES = {"alerts": "score_alerts"}
"""Name to module."""


if __name__ == "__main__":
    raise SystemExit(run("scripts/score", __doc__.split("\n\n")[0], SCORES, {}))
