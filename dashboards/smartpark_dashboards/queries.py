"""SQL of the dashboards: one file per panel, below ``sql/<dashboard>/``; what several of them share is a ``.part``.

``{{stages}}`` in a query stands for ``stages.part`` beside it; ``{{corrected dust}}`` for ``corrected.part``, where
``{{of}}`` stands for the word. ``{{shared/alert_object}}`` is a part of all. ``{{measurand p.measurand}}`` names what
a point measures in the reader's language: a table's column says so by its shades, but a series is named by the query.
``{{rule demand_tolerance}}`` is a number of core's rules.
"""

import json
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from smartpark.measurands import MEANINGS

_PART: Final = re.compile(r"\{\{([\w/]+)(?: ([\w.]+))?\}\}")


def read_sql(dashboard: str, name: str) -> str:
    """Text of a query without the comment lines at its head: older Grafana would send them along."""
    folder = files("smartpark_dashboards").joinpath("sql", dashboard)
    text = without_head(folder.joinpath(f"{name}.sql").read_text(encoding="utf-8"))
    return _PART.sub(lambda found: _part(folder, found[1], found[2] or ""), text)


def _part(folder: Traversable, name: str, word: str) -> str:
    if name == "measurand":
        return _measurand(word)
    if name == "rule":
        return _rule(word)
    if name.startswith("shared/"):
        folder, name = files("smartpark_dashboards").joinpath("sql", "shared"), name.removeprefix("shared/")
    text = without_head(folder.joinpath(f"{name}.part").read_text(encoding="utf-8")).replace("{{of}}", word)
    return _PART.sub(lambda found: _part(folder, found[1], found[2] or ""), text)


def _rule(name: str) -> str:
    """A number of core's dated rows, the newest of them: a line to look at, by which nothing is judged here."""
    # Here and not above (noqa): models of rules are heavy, and every command of smartpark imports this module.
    from smartpark.electricity_rules import builtin_electricity_rules  # noqa: PLC0415
    from smartpark.evaluation import builtin_rules  # noqa: PLC0415

    charges, budgets = builtin_electricity_rules().basic_charge, builtin_rules().budget_rule
    found = {
        "demand_tolerance": max(charges, key=lambda row: row.valid_from).tolerance,
        "budget_red_pace": max(budgets, key=lambda row: row.valid_from).red_pace,
    }
    return str(found[name])


def _measurand(column: str) -> str:
    zh, en = ({code.value: getattr(m, language) for code, m in MEANINGS.items()} for language in ("zh", "en"))
    texts = [f"'{json.dumps(words, ensure_ascii=False, separators=(',', ':'))}'" for words in (zh, en)]
    return f"coalesce((CASE WHEN '$lang' = 'en' THEN {texts[1]} ELSE {texts[0]} END)::json ->> {column}, {column})"


def without_head(text: str) -> str:
    """A query without the comment lines at its head."""
    lines = text.splitlines()
    while lines and (lines[0].startswith("--") or not lines[0].strip()):
        lines.pop(0)
    return "\n".join(lines).strip()
