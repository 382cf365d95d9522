"""SQL of the dashboards: one file per panel, below ``sql/<dashboard>/``; what several of them share is a ``.part``.

``{{stages}}`` in a query stands for ``stages.part`` beside it; ``{{corrected dust}}`` for ``corrected.part``, where
``{{of}}`` stands for the word.
"""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_PART: Final = re.compile(r"\{\{(\w+)(?: (\w+))?\}\}")


def read_sql(dashboard: str, name: str) -> str:
    """Text of a query without the comment lines at its head: older Grafana would send them along."""
    folder = files("smartpark_dashboards").joinpath("sql", dashboard)
    text = without_head(folder.joinpath(f"{name}.sql").read_text(encoding="utf-8"))
    return _PART.sub(lambda found: _part(folder, found[1], found[2] or ""), text)


def _part(folder: Traversable, name: str, word: str) -> str:
    text = folder.joinpath(f"{name}.part").read_text(encoding="utf-8")
    return without_head(text).replace("{{of}}", word)


def without_head(text: str) -> str:
    """A query without the comment lines at its head."""
    lines = text.splitlines()
    while lines and (lines[0].startswith("--") or not lines[0].strip()):
        lines.pop(0)
    return "\n".join(lines).strip()
